import ClusterSimulation
import Membership
import Telemetry
import Testing

/// Nodes that count, restart and report to two keepers over a network that loses, repeats and delays. Every life counts
/// in a series of its own, so that each can be looked at: none may ever count more than it has.
private struct LedgerWorld {
    struct Node {
        var history: NodeHistory
        var count: UInt64 = 0
        var isUp = true
    }

    var random: ClusterSimulation.SeededGenerator
    var now = Duration.zero
    var nodes: [Node]
    var ledgers: [RegionLedger]
    var book: FigureBook
    /// By life: what it has told so far, and what arrived at any keeper.
    var told: [String: UInt64] = [:]
    var arrived: [String: UInt64] = [:]
    var late: [(keeper: Int, report: NodeReport, sentAt: Duration)] = []
    var nextEpoch: UInt64 = 1
    var violations: [String] = []
    var rare: [String: Int] = [:]
    let limits: MetricsConfiguration
    let hasNewNames: Bool

    init(_ seed: Seed, endedNodesMax: Int = 64, hasNewNames: Bool = false) {
        var limits = LedgerTests.limits
        limits.endedNodesMax = endedNodesMax
        self.limits = limits
        self.hasNewNames = hasNewNames
        random = ClusterSimulation.SeededGenerator(seed.number)
        nodes = []
        ledgers = (0..<2).map { _ in RegionLedger(region: "one", limits: limits, at: .zero) }
        book = FigureBook(limits: limits)
        for place in 0..<(2 + random.below(3)) { nodes.append(newNode(place)) }
    }

    mutating func newNode(_ place: Int) -> Node {
        nextEpoch += 1
        let name = hasNewNames ? "n-\(nextEpoch)" : "n-\(place)"
        return Node(history: NodeHistory(life: life(name, nextEpoch), region: "one"))
    }

    static func label(_ life: MemberLife) -> String { "\(life)" }

    var present: Set<MemberLife> { Set(nodes.filter(\.isUp).map(\.history.life)) }

    mutating func note(_ what: String) { rare[what, default: 0] += 1 }

    // MARK: Steps

    mutating func step() {
        now += random.duration(in: .milliseconds(1)...(.milliseconds(800)))
        let place = random.below(nodes.count)
        switch random.below(20) {
        case 0..<5: nodes[place].count += UInt64(random.below(10))
        case 5..<11: report(place)
        case 11..<13: deliverLate()
        case 13 where random.chance(0.5) && !late.isEmpty:
            // Its last report is on its way.
            note("restart")
            let (keeper, report, _) = late[late.count - 1]
            guard let node = nodes.firstIndex(where: { $0.history.life == report.life }) else { break }
            nodes[node] = newNode(node)
            self.report(node)
            late.append((keeper, report, now))
        case 13:
            note("restart")
            nodes[place] = newNode(place)
        case 14:
            nodes[place].isUp.toggle()
            if nodes[place].isUp { nodes[place] = newNode(place) }
        case 15, 16: exchangeSome()
        case 17: for keeper in 0..<2 { ledgers[keeper].membersAre(present, isOwner: keeper == 0, at: now) }
        default: look(random.below(2))
        }
        check()
    }

    mutating func report(_ place: Int, lossless: Bool = false) {
        guard nodes[place].isUp else { return }
        let node = nodes[place]
        let label = Self.label(node.history.life)
        let series = [Metric.Series([label], .counter(node.count))]
        let own = MetricSnapshot([
            Metric("things_done_total", .counter, labelNames: ["life"], seriesMax: 1000, series: series)
        ])
        let report = nodes[place].history.nextReport(own)
        told[label] = node.count
        for keeper in 0..<2 {
            if !lossless, random.chance(0.2) {
                note("lost")
            } else if !lossless, random.chance(0.2) {
                late.append((keeper, report, now))
            } else {
                let outcome = deliver(report, to: keeper)
                if lossless || random.chance(0.8) { nodes[place].history.received(outcome) }
                if !lossless, random.chance(0.2) { late.append((keeper, report, now)) }
            }
        }
    }

    mutating func deliver(_ report: NodeReport, to keeper: Int) -> ReportOutcome {
        let label = Self.label(report.life)
        let outcome = ledgers[keeper].received(report, at: now)
        guard case .counter(let total)? = report.own["things_done_total"]?.series.first?.value else { return outcome }
        switch outcome {
        case .taken, .outdated: arrived[label] = max(arrived[label] ?? 0, total)
        case .retired, .notKeeper, .full, .refused: note("\(outcome)")
        }
        if case .outdated = outcome { note("outdated") }
        if case .taken(_?) = outcome { note("history told") }
        return outcome
    }

    mutating func deliverLate() {
        guard !late.isEmpty else { return }
        // Mostly one that may still count.
        let message = late.remove(at: late.count - 1 - random.below(min(3, late.count)))
        // A call that is not answered in its time is over at both ends.
        guard now - message.sentAt < .seconds(3) else { return }
        note("late")
        // Whoever waited for the answer has given up.
        _ = deliver(message.report, to: message.keeper)
    }

    mutating func exchangeSome() { exchangeAll(callsMax: 1 + random.below(4)) }

