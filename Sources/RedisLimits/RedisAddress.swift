import Foundation

/// Where Redis listens, and who we are to it: `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS,
/// or `unix://[user[:password]@]/path` for a socket of this machine. A password alone is written `:password@`.
///
/// Special characters of user and password are written as `%XX`. Never printed with them.
package struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Place: Hashable, Sendable {
        case network(host: String, port: Int)
        case socket(path: String)
    }

    package static let defaultPort = 6379
    /// Redis has 16 unless it is told otherwise.
    package static let databaseMax = 1_000_000
    /// The kernel takes 107 bytes.
    private static let pathBytesMax = 107

    package let place: Place
    package let usesTLS: Bool
    package let user: String?
    package let password: String?
    package let database: Int

    /// Nil when it is none of those.
    package init?(_ text: String) {
        guard let schemeEnd = text.range(of: "://") else { return nil }
        let scheme = text[..<schemeEnd.lowerBound]
        var rest = text[schemeEnd.upperBound...]
        var user: String?
        var password: String?
        // The last one: a password may hold others that were not written as %40.
        if let at = rest.lastIndex(of: "@") {
            let words = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = String(words[0]).removingPercentEncoding else { return nil }
            user = name.isEmpty ? nil : name
            if words.count == 2 {
                guard let secret = String(words[1]).removingPercentEncoding, !secret.isEmpty else { return nil }
                password = secret
            }
            // Redis knows no user without a password.
            guard password != nil else { return nil }
            rest = rest[rest.index(after: at)...]
        }
        (self.user, self.password) = (user, password)
        switch scheme {
        case "unix":
            guard rest.hasPrefix("/"), rest.count > 1, rest.utf8.count <= Self.pathBytesMax else { return nil }
            (place, usesTLS, database) = (.socket(path: String(rest)), false, 0)
        case "redis", "rediss":
            let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let place = Self.network(parts[0]) else { return nil }
            let name = parts.count == 2 ? parts[1] : ""
            guard let number = name.isEmpty ? 0 : Int(name), (0...Self.databaseMax).contains(number) else { return nil }
            (self.place, usesTLS, database) = (place, scheme == "rediss", number)
        default: return nil
        }
    }

    private static func network(_ text: Substring) -> Place? {
        var host = text
        var port: Substring?
        // In brackets colons are part of the address.
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { "?#@/ ".contains($0) }) else { return nil }
        guard let port else { return .network(host: String(host), port: defaultPort) }
        guard let number = Int(port), (1...65_535).contains(number) else { return nil }
        return .network(host: String(host), port: number)
    }

    /// Without user and password.
    package var description: String {
        switch place {
        case .socket(let path): path
        case .network(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
