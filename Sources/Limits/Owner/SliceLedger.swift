package import Membership

/// What an owner has lent to other nodes, by key.
///
/// A slice is some units for some time. They are taken from the bucket when they are lent, so what is lent lies inside
/// the limit of that moment. A later window is passed only by what was outstanding when it began, and that is at most
/// `lentUnitsMax` of the policy: whatever is spent in a window was charged in that window, or was outstanding at its
/// start. Units that come back unspent are put back as they are; if the bucket has drained meanwhile, that gives again
/// what was outstanding, and no more (docs/limits.md, "The bound").
package struct SliceLedger: Hashable, Sendable {
    package struct Slice: Hashable, Sendable {
        /// Unique over the lives of an owner.
        package let number: UInt64
        /// Nil for one that a former owner lent.
        package let borrower: MemberID?
        package let units: Int
        /// Until then it counts as outstanding; the borrower stops earlier.
        package let endsAt: Nanoseconds
    }

    private let slicesMax: Int
    private var slices: [LimitKey: [Slice]] = [:]
    private var nextNumber: UInt64
    package private(set) var sliceCount = 0

    /// - Parameter firstNumber: above all numbers of earlier lives of this owner, whose slices may still come back.
    package init(slicesMax: Int, firstNumber: UInt64) {
        precondition(slicesMax >= 0, "a ledger of \(slicesMax) slices")
        self.slicesMax = slicesMax
        nextNumber = firstNumber
    }

    package var isEmpty: Bool { slices.isEmpty }

    /// Units of the key that are lent and neither returned nor over.
    package func outstanding(_ key: LimitKey) -> Int { slices[key]?.reduce(0) { $0 + $1.units } ?? 0 }

    /// When the last of them ends.
    package func outstandingUntil(_ key: LimitKey) -> Nanoseconds? { slices[key]?.map(\.endsAt).max() }

    // MARK: Events

    /// Lends up to `wish` units: no more than half of what is left, so that others find something, and no more than may
    /// be outstanding. Nil when that is less than `unitsMin`: a call for a handful costs more than it saves.
    package mutating func lend(
        _ wish: Int, of key: LimitKey, to borrower: MemberID, from arrival: inout GCRA.Arrival, _ terms: LendingTerms,
        at now: Nanoseconds
    ) -> Slice? {
        expire(key, at: now)
        let room = terms.lentUnitsMax - outstanding(key)
        let units = min(wish, room, terms.rule.available(in: arrival, at: now) / 2)
        guard units >= max(terms.unitsMin, 1), sliceCount < slicesMax else { return nil }
        terms.rule.charge(units, to: &arrival, at: now)
        return add(units, of: key, to: borrower, until: now.advanced(atMostBy: terms.lasting))
    }

    /// A slice came back. Answers with the units to put back: none for one that is over, or was returned before: a
    /// return may be sent twice.
    package mutating func returned(
        _ number: UInt64, unspent: Int, of key: LimitKey, by borrower: MemberID, at now: Nanoseconds
    ) -> Int {
        expire(key, at: now)
        guard let place = slices[key]?.firstIndex(where: { $0.number == number && $0.borrower == borrower }),
            let slice = slices[key]?.remove(at: place)
        else { return 0 }
        sliceCount -= 1
        if slices[key]?.isEmpty == true { slices[key] = nil }
        return min(max(unspent, 0), slice.units)
    }

    /// A former owner lent so much of a key that is now ours.
    package mutating func inherited(_ units: Int, of key: LimitKey, until end: Nanoseconds, at now: Nanoseconds) {
        guard units > 0, now < end else { return }
        // Told twice, it counts once.
        if slices[key]?.contains(where: { $0.borrower == nil && $0.units == units }) == true { return }
        _ = add(units, of: key, to: nil, until: end)
    }

    /// Ends what is over.
    package mutating func expire(at now: Nanoseconds) {
        for key in Array(slices.keys) { expire(key, at: now) }
    }

    /// The key is another node's now, and that node knows what is outstanding.
    package mutating func forget(_ key: LimitKey) { sliceCount -= slices.removeValue(forKey: key)?.count ?? 0 }

    private mutating func add(_ units: Int, of key: LimitKey, to borrower: MemberID?, until end: Nanoseconds) -> Slice {
        let slice = Slice(number: nextNumber, borrower: borrower, units: units, endsAt: end)
        slices[key, default: []].append(slice)
        nextNumber += 1
        sliceCount += 1
        return slice
    }

    private mutating func expire(_ key: LimitKey, at now: Nanoseconds) {
        guard let all = slices[key], all.contains(where: { $0.endsAt <= now }) else { return }
        let kept = all.filter { $0.endsAt > now }
        sliceCount -= all.count - kept.count
        slices[key] = kept.isEmpty ? nil : kept
    }
}

/// Under which terms a key is lent.
package struct LendingTerms: Sendable {
    package let rule: GCRA
    package let lentUnitsMax: Int
    package let unitsMin: Int
    /// How long a slice counts as outstanding: the lease and the margin.
    package let lasting: Nanoseconds

    package init(rule: GCRA, lentUnitsMax: Int, unitsMin: Int, lasting: Nanoseconds) {
        self.rule = rule
        self.lentUnitsMax = lentUnitsMax
        self.unitsMin = unitsMin
        self.lasting = lasting
    }
}
