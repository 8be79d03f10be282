/// What an operator calls the client of a key: 1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`.
package struct ClientName: Hashable, Sendable, CustomStringConvertible {
    package static let charactersMax = 64
    package let rawValue: String

    package init?(_ text: String) {
        guard (1...Self.charactersMax).contains(text.utf8.count) else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isPlain else { return nil }
        rawValue = text
    }

    /// The same as the `tenant` of jobs and as the subject of limits. An address has another prefix, so none can pose
    /// as a client of this name.
    package var tenant: String { "key:" + rawValue }
    package var description: String { rawValue }
}

/// Names a key in lists, logs and orders: `k_` and 12 of `0-9 A-Z a-z`. It opens nothing, so it may be shown.
package struct KeyID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let prefix = "k_"
    package static let charactersMax = 14
    package let rawValue: String

    package init?(_ text: String) {
        guard text.utf8.count == Self.charactersMax, text.hasPrefix(Self.prefix),
            text.utf8.dropFirst(Self.prefix.utf8.count).allSatisfy(Base62.isDigit)
        else { return nil }
        rawValue = text
    }

    package init(using random: inout some RandomNumberGenerator) {
        rawValue = Self.prefix + Base62.digits(Self.charactersMax - Self.prefix.utf8.count, using: &random)
    }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Digits that pass through headers, shells, addresses and a double click.
package enum Base62 {
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    package static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }

    /// Each is as likely as any other.
    package static func digits(_ count: Int, using random: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The last `count` digits of a number, zeros in front.
    package static func digits(of number: UInt32, count: Int) -> String {
        var rest = number, bytes: [UInt8] = []
        for _ in 0..<count {
            bytes.append(alphabet[Int(rest % 62)])
            rest /= 62
        }
        return String(decoding: bytes.reversed(), as: UTF8.self)
    }
}

extension ClientName: TextCoded {}
extension KeyID: TextCoded {}
