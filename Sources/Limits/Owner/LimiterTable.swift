/// Buckets by key, never more than `keysMax` of them.
///
/// A bucket that is full again is dropped without effect: it is as good as one that never was. When the table is full
/// of buckets in debt and a new key comes, the hand looks at `probesMax` buckets and drops the one with the least debt.
/// That forgets at most that debt, and is counted. It is the least harm: a client that can make up a million keys gains
/// nothing from a forgotten one, because it could use a new one instead; and who owes much is kept. The rejected ways:
/// refusing new keys lets such a client lock everybody out, admitting them unseen lets it in.
package struct LimiterTable: Sendable {
    package struct Counts: Hashable, Sendable {
        /// Buckets that were full again.
        package var droppedIdle = 0
        /// Buckets dropped in debt, because there was no room; anything above zero asks for a larger `keysMax`.
        package var droppedInDebt = 0
        /// The units that they owed.
        package var unitsForgotten = 0
    }

    struct Bucket: Sendable {
        let key: LimitKey
        var arrival: GCRA.Arrival
        /// The view under which this node was last found to be the owner.
        var confirmed: UInt32
        /// Changed since it was last written to the snapshots.
        var isUnsaved = true
    }

    /// Buckets that are looked at to make room for one.
    package static let probesMax = 8

    let policies: LimitPolicies
    package let keysMax: Int
    package private(set) var counts = Counts()
    private(set) var buckets: [Bucket] = []
    private var places: [LimitKey: Int] = [:]
    private var hand = 0

    package init(policies: LimitPolicies, keysMax: Int) {
        precondition(keysMax > 0, "a table of \(keysMax) keys")
        self.policies = policies
        self.keysMax = keysMax
    }

    package var count: Int { buckets.count }

    // MARK: Decisions

    /// Takes units from the bucket of `key`, which begins full.
    package mutating func take(_ units: Int, from key: LimitKey, at now: Nanoseconds) -> LimitDecision {
        take(units, at: place(of: key) ?? open(key, at: now), now)
    }

    @inline(__always)
    mutating func take(_ units: Int, at place: Int, _ now: Nanoseconds) -> LimitDecision {
        let rule = policies[buckets[place].key.policy].rule
        let decision = rule.take(units, from: &buckets[place].arrival, at: now)
        if decision.isAllowed { buckets[place].isUnsaved = true }
        return decision
    }

    // MARK: Buckets

    @inline(__always)
    func place(of key: LimitKey) -> Int? { places[key] }

    subscript(_ place: Int) -> Bucket { buckets[place] }

    @inline(__always)
    func isConfirmed(_ view: UInt32, at place: Int) -> Bool { buckets[place].confirmed == view }

    @inline(__always)
    func isUnsaved(at place: Int) -> Bool { buckets[place].isUnsaved }

    func rule(at place: Int) -> GCRA { policies[buckets[place].key.policy].rule }

    /// A new bucket, full unless told otherwise. Answers with its place, which the next change of the table may move.
    mutating func open(
        _ key: LimitKey, _ arrival: GCRA.Arrival? = nil, confirmed: UInt32 = 0, at now: Nanoseconds
    ) -> Int {
        precondition(places[key] == nil, "a second bucket for a key")
        if buckets.count >= keysMax { makeRoom(at: now) }
        let arrival = arrival ?? policies[key].rule.full(at: now)
        places[key] = buckets.count
        buckets.append(Bucket(key: key, arrival: arrival, confirmed: confirmed))
        return buckets.count - 1
    }

    mutating func setArrival(_ arrival: GCRA.Arrival, at place: Int) {
        buckets[place].arrival = arrival
        buckets[place].isUnsaved = true
    }

    mutating func setConfirmed(_ view: UInt32, at place: Int) { buckets[place].confirmed = view }
    mutating func setUnsaved(_ isUnsaved: Bool, at place: Int) { buckets[place].isUnsaved = isUnsaved }

    mutating func drop(_ key: LimitKey) {
        if let place = places[key] { drop(at: place) }
    }

    /// The last bucket takes the place, so that there are no holes.
    private mutating func drop(at place: Int) {
        places[buckets[place].key] = nil
        let last = buckets.removeLast()
        if place < buckets.count {
            buckets[place] = last
            places[last.key] = place
        }
    }

    // MARK: Room

    /// Drops what is full again among the next `count` buckets. Called from time to time, so that memory follows use.
    package mutating func sweep(_ count: Int, at now: Nanoseconds) {
        for _ in 0..<min(count, buckets.count) {
            if hand >= buckets.count { hand = 0 }
            if hand < buckets.count, isIdle(at: hand, now) {
                drop(at: hand)
                counts.droppedIdle += 1
            } else {
                hand += 1
            }
        }
    }

    private func isIdle(at place: Int, _ now: Nanoseconds) -> Bool {
        rule(at: place).isIdle(buckets[place].arrival, at: now)
    }

    private mutating func makeRoom(at now: Nanoseconds) {
        var victim: (place: Int, debt: Nanoseconds)?
        for _ in 0..<min(Self.probesMax, buckets.count) {
            if hand >= buckets.count { hand = 0 }
            let debt = rule(at: hand).debt(of: buckets[hand].arrival, at: now)
            if debt < victim?.debt ?? .max { victim = (hand, debt) }
            hand += 1
            if debt == 0 { break }
        }
        // keysMax is at least 1, so something was looked at.
        guard let victim else { return }
        if victim.debt == 0 {
            counts.droppedIdle += 1
        } else {
            let rule = rule(at: victim.place)
            counts.droppedInDebt += 1
            counts.unitsForgotten += rule.burst - rule.available(in: buckets[victim.place].arrival, at: now)
        }
        drop(at: victim.place)
    }
}
