import Media
import Testing

struct IntervalSelectionTests {
    private func item(_ start: Int, _ end: Int, _ value: Double, topic: Int? = nil) -> IntervalSelection.Item {
        IntervalSelection.Item(start: start, end: end, value: value, topicStart: topic ?? start)
    }

    @Test func `two neighbours beat the better one between them`() {
        let items = [item(0, 10, 0.5), item(5, 15, 0.9), item(10, 20, 0.5)]
        #expect(IntervalSelection(items, spread: 0).choose(2) == [0, 2])
        #expect(IntervalSelection(items, spread: 0).choose(1) == [1])
    }

    @Test func `as many as fit come before a larger sum`() {
        let items = [item(0, 30, 1), item(0, 10, 0.1), item(10, 20, 0.1), item(20, 30, 0.1)]
        #expect(IntervalSelection(items, spread: 0).choose(5) == [1, 2, 3])
    }

    @Test func `a neighbour of the same topic needs to be worth its penalty`() {
        let items = [item(0, 10, 0.9, topic: 0), item(20, 30, 0.60, topic: 0), item(40, 50, 0.57, topic: 40)]
        #expect(IntervalSelection(items, spread: 0).choose(2) == [0, 2])
    }

    @Test func `nothing comes from nothing`() {
        #expect(IntervalSelection([], spread: 0).choose(3) == [])
        #expect(IntervalSelection([item(0, 1, 1)], spread: 0).choose(0) == [])
    }

    /// Every choice of up to four of nine items, weighed one by one, is the oracle.
    @Test(arguments: 1...60)
    func `the choice is the best of all choices`(seed: Int) {
        var dice = TalkDice(seed: UInt64(seed))
        let items = (0..<9).map { _ in
            let start = Int.random(in: 0...40, using: &dice)
            return item(
                start, start + Int.random(in: 3...15, using: &dice), Double(Int.random(in: 1...99, using: &dice)) / 100,
                topic: start - Int.random(in: 0...20, using: &dice))
        }
        let spread = 5
        let chosen = IntervalSelection(items, spread: spread).choose(4)
        let best = (1..<512).compactMap { mask -> (count: Int, worth: Double)? in
            let picked = items.indices.filter { mask >> $0 & 1 == 1 }
            return picked.count <= 4 ? worth(picked, items, spread).map { (picked.count, $0) } : nil
        }.max { ($0.count, $0.worth) < ($1.count, $1.worth) }
        #expect(chosen.count == best?.count)
        #expect(abs((worth(chosen, items, spread) ?? -1) - (best?.worth ?? -2)) < 1e-9)
    }

    /// What a set is worth, or nil when its items overlap.
    private func worth(_ picked: [Int], _ items: [IntervalSelection.Item], _ spread: Int) -> Double? {
        let ordered = picked.map { items[$0] }.sorted { $0.start < $1.start }
        var worth = ordered.reduce(0) { $0 + $1.value }
        for (left, right) in zip(ordered, ordered.dropFirst()) {
            if left.end > right.start { return nil }
            if left.end > min(right.topicStart, right.start) { worth -= IntervalSelection.sameTopicPenalty }
            if left.end > right.start - spread { worth -= IntervalSelection.nearPenalty }
        }
        return worth
    }
}
