package import Membership

/// The part of the keys of one home that one member owns.
package struct KeyShare: Hashable, Sendable, Codable {
    package let member: String
    package let region: String
    /// 0 to 1.
    package let share: Double

    package init(member: String, region: String, share: Double) {
        self.member = member
        self.region = region
        self.share = share
    }
}

extension Placement {
    /// The part of the keys of `home` (nil: of the keys without a home) that every member owns, by arithmetic: in a
    /// region, its weight over the weight of all. Members that own none are left out. In the order of their names.
    package func keyShares(home: String?) -> [KeyShare] {
        let ring = keyRing
        var shares: [Int: Double] = [:]
        for (part, pool) in situations(of: ring, home: home) {
            for candidate in pool.candidates { shares[candidate.place, default: 0] += part * pool.share(of: candidate) }
        }
        return shares.sorted { $0.key < $1.key }.map { place, share in
            KeyShare(member: members[place].id.rawValue, region: members[place].region, share: share)
        }
    }

    /// The part of the keys of its own region that a member owns: what operators look at. Nil for a stranger.
    package func keyShareAtHome(of id: MemberID) -> Double? {
        guard let place = members.firstIndex(where: { $0.id == id }) else { return nil }
        guard let pool = keyRing[members[place].region]?.pool else { return 0 }
        return pool.candidates.first { $0.place == place }.map { pool.share(of: $0) } ?? 0
    }

    /// The pools that own keys of `home`, each with the part of the keys that it owns. More than one where home has
    /// nobody and the keys choose among the other regions.
    private func situations(of ring: PlacementRing, home: String?) -> [(part: Double, pool: PlacementPool)] {
        guard let home else { return [(1, ring.everywhere)] }
        if let region = ring.commonRegion(home, policy) { return [(1, region.pool)] }
        return ring.regions.map { (1 / Double(ring.regions.count), $0.pool) }
    }
}
