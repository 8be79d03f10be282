/// Weighted interval scheduling: at most `count` stretches that do not overlap and whose values add up to the most.
///
/// Dynamic programming over stretches sorted by their end, exact for the sum of values minus a penalty for each pair
/// of neighbours that share a topic or stand close together; O(n log n + n * count). As many stretches as possible up
/// to `count` come before a larger sum: people come back for four clips, not for one.
package struct IntervalSelection {
    package struct Item: Hashable, Sendable {
        /// In milliseconds.
        package var start: Int
        package var end: Int
        /// Not negative.
        package var value: Double
        /// Where the topic in which it starts begins; a neighbour that ends later than this shares the topic.
        package var topicStart: Int

        package init(start: Int, end: Int, value: Double, topicStart: Int) {
            self.start = start
            self.end = end
            self.value = value
            self.topicStart = topicStart
        }
    }

    /// Taken off for a neighbour in the same topic.
    package static let sameTopicPenalty = 0.06
    /// Taken off for a neighbour closer than the spread.
    package static let nearPenalty = 0.05

    private let items: [Item]
    private let order: [Int]
    private let spread: Int

    /// `spread`: milliseconds that neighbours should be apart.
    package init(_ items: [Item], spread: Int) {
        self.items = items
        self.spread = spread
        order = items.indices.sorted {
            (items[$0].end, items[$0].start, $0) < (items[$1].end, items[$1].start, $1)
        }
    }

    /// Indices of the chosen items in order of time.
    package func choose(_ count: Int) -> [Int] {
        guard !items.isEmpty, count > 0 else { return [] }
        let ends = order.map { items[$0].end }
        let reach = order.map { Reach(items[$0], ends: ends, spread: spread) }
        var rounds: [Round] = []
        var sums = order.map { items[$0].value }
        var parents = [Int](repeating: -1, count: order.count)
        for _ in 0..<count {
            let round = Round(sums: sums, parents: parents)
            guard round.best[order.count] >= 0 else { break }
            rounds.append(round)
            for place in order.indices {
                let (before, sum) = reach[place].best(round)
                parents[place] = before
                sums[place] = before < 0 ? -.infinity : sum + items[order[place]].value
            }
        }
        var chosen: [Int] = []
        var place = rounds[rounds.count - 1].best[order.count]
        for round in rounds.reversed() {
            chosen.append(order[place])
            place = round.parents[place]
        }
        return chosen.reversed()
    }

    /// The best sums of exactly so many items, by the item that comes last.
    private struct Round {
        let sums: [Double]
        let parents: [Int]
        /// For every prefix of the order, the place with the largest sum; -1 when there is none.
        let best: [Int]

        init(sums: [Double], parents: [Int]) {
            self.sums = sums
            self.parents = parents
            var best = [-1]
            best.reserveCapacity(sums.count + 1)
            for place in sums.indices {
                let leader = best[place]
                let leads = sums[place] > (leader < 0 ? -.infinity : sums[leader])
                best.append(leads ? place : leader)
            }
            self.best = best
        }
    }

    /// How many items of the order may stand before one item, by what that costs.
    private struct Reach {
        let free: Int
        let sameTopic: Int
        let near: Int
        let both: Int

        init(_ item: Item, ends: [Int], spread: Int) {
            let topicStart = min(item.topicStart, item.start)
            free = lowerBound(of: ends, min(topicStart, item.start - spread) + 1)
            sameTopic = lowerBound(of: ends, item.start - spread + 1)
            near = lowerBound(of: ends, topicStart + 1)
            both = lowerBound(of: ends, item.start + 1)
        }

        func best(_ round: Round) -> (place: Int, sum: Double) {
            let options = [
                (free, 0), (sameTopic, sameTopicPenalty), (near, nearPenalty), (both, sameTopicPenalty + nearPenalty),
            ]
            var best = (place: -1, sum: -Double.infinity)
            for (prefix, penalty) in options {
                let place = round.best[prefix]
                if place >= 0, round.sums[place] - penalty > best.sum { best = (place, round.sums[place] - penalty) }
            }
            return best
        }
    }
}