    mutating func exchangeAll(callsMax: Int = 1000) {
        var (one, two) = (ledgers[1], ledgers[0])
        exchange(&one, &two, at: now, callsMax: callsMax)
        (ledgers[1], ledgers[0]) = (one, two)
    }

    mutating func look(_ keeper: Int) {
        book.received([ledgers[keeper].figures(keeper: life("keeper", UInt64(keeper)), at: now)], at: now)
    }

    // MARK: Laws

    func counts(_ snapshot: MetricSnapshot) -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for series in snapshot["things_done_total"]?.series ?? [] {
            if case .counter(let total) = series.value { counts[series.labels[0]] = total }
        }
        return counts
    }

    mutating func check() {
        for keeper in 0..<2 {
            let figures = ledgers[keeper].figures(keeper: life("keeper", 1), at: now)
            for (label, total) in counts(figures.totals) where total > told[label] ?? 0 {
                violations.append("\(label) counts \(total) at \(keeper) and told \(told[label] ?? 0)")
            }
        }
    }

    mutating func settle() {
        now += .seconds(10)
        while !late.isEmpty { deliverLate() }
        for place in nodes.indices { nodes[place].isUp = true }
        for _ in 0..<3 {
            for place in nodes.indices { report(place, lossless: true) }
            now += .seconds(10)
            exchangeAll()
        }
        check()
    }
}

@Suite struct LedgerWorldTests {
    static let seeds = Seed.forThisRun(200)

    @Test func `no life counts twice, and in the end everything that was ever heard counts`() {
        var rare: [String: Int] = [:]
        for seed in Self.seeds {
            var world = LedgerWorld(seed)
            for _ in 0..<300 { world.step() }
            world.settle()
            for keeper in 0..<2 {
                let figures = world.ledgers[keeper].figures(keeper: life("keeper", 1), at: world.now)
                let counts = world.counts(figures.totals).filter { $0.value > 0 }
                let expected = world.arrived.filter { $0.value > 0 }
                if counts != expected {
                    let off = expected.filter { counts[$0.key] != $0.value }.map {
                        "\($0.key) is \(counts[$0.key] ?? 0) and not \($0.value)"
                    }
                    world.violations.append("at \(keeper): \(off.sorted())")
                }
            }
            #expect(world.violations.isEmpty, "\(seed.replay) \(world.violations.prefix(5))")
            rare.merge(world.rare) { $0 + $1 }
        }
        for path in ["restart", "lost", "late", "outdated", "history told"] where Self.seeds.count > 1 {
            #expect(rare[path, default: 0] > 50, "\(path) hardly ever happened: \(rare)")
        }
    }

    @Test func `also when nodes that are gone are summed up, in bounded memory`() {
        var rare: [String: Int] = [:]
        for seed in Self.seeds {
            var world = LedgerWorld(seed, endedNodesMax: 2, hasNewNames: true)
            for _ in 0..<300 { world.step() }
            world.settle()
            for ledger in world.ledgers { #expect(ledger.nodeCount <= 512) }
            #expect(world.violations.isEmpty, "\(seed.replay) \(world.violations.prefix(5))")
            world.ledgers[0].membersAre(world.present, isOwner: true, at: world.now)
            #expect(world.ledgers[0].nodeCount <= world.nodes.count + 2, "\(seed.replay)")
            if world.ledgers[0].retiredCount > 0 { rare["retired ones", default: 0] += 1 }
            rare.merge(world.rare) { $0 + $1 }
        }
        for path in ["retired ones", "retired"] where Self.seeds.count > 1 {
            #expect(rare[path, default: 0] > 0, "\(path) never happened: \(rare)")
        }
    }

    @Test func `for a reader no counter falls while one keeper of two remembers`() {
        var passedOver = 0
        for seed in Self.seeds {
            var world = LedgerWorld(seed)
            var last: [String: UInt64] = [:]
            for step in 0..<400 {
                world.step()
                if step % 40 == 39 {
                    // Each knows what the other has not heard for a while; then one of them dies and comes back without
                    // memory.
                    world.now += .seconds(3)
                    world.exchangeAll()
                    world.ledgers[world.random.below(2)] = RegionLedger(
                        region: "one", limits: world.limits, at: world.now)
                }
                guard step % 3 == 0 else { continue }
                let keeper = world.random.below(2)
                let known = world.book.figures(of: "one")?.reports ?? 0
                let told = world.ledgers[keeper].figures(keeper: life("keeper", 1), at: world.now).reports
                if told < known { passedOver += 1 }
                world.look(keeper)
                let counts = world.counts(world.book.figures(of: "one")?.totals ?? MetricSnapshot())
                let fallen = last.filter { counts[$0.key] ?? 0 < $0.value }
                // After a while the reader takes what there is; the world gives the other keeper time to tell it.
                if !fallen.isEmpty {
                    world.violations.append("\(step): \(fallen) became \(fallen.keys.map { counts[$0] })")
                }
                last.merge(counts) { max($0, $1) }
                if step % 10 == 0 { world.exchangeAll() }
            }
            #expect(world.violations.isEmpty, "\(seed.replay) \(world.violations.prefix(3))")
        }
        #expect(passedOver > 100)
    }
}
