/// What all nodes of a cluster must agree on before they can agree about owners.
package struct PlacementPolicy: Sendable, Hashable, Codable {
    /// A weight above this counts as this. Prevents one node with a mistyped capacity from owning everything, and keeps
    /// weight times depth inside 64 bits.
    package static let weightMax = 10_000

    /// Mixed into every hash. A cluster's id serves; a secret serves better, because then no client that may choose its
    /// own keys can collect keys that fall on one node. Default: empty.
    package var salt: String
    /// Where the keys of a region go while it has no member that can hold them, first choice first. Regions that are
    /// not named follow in an order of the key's own, so that a lost region's keys spread. Default: none named.
    package var fallbackRegions: [String: [String]]

    package init(salt: String = "", fallbackRegions: [String: [String]] = [:]) {
        self.salt = salt
        self.fallbackRegions = fallbackRegions
    }

    /// Names the way in which owners are found, for the handshake: two nodes whose ids differ would send each other's
    /// keys astray and must not talk.
    ///
    /// The first part names the algorithm and changes with every change of an answer; the second is a digest of salt
    /// and fallback order.
    package var algorithmID: String {
        var hash = keyed
        hash.absorb(field: "policy")
        for (region, order) in fallbackRegions.sorted(by: { $0.key < $1.key }) {
            hash.absorb(field: region)
            hash.absorb(UInt64(order.count))
            for name in order { hash.absorb(field: name) }
        }
        return "rendezvous-1/" + hexadecimal(hash.finished())
    }

    /// SipHash under the salt. Its key is two hashes of the salt, under the keys (0, 0) and (0, 1).
    var keyed: SipHash {
        func half(_ number: UInt64) -> UInt64 {
            var hash = SipHash(keyLow: 0, keyHigh: number)
            hash.absorb(salt)
            return hash.finished()
        }
        return SipHash(keyLow: half(0), keyHigh: half(1))
    }
}

/// 16 hexadecimal digits: JSON readers lose the last bits of whole numbers above 2^53.
package func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
