import Membership
import Telemetry
import Testing

@Suite struct LedgerTests {
    static var limits: MetricsConfiguration {
        var limits = MetricsConfiguration()
        limits.interval = .seconds(1)
        limits.quietAfter = .milliseconds(2500)
        limits.gaugeAgeMax = .seconds(6)
        return limits
    }

    static let keeper = life("keeper", 1)

    static func report(_ node: String, _ epoch: UInt64, _ sequence: UInt64, _ total: UInt64, ended: EndedLives? = nil)
        -> NodeReport
    {
        NodeReport(region: "one", life: life(node, epoch), sequence: sequence, own: counted(total), ended: ended)
    }

    static func ended(_ node: String, _ epoch: UInt64, _ sequence: UInt64, _ total: UInt64) -> EndedLives {
        EndedLives([EndedLives.Life(life: life(node, epoch), sequence: sequence, totals: counted(total))])
    }

    private static func total(_ ledger: inout RegionLedger, at now: Duration = .seconds(100)) -> UInt64 {
        ledger.figures(keeper: keeper, at: now).totals.total()
    }

    // MARK: The table

    @Test func `a report counts once, whatever comes twice or late`() {
        var ledger = RegionLedger(region: "one", limits: Self.limits, at: .zero)
        #expect(ledger.received(Self.report("a", 1, 1, 10), at: .seconds(1)) == .taken(ended: nil))
        #expect(ledger.received(Self.report("a", 1, 1, 10), at: .seconds(1)) == .taken(ended: nil))
        #expect(ledger.received(Self.report("a", 1, 3, 30), at: .seconds(3)) == .taken(ended: nil))
        #expect(ledger.received(Self.report("a", 1, 2, 20), at: .seconds(4)) == .taken(ended: nil))
        #expect(Self.total(&ledger) == 30)
        let node = ledger.figures(keeper: Self.keeper, at: .seconds(5)).nodes.first
        #expect(node?.ageMilliseconds == 2000, "the late one is no sign of life")
    }

    @Test func `a restart counts on, and the node is told what it had counted`() throws {
        var ledger = RegionLedger(region: "one", limits: Self.limits, at: .zero)
        _ = ledger.received(Self.report("a", 1, 9, 30), at: .seconds(1))
        let outcome = ledger.received(Self.report("a", 2, 1, 5), at: .seconds(2))
        guard case .taken(let ended?) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(ended.lives == [life("a", 1)])
        #expect(ended.apart.first?.totals.total() == 30)
        #expect(Self.total(&ledger) == 35)
        // It carries that from now on.
        #expect(ledger.received(Self.report("a", 2, 2, 6, ended: ended), at: .seconds(3)) == .taken(ended: nil))
        #expect(Self.total(&ledger) == 36)
        // A late word of the life before changes nothing that is known, and is taken where it says more.
        #expect(ledger.received(Self.report("a", 1, 8, 29), at: .seconds(3)) == .outdated)
        #expect(Self.total(&ledger) == 36)
        #expect(ledger.received(Self.report("a", 1, 10, 31), at: .seconds(3)) == .outdated)
        #expect(Self.total(&ledger) == 37)
    }

    @Test func `a keeper that has forgotten learns the history from the node`() {
        var history = NodeHistory(life: life("a", 2), region: "one")
        let before = Self.ended("a", 1, 9, 30)
        _ = history.nextReport(counted(1))
        history.received(.taken(ended: before))
        var ledger = RegionLedger(region: "one", limits: Self.limits, at: .zero)
        #expect(ledger.received(history.nextReport(counted(2)), at: .seconds(1)) == .taken(ended: nil))
        #expect(Self.total(&ledger) == 32)
    }

    @Test func `history that cannot be is refused`() {
        var ledger = RegionLedger(region: "one", limits: Self.limits, at: .zero)
        let own = Self.ended("a", 2, 9, 30)
        let others = Self.ended("b", 1, 9, 30)
        #expect(ledger.received(Self.report("a", 2, 1, 1, ended: own), at: .zero) == .refused)
        #expect(ledger.received(Self.report("a", 2, 1, 1, ended: others), at: .zero) == .refused)
        #expect(ledger.received(Self.report("a", 2, 0, 1), at: .zero) == .refused)
        let elsewhere = NodeReport(region: "two", life: life("a", 2), sequence: 1, own: counted(1))
        #expect(ledger.received(elsewhere, at: .zero) == .refused)
        var history = NodeHistory(life: life("a", 2), region: "one")
        history.received(.taken(ended: own))
        history.received(.taken(ended: others))
        #expect(history.ended == nil)
    }

