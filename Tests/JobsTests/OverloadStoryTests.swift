import ClipModel
import Jobs
import Store
import Testing

/// A flood of jobs on two threads, from the first wave until everything is done.
@Suite struct OverloadStoryTests {
    private static let configuration = OverloadConfiguration(
        thresholds: OverloadLadder.Thresholds(
            delayBatchSeconds: 50, sendAwaySeconds: 100, deferNewSeconds: 200, refuseSeconds: 600,
            dwell: .seconds(10)), deferSecondsMax: 100_000)

    private struct Flood {
        var jobs: [JobID] = []
        var deferred: [JobID] = []
        var levels: Set<OverloadLevel> = []
    }

    /// Sends four jobs every five seconds until the door would be shut.
    private func flood(_ world: World, _ watch: OverloadWatch) async throws -> Flood {
        var flood = Flood()
        var options = JobOptions()
        options.clipCount = 1
        while watch.state.level < .refuse, flood.jobs.count < 400 {
            for _ in 0..<4 {
                let job = try await world.submit(options: options)
                flood.jobs.append(job)
                let view = try #require(try await world.service.view(job))
                if view.deferredUntil != nil { flood.deferred.append(job) }
            }
            let start = world.seconds
            try await world.run { world.seconds >= start + 5 }
            flood.levels.insert(watch.state.level)
        }
        return flood
    }

    @Test func `a flood raises the level until nothing is taken in, it comes down by itself, and nothing is lost`()
        async throws
    {
        try await inWorld(try World(overload: Self.configuration)) { world in
            let watch = try #require(world.overload)
            try world.start("a")
            let flood = try await flood(world, watch)
            #expect(watch.state.level == .refuse && watch.state.retryAfterSeconds >= 10)
            #expect(flood.levels.isSuperset(of: [.deferNew, .refuse]))
            #expect(!flood.deferred.isEmpty && flood.deferred.count < flood.jobs.count)
            let last = try #require(flood.deferred.last)
            let told = try #require(try await world.service.explain(last, members: nil))
            #expect(told.reason.code == .deferred && told.reason.text.contains("too much to do"))
            try await world.run { await world.store.nodes().first?.condition.level == .refuse }

            let start = world.seconds
            try await world.run(upTo: 20_000) {
                await world.store.jobs(JobFilter(status: .ready), before: nil, limit: 1000).count == flood.jobs.count
            }
            // Deferring leaves no thread idle: two threads did all of it without a pause worth the name.
            let work = world.runs.filter { $0.start >= start }.reduce(0) {
                $0 + Double($1.threads) * (($1.end ?? 0) - $1.start)
            }
            #expect((world.seconds - start) * 2 < work * 1.3)
            let end = world.seconds
            try await world.run { watch.state.level == .normal }
            #expect(world.seconds - end < 60)
        }
    }

    @Test func `a job that was put off is begun after its bound whatever the level`() async throws {
        var configuration = Self.configuration
        configuration.deferSecondsMax = 300
        // Nothing ever ends here, so the level never falls.
        let world = try World(overload: configuration) { _, clock in try await clock.sleep(for: .seconds(100_000)) }
        try await inWorld(world) { world in
            let watch = try #require(world.overload)
            try world.start("a")
            let flood = try await flood(world, watch)
            let job = try #require(flood.deferred.first)
            let start = world.seconds
            try await world.run(upTo: 1000) { try await world.service.view(job)?.deferredUntil == nil }
            #expect(watch.state.level >= .deferNew)
            #expect(world.seconds - start <= 305)
        }
    }

    @Test func `while it is overloaded a region gives new jobs to one with room`() async throws {
        try await inWorld(try World(overload: Self.configuration)) { world in
            let watch = try #require(world.overload)
            _ = try await world.store.register(
                NodeDraft(
                    id: NodeID("far")!, region: Region("us")!, http: "http://far", version: "1", threads: 8,
                    leaseSeconds: 1000))
            var options = JobOptions()
            options.clipCount = 1
            for _ in 0..<8 { _ = try await world.submit(options: options) }
            await watch.look()
            #expect(watch.state.level == .normal, "without a node of its own the other's threads count")
            try world.start("a")
            try await world.run { watch.state.level >= .sendAway }
            let job = try await world.submit()
            #expect(await world.store.job(job)?.region == Region("us"))
            #expect(try await world.service.view(job)?.deferredUntil == nil)
        }
    }
}
