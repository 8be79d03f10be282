/// The first message of TLS, written by hand: what is asked for here, no library of today would ask for, and a door
/// that would agree to it could not be found out with one.
struct ClientHello: Sendable {
    enum Answer: Sendable, Hashable {
        case agreed(version: UInt16, suite: UInt16, compression: UInt8)
        case refused(alert: UInt8)
        /// Closed without a word, or with something that is not TLS.
        case nothing

        var suite: UInt16? { if case .agreed(_, let suite, _) = self { suite } else { nil } }
    }

    /// 0x0300 is SSL 3, 0x0301 to 0x0303 are TLS 1.0 to 1.2.
    var version: UInt16 = 0x0303
    var suites: [UInt16]
    /// 0: none, 1: DEFLATE.
    var compressions: [UInt8] = [0]

    /// Every number that a suite may have, but for the two that say something else: 0x00FF asks for safe renegotiation,
    /// 0x5600 tells that an earlier try came to nothing.
    static let allSuites = (UInt16.min...UInt16.max).filter { $0 != 0x00FF && $0 != fallback }
    static let fallback: UInt16 = 0x5600
    /// As many fit into one record.
    static let suitesMax = 4096

    var bytes: [UInt8] {
        precondition(suites.count <= Self.suitesMax, "\(suites.count) suites do not fit")
        var hello = Self.two(version) + (0..<32).map { UInt8($0) } + [0]
        hello += Self.counted(suites.flatMap(Self.two))
        hello += [UInt8(compressions.count)] + compressions
        // SSL 3 knows no extensions. Groups: X25519, P-256, P-384. Signatures: ECDSA, RSA-PSS and RSA, SHA-1 too.
        if version > 0x0300 {
            let groups = Self.named(10, Self.counted([0x00, 0x1D, 0x00, 0x17, 0x00, 0x18]))
            let signatures = Self.named(
                13, Self.counted([4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1, 2, 3, 2, 1]))
            hello += Self.counted(groups + Self.named(11, [1, 0]) + signatures + Self.named(0xFF01, [0]))
        }
        let message = [1, 0] + Self.counted(hello)
        return [22] + Self.two(min(version, 0x0301)) + Self.counted(message)
    }

    /// As SSL 2 began, asking for SSL 2 with its seven suites.
    static var ofSSL2: [UInt8] {
        let suites: [UInt8] = [1, 2, 3, 4, 5, 6, 7].flatMap { [$0, 0, $0 == 7 ? 0xC0 : 0x80] }
        let hello = [1, 0x00, 0x02] + two(UInt16(suites.count)) + [0, 0, 0, 16] + suites + (0..<16).map { UInt8($0) }
        return [0x80, UInt8(hello.count)] + hello
    }

    /// What a door said. Nil: it has not said enough yet.
    static func answer(_ bytes: [UInt8], isWhole: Bool) -> Answer? {
        switch bytes.first {
        case 21 where bytes.count >= 7: return .refused(alert: bytes[6])
        case 22 where bytes.count >= 44:
            // Record (5), message (4), version (2), random (32), the session's id after its length, what was chosen.
            let chosen = 44 + Int(bytes[43])
            guard bytes[5] == 2, bytes.count >= chosen + 3 else { return isWhole ? .nothing : nil }
            return .agreed(
                version: UInt16(bytes[9]) << 8 | UInt16(bytes[10]),
                suite: UInt16(bytes[chosen]) << 8 | UInt16(bytes[chosen + 1]), compression: bytes[chosen + 2])
        default: return isWhole || ![nil, 21, 22].contains(bytes.first) ? .nothing : nil
        }
    }

    private static func two(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }
    private static func counted(_ bytes: [UInt8]) -> [UInt8] { two(UInt16(bytes.count)) + bytes }
    private static func named(_ type: UInt16, _ content: [UInt8]) -> [UInt8] { two(type) + counted(content) }
}
