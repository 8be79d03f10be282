import Foundation
package import Membership
import TLSTransport

/// How a node meets the others: the section `cluster` of its configuration.
package struct ClusterSettings: Sendable {
    package let name: String
    package let host: String
    package let port: Int
    package let address: PeerAddress
    package let seeds: [PeerAddress]
    package let membership: MembershipConfiguration
    let credentials: CredentialFiles

    init(_ values: ConfigurationValues) throws(ConfigurationError) {
        name = values.text("cluster.name")
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ConfigurationError(["cluster.name must be 1 to 64 visible ASCII characters, is \"\(name)\""])
        }
        // A certificate may well name the loopback host, and then every node could call itself that.
        guard values.text("node.name") != "localhost" else {
            throw ConfigurationError(["node.name must not be localhost: certificates of other nodes may hold that name"]
            )
        }
        host = values.text("cluster.host")
        port = values.integer("cluster.port")
        let own = values.text("cluster.address")
        address = own.isEmpty ? PeerAddress(host: host, port: port) : try Self.address(own, of: "cluster.address")
        var seeds: [PeerAddress] = []
        for text in values.text("cluster.seeds").split(separator: ",") {
            let seed = try Self.address(text.trimmingCharacters(in: .whitespaces), of: "cluster.seeds")
            // One list of seeds serves all nodes.
            if seed != address { seeds.append(seed) }
        }
        self.seeds = seeds
        membership =
            switch values.text("cluster.network") {
            case "local": .local
            case "wan": .wan
            default: .lan
            }
        let denied = values.text("cluster.denyList")
        credentials = CredentialFiles(
            certificate: values.text("cluster.certificate"), key: values.text("cluster.key"),
            authorities: values.text("cluster.authorities"), denied: denied.isEmpty ? nil : denied)
    }

    /// `host:port`, `[::1]:port`
    static func address(_ text: String, of key: String) throws(ConfigurationError) -> PeerAddress {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65535).contains(port)
        else { throw ConfigurationError(["\(key) must be host:port, is \"\(text)\""]) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw ConfigurationError(["\(key): an IPv6 address stands in brackets, as in [::1]:7400; is \"\(text)\""])
        }
        guard !host.isEmpty else { throw ConfigurationError(["\(key) has no host: \"\(text)\""]) }
        return PeerAddress(host: String(host), port: port)
    }
}
