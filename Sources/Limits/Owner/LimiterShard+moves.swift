package import Membership
package import Placement

/// Keys that change their owner. A table holds buckets of others only until they are handed over: whoever finds such a
/// bucket tells the owner it sees now, and drops it when that one has taken it. So a chain of changes, or an owner that
/// has not heard yet, needs no rule of its own.
extension LimiterShard {
    /// Buckets that are another node's now.
    package struct Departing: Sendable {
        package var buckets: [(owner: MemberID, key: LimitKey, bucket: Handover.Bucket)] = []
        /// Where to look on, downwards; nil at the end.
        package var next: Int?
    }

    /// A new placement. Where no key can have moved, nothing changes.
    package mutating func placementChanged(to next: Placement, at now: Nanoseconds) {
        guard !placement.members.isEmpty else { return begin(next, at: now) }
        guard next.digest != placement.digest else {
            placement = next
            return
        }
        let givers = KeyMoves(from: placement, to: next).givers(to: me)
        previous = placement
        adopt(next, awaiting: givers, at: now)
    }

    /// The first placement of this life: others held our keys while we were away, and our own snapshot may know more.
    mutating func begin(_ first: Placement, at now: Nanoseconds) {
        previous = first.without(me)
        adopt(first, awaiting: KeyMoves(from: previous, to: first).givers(to: me) + [me], at: now)
    }

    private mutating func adopt(_ next: Placement, awaiting givers: [MemberID], at now: Nanoseconds) {
        placement = next
        // 0 is the view of nobody.
        view = view == .max ? 1 : view + 1
        inheritance.begin(
            awaiting: givers, for: next.digest,
            until: now.advanced(atMostBy: limits.inheritancePeriod.wholeNanoseconds))
        inheritance.forget(allBut: Set((next.members + previous.members).map(\.id)).union([me]))
    }

    /// Looks through up to `count` buckets below `end` (nil: from the last one), and lists those that are not ours any
    /// more.
    ///
    /// Downwards, because a bucket that is dropped meanwhile gives its place to the last one: so only those that were
    /// looked at already change their places.
    package mutating func departing(below end: Int?, upTo count: Int, at now: Nanoseconds) -> Departing {
        var departing = Departing()
        let end = min(end ?? table.count, table.count)
        let start = count < end ? end - count : 0
        for place in (start..<end).reversed() where !table.isConfirmed(view, at: place) {
            let bucket = table[place]
            guard let owner = owner(of: bucket.key), owner != me else {
                table.setConfirmed(view, at: place)
                continue
            }
            let entry = policies[bucket.key]
            let debt = entry.rule.debt(of: bucket.arrival, at: now)
            let lent = ledger.outstanding(bucket.key)
            // One that is full again is as good as one that never was; the sweep takes it.
            guard debt > 0 || lent > 0 else { continue }
            let lentFor = ledger.outstandingUntil(bucket.key).map { max($0 - now, 0) } ?? 0
            let told = Handover.Bucket(
                policy: entry.policy.name, subject: bucket.key.subject, debt: debt, lentUnits: lent, lentFor: lentFor)
            departing.buckets.append((owner, bucket.key, told))
        }
        departing.next = start > 0 ? start : nil
        return departing
    }

    /// The new owner has it.
    package mutating func handedOver(_ key: LimitKey) {
        // Unless it came back to us meanwhile.
        guard let place = table.place(of: key), !table.isConfirmed(view, at: place) else { return }
        table.drop(key)
        ledger.forget(key)
        counts.bucketsHandedOver += 1
    }

    /// `sender`, or a snapshot it left, tells what a key owes. False when the key is neither ours nor, as far as we
    /// know, the sender's: then somebody else has to be told. A sender's key is taken although it is not ours yet: it
    /// has seen the change before us. What our own snapshot tells of a key that is another's now is taken to be handed
    /// over.
    package mutating func inherit(
        _ key: LimitKey, _ told: Handover.Bucket, from sender: MemberID, at now: Nanoseconds
    ) -> Bool {
        let owner = owner(of: key)
        guard owner == me || owner == sender || sender == me else { return false }
        let rule = policies[key].rule
        var arrival = rule.arrival(owing: told.debt, at: now)
        if let heir = inheritance.settle(key) {
            rule.charge(heir.admitted, to: &arrival, at: now)
        } else if let place = table.place(of: key) {
            // Told twice, or so late that the care was over: whichever owes more.
            arrival = rule.later(arrival, table[place].arrival)
        }
        let confirmed = owner == me ? view : 0
        if let place = table.place(of: key) {
            table.setArrival(arrival, at: place)
            table.setConfirmed(confirmed, at: place)
        } else {
            _ = table.open(key, arrival, confirmed: confirmed, at: now)
        }
        let end = now.advanced(atMostBy: min(max(told.lentFor, 0), GCRA.debtMax))
        ledger.inherited(told.lentUnits, of: key, until: end, at: now)
        counts.bucketsInherited += 1
        return true
    }

    /// `sender` has told everything: keys of which it said nothing owe nothing but what was admitted here.
    package mutating func completed(_ sender: MemberID, for digest: UInt64) {
        for (key, heir) in inheritance.completed(sender, for: digest) {
            if let place = table.place(of: key) { table.setArrival(heir.own, at: place) }
        }
    }
}
