import ClipModel
import Crypto

/// A client's key as it stands in a header: `tj_`, 43 random digits of base 62 (256 bits), and 6 that are the CRC-32 of
/// all before.
///
/// The checksum is no secret. It tells a mistyped, cut off or made-up key without a question to the database, and lets
/// scanners of repositories know a real one when they see it.
package struct APIKey: Sendable, Hashable, CustomStringConvertible {
    package static let prefix = "tj_"
    package static let charactersMax = 52
    private static let randomDigits = 43
    private static let checkDigits = 6

    /// Shown to its owner once, sent by him, and never written down here: not in the database, not in a log.
    package let text: String

    /// Nil: no key of this form was ever handed out. Looks at no more than `charactersMax` bytes.
    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard bytes.count == Self.charactersMax, bytes.starts(with: Self.prefix.utf8),
            bytes.dropFirst(Self.prefix.utf8.count).allSatisfy(Base62.isDigit),
            bytes.suffix(Self.checkDigits).elementsEqual(Self.check(bytes.dropLast(Self.checkDigits)).utf8)
        else { return nil }
        self.text = String(text)
    }

    private init(body: String) { text = body + Self.check(body.utf8) }

    /// - Parameter random: one that nobody can foretell, as the system's is.
    package static func make(using random: inout some RandomNumberGenerator) -> APIKey {
        APIKey(body: prefix + Base62.digits(randomDigits, using: &random))
    }

    /// What is stored. A slow hash, as passwords need one, would gain nothing: nobody guesses 256 random bits, however
    /// fast he may try.
    package var sha256: String { hexadecimal(SHA256.hash(data: Array(text.utf8))) }

    /// Says nothing, so that a key that ends in a message by mistake is not in the log.
    package var description: String { Self.prefix + "..." }

    private static func check(_ bytes: some Sequence<UInt8>) -> String {
        var checksum = Checksum32()
        checksum.update(Array(bytes))
        return Base62.digits(of: checksum.value, count: checkDigits)
    }
}
