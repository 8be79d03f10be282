package import Membership
package import Placement

/// Between whom keys can move when one placement follows another, without looking at any key.
///
/// A member's draw for a key depends on itself alone (weighted rendezvous hashing), so a key moves only away from a
/// member whose weight fell (it left, drained, shrank) or to one whose weight rose (it came, was taken back, grew).
package struct KeyMoves: Sendable {
    private let before: Set<MemberID>
    private let after: Set<MemberID>
    private let losers: Set<MemberID>
    private let gainers: Set<MemberID>

    package init(from old: Placement, to new: Placement) {
        let (before, after) = (Self.weights(old), Self.weights(new))
        self.before = Set(before.keys)
        self.after = Set(after.keys)
        losers = Set(before.filter { $0.value > after[$0.key] ?? 0 }.keys)
        gainers = Set(after.filter { $0.value > before[$0.key] ?? 0 }.keys)
    }

    /// From whom keys may come to `member`, in the order of their names.
    package func givers(to member: MemberID) -> [MemberID] {
        guard after.contains(member) else { return [] }
        return (gainers.contains(member) ? before : losers).subtracting([member]).sorted()
    }

    /// To whom keys of `member` may go, in the order of their names.
    package func takers(from member: MemberID) -> [MemberID] {
        guard before.contains(member) else { return [] }
        return (losers.contains(member) ? after : gainers).subtracting([member]).sorted()
    }

    /// Those who hold keys: everybody open or holding, or where there is nobody, the departing.
    private static func weights(_ placement: Placement) -> [MemberID: Int] {
        let holders = placement.members.filter { $0.standing == .open || $0.standing == .holding }
        let holding = holders.isEmpty ? placement.members.filter { $0.standing == .departing } : holders
        return Dictionary(uniqueKeysWithValues: holding.map { ($0.id, $0.weight) })
    }
}
