import Glibc

/// An IP address as bytes. IPv4 addresses inside of IPv6 ones (`::ffff:1.2.3.4`) are IPv4.
package struct IPAddress: Sendable, Hashable {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    package init?(_ text: some StringProtocol) {
        let text = String(text)
        guard text.utf8.count <= 45 else { return nil }
        var four = in_addr(), six = in6_addr()
        // The string and the structures live for the length of the calls, and each call is given its own kind.
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: &four) { unsafe Array($0) })
        } else if unsafe inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: &six) { unsafe Array($0) })
        } else {
            return nil
        }
    }

    package init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address of \(bytes.count) bytes does not exist")
        let isMapped =
            bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// As people write it.
    package var text: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    /// Who is counted: an IPv4 address, or the /64 of an IPv6 one, because whoever has one of its addresses has all.
    package var subject: String {
        guard bytes.count == 16 else { return text }
        return IPAddress(bytes: Array(bytes[..<8]) + Array(repeating: 0, count: 8)).text + "/64"
    }
}

/// The machines in front of this node whose word about a client's address counts.
package struct TrustedProxies: Sendable, Hashable {
    private struct Network: Sendable, Hashable {
        let bytes: [UInt8]
        let bits: Int

        func contains(_ address: IPAddress) -> Bool {
            guard address.bytes.count == bytes.count else { return false }
            return bytes.indices.allSatisfy { index in
                let left = min(8, max(0, bits - index * 8))
                let mask = left == 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - left))
                return bytes[index] & mask == address.bytes[index] & mask
            }
        }
    }

    package static let none = TrustedProxies(networks: [])
    private let networks: [Network]

    private init(networks: [Network]) { self.networks = networks }

    /// `10.0.0.7, 10.1.0.0/16, fd00::/8`. Nil: one of them is neither an address nor a network.
    package init?(_ text: String) {
        var networks: [Network] = []
        for item in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let address = IPAddress(parts[0]) else { return nil }
            let most = address.bytes.count * 8
            guard parts.count == 2 else {
                networks.append(Network(bytes: address.bytes, bits: most))
                continue
            }
            guard let bits = Int(parts[1]), (1...most).contains(bits) else { return nil }
            networks.append(Network(bytes: address.bytes, bits: bits))
        }
        self.networks = networks
    }

    package var isEmpty: Bool { networks.isEmpty }

    package func contains(_ address: String) -> Bool {
        guard !networks.isEmpty, let address = IPAddress(address) else { return false }
        return contains(address)
    }

    private func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    /// Which header the proxies write. Only one is read: a client could send the other, and no proxy would touch it.
    package enum Header: String, Sendable, Hashable, CaseIterable {
        case forwardedFor = "X-Forwarded-For"
        case forwarded = "Forwarded"
    }

    /// Longest chain of proxies that is followed.
    private static let hopsMax = 32

    /// Who asks. Each proxy appends whom it got the request from, so the chain is read from its end, and the first
    /// that is none of ours is the client: what stands before it is the client's own claim.
    package func client(peer: String, header: Header, value: String?) -> String {
        guard contains(peer), let value else { return peer }
        var last = peer
        for hop in value.split(separator: ",").reversed().prefix(Self.hopsMax) {
            guard let address = Self.address(hop, header) else { return last }
            last = address.text
            if !contains(address) { return last }
        }
        return last
    }

    /// `203.0.113.7`, `203.0.113.7:4711`, `[2001:db8::1]:4711`; with `Forwarded` `for="[2001:db8::1]";proto=https`.
    private static func address(_ hop: Substring, _ header: Header) -> IPAddress? {
        var text = hop.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        if header == .forwarded {
            guard let part = text.split(separator: ";").first(where: { $0.lowercased().hasPrefix("for=") }) else {
                return nil
            }
            text = String(part.dropFirst(4))
        }
        if text.hasPrefix("[") { return IPAddress(text.dropFirst().prefix { $0 != "]" }) }
        if let address = IPAddress(text) { return address }
        let parts = text.split(separator: ":")
        return parts.count == 2 ? IPAddress(parts[0]) : nil
    }
}
