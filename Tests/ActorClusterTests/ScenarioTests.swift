import ActorCluster
import ClusterSimulation
import Distributed
import Foundation
import Membership
import Synchronization
import Testing
import WireProtocol

/// Whole clusters under faults, by seeds.
@Suite struct ScenarioTests {
    /// 10, or 100 with `cluster/test --long`, and those that once found something.
    static let seeds: [Seed] = {
        let isLong = ProcessInfo.processInfo.environment["TIJERA_LONG"].map { !$0.isEmpty } ?? false
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Seeds.txt")
        return Seed.forThisRun(isLong ? 100 : 10, known: (try? Seed.kept(in: file)) ?? [])
    }()

    /// Work that goes on during faults: calls to actors of nodes and to virtual ones, from all nodes.
    /// Nodes that let changes settle for different times: their views differ for as long, and calls go astray.
    static func unevenWorld(_ seed: Seed) throws -> TestWorld {
        try TestWorld(seed, nodes: 5) { setting in
            setting.configure = { configuration in
                let number = Int(configuration.life.id.rawValue.suffix(1)) ?? 1
                configuration.membership.settling *= number
                configuration.membership.settlingMax *= number
            }
        }
    }

    static func work(_ tested: TestWorld, _ plan: Swizzle.Plan) -> Shift {
        let shift = Shift(tested)
        Swizzle.run(tested.world, plan, seed: tested.world.seed.number &* 31)
        shift.stop()
        return shift
    }

    @Test(arguments: seeds)
    func `trouble on the network kills nobody and loses no more than it has to`(seed: Seed) throws {
        let tested = try TestWorld(seed, nodes: 4)
        let shift = Self.work(tested, .bearable)
        tested.world.run(for: .seconds(30))
        #expect(tested.world.settle(), "\(tested.world.report(tested.world.disagreements))")
        let found = tested.world.settledViolations + tested.world.falseDeaths + shift.violations
        #expect(found.isEmpty, "\(tested.world.report(found))")
        #expect(shift.isOver, "\(seed.replay)")
        tested.world.tearDown()
    }

    @Test(arguments: seeds)
    func `after everything that can go wrong the cluster is whole again`(seed: Seed) throws {
        let tested = try Self.unevenWorld(seed)
        let shift = Self.work(tested, .everything)
        #expect(tested.world.settle(atMost: .seconds(300)), "\(tested.world.report(tested.world.disagreements))")
        tested.world.run(for: .seconds(30))
        let found = tested.world.settledViolations + shift.violations
        #expect(found.isEmpty, "\(tested.world.report(found))")
        // It works: every node can call every key.
        for name in tested.world.names {
            for index in 0..<5 {
                let key = VirtualActorKey(kind: "counter", key: "key-\(index)")
                #expect(throws: Never.self, "\(seed.replay)") {
                    _ = try tested.world.perform(on: name) { try await $0.counter(key).add(1) }
                }
            }
        }
        tested.world.tearDown()
    }

    @Test(arguments: seeds)
    func `a partition heals, and what both sides held is held once`(seed: Seed) throws {
        let tested = try TestWorld(seed, nodes: 5)
        let keys = (0..<20).map { VirtualActorKey(kind: "counter", key: "key-\($0)") }
        let left = ["node-1", "node-2", "node-3"], right = ["node-4", "node-5"]
        for one in left { for other in right { tested.world.network.cut(one, other) } }
        tested.world.run(for: .seconds(90))
        for name in ["node-1", "node-4"] {
            let errands = keys.map { key in tested.world.begin(on: name) { try await $0.counter(key).add(1) } }
            tested.world.run(for: .seconds(15))
            #expect(errands.allSatisfy { $0.isDone }, "\(seed.replay)")
        }
        for one in left { for other in right { tested.world.network.mend(one, other) } }
        #expect(tested.world.settle(atMost: .seconds(300)), "\(tested.world.report(tested.world.disagreements))")
        tested.world.run(for: .seconds(10))
        let found = tested.world.settledViolations
        #expect(found.isEmpty, "\(tested.world.report(found))")
        tested.world.tearDown()
    }

    @Test func `rare paths have run`() throws {
        // Runs of its own, so that it depends neither on the order of tests nor on the seeds of this run.
        let paths = RarePaths()
        for number in 1...UInt64(10) {
            let tested = try Self.unevenWorld(Seed(number))
            let shift = Self.work(tested, .everything)
            tested.world.settle(atMost: .seconds(300))
            paths.add(shift)
            tested.world.tearDown()
        }
        #expect(paths.missing.isEmpty, "never: \(paths.missing) of \(paths.all)")
    }

    @Test func `a run without faults is told which paths it never took`() throws {
        let tested = try TestWorld(nodes: 3)
        var plan = Swizzle.Plan()
        (plan.clogs, plan.cuts, plan.oneWayCuts, plan.resets) = (false, false, false, false)
        let paths = RarePaths()
        paths.add(Self.work(tested, plan))
        #expect(
            Set(paths.missing).isSuperset(of: [
                "call unreachable", "silentConnections", "dial refused", "resets", "bits turned",
            ]))
        #expect(!paths.missing.contains("call ok") && !paths.missing.contains("activations"))
    }
}