    @Test func `sums that share a life are not added`() {
        let one = EndedSum(lives: [life("a", 1)], reports: 9, totals: counted(30))
        let fuller = EndedSum(lives: [life("a", 1)], reports: 12, totals: counted(40))
        let wider = EndedSum(lives: [life("a", 1), life("a", 2)], reports: 4, totals: counted(50))
        let other = EndedSum(lives: [life("b", 1)], reports: 1, totals: counted(7))
        #expect(one.joined(with: fuller) == fuller && fuller.joined(with: one) == fuller)
        #expect(one.joined(with: wider) == wider && wider.joined(with: one) == wider)
        #expect(one.joined(with: other).totals.total() == 37)
        #expect(one.joined(with: other) == other.joined(with: one))
        #expect(one.joined(with: one) == one)
    }

    @Test func `of two words of one life the later is kept, and the order does not matter`() {
        var (one, two) = (EndedLives(), EndedLives())
        one.join(Self.ended("a", 1, 5, 50))
        one.join(Self.ended("a", 2, 9, 90))
        two.join(Self.ended("a", 1, 9, 99))
        two.join(Self.ended("a", 2, 3, 30))
        var (left, right) = (one, two)
        left.join(two)
        right.join(one)
        #expect(left == right)
        var totals = MetricSnapshot()
        for life in left.apart { totals.merge(life.totals) }
        #expect(totals.total() == 189)
    }

    @Test func `lives of one node are kept apart up to a limit, and the older ones as one sum`() {
        var lives = EndedLives()
        for epoch in 1...10 { lives.join(Self.ended("a", UInt64(epoch), 1, 10)) }
        #expect(lives.apart.map(\.life.epoch) == [8, 9, 10])
        #expect(lives.sum?.totals.total() == 70)
        #expect(lives.lives.count == 10)
        // Nothing of them counts again.
        let before = lives
        for epoch in 1...10 { lives.join(Self.ended("a", UInt64(epoch), 1, 10)) }
        #expect(lives == before)
    }

    @Test func `lives are remembered up to a limit, the latest ones`() {
        let lives = (1...UInt64(EndedSum.livesMax + 10)).map { life("n-\($0)", $0) }
        let ended = EndedSum(lives: lives, reports: 1, totals: counted(1))
        #expect(ended.lives.count == EndedSum.livesMax)
        #expect(ended.lives.map(\.epoch).min() == 11)
    }

    // MARK: Members and ages

    @Test func `what a node showed ends with it, what it counted does not`() {
        var ledger = RegionLedger(region: "one", limits: Self.limits, at: .zero)
        let shown = MetricSnapshot([
            Metric("jobs_waiting", .gauge, series: [Metric.Series([], .gauge(GaugeFigure(4)))]),
            Metric("things_done_total", .counter, series: [Metric.Series([], .counter(10))]),
        ])
        _ = ledger.received(NodeReport(region: "one", life: life("a", 1), sequence: 1, own: shown), at: .zero)
        ledger.membersAre([life("a", 1)], isOwner: true, at: .zero)
        func jobs(_ now: Duration) -> MetricValue? {
            ledger.figures(keeper: Self.keeper, at: now).totals["jobs_waiting"]?[]
        }
        #expect(jobs(.seconds(1)) == .gauge(GaugeFigure(4)))
        #expect(jobs(.seconds(7)) == nil, "it was not heard for too long")
        _ = ledger.received(NodeReport(region: "one", life: life("a", 1), sequence: 2, own: shown), at: .seconds(8))
        #expect(jobs(.seconds(8)) == .gauge(GaugeFigure(4)))
        ledger.membersAre([], isOwner: true, at: .seconds(8))
        #expect(jobs(.seconds(8)) == nil)
        #expect(Self.total(&ledger, at: .seconds(8)) == 10)
        let node = ledger.figures(keeper: Self.keeper, at: .seconds(11)).nodes.first
        #expect(node?.isEnded == true && node?.isQuiet == true && node?.ageMilliseconds == 3000)
    }

    // MARK: Limits

    @Test func `nodes that are gone become one sum beyond a limit, and count once for ever`() {
        var limits = Self.limits
        limits.endedNodesMax = 3
        var ledger = RegionLedger(region: "one", limits: limits, at: .zero)
        for number in 1...10 {
            _ = ledger.received(Self.report("n-\(number)", 1, 1, 10), at: .seconds(number))
            ledger.membersAre([], isOwner: true, at: .seconds(number))
        }
        #expect(ledger.nodeCount == 3)
        #expect(ledger.retiredCount == 7)
        #expect(Self.total(&ledger) == 100)
        // One of them was not dead after all. It cannot be told apart any more.
        #expect(ledger.received(Self.report("n-1", 1, 2, 15), at: .seconds(20)) == .retired)
        // It comes back, and an old keeper told it what it had counted.
        let before = Self.ended("n-1", 1, 1, 10)
        _ = ledger.received(Self.report("n-1", 2, 1, 1, ended: before), at: .seconds(21))
        #expect(Self.total(&ledger) == 101)
    }

