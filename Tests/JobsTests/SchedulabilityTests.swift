import ClipModel
import Jobs
import Stages
import Store
import Testing

/// Workers whose operator wants something of their node.
@Suite struct SchedulabilityTests {
    private static let slowTranscription: World.Play = { assignment, clock in
        try await clock.sleep(for: .seconds(assignment.inputs.key.name == .transcribe ? 20 : 1))
    }

    private func world() throws -> World {
        try World(video: PlayedVideo(chunks: 1), play: Self.slowTranscription)
    }

    @Test(arguments: [NodeSchedulability.cordoned, .draining])
    func `a node that is not schedulable finishes what it has, and works again when it may`(
        intent: NodeSchedulability
    ) async throws {
        try await inWorld(try world()) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            _ = await world.store.setSchedulability(of: NodeID("a")!, to: intent)
            try await world.run { world.runs.allSatisfy { $0.end != nil } }
            #expect(world.runs.allSatisfy { !$0.wasCancelled })
            let (count, now) = (world.runs.count, world.seconds)
            try await world.run { world.seconds > now + 30 }
            // It claims nothing, and it is not gone.
            #expect(world.runs.count == count && !world.hasEnded("a"))
            #expect(await world.store.nodes().allSatisfy { $0.isAlive && $0.running.isEmpty })
            _ = await world.store.setSchedulability(of: NodeID("a")!, to: .schedulable)
            #expect(try await world.runToEnd(job).status == .ready)
        }
    }

    @Test func `a drained node hands back what takes too long, and another goes on with it`() async throws {
        try await inWorld(try world()) { world in
            let job = try await world.submit()
            try world.start("a", configuration: WorkerConfiguration(handBackAfter: .seconds(5)))
            try await world.run { world.isRunning(.transcribe) }
            let told = world.seconds
            _ = await world.store.setSchedulability(of: NodeID("a")!, to: .draining)
            try world.start("b")
            #expect(try await world.runToEnd(job).status == .ready)
            let cut = try #require(world.runs(of: .transcribe).first { $0.node == "a" })
            let end = try #require(cut.end)
            #expect(cut.wasCancelled && (5...8).contains(end - told))
            #expect(world.runs(of: .transcribe).contains { $0.node == "b" && !$0.wasCancelled })
            // Handed back, not crashed: the attempt of "a" does not count.
            #expect(await world.store.stages(of: job).first { $0.key.name == .transcribe }?.attempts == 1)
        }
    }

    @Test func `a drain that is taken back in time hands nothing back`() async throws {
        try await inWorld(try world()) { world in
            let job = try await world.submit()
            try world.start("a", configuration: WorkerConfiguration(handBackAfter: .seconds(5)))
            try await world.run { world.isRunning(.transcribe) }
            let told = world.seconds
            _ = await world.store.setSchedulability(of: NodeID("a")!, to: .draining)
            try await world.run { world.seconds > told + 3 }
            _ = await world.store.setSchedulability(of: NodeID("a")!, to: .schedulable)
            #expect(try await world.runToEnd(job).status == .ready)
            #expect(world.runs.allSatisfy { !$0.wasCancelled })
        }
    }
}
