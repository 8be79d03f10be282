import ClusterSimulation
import Limits
import Membership
import Testing

/// docs/limits.md, "The bound", on the whole cluster: clients on every node, one hot key, and trouble.
@Suite struct LimiterSimulationTests {
    private static let lent = 40

    /// Refused while out of reach: what is admitted is then the owners' and the slices' alone.
    private func hotPolicy() throws -> LimitPolicy {
        try policy(limit: 200, burst: 100, onFailure: .closed, lentUnitsMax: Self.lent)
    }

    /// Every key is hot, and a slice of two is worth its while: as much lending as there can be.
    private static let eager: @Sendable (inout LimiterConfiguration) -> Void = {
        $0.hotChecksMin = 1
        $0.sliceUnitsMin = 2
    }

    /// What comes back while a verdict is on its way to its client, who notes it when it gets it.
    private let underway = 200 * 2 * 50 / 1000

    private func begin(_ limited: LimitedWorld, _ subjects: [String], for duration: Duration, _ seed: Seed) {
        for (number, name) in limited.world.names.enumerated() {
            for client in 0..<4 {
                limited.beginClient(
                    on: name, subjects[client % subjects.count], rests: .milliseconds(20)...Duration.seconds(2),
                    for: duration, seed: seed.number &* 100 + UInt64(number * 10 + client))
            }
        }
    }

    @Test(arguments: Seed.forThisRun(4))
    func `no window is passed by more than what is lent, whatever the network does`(seed: Seed) throws {
        let policy = try hotPolicy()
        let limited = try LimitedWorld(seed, policies: [policy], configure: Self.eager)
        try limited.startAll()
        begin(limited, ["hot"], for: .seconds(8), seed)
        var plan = Swizzle.Plan.bearable
        plan.duration = .seconds(7)
        Swizzle.run(limited.world, plan, seed: seed.number)
        limited.world.run(for: .seconds(4))
        let excess = limited.excess(policy)
        #expect(excess <= Self.lent + underway, "\(seed.replay)")
        // Rare paths ran, or this proved nothing.
        let lent = limited.world.names.map { limited.counts($0).shards.slicesLent }.reduce(0, +)
        #expect(lent > 0 && limited.record.sources().isSuperset(of: [.owner, .slice, .failedClosed]))
        #expect(limited.record.count { !$0.answer.isAllowed } > 0)
        #expect(limited.world.scheduler.foreignJobs == 0)
        limited.world.tearDown()
    }

    @Test(arguments: Seed.forThisRun(4))
    func `a drain passes the bound by the careful beginning and no more`(seed: Seed) throws {
        let policy = try hotPolicy()
        let limited = try LimitedWorld(seed, policies: [policy], configure: Self.eager)
        try limited.startAll()
        let subjects = ["hot", "warm"]
        begin(limited, subjects, for: .seconds(14), seed)
        for _ in 0..<2 {
            limited.world.run(for: .seconds(2))
            let owner = limited.owner(of: "hot")
            limited.drain(owner)
            limited.world.run(atMost: .seconds(10)) { limited.owner(of: "hot") != owner }
            limited.world.run(for: .seconds(2))
            limited.drain(owner, .schedulable)
        }
        limited.world.run(for: .seconds(8))
        // A tenth of the burst, and what came back between the first node that saw the new view and the handover.
        let careful = policy.burst / 10 + 200
        #expect(limited.excess(policy) <= Self.lent + 2 * careful + underway, "\(seed.replay)")
        let moved = limited.world.names.map { limited.counts($0).shards.bucketsHandedOver }.reduce(0, +)
        #expect(moved >= 2)
        limited.world.tearDown()
    }

    @Test func `a cluster that admits everything while an owner is silent is caught`() throws {
        let open = try policy(limit: 20, burst: 10, onFailure: .open, lentUnitsMax: 4)
        let limited = try LimitedWorld(Seed(3), policies: [open], configure: Self.eager)
        try limited.startAll()
        begin(limited, ["hot"], for: .seconds(6), Seed(3))
        let owner = limited.owner(of: "hot")
        for name in limited.world.names where name != owner { limited.world.network.cut(owner, name) }
        limited.world.run(for: .seconds(7))
        #expect(limited.excess(open) > 4 + underway)
        #expect(limited.record.sources().contains(.failedOpen))
        limited.world.tearDown()
    }

    @Test func `one seed is one history`() throws {
        func hash(_ seed: Seed) throws -> TraceHash {
            let limited = try LimitedWorld(seed, policies: [try hotPolicy()], configure: Self.eager)
            try limited.startAll()
            begin(limited, ["hot", "warm", "cold"], for: .seconds(4), seed)
            limited.world.run(for: .seconds(2))
            limited.drain(limited.owner(of: "hot"))
            limited.world.run(for: .seconds(6))
            defer { limited.world.tearDown() }
            return limited.world.scheduler.traceHash
        }
        #expect(try hash(Seed(7)) == hash(Seed(7)))
        #expect(try hash(Seed(7)) != hash(Seed(8)))
    }
}
