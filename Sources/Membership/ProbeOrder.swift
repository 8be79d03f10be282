/// Whom to probe next: everybody once a round, in an order that is shuffled anew each round (SWIM, section 4.3). Bounds
/// how long a silent member can escape one prober's attention, which drawing lots would not.
struct ProbeOrder: Sendable {
    private var ids: [MemberID] = []
    private var next = 0

    /// The next one that `isWanted`; those that are not are left out until the next round. `refill` names everybody.
    mutating func draw(
        using random: inout SeededGenerator, where isWanted: (MemberID) -> Bool, refill: () -> [MemberID]
    ) -> MemberID? {
        for _ in 0..<2 {
            while next < ids.count {
                next += 1
                if isWanted(ids[next - 1]) { return ids[next - 1] }
            }
            ids = refill()
            ids.shuffle(using: &random)
            next = 0
        }
        return nil
    }

    /// A newcomer comes somewhere into the rest of this round.
    mutating func insert(_ id: MemberID, using random: inout SeededGenerator) {
        ids.append(id)
        ids.swapAt(ids.count - 1, Int.random(in: next..<ids.count, using: &random))
    }

    /// Those that `isUrgent` come next, each still once in this round: what is lost together is found together.
    mutating func hurry(where isUrgent: (MemberID) -> Bool) {
        _ = ids[next...].partition { !isUrgent($0) }
    }

    /// That one comes next, although it may have had its turn in this round.
    mutating func hurry(_ id: MemberID) {
        if let place = ids[next...].firstIndex(of: id) { ids.remove(at: place) }
        ids.insert(id, at: next)
    }
}
