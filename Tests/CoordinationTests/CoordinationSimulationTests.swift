import ClipModel
import ClusterSimulation
import Jobs
import Store
import Testing

/// What coordination promises, on the whole cluster under a seed.
@Suite struct CoordinationSimulationTests {
    private static let seeds = Seed.forThisRun(12)

    @Test(arguments: seeds)
    func `a killed node's work is claimed elsewhere within three seconds, and done once`(seed: Seed) throws {
        let coordinated = CoordinatedWorld(seed, nodes: 3 + Int(seed.number % 3))
        try coordinated.startAll()
        let world = coordinated.world, record = coordinated.record
        // One node is idle, so that what is measured is not how long the others are busy.
        let stageCount = world.names.count - 1
        let job = try coordinated.submit(stageCount, on: "node-1")
        try #require(world.run(atMost: .seconds(20)) { record.all(.claimed).count == stageCount })
        // At any moment between two heartbeats.
        world.run(for: .milliseconds(100 + Int(seed.number * 137 % 1000)))
        let victim = try #require(record.all(.claimed).last?.node)
        let begun = Set(record.all(.claimed).filter { $0.node == victim }.compactMap(\.stage))
        let lost = begun.subtracting(record.all(.published).filter { $0.node == victim }.compactMap(\.stage))
        try #require(!lost.isEmpty)
        let death = world.scheduler.now
        coordinated.crash(victim)
        func again() -> [CoordinatedWorld.Note] {
            record.all(.claimed).filter { $0.at > death && $0.stage.map(lost.contains) == true }
        }
        #expect(world.run(atMost: .seconds(3)) { again().count == lost.count }, "not in three seconds; \(seed.replay)")
        #expect(world.run(atMost: .seconds(60)) { record.all(.published).count == stageCount }, "\(seed.replay)")
        let stages = try coordinated.stages(job)
        #expect(stages.allSatisfy { $0.state == .done }, "\(seed.replay)")
        #expect(Set(record.all(.published).compactMap(\.stage)).count == record.all(.published).count, "\(seed.replay)")
    }

    @Test(arguments: seeds.prefix(4))
    func `a node that stands still for four seconds loses nothing`(seed: Seed) throws {
        let coordinated = CoordinatedWorld(seed)
        try coordinated.startAll()
        let world = coordinated.world, record = coordinated.record
        let job = try coordinated.submit(3, on: "node-1")
        try #require(world.run(atMost: .seconds(20)) { record.all(.claimed).count == 3 })
        world.pause("node-2")
        world.run(for: .seconds(4))
        world.resume("node-2")
        #expect(world.run(atMost: .seconds(30)) { record.all(.published).count == 3 }, "\(seed.replay)")
        #expect(try coordinated.stages(job).allSatisfy { $0.state == .done && $0.epoch == 1 }, "\(seed.replay)")
        #expect(record.all(.refused).isEmpty, "\(seed.replay)")
    }

    @Test(arguments: seeds.prefix(4))
    func `a node that only its peers cannot reach keeps its work`(seed: Seed) throws {
        let coordinated = CoordinatedWorld(seed, stageLength: .seconds(25))
        try coordinated.startAll()
        let world = coordinated.world, record = coordinated.record
        let job = try coordinated.submit(3, on: "node-1")
        try #require(world.run(atMost: .seconds(20)) { record.all(.claimed).count == 3 })
        for other in ["node-1", "node-3"] {
            world.network.cut("node-2", other)
            world.network.cut(other, "node-2")
        }
        #expect(world.run(atMost: .seconds(60)) { record.all(.published).count == 3 }, "\(seed.replay)")
        #expect(try coordinated.stages(job).allSatisfy { $0.epoch == 1 }, "\(seed.replay)")
    }

    @Test(arguments: seeds.prefix(4))
    func `ready stages are claimed at once, without a poll`(seed: Seed) throws {
        let coordinated = CoordinatedWorld(seed, stageLength: .seconds(1), poll: .seconds(3600))
        try coordinated.startAll()
        let world = coordinated.world, record = coordinated.record
        // Everybody has looked once and found nothing.
        world.run(for: .seconds(5))
        let start = world.scheduler.now
        _ = try coordinated.submit(3, on: "node-2")
        #expect(world.run(atMost: .seconds(1)) { record.all(.claimed).count == 3 }, "\(seed.replay)")
        let last = try #require(record.all(.claimed).map(\.at).max())
        #expect(last - start < .milliseconds(250), "\(last - start); \(seed.replay)")
    }

    @Test(arguments: seeds.prefix(6))
    func `a retry is claimed when its time has come, even when its coordinator has died meanwhile`(seed: Seed) throws {
        let coordinated = CoordinatedWorld(
            seed, nodes: 4, stageLength: .seconds(1), poll: .seconds(3600), retrySeconds: 10)
        try coordinated.startAll()
        let world = coordinated.world, record = coordinated.record
        world.run(for: .seconds(5))
        let job = try coordinated.submit(1, on: "node-1")
        try #require(world.run(atMost: .seconds(5)) { !record.all(.failed).isEmpty })
        let failure = try #require(record.all(.failed).first)
        world.run(for: .milliseconds(500))
        if seed.number.isMultiple(of: 2) { coordinated.crash(try coordinated.coordinator(of: job)) }
        #expect(world.run(atMost: .seconds(15)) { !record.all(.published).isEmpty }, "\(seed.replay)")
        let claim = try #require(record.all(.claimed).last)
        let wait = claim.at - failure.at
        #expect(.milliseconds(9_900)...Duration.milliseconds(10_900) ~= wait, "\(wait); \(seed.replay)")
    }

    @Test(arguments: seeds.prefix(4))
    func `the workers of a cancelled job are told`(seed: Seed) throws {
        let coordinated = CoordinatedWorld(seed, stageLength: .seconds(60))
        try coordinated.startAll()
        let world = coordinated.world, record = coordinated.record, store = coordinated.store
        let job = try coordinated.submit(2, on: "node-1")
        try #require(world.run(atMost: .seconds(10)) { record.all(.claimed).count == 2 })
        // The coordinator has seen them at work: it is told of every claim's job once more.
        coordinated.coordination("node-1").tell(job, home: Region("one")!)
        world.run(for: .seconds(1))
        let workers = Set(record.all(.claimed).map(\.node))
        try world.perform(on: "node-3") { _ in _ = try await store.cancel(job) }
        coordinated.coordination("node-3").tell(job, home: Region("one")!)
        #expect(world.run(atMost: .seconds(1)) { Set(record.all(.stopped).map(\.node)) == workers }, "\(seed.replay)")
    }
}
