/// The PROXY protocol, versions 1 and 2: what a balancer that passes bytes through says before them.
///
/// Bytes go in; out comes who the client is and how many bytes of the header there were, that more is needed, or that
/// this is no such header.
package enum ProxyHeader: Sendable, Hashable {
    case needsMore
    case malformed
    /// `address` is nil when the proxy speaks for itself (a health check) or does not know.
    case complete(address: IPAddress?, bytes: Int)

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let lineBytesMax = 107
    /// Addresses and the extensions (TLS facts, names) of version 2.
    package static let bytesMax = 2048

    package static func read(_ bytes: [UInt8]) -> ProxyHeader {
        if bytes.isEmpty { return .needsMore }
        return bytes[0] == signature[0] ? binary(bytes) : line(bytes)
    }

    /// `PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n`
    private static func line(_ bytes: [UInt8]) -> ProxyHeader {
        let start = Array("PROXY ".utf8)
        guard bytes.prefix(start.count).elementsEqual(start.prefix(bytes.count)) else { return .malformed }
        guard let end = bytes.prefix(lineBytesMax).firstIndex(of: 0x0A) else {
            return bytes.count < lineBytesMax ? .needsMore : .malformed
        }
        guard bytes[end - 1] == 0x0D else { return .malformed }
        let words = String(decoding: bytes[..<(end - 1)], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 2, words[1] == "UNKNOWN" { return .complete(address: nil, bytes: end + 1) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6", let address = IPAddress(words[2]),
            IPAddress(words[3]) != nil, UInt16(words[4]) != nil, UInt16(words[5]) != nil
        else { return .malformed }
        return .complete(address: address, bytes: end + 1)
    }

    private static func binary(_ bytes: [UInt8]) -> ProxyHeader {
        guard bytes.prefix(12).elementsEqual(signature.prefix(bytes.count)) else { return .malformed }
        guard bytes.count >= 16 else { return .needsMore }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard bytes[12] >> 4 == 2, bytes[12] & 15 <= 1, length <= bytesMax - 16 else { return .malformed }
        guard bytes.count >= 16 + length else { return .needsMore }
        let body = bytes[16..<(16 + length)]
        // Command 0 is the proxy itself. Families: 1 is IPv4, 2 is IPv6; what else there is has no address for us.
        switch (bytes[12] & 15, bytes[13] >> 4) {
        case (1, 1):
            guard length >= 12 else { return .malformed }
            return .complete(address: IPAddress(bytes: Array(body.prefix(4))), bytes: 16 + length)
        case (1, 2):
            guard length >= 36 else { return .malformed }
            return .complete(address: IPAddress(bytes: Array(body.prefix(16))), bytes: 16 + length)
        default: return .complete(address: nil, bytes: 16 + length)
        }
    }
}
