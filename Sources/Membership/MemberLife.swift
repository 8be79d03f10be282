/// A member's name, as the operator chose it: 1 to 63 of `a-z`, `0-9`, `-`.
package struct MemberID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init?(_ text: String) {
        guard isLabel(text) else { return nil }
        rawValue = text
    }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension MemberID: Codable {
    /// A name from the wire is held to the same rule as one from the operator.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = MemberID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a member's name")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// One life of a member. A restart has a higher epoch and replaces the earlier life at once; a lower one is refused.
///
/// The epoch is the time of the start in milliseconds since 1970. Nothing here depends on that: it only has to rise
/// from one start of the same member to the next, so whoever fears a clock that was set back hands in
/// `max(clock, last epoch + 1)`.
package struct MemberLife: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let id: MemberID
    package let epoch: UInt64

    package init(id: MemberID, epoch: UInt64) {
        self.id = id
        self.epoch = epoch
    }

    package var description: String { "\(id)@\(epoch)" }

    package static func < (left: Self, right: Self) -> Bool {
        left.id == right.id ? left.epoch < right.epoch : left.id < right.id
    }
}

/// Where a member listens for its peers.
package struct PeerAddress: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// An IPv6 host stands in brackets (RFC 3986, 3.2.2).
    package var description: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }

    package static func < (left: Self, right: Self) -> Bool {
        left.host == right.host ? left.port < right.port : left.host < right.host
    }
}

private func isLabel(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): true
            default: false
            }
        }
}
