package import Membership

/// What this node has borrowed, by key. It is spent here without asking anybody.
///
/// A slice is trusted for its lease, counted from when it was asked for and not from when the answer came: so it ends
/// here before it ends at the lender, whatever the network did.
package struct SlicePurse: Hashable, Sendable {
    package enum Payment: Hashable, Sendable {
        /// Not enough: ask the owner.
        case short
        /// Spent. `wish` is set once for a slice that runs low: ask the owner for that many more, meanwhile.
        case paid(left: Int, owner: MemberID, wish: Int?)
    }

    private struct Holding: Hashable, Sendable {
        let number: UInt64
        let owner: MemberID
        let granted: Int
        var left: Int
        let lease: Nanoseconds
        let since: Nanoseconds
        let trustedUntil: Nanoseconds
        var usedAt: Nanoseconds
        var hasWished = false
    }

    private let keysMax: Int
    private var holdings: [LimitKey: [Holding]] = [:]

    package init(keysMax: Int) {
        precondition(keysMax >= 0, "a purse of \(keysMax) keys")
        self.keysMax = keysMax
    }

    /// Slices of one key: one that is being spent, and one that was fetched because the first ran low.
    static let slicesPerKeyMax = 2

    package var isEmpty: Bool { holdings.isEmpty }
    package var keyCount: Int { holdings.count }

    /// Units of the key that may be spent.
    package func left(_ key: LimitKey, at now: Nanoseconds) -> Int {
        holdings[key]?.reduce(0) { $0 + (now < $1.trustedUntil ? $1.left : 0) } ?? 0
    }

    /// Spends units of one slice, the oldest that has enough.
    package mutating func pay(_ units: Int, of key: LimitKey, at now: Nanoseconds) -> Payment {
        guard var slices = holdings[key] else { return .short }
        guard let place = slices.firstIndex(where: { now < $0.trustedUntil && $0.left >= units }) else {
            return .short
        }
        slices[place].left -= units
        slices[place].usedAt = now
        let wish = wish(&slices, at: now)
        let owner = slices[place].owner
        let left = slices.reduce(0) { $0 + (now < $1.trustedUntil ? $1.left : 0) }
        holdings[key] = slices
        return .paid(left: left, owner: owner, wish: wish)
    }

    /// Once for each slice, when it is the last and three quarters of it are spent: as much again, and twice as much
    /// when that took less than half of its lease.
    private func wish(_ slices: inout [Holding], at now: Nanoseconds) -> Int? {
        let last = slices.count - 1
        guard !slices[last].hasWished, slices[last].left < slices[last].granted / 4 else { return nil }
        slices[last].hasWished = true
        let isQuick = now - slices[last].since < slices[last].lease / 2
        return isQuick ? slices[last].granted * 2 : slices[last].granted
    }

    /// The owner lent a slice. Answers with what has to go back at once, because there is no room for it.
    package mutating func received(
        _ slice: LentSlice, of key: LimitKey, from owner: MemberID, askedAt: Nanoseconds, at now: Nanoseconds
    ) -> SliceReturn? {
        var slices = (holdings[key] ?? []).filter { now < $0.trustedUntil && $0.left > 0 }
        let isRoom = slices.count < Self.slicesPerKeyMax && (holdings[key] != nil || holdings.count < keysMax)
        guard isRoom else { return SliceReturn(key: key, number: slice.number, unspent: slice.units) }
        slices.append(
            Holding(
                number: slice.number, owner: owner, granted: slice.units, left: slice.units, lease: slice.lease,
                since: now, trustedUntil: askedAt.advanced(atMostBy: slice.lease), usedAt: now))
        holdings[key] = slices
        return nil
    }

    /// Takes out what is over, and what nobody has spent for a quarter of a lease: that goes back to its owners.
    package mutating func collect(at now: Nanoseconds) -> [(owner: MemberID, SliceReturn)] {
        guard !holdings.isEmpty else { return [] }
        var returns: [(owner: MemberID, SliceReturn)] = []
        // In an order that does not change from run to run, because messages follow from it.
        for key in holdings.keys.sorted(by: { ($0.policy, $0.subject) < ($1.policy, $1.subject) }) {
            var kept: [Holding] = []
            for slice in holdings[key] ?? [] where now < slice.trustedUntil && slice.left > 0 {
                if now - slice.usedAt >= slice.lease / 4 {
                    returns.append((slice.owner, SliceReturn(key: key, number: slice.number, unspent: slice.left)))
                } else {
                    kept.append(slice)
                }
            }
            holdings[key] = kept.isEmpty ? nil : kept
        }
        return returns
    }
}

/// A slice on its way back.
package struct SliceReturn: Hashable, Sendable {
    package let key: LimitKey
    package let number: UInt64
    package let unspent: Int

    package init(key: LimitKey, number: UInt64, unspent: Int) {
        self.key = key
        self.number = number
        self.unspent = unspent
    }
}
