import ClipModel
import Store
import Testing

@Suite struct ClaimTests {
    @Test(arguments: Adapter.allCases)
    func `a claim makes the stage run and the job begin, once`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let life = try await world.node()
            let lease = try await world.claimOne(life)
            #expect(
                lease
                    == StageLease(
                        job: job.id, key: StageKey(.scan), epoch: 1, node: life.id, nodeEpoch: life.epoch, attempts: 1))
            _ = try await world.claimOne(life)
            #expect(try await world.store.claim(1, for: life).isEmpty)
            let stage = try await world.stage(job.id, lease.key)
            #expect(stage.state == .running && stage.holder == life.id && stage.startedAt != nil)
            let started = try await world.job(job.id)
            #expect(started.status == .processing && started.startedAt != nil)
            let events = try await world.store.events(of: job.id, after: 0, limit: 10)
            let expected: [Event.Kind] = [
                .jobCreated, .stageOpened, .stageOpened, .jobStarted, .stageStarted, .stageStarted,
            ]
            #expect(events.map(\.kind) == expected)
            #expect(events.last?.node == life.id && events.last?.stage == StageKey(.probe))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a node goes on with jobs that it knows, while nobody waits long for it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let node = try await world.node()
            func next(_ familiar: JobID..., limit: Int = 1) async throws -> [JobID] {
                try await world.store.claim(ClaimTerms(limit: limit, familiar: familiar), for: node).map(\.job)
            }
            let first = try await world.job(), second = try await world.job(), third = try await world.job()
            #expect(try await next(second.id) == [second.id])
            // It is under way, and what it knows has nothing more to do.
            #expect(try await next(second.id, limit: 1) == [first.id])
            let id = world.newUploadID()
            try await world.store.insert(
                Upload(
                    id: id, fileName: "long.mp4",
                    bytes: Int64((StoreLimits.familiarSeconds + 1) * FairShare.bytesPerSecond),
                    sha256: String(repeating: "ab", count: 32), blob: .named("uploads/\(id)"), transcript: nil,
                    createdAt: .start))
            let long = try await world.job(upload: id), last = try await world.job()
            #expect(try await next(last.id) == [third.id])
            #expect(try await next(last.id, limit: 2) == [long.id, last.id])
            #expect(try await next(last.id).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a node knows goes first in its own region, and what is left to another comes last`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload().id
            // Each of a client of its own: their ranks are equal, and they would be taken in this order.
            func job(
                of client: String, region: Region = .eu, priority: Job.Priority = .interactive
            ) async throws -> JobID {
                let draft = JobDraft(
                    id: world.newJobID(), upload: upload, region: region, tenant: client, options: JobOptions(),
                    priority: priority, stages: [StageKey(.scan)])
                guard case .created(let job) = try await world.store.submit(draft) else { throw Surprise("refused") }
                return job.id
            }
            let node = try await world.node()
            // Alone it is first in turn, so nothing but its priority is against it.
            let batch = try await job(of: "ana", priority: .batch)
            var terms = ClaimTerms(limit: 4, includesBatch: false, familiar: [batch])
            #expect(try await world.store.claim(terms, for: node).isEmpty)

            let far = try await job(of: "bob", region: .us), farKnown = try await job(of: "cleo", region: .us)
            let newcomer = try await job(of: "dora"), ninth = try await job(of: "emil")
            let known = try await job(of: "fia")
            let gone = (1...StoreLimits.familiarMax - 3).map { _ in world.newJobID() }
            terms.familiar = [batch, farKnown] + gone + [known, ninth]
            #expect(try await world.store.claim(terms, for: node).map(\.job) == [known, newcomer, ninth, far])
            #expect(try await world.store.claim(terms, for: node).map(\.job) == [farKnown])
            #expect(try await world.store.claim(terms, for: node).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `stages of the node's region go first, then older jobs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let away = try await world.job(region: .us), older = try await world.job(), newer = try await world.job()
            let leases = try await world.store.claim(3, for: try await world.node(region: .eu))
            #expect(leases.map(\.job) == [older.id, newer.id, away.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a region has just got ready is left to its nodes for a while, if any of them may claim`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let away = try await world.node("away", region: .us, leaseSeconds: 10_000)
            let home = try await world.node("home", leaseSeconds: 10_000)
            let first = try await world.job(), second = try await world.job()
            // Longer than this takes on any machine.
            let terms = ClaimTerms(limit: 9, awaySeconds: 900, homeSeconds: 600)
            #expect(try await world.store.claim(terms, for: away).isEmpty)
            #expect(try await world.claimOne(home).job == first.id)
            let third = try await world.job()
            try await world.pass(seconds: 601)
            let fourth = try await world.job()
            #expect(try await world.store.claim(terms, for: away).map(\.job) == [second.id, third.id])
            // Nobody at home takes it, so there is nothing to wait for.
            _ = try await world.store.setSchedulability(of: home.id, to: .cordoned)
            #expect(try await world.store.claim(terms, for: away).map(\.job) == [fourth.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what was lost with a node is left to no region`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let away = try await world.node("away", region: .us, leaseSeconds: 10_000)
            _ = try await world.node("home", leaseSeconds: 10_000)
            let dies = try await world.node("dies")
            _ = try await world.job(stages: [StageKey(.render, 0), StageKey(.render, 1)])
            let lost = try await world.claimOne(dies)
            // Its next life frees what the one before held.
            _ = try await world.node("dies")
            let terms = ClaimTerms(limit: 9, awaySeconds: 900, homeSeconds: 600)
            #expect(try await world.store.claim(terms, for: away).map(\.key) == [lost.key])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim gives no more than its limit, and nothing for a limit of none`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let stages = (0..<100).map { StageKey(.render, $0) }
            _ = try await world.job(stages: stages)
            let life = try await world.node()
            #expect(try await world.store.claim(0, for: life).isEmpty)
            #expect(try await world.store.claim(-3, for: life).isEmpty)
            #expect(try await world.store.claim(7, for: life).map(\.key) == Array(stages.prefix(7)))
            #expect(try await world.store.claim(1000, for: life).count == StoreLimits.claimMax)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `two claimers never get the same stage`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for _ in 0..<8 { _ = try await world.job(stages: (0..<25).map { StageKey(.render, $0) }) }
            var lives: [NodeLife] = []
            for number in 0..<4 { lives.append(try await world.node("n\(number)")) }
            let leases = try await withThrowingTaskGroup(of: [StageLease].self) { group in
                for life in lives {
                    group.addTask {
                        var mine: [StageLease] = []
                        // A claim that finds everything locked answers with nothing although there is more.
                        while mine.count < 50 {
                            mine += try await world.store.claim(min(3, 50 - mine.count), for: life)
                        }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let keys = Set(leases.map { "\($0.job) \($0.key)" })
            #expect(keys.count == 200 && leases.count == 200 && leases.allSatisfy { $0.epoch == 1 })
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a life that was replaced, has left or ran out gets nothing`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job()
            let replaced = try await world.node("one")
            let current = try await world.node("one")
            #expect(current.epoch > replaced.epoch)
            #expect(try await world.store.claim(1, for: replaced).isEmpty)
            let left = try await world.node("two")
            try await world.store.leave(left)
            #expect(try await world.store.claim(1, for: left).isEmpty)
            try await world.pass(seconds: 601)
            #expect(try await world.store.claim(1, for: current).isEmpty)
            #expect(try await world.store.heartbeat(current, running: []) == .renewed(drop: []))
            #expect(try await world.store.claim(1, for: current).count == 1)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a stage that waits is not claimed before its time`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node(leaseSeconds: 1000)
            _ = try await world.complete(try await world.claimOne(life), .failed(.test(.transient))) { _ in
                var advance = JobAdvance()
                advance.reopen = [StageKey(.scan): 600]
                return advance
            }
            #expect(try await world.store.claim(1, for: life).isEmpty)
            try await world.pass(seconds: 300)
            #expect(try await world.store.claim(1, for: life).isEmpty)
            try await world.pass(seconds: 301)
            #expect(try await world.claimOne(life).attempts == 2)
            #expect(try await world.kinds(job.id).contains(.stageRetried))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a stage that lacked something here is kept for others for 30 seconds`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let poor = try await world.node("poor", leaseSeconds: 1000)
            let rich = try await world.node("rich", leaseSeconds: 1000)
            for _ in 0..<2 {
                let lease = try await world.claimOne(poor)
                _ = try await world.complete(lease, .failed(.test(.resource))) { snapshot in
                    var advance = JobAdvance()
                    advance.reopen = [snapshot.changed: 0]
                    return advance
                }
            }
            #expect(try await world.store.claim(2, for: poor).isEmpty)
            #expect(try await world.store.claim(1, for: rich).count == 1)
            try await world.pass(seconds: StoreLimits.avoidanceSeconds + 1)
            #expect(try await world.store.claim(2, for: poor).map(\.key) == [StageKey(.probe)])
        }
    }
}
