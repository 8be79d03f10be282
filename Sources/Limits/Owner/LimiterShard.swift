package import Membership
package import Placement

/// One part of a node's limiter: the buckets it owns, the slices it has lent and borrowed, and what it knows of owners.
/// Every key belongs to one part, so parts share nothing and each has a lock of its own.
///
/// A machine: time and placement come in, decisions go out. `Limiter` is the shell around it.
package struct LimiterShard: Sendable {
    /// Where a check goes.
    package enum Route: Hashable, Sendable {
        /// Decided here. `wish` asks the owner for a further slice, without anybody waiting for it.
        case decided(LimitAnswer, wish: Wish?)
        case ask(MemberID)
        /// No member can hold keys.
        case nobody
    }

    package struct Wish: Hashable, Sendable {
        package let owner: MemberID
        package let units: Int
    }

    /// What happened so far.
    package struct Counts: Hashable, Sendable {
        package var allowed = 0
        package var refused = 0
        package var slicesLent = 0
        package var unitsLent = 0
        package var slicesReturned = 0
        /// Units admitted on borrowed slices.
        package var unitsBorrowed = 0
        package var bucketsHandedOver = 0
        package var bucketsInherited = 0
        /// Items of other nodes whose key was not ours.
        package var misdirected = 0

        package init() {}
    }

    let me: MemberID
    let policies: LimitPolicies
    let limits: LimiterConfiguration
    package internal(set) var placement: Placement
    /// The placement before keys last moved; at first, the one without this node: whoever held its keys while it was
    /// away.
    var previous: Placement
    /// Counts placements under which keys moved. A bucket that was confirmed under this one needs no look at the
    /// placement: the hot path is one look-up.
    var view: UInt32 = 1
    package internal(set) var table: LimiterTable
    package internal(set) var ledger: SliceLedger
    package internal(set) var purse: SlicePurse
    package internal(set) var inheritance: Inheritance
    /// Buckets of others that this node decides about alone, by its share, while their owners are out of reach.
    private var shares: LimiterTable
    package internal(set) var counts = Counts()

    /// - Parameters:
    ///   - me: this life; its epoch keeps its slices apart from those of earlier lives.
    ///   - limits: of the node; a part gets an equal part of them.
    ///   - placement: empty until the first view is there; nobody owns a key then.
    package init(
        me: MemberLife, policies: LimitPolicies, limits: LimiterConfiguration, shardCount: Int, placement: Placement,
        at now: Nanoseconds
    ) {
        func part(_ total: Int) -> Int { max(1, total / shardCount) }
        self.me = me.id
        self.policies = policies
        self.limits = limits
        self.placement = placement
        previous = placement.without(me.id)
        table = LimiterTable(policies: policies, keysMax: part(limits.keysMax))
        shares = LimiterTable(policies: policies, keysMax: part(limits.keysMax))
        // An epoch is in milliseconds: a million slices a millisecond before two lives could meet.
        ledger = SliceLedger(slicesMax: part(limits.slicesMax), firstNumber: me.epoch << 20)
        purse = SlicePurse(keysMax: part(limits.heldKeysMax))
        inheritance = Inheritance(heirsMax: part(limits.heirsMax))
        if !placement.members.isEmpty { begin(placement, at: now) }
    }

    // MARK: Checks of this node

    /// Somebody here asks for `units` of a key.
    @inline(__always)
    package mutating func check(_ key: LimitKey, units: Int, at now: Nanoseconds) -> Route {
        if let place = table.place(of: key), table.isConfirmed(view, at: place) {
            return .decided(LimitAnswer(take(units, at: place, now), source: .owner), wish: nil)
        }
        return checkElsewhere(key, units: units, at: now)
    }

    private mutating func checkElsewhere(_ key: LimitKey, units: Int, at now: Nanoseconds) -> Route {
        if !purse.isEmpty, case .paid(let left, let owner, let wish) = purse.pay(units, of: key, at: now) {
            counts.allowed += 1
            counts.unitsBorrowed += units
            let decision = LimitDecision(.allowed, remaining: left, resetAfter: 0)
            let wished = wish.map { Wish(owner: owner, units: $0) }
            return .decided(LimitAnswer(decision, source: .slice), wish: wished)
        }
        guard let owner = owner(of: key) else { return .nobody }
        guard owner == me else { return .ask(owner) }
        let decision = take(units, at: ownPlace(of: key, at: now), now)
        return .decided(LimitAnswer(decision, source: .owner), wish: nil)
    }

    /// The owner is out of reach and the policy is `local`: this node admits its share. A check is charged as often as
    /// there are members, which is the same as dividing the limit, without a second set of rules.
    package mutating func decideAlone(_ key: LimitKey, units: Int, at now: Nanoseconds) -> LimitDecision {
        let burst = policies[key].policy.burst
        let members = max(1, placement.members.count)
        let (charged, overflow) = units.multipliedReportingOverflow(by: members)
        // A share below one unit still admits one at a time; a check that no bucket could pay stays impossible.
        let charge = units > burst ? units : min(overflow ? burst : charged, burst)
        let decision = shares.take(charge, from: key, at: now)
        return LimitDecision(
            decision.outcome, remaining: decision.remaining / members, resetAfter: decision.resetAfter)
    }

    /// The owner lent a slice with its answer. Answers with what goes back at once, because there is no room for it.
    package mutating func received(
        _ slice: LentSlice, of key: LimitKey, from owner: MemberID, askedAt: Nanoseconds, at now: Nanoseconds
    ) -> SliceReturn? {
        purse.received(slice, of: key, from: owner, askedAt: askedAt, at: now)
    }

    /// Slices that nobody here spends, to be sent back.
    package mutating func collectReturns(at now: Nanoseconds) -> [(owner: MemberID, SliceReturn)] {
        purse.collect(at: now)
    }

    // MARK: Checks of other nodes

    /// Another node asks for `quantity` units, `count` times over.
    package mutating func answer(
        _ key: LimitKey, quantity: Int, count: Int, wish: Int, for borrower: MemberID, at now: Nanoseconds
    ) -> ItemAnswer {
        guard let place = ownedPlace(of: key, at: now) else {
            counts.misdirected += 1
            return .elsewhere(owner: owner(of: key))
        }
        let entry = policies[key]
        var arrival = table[place].arrival
        let admitted = entry.rule.takeRepeatedly(quantity, upTo: count, from: &arrival, at: now)
        if admitted > 0 {
            table.setArrival(arrival, at: place)
            if !inheritance.isIdle { noteAdmitted(admitted * quantity, from: key, now) }
        }
        counts.allowed += admitted
        counts.refused += count - admitted
        var slice: LentSlice?
        if admitted == count, wish > 0, borrower != me {
            slice = lend(wish, of: key, at: place, to: borrower, now)
        }
        // What the next check of that quantity would be told.
        arrival = table[place].arrival
        let next = entry.rule.take(admitted < count ? quantity : 0, from: &arrival, at: now)
        var retryAfter: Nanoseconds? = 0
        switch next.outcome {
        case .allowed: break
        case .refused(let after): retryAfter = after
        case .exceedsBurst: retryAfter = nil
        }
        return .decided(
            ItemDecision(
                admitted: admitted, remaining: next.remaining, retryAfter: retryAfter, resetAfter: next.resetAfter,
                slice: slice))
    }

    private mutating func lend(
        _ wish: Int, of key: LimitKey, at place: Int, to borrower: MemberID, _ now: Nanoseconds
    ) -> LentSlice? {
        let entry = policies[key]
        guard entry.policy.lentUnitsMax > 0 else { return nil }
        let lease = limits.sliceLease.wholeNanoseconds
        let terms = LendingTerms(
            rule: entry.rule, lentUnitsMax: entry.policy.lentUnitsMax, unitsMin: limits.sliceUnitsMin,
            lasting: lease.advanced(atMostBy: limits.sliceMargin.wholeNanoseconds))
        var arrival = table[place].arrival
        guard let slice = ledger.lend(wish, of: key, to: borrower, from: &arrival, terms, at: now) else { return nil }
        table.setArrival(arrival, at: place)
        if !inheritance.isIdle { noteAdmitted(slice.units, from: key, now) }
        counts.slicesLent += 1
        counts.unitsLent += slice.units
        return LentSlice(number: slice.number, units: slice.units, lease: lease)
    }

    /// A slice that this node lent comes back.
    package mutating func returned(
        _ number: UInt64, unspent: Int, of key: LimitKey, by borrower: MemberID, at now: Nanoseconds
    ) {
        let units = ledger.returned(number, unspent: unspent, of: key, by: borrower, at: now)
        guard units > 0 else { return }
        counts.slicesReturned += 1
        // A bucket that was full again and dropped needs nothing back.
        guard let place = table.place(of: key) else { return }
        var arrival = table[place].arrival
        policies[key].rule.putBack(units, into: &arrival, at: now)
        table.setArrival(arrival, at: place)
    }

    // MARK: Upkeep

    /// Ends what is over, and drops up to `keys` buckets that are full again.
    package mutating func sweep(_ keys: Int, at now: Nanoseconds) {
        inheritance.expire(at: now)
        ledger.expire(at: now)
        table.sweep(keys, at: now)
        shares.sweep(keys, at: now)
    }

    // MARK: Inside

    func owner(of key: LimitKey) -> MemberID? { placement.owner(of: placementKey(key)) }

    func placementKey(_ key: LimitKey) -> PlacementKey {
        // No home: a limit holds for the whole cluster, so a key has one owner wherever it is asked for.
        PlacementKey(key.subject, kind: policies[key].placementKind)
    }

    @inline(__always)
    private mutating func take(_ units: Int, at place: Int, _ now: Nanoseconds) -> LimitDecision {
        let decision = table.take(units, at: place, now)
        if decision.isAllowed {
            counts.allowed += 1
            // Nearly always there are no heirs, and the hot path ends here.
            if !inheritance.isIdle { noteAdmitted(units, from: table[place].key, now) }
        } else {
            counts.refused += 1
        }
        return decision
    }

    private mutating func noteAdmitted(_ units: Int, from key: LimitKey, _ now: Nanoseconds) {
        inheritance.admitted(units, from: key, policies[key].rule, at: now)
    }

    /// The bucket of a key that is ours, or nil when it is not.
    private mutating func ownedPlace(of key: LimitKey, at now: Nanoseconds) -> Int? {
        if let place = table.place(of: key), table.isConfirmed(view, at: place) { return place }
        guard owner(of: key) == me else { return nil }
        return ownPlace(of: key, at: now)
    }

    /// The bucket of a key that is known to be ours. A new one begins full, or with care while somebody may still tell
    /// what it owes.
    private mutating func ownPlace(of key: LimitKey, at now: Nanoseconds) -> Int {
        if let place = table.place(of: key) {
            table.setConfirmed(view, at: place)
            return place
        }
        guard !inheritance.awaitsNobody else { return table.open(key, confirmed: view, at: now) }
        // Where nobody held it while we were away, our own snapshot has the account.
        let former = previous.owner(of: placementKey(key)) ?? me
        guard inheritance.awaits(former, at: now), !inheritance.isHeir(key) else {
            return table.open(key, confirmed: view, at: now)
        }
        let entry = policies[key]
        let careful = max(entry.policy.cost, entry.policy.burst * limits.takeoverPercent / 100)
        inheritance.adopt(key, from: former, own: entry.rule.full(at: now))
        return table.open(key, entry.rule.arrival(holding: careful, at: now), confirmed: view, at: now)
    }
}
