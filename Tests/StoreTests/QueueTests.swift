import ClipModel
import Store
import Testing

/// What waits in a region, and the opening of jobs that were taken in to be begun later.
@Suite struct QueueTests {
    private func deferredJob(
        _ world: World, region: Region = .eu, tenant: String = "ana", seconds: Double = 600,
        stages: [StageKey] = [StageKey(.scan)]
    ) async throws -> JobID {
        let draft = JobDraft(
            id: world.newJobID(), upload: try await world.upload().id, region: region, tenant: tenant,
            options: JobOptions(), stages: stages, opensAfterSeconds: seconds)
        guard case .created(let job) = try await world.store.submit(draft) else { throw Surprise("no job") }
        return job.id
    }

    /// Of the jobs that these tests make.
    private static let cost = FairShare.secondsMin + Double(JobOptions().clipCount) * FairShare.secondsPerClip
    private static let work = cost * QueueReading.effortGuess

    /// A server's time goes on by itself, on a busy machine for a good while.
    private func isNear(_ left: Double?, _ right: Double) -> Bool { left.map { abs($0 - right) < 40 } ?? false }

    @Test(arguments: Adapter.allCases)
    func `an empty store has nothing that waits, and nodes count by region while they take work`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            #expect(try await world.store.queues() == QueueReading(regions: []))
            _ = try await world.node("one")
            _ = try await world.node("two")
            _ = try await world.node("three", region: .us)
            let gone = try await world.node("four", region: .us)
            try await world.store.leave(gone)
            let cordoned = try await world.node("five", region: .us)
            _ = try await world.store.setSchedulability(of: cordoned.id, to: .cordoned)
            let regions = try await world.store.queues().regions
            #expect(regions == [.init(region: .eu, threads: 4), .init(region: .us, threads: 2)])
            try await world.pass(seconds: 601)
            #expect(try await world.store.queues().regions.isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a job counts with its cost until its stages have run, and not when it has ended`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            _ = try await world.job(region: .us)
            let life = try await world.node(leaseSeconds: 1000)
            try await world.pass(seconds: 100)
            var queues = try await world.store.queues()
            #expect(queues.effort == QueueReading.effortGuess)
            var own = try #require(queues.queue(of: .eu))
            #expect(isNear(own.openSeconds, Self.work) && own.readyStages == 2 && own.threads == 2)
            #expect(own.deferredJobs == 0 && own.deferredSeconds == 0)
            #expect(isNear(own.oldestWaitSeconds, 100))
            #expect(isNear(queues.queue(of: .us)?.openSeconds, Self.work))
            #expect(isNear(queues.expectedSeconds(in: .eu), Self.work / 2))
            // A hundred seconds of it are done when a stage has run for a hundred.
            _ = try await world.claimOne(life)
            try await world.pass(seconds: 100)
            own = try #require(try await world.store.queues().queue(of: .eu))
            #expect(isNear(own.openSeconds, Self.work - 100) && own.readyStages == 1)
            _ = try await world.store.cancel(job.id)
            queues = try await world.store.queues()
            #expect(queues.queue(of: .eu) == .init(region: .eu, threads: 2))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a second of video costs is measured on jobs that ended well`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job()
            let life = try await world.node(leaseSeconds: 1000)
            let lease = try await world.claimOne(life)
            try await world.pass(seconds: 600)
            try await world.end(lease, .produced(world.result()))
            _ = try await world.job()
            let queues = try await world.store.queues()
            #expect(abs(queues.effort - 600 / Self.cost) < 40 / Self.cost)
            #expect(isNear(queues.queue(of: .eu)?.openSeconds, 600))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a revision counts with what a clip costs, and tells nothing of what videos cost`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node(leaseSeconds: 100_000)
            var job: JobID?
            for _ in 0..<2 {
                job = try await world.job(stages: [StageKey(.publish)]).id
                let lease = try await world.claimOne(life)
                try await world.pass(seconds: 600)
                _ = try await world.complete(lease, .produced(world.result()), advance: Self.isReady)
            }
            let effort = 600 / Self.cost
            #expect(abs(try await world.store.queues().effort - effort) < 40 / Self.cost)
            let draft = RevisionDraft(
                id: Numbers().identifier(), job: try #require(job), clip: nil, range: TimeRange(start: 1, end: 9),
                options: JobOptions())
            _ = try await world.store.revise(draft) { snapshot in
                var advance = JobAdvance()
                advance.open = [snapshot.changed]
                return advance
            }
            let clip = FairShare.secondsPerClip * effort
            #expect(isNear(try await world.store.queues().queue(of: .eu)?.openSeconds, clip))
            let lease = try await world.claimOne(life)
            try await world.pass(seconds: 300)
            #expect(try await world.store.queues().queue(of: .eu)?.openSeconds == 0)
            _ = try await world.complete(lease, .produced(world.result()), advance: Self.isReady)
            #expect(abs(try await world.store.queues().effort - effort) < 40 / Self.cost)
        }
    }

    private static let isReady: Advance = { _ in
        var advance = JobAdvance()
        advance.status = .ready
        return advance
    }

    @Test(arguments: Adapter.allCases)
    func `a deferred job waits as pending, counts apart, and opens by itself after its time`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await deferredJob(world, seconds: 1000)
            let life = try await world.node(leaseSeconds: 10_000)
            #expect(try await world.store.claim(1, for: life).isEmpty)
            #expect(try await world.job(job).status == .pending)
            let own = try #require(try await world.store.queues().queue(of: .eu))
            #expect(own.deferredJobs == 1 && isNear(own.deferredSeconds, Self.work) && own.openSeconds == 0)
            #expect(own.readyStages == 0 && own.oldestWaitSeconds == 0)
            let wait = try #require(try await world.store.waits(of: job).stages.first)
            #expect(wait.opensIn > .seconds(500) && wait.opensIn <= .seconds(1000))
            try await world.pass(seconds: 1001)
            #expect(try await world.store.queues().queue(of: .eu)?.deferredJobs == 0)
            #expect(try await world.claimOne(life).job == job)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `deferred jobs are opened by rank as far as their cost fits, one at least, in their region only`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            var jobs: [JobID] = []
            for _ in 0..<4 { jobs.append(try await deferredJob(world, stages: [StageKey(.scan), StageKey(.probe)])) }
            let away = try await deferredJob(world, region: .us)
            let life = try await world.node(leaseSeconds: 1000)
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 0) == 0)
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 1) == 1)
            #expect(try await world.store.claim(9, for: life).map(\.job) == [jobs[0], jobs[0]])
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 2 * Self.cost) == 2)
            #expect(try await world.store.claim(9, for: life).map(\.job) == [jobs[1], jobs[1], jobs[2], jobs[2]])
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 1e9) == 1)
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 1e9) == 0)
            #expect(try await world.store.queues().queue(of: .us)?.deferredJobs == 1)
            #expect(try await world.job(away).status == .pending)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a deferred job whose turn is before that of open work is opened whatever the cost`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            // Of one client: two jobs that are open, and one that was put off behind them.
            for _ in 0..<2 { _ = try await deferredJob(world, tenant: "noisy", seconds: 0) }
            let behind = try await deferredJob(world, tenant: "noisy")
            let life = try await world.node(leaseSeconds: 1000)
            let first = try await world.claimOne(life)
            let victim = try await deferredJob(world, tenant: "victim")
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 0) == 1)
            let next = try await world.claimOne(life)
            #expect(next.job == victim && first.job != victim)
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 0) == 0)
            #expect(try await world.store.waits(of: behind).stages.first?.opensIn ?? .zero > .seconds(100))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a retry that waits is no deferred job, and nothing opens it early`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job()
            let life = try await world.node(leaseSeconds: 1000)
            _ = try await world.complete(try await world.claimOne(life), .failed(.test(.transient))) { _ in
                var advance = JobAdvance()
                advance.reopen = [StageKey(.scan): 600]
                return advance
            }
            #expect(try await world.store.queues().queue(of: .eu)?.deferredJobs == 0)
            #expect(try await world.store.openDeferred(in: .eu, costSeconds: 1e9) == 0)
            #expect(try await world.store.claim(1, for: life).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a heartbeat carries how the node is, and a new life begins without it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            #expect(try await world.store.nodes().first?.condition == NodeCondition())
            var costs = MeasuredCosts()
            costs.record(.render, took: 10, expected: 3)
            let condition = NodeCondition(
                level: .deferNew, levelSince: .start, levelReason: "much",
                pause: .init(code: "disk_short", reason: "full", since: .start), measuredCosts: costs)
            _ = try await world.store.heartbeat(life, running: [], condition: condition)
            #expect(try await world.store.nodes().first?.condition == condition)
            _ = try await world.node()
            #expect(try await world.store.nodes().first?.condition == NodeCondition())
        }
    }
}
