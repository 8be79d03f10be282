/// An IP address as a number: 4 bytes or 16.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address of \(bytes.count) bytes")
        self.bytes = bytes
    }

    package var isVersion4: Bool { bytes.count == 4 }

    package var description: String {
        guard !isVersion4 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}

/// Addresses that begin with the same bits: `10.0.0.0/8`, `fc00::/7`.
package struct NetworkRange: Hashable, Sendable, CustomStringConvertible {
    package let address: NetworkAddress
    package let bits: Int

    /// Nil when `text` is no address, or one with too many bits. Without a slash: that address alone.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NetworkAddress(text: String(parts[0])) else { return nil }
        let most = address.bytes.count * 8
        guard parts.count == 2 else {
            (self.address, bits) = (address, most)
            return
        }
        guard let bits = Int(parts[1]), (0...most).contains(bits) else { return nil }
        (self.address, self.bits) = (address, bits)
    }

    package func contains(_ other: NetworkAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = bits / 8
        guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
        guard bits % 8 > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (bits % 8))
        return other.bytes[whole] & mask == address.bytes[whole] & mask
    }

    package var description: String { "\(address)/\(bits)" }
}

/// Which addresses may be connected to on behalf of a stranger: those of the public internet.
///
/// Asked with the address that is about to be connected to, after names were resolved, for every connection: a name
/// that means something else a moment later is asked for again.
package struct AddressGuard: Hashable, Sendable {
    /// Networks that are not public and may be connected to all the same.
    package var allowed: [NetworkRange]

    package init(allowed: [NetworkRange] = []) { self.allowed = allowed }

    /// Why not; nil when it may be.
    package func objection(to address: NetworkAddress) -> String? {
        if allowed.contains(where: { $0.contains(address) }) { return nil }
        if let row = Self.refused.first(where: { $0.range.contains(address) }) { return row.reason }
        // Of version 6 only what is given out as global unicast (RFC 4291, 2.4): not loopback, unique local, link
        // local, multicast, nor addresses of version 4 in any of their clothings (mapped, RFC 6052).
        if !address.isVersion4, !Self.globalUnicast.contains(address) { return "not global unicast (RFC 4291)" }
        return nil
    }

    private struct Row: Sendable {
        let range: NetworkRange
        let reason: String
    }

    private static func row(_ text: String, _ reason: String) -> Row {
        guard let range = NetworkRange(text) else { preconditionFailure("\(text) is no range") }
        return Row(range: range, reason: reason)
    }

    private static let globalUnicast = row("2000::/3", "").range

    /// Source: the IANA registries of special-purpose addresses (RFC 6890) of versions 4 and 6.
    private static let refused = [
        row("0.0.0.0/8", "this host (RFC 1122)"), row("10.0.0.0/8", "private (RFC 1918)"),
        row("100.64.0.0/10", "shared by a provider (RFC 6598)"), row("127.0.0.0/8", "loopback (RFC 1122)"),
        row("168.63.129.16/32", "the platform of a cloud"),
        row("169.254.0.0/16", "link local, metadata of clouds (RFC 3927)"), row("172.16.0.0/12", "private (RFC 1918)"),
        row("192.0.0.0/24", "protocol assignments (RFC 6890)"), row("192.0.2.0/24", "documentation (RFC 5737)"),
        row("192.31.196.0/24", "AS112 (RFC 7535)"), row("192.52.193.0/24", "AMT (RFC 7450)"),
        row("192.88.99.0/24", "6to4 relays (RFC 7526)"), row("192.168.0.0/16", "private (RFC 1918)"),
        row("192.175.48.0/24", "AS112 (RFC 7534)"), row("198.18.0.0/15", "benchmarks (RFC 2544)"),
        row("198.51.100.0/24", "documentation (RFC 5737)"), row("203.0.113.0/24", "documentation (RFC 5737)"),
        row("224.0.0.0/4", "multicast (RFC 5771)"), row("240.0.0.0/4", "reserved, broadcast (RFC 1112)"),
        row("64:ff9b::/96", "version 4 through NAT64 (RFC 6052)"), row("64:ff9b:1::/48", "local NAT64 (RFC 8215)"),
        row("2001::/23", "protocol assignments, Teredo (RFC 2928)"), row("2001:db8::/32", "documentation (RFC 3849)"),
        row("2002::/16", "6to4, which holds version 4 (RFC 3056)"), row("2620:4f:8000::/48", "AS112 (RFC 7534)"),
        row("3fff::/20", "documentation (RFC 9637)"),
    ]
}
