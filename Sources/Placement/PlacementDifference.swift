import Membership

/// What a change of the cluster moves, for all keys at once and exactly, by arithmetic and not by sampling.
package struct PlacementDifference: Hashable, Sendable, Codable {
    /// Digests, in hexadecimal.
    package let before: String
    package let after: String
    /// One for each region that has members, in the order of their names, and one without a home.
    package let homes: [Home]

    /// What becomes of the keys of one home.
    package struct Home: Hashable, Sendable, Codable {
        /// Nil: the keys without a home.
        package let home: String?
        /// The part of these keys that gets another owner, 0 to 1.
        package let movedShare: Double
        package let members: [Change]
        /// From whom to whom, the largest first. Empty when there are more than `PlacementDifference.membersMax`
        /// members, where the list would be long and slow to make.
        package let moves: [Move]
    }

    package struct Change: Hashable, Sendable, Codable {
        package let member: String
        package let before: Double
        package let after: Double
    }

    package struct Move: Hashable, Sendable, Codable {
        package let from: String
        package let to: String
        /// Of all keys of this home.
        package let share: Double
    }

    /// Members in both placements together up to which moves are listed. Prevents an operator's question from keeping
    /// a processor for minutes: the work grows with the third power.
    package static let membersMax = 128
}

extension Placement {
    /// What changes on the way from here to `after`. Both must follow one policy.
    package func difference(to after: Placement) -> PlacementDifference {
        precondition(policy == after.policy, "placements under two policies have nothing in common")
        let regions = Set(members.map(\.region)).union(after.members.map(\.region)).sorted()
        let homes: [String?] = regions + [nil]
        return PlacementDifference(
            before: hexadecimal(digest), after: hexadecimal(after.digest),
            homes: homes.map { difference(to: after, home: $0) })
    }

    private func difference(to after: Placement, home: String?) -> PlacementDifference.Home {
        let names = Set(members.map(\.id)).union(after.members.map(\.id)).sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        var stays = 0.0
        var moved: [[Double]] = []
        let listsMoves = names.count <= PlacementDifference.membersMax
        if listsMoves { moved = names.map { _ in names.map { _ in 0 } } }
        for situation in situations(to: after, home: home) {
            let race = TwoRaces(
                before: weights(situation.before, places), after: after.weights(situation.after, places))
            for one in names.indices {
                stays += situation.part * race.bothWon(by: one)
                guard listsMoves else { continue }
                for other in names.indices where other != one {
                    moved[one][other] += situation.part * race.won(by: one, then: other)
                }
            }
        }
        let (sharesBefore, sharesAfter) = (shares(home), after.shares(home))
        let changes = names.map {
            PlacementDifference.Change(
                member: $0.rawValue, before: sharesBefore[$0.rawValue] ?? 0, after: sharesAfter[$0.rawValue] ?? 0)
        }
        let moves = moved.enumerated().flatMap { one, row in
            row.enumerated().filter { $0.element > 0 }.map { other, share in
                PlacementDifference.Move(from: names[one].rawValue, to: names[other].rawValue, share: share)
            }
        }
        let isNobody = keyRing.isEmpty && after.keyRing.isEmpty
        return PlacementDifference.Home(
            // Sums of shares are off by a last bit or two; a share is never negative for that.
            home: home, movedShare: isNobody ? 0 : max(0, 1 - stays), members: changes,
            moves: moves.sorted { ($1.share, $0.from, $0.to) < ($0.share, $1.from, $1.to) })
    }

    private func shares(_ home: String?) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: keyShares(home: home).map { ($0.member, $0.share) })
    }

    private func weights(_ pool: PlacementPool?, _ places: [MemberID: Int]) -> [Double] {
        var weights = [Double](repeating: 0, count: places.count)
        for candidate in pool?.candidates ?? [] {
            if let place = places[members[candidate.place].id] { weights[place] = Double(candidate.weight) }
        }
        return weights
    }

    /// In which pool the keys of `home` are owned before and after, with the part of the keys for which that is so.
    ///
    /// Where neither home nor a configured fallback has members, a key takes the first region that has some in an order
    /// of its own, in which every order is equally likely. The first of the union of both sets decides: it is in both,
    /// or the other side's region is any of that side's.
    private func situations(
        to after: Placement, home: String?
    ) -> [(part: Double, before: PlacementPool?, after: PlacementPool?)] {
        guard let home else { return [(1, keyRing.everywhere, after.keyRing.everywhere)] }
        let (olds, news) = (keyRing.choices(home, policy), after.keyRing.choices(home, policy))
        if olds.isEmpty || news.isEmpty { return [] }
        let bothChoose = keyRing.commonRegion(home, policy) == nil && after.keyRing.commonRegion(home, policy) == nil
        let (oldNames, newNames) = (Set(olds.map(\.name)), Set(news.map(\.name)))
        let union = Double(oldNames.union(newNames).count)
        return olds.flatMap { old in
            news.map { new in
                guard bothChoose else { return (1 / Double(olds.count * news.count), old.pool, new.pool) }
                var part = old.name == new.name ? 1 / union : 0
                if !newNames.contains(old.name) { part += 1 / union / Double(news.count) }
                if !oldNames.contains(new.name) { part += 1 / union / Double(olds.count) }
                return (part, old.pool, new.pool)
            }
        }
    }
}

extension PlacementRing {
    /// The regions that keys of `home` may be owned in.
    fileprivate func choices(_ home: String, _ policy: PlacementPolicy) -> [Region] {
        commonRegion(home, policy).map { [$0] } ?? regions
    }
}
