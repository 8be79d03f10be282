import Membership
import Testing

/// The times that docs/membership.md promises.
@Suite struct TimingTests {
    static let sizes = [3, 4, 5, 8, 10, 13, 20, 30]

    struct Preset: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let configuration: MembershipConfiguration

        static let near = [
            Preset(testDescription: ".lan", configuration: .lan),
            Preset(testDescription: ".local", configuration: .local),
        ]
    }

    /// Seeds for each size: fewer for the large ones, which have more observers.
    private static func seeds(_ nodes: Int) -> Range<UInt64> {
        #if DEBUG
            0..<3
        #else
            0..<UInt64(max(30, 600 / nodes) * (SeedRange.isLong ? 10 : 1))
        #endif
    }

    private static func settledWorld(
        _ nodes: Int, seed: UInt64, zones: Int = 1, _ configuration: MembershipConfiguration = .lan
    ) -> World {
        let world = World(seed: seed, nodes: nodes, zones: zones, configuration: configuration)
        world.startSettled()
        return world
    }

    /// A moment that is in no step with anybody's timers.
    private static func moment(_ world: World) -> Duration {
        .microseconds(Int64.random(in: 3_000_000...5_000_000, using: &world.dice))
    }

    @Test(arguments: sizes, Preset.near)
    func `kill -9 is seen by all within a second`(nodes: Int, preset: Preset) async {
        var times: [Double] = []
        for seed in Self.seeds(nodes) {
            let world = Self.settledWorld(nodes, seed: seed, preset.configuration)
            let moment = Self.moment(world)
            world.at(moment) { $0.crash(nodes / 2) }
            world.run(until: moment + .seconds(5))
            times.append(world.seenByAll(nodes / 2, as: .dead, since: moment) ?? .infinity)
        }
        report("\(preset.testDescription), kill -9 of one of \(nodes), seen by all", times)
        #expect(times.percentile(0.99) <= 1)
    }

    @Test(arguments: sizes, Preset.near)
    func `a silent host is seen by all, and out of placement, within six seconds`(nodes: Int, preset: Preset) async {
        var believed: [Double] = [], placed: [Double] = []
        for seed in Self.seeds(nodes) {
            let world = Self.settledWorld(nodes, seed: seed, preset.configuration)
            let moment = Self.moment(world)
            world.at(moment) { $0.loseHost(nodes / 2) }
            world.run(until: moment + .seconds(10))
            believed.append(world.seenByAll(nodes / 2, as: .unreachable, since: moment) ?? .infinity)
            placed.append(world.outOfPlacement(nodes / 2, since: moment) ?? .infinity)
        }
        report("\(preset.testDescription), silence of one of \(nodes), seen by all", believed)
        report("\(preset.testDescription), silence of one of \(nodes), out of placement everywhere", placed)
        #expect(placed.max()! <= 6)
    }

    @Test(arguments: sizes)
    func `a pause of eight seconds removes nobody`(nodes: Int) async {
        for seed in Self.seeds(nodes) {
            let world = Self.settledWorld(nodes, seed: seed)
            let moment = Self.moment(world)
            world.at(moment) { $0.pause(nodes / 2) }
            world.at(moment + .seconds(8)) { $0.resume(nodes / 2) }
            world.run(until: moment + .seconds(20))
            world.checkAgreement()
            #expect(world.record.falseDeaths.isEmpty && world.record.violations.isEmpty, "seed \(seed)")
        }
    }

    @Test func `the preset for regions far apart keeps its times on a slow network that loses messages`() {
        var silence: [Double] = [], death: [Double] = []
        for seed in Self.seeds(10) {
            let world = World(seed: seed, nodes: 10, configuration: .wan)
            world.faults.delay = 40_000...150_000
            world.faults.loss = 0.03
            world.startSettled()
            world.at(.seconds(10)) { $0.loseHost(3) }
            world.at(.seconds(45)) { $0.crash(7) }
            world.run(until: .seconds(55))
            silence.append(world.seenByAll(3, as: .unreachable, since: .seconds(10)) ?? .infinity)
            death.append(world.seenByAll(7, as: .dead, since: .seconds(45)) ?? .infinity)
            #expect(world.record.falseDeaths.isEmpty && world.record.violations.isEmpty, "seed \(seed)")
        }
        report(".wan, silence of one of 10, seen by all", silence)
        report(".wan, kill -9 of one of 10, seen by all", death)
        #expect(silence.max()! <= 25)
        #expect(death.percentile(0.99) <= 4)
    }

    @Test func `a cluster at rest is quiet`() {
        let world = Self.settledWorld(30, seed: 1)
        world.run(until: .seconds(10))
        let (messages, bytes) = (world.record.messages, world.record.bytes)
        world.run(until: .seconds(70))
        let perSecond = Double(world.record.messages - messages) / 30 / 60
        let bytesPerSecond = Double(world.record.bytes - bytes) / 30 / 60
        print("at rest a node of 30 sends \(perSecond) messages a second, \(bytesPerSecond) bytes of rumours a second")
        // Four pings and as many answers; the rest are syncs.
        #expect(perSecond < 9)
        #expect(bytesPerSecond < 50)
    }

    @Test(arguments: [(false, "killed"), (true, "silent")])
    func `losing a rack changes placement once`(isSilent: Bool, how: String) async {
        var views: [Int: Int] = [:]
        for seed in Self.seeds(15) {
            let world = Self.settledWorld(30, seed: seed, zones: 3)
            let moment = Self.moment(world)
            world.at(moment) { world in
                for index in stride(from: 0, to: 30, by: 3) {
                    if isSilent { world.loseHost(index) } else { world.crash(index) }
                }
            }
            world.run(until: moment + .seconds(20))
            for observer in world.nodes.indices where observer % 3 != 0 {
                let start = moment.wholeMicroseconds
                views[world.record.views.count { $0.observer == observer && $0.time > start }, default: 0] += 1
            }
        }
        let counts = views.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        print("a rack of 10 of 30 is \(how): survivors by the number of views they published: \(counts)")
        let once = Double(views[1] ?? 0) / Double(views.values.reduce(0, +))
        #expect(once >= (isSilent ? 0.95 : 1))
    }

    @Test(arguments: SeedRange.isLong ? 1...10 : 1...1)
    func `a thousand nodes agree on a change within fifteen gossip periods`(seed: UInt64) async {
        #if DEBUG
            let nodes = 200
        #else
            let nodes = 1000
        #endif
        let world = Self.settledWorld(nodes, seed: seed)
        world.run(until: .seconds(1))
        let period = world.configuration.gossipInterval
        var metadata = world.nodes[7].metadata
        metadata.schedulability = .cordoned
        world.tell(7, .metadataChanged(metadata))
        let knows = { (node: SimulatedNode) in
            node.machine?.member(memberID("n7"))?.metadata.schedulability == .cordoned
        }
        var periods = 0
        while !world.nodes.allSatisfy(knows), periods < 40 {
            periods += 1
            world.run(until: .seconds(1) + period * periods)
        }
        print("\(nodes) nodes agree on a change after \(periods) gossip periods")
        #expect(periods <= 15)
        // And on a death, from the first word about it.
        world.crash(nodes / 2)
        world.run(until: .seconds(6))
        let time = world.seenByAll(nodes / 2, as: .dead, since: .seconds(1) + period * periods) ?? .infinity
        print("kill -9 of one of \(nodes), seen by all: \(time) s")
        #expect(time <= 2)
        #expect(world.record.violations.isEmpty, "\(world.record.violations)")
    }

    private func report(_ what: String, _ times: [Double]) {
        let figures = [0.5, 0.99, 1].map { (times.percentile($0) * 1000).rounded() / 1000 }
        print("\(what): p50 \(figures[0]) s, p99 \(figures[1]) s, max \(figures[2]) s of \(times.count)")
    }
}

extension [Double] {
    func percentile(_ share: Double) -> Double {
        let sorted = sorted()
        return sorted[Swift.min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
    }
}

extension World {
    /// When the last view that still placed work on that node was replaced, in seconds; nil when one never was.
    func outOfPlacement(_ index: Int, since: Duration) -> Double? {
        let start = since.wholeMicroseconds, id = nodes[index].id
        var latest = 0.0
        for observer in nodes.indices where observer != index && nodes[observer].state == .running {
            let first = record.views.first {
                $0.observer == observer && $0.time >= start && $0.view[id]?.isSchedulable != true
            }
            guard let first else { return nil }
            latest = max(latest, Double(first.time - start) / 1e6)
        }
        return latest
    }
}
