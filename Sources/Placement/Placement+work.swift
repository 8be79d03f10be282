package import Membership

/// Where something new goes, when it may go anywhere: the owner of its key, or the next in its ranking that is not
/// loaded beyond its fair share.
package struct WorkPlace: Hashable, Sendable {
    package let member: MemberID
    /// Members before it in the key's ranking that were passed over because they were full.
    package let passedOver: Int
    /// What the member carries already, as it was given.
    package let load: Int
    /// What it may carry before it is passed over.
    package let cap: Int
}

extension Placement {
    /// Finds a place for one more unit of work under consistent hashing with bounded loads.
    ///
    /// Nobody is given more than `ceil(c * fair share)` of all units, the new one counted, where the fair share goes by
    /// weight and c is `policy.loadFactorPercent`. As c >= 1 there is always somebody below its cap. Only the members
    /// of one region count and are filled: home, or the next region when home has no schedulable member. A full
    /// region does not exist, because caps grow with the load.
    ///
    /// Source: V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018
    /// (arXiv:1608.01350, 2016).
    ///
    /// - Parameter loads: units that members carry; who is not in it carries none.
    /// - Returns: nil when no member takes new work.
    package func placeForNewWork(_ key: PlacementKey, loads: [MemberID: Int]) -> WorkPlace? {
        let hash = hash(of: key)
        guard let pool = workRing.pool(of: hash, home: key.home, policy), pool.weightTotal > 0 else { return nil }
        // Loads arrive from other nodes: wild ones are bent.
        func load(_ place: Int) -> Int { min(max(0, loads[members[place].id] ?? 0), PlacementPolicy.loadMax) }
        let total = pool.candidates.reduce(1) { $0 + load($1.place) }
        for (passedOver, place) in pool.ranking(of: hash, logarithm).enumerated() {
            let cap = Self.cap(
                units: total, weight: members[place].weight, weightTotal: pool.weightTotal,
                factorPercent: policy.loadFactorPercent)
            guard load(place) < cap else { continue }
            return WorkPlace(member: members[place].id, passedOver: passedOver, load: load(place), cap: cap)
        }
        preconditionFailure("all of \(pool.candidates.count) members are above a cap whose sum is above their load")
    }

    /// ceil(c * units * weight / weightTotal), in whole numbers.
    static func cap(units: Int, weight: Int, weightTotal: Int, factorPercent: Int) -> Int {
        let divisor = 100 * weightTotal
        return (factorPercent * units * weight + divisor - 1) / divisor
    }
}