    @Test func `a stand-in sums up only at twice as many`() {
        var limits = Self.limits
        limits.endedNodesMax = 3
        var ledger = RegionLedger(region: "one", limits: limits, at: .zero)
        for number in 1...10 {
            _ = ledger.received(Self.report("n-\(number)", 1, 1, 10), at: .seconds(number))
            ledger.membersAre([], isOwner: false, at: .seconds(number))
        }
        #expect((ledger.nodeCount, ledger.retiredCount) == (6, 4))
        #expect(Self.total(&ledger) == 100)
    }

    @Test func `a ledger that is full of members takes no other, and one that has ended makes room`() {
        var limits = Self.limits
        limits.nodesMax = 4
        limits.endedNodesMax = 3
        var ledger = RegionLedger(region: "one", limits: limits, at: .zero)
        for number in 1...4 { _ = ledger.received(Self.report("n-\(number)", 1, 1, 10), at: .zero) }
        #expect(ledger.received(Self.report("n-5", 1, 1, 10), at: .zero) == .full)
        ledger.membersAre([life("n-2", 1), life("n-3", 1), life("n-4", 1)], isOwner: true, at: .zero)
        #expect(ledger.received(Self.report("n-5", 1, 1, 10), at: .zero) == .taken(ended: nil))
        #expect(ledger.nodeCount == 4 && ledger.retiredCount == 1)
        #expect(Self.total(&ledger) == 50)
    }

    // MARK: Handing over

    @Test func `two keepers tell each other what they know, in parts`() {
        var (one, two) = (
            RegionLedger(region: "one", limits: Self.limits, at: .zero),
            RegionLedger(region: "one", limits: Self.limits, at: .seconds(50))
        )
        for number in 1...9 { _ = one.received(Self.report("n-\(number)", 1, 2, 10), at: .seconds(number)) }
        _ = two.received(Self.report("m-1", 1, 1, 5), at: .seconds(51))
        // Known to both, later to the second one.
        _ = two.received(Self.report("n-1", 1, 3, 11), at: .seconds(51))
        let calls = exchange(&one, &two, at: .seconds(52))
        #expect(Self.total(&one) == 96 && Self.total(&two) == 96)
        #expect((3...4).contains(calls), "\(calls) calls for 9 records of 4 each")
        #expect(exchange(&one, &two, at: .seconds(52)) == 1)
        let figures = two.figures(keeper: Self.keeper, at: .seconds(52))
        #expect(figures.memoryMilliseconds == 52_000)
        #expect(figures.nodes.first { $0.life == life("n-3", 1) }?.ageMilliseconds == 49_000)
    }

    @Test func `reports that are on their way to both do not travel between them`() {
        var (one, two) = (
            RegionLedger(region: "one", limits: Self.limits, at: .zero),
            RegionLedger(region: "one", limits: Self.limits, at: .zero)
        )
        _ = one.received(Self.report("a", 1, 1, 10), at: .seconds(1))
        _ = two.received(Self.report("a", 1, 1, 10), at: .seconds(1))
        _ = one.received(Self.report("a", 1, 2, 20), at: .seconds(2))
        #expect(exchange(&two, &one, at: .seconds(2)) == 1)
        #expect(Self.total(&two) == 10)
        // But those that only one of them hears do.
        _ = one.received(Self.report("a", 1, 3, 30), at: .seconds(4))
        _ = exchange(&two, &one, at: .seconds(4))
        #expect(Self.total(&two) == 30)
    }

    @Test func `the sum of those that are gone is handed over too, and nothing counts beside it`() {
        var limits = Self.limits
        limits.endedNodesMax = 1
        var (one, two) = (
            RegionLedger(region: "one", limits: limits, at: .zero),
            RegionLedger(region: "one", limits: Self.limits, at: .zero)
        )
        for number in 1...5 {
            let report = Self.report("n-\(number)", 1, 1, 10)
            _ = one.received(report, at: .zero)
            if number < 4 { _ = two.received(report, at: .zero) }
        }
        one.membersAre([], isOwner: true, at: .zero)
        two.membersAre([], isOwner: false, at: .zero)
        #expect((one.retiredCount, one.nodeCount, two.nodeCount) == (4, 1, 3))
        _ = exchange(&two, &one, at: .zero)
        #expect((two.retiredCount, two.nodeCount) == (4, 1))
        #expect(Self.total(&two) == 50)
    }
}

/// Lets two keepers talk until neither has anything to say. Answers with how many calls it took.
@discardableResult
func exchange(
    _ one: inout RegionLedger, _ two: inout RegionLedger, at now: Duration, recordsMax: Int = 4, callsMax: Int = 1000
) -> Int {
    var (wanted, wantsRetired) = ([MemberID](), false)
    for call in 1...callsMax {
        let share = one.share(wanted, retired: wantsRetired, recordsMax: recordsMax, at: now)
        let answer = two.received(share, at: now)
        one.received(answer, at: now)
        if answer.isNothing { return call }
        (wanted, wantsRetired) = (answer.wanted, answer.wantsRetired)
    }
    return callsMax
}
