import ClipModel
import Logging
import PostgresStore
import Store
import TestSupport
import Testing

@Suite struct EventTests {
    @Test(arguments: Adapter.allCases)
    func `events are read in order, from a number on, up to a limit`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let other = try await world.job()
            let all = try await world.store.events(of: job.id, after: 0, limit: 100)
            #expect(all.map(\.kind) == [.jobCreated, .stageOpened, .stageOpened])
            #expect(all.map(\.id) == all.map(\.id).sorted() && Set(all.map(\.id)).count == 3)
            #expect(try await world.store.events(of: job.id, after: 0, limit: 1) == [all[0]])
            #expect(try await world.store.events(of: job.id, after: all[0].id, limit: 100) == Array(all.dropFirst()))
            #expect(try await world.store.events(of: job.id, after: all[2].id, limit: 100).isEmpty)
            #expect(try await world.store.events(of: other.id, after: 0, limit: 100).allSatisfy { $0.job == other.id })
            #expect(try await world.store.events(of: world.newJobID(), after: 0, limit: 100).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the event that ends an attempt keeps what it took, whatever its end`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan)])
            let life = try await world.node()
            func end(_ outcome: StageOutcome, _ effort: Effort?, again: Bool = false) async throws -> StageLease {
                let lease = try await world.claimOne(life)
                _ = try await world.store.complete(lease, with: outcome, effort: effort) { snapshot in
                    var advance = JobAdvance()
                    if again { advance.reopen[snapshot.changed] = 0 }
                    return advance
                }
                return lease
            }
            let efforts = [
                Effort(cpuSeconds: 0.000001, bytesRead: nil, bytesWritten: 0, memoryPeakBytes: nil),
                Effort(cpuSeconds: 1.25, bytesRead: 1 << 40, bytesWritten: 3, memoryPeakBytes: 7), nil,
                Effort(cpuSeconds: 7200.5, bytesRead: 0, bytesWritten: 0, memoryPeakBytes: nil),
            ]
            _ = try await end(.released, efforts[0])
            _ = try await end(.failed(.test(.transient)), efforts[1], again: true)
            _ = try await end(.failed(.test(.transient)), efforts[2], again: true)
            let produced = StageOutcome.produced(world.result())
            let lease = try await end(produced, efforts[3])
            // Told once more, with other figures: the first counted.
            _ = try await world.store.complete(lease, with: produced, effort: nil) { _ in JobAdvance() }

            let events = try await world.store.events(of: job.id, after: 0, limit: 100)
            let ends = events.filter { [.stageReleased, .stageRetried, .stageFailed, .stageDone].contains($0.kind) }
            #expect(ends.map(\.kind) == [.stageReleased, .stageRetried, .stageRetried, .stageDone])
            #expect(ends.map(\.effort) == efforts)
            #expect(events.allSatisfy { $0.effort == nil || ends.contains($0) })
        }
    }

    @Test(arguments: Adapter.allCases)
    func `an attempt that failed for good keeps what it took, one that a dead node held has nothing`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan)])
            _ = try await world.claimOne(try await world.node("dead"))
            try await world.pass(seconds: 601)
            #expect(try await world.store.freeStagesOfDeadNodes() == 1)
            let lease = try await world.claimOne(try await world.node("other"))
            let effort = Effort(cpuSeconds: 3, bytesRead: 4, bytesWritten: 5, memoryPeakBytes: 6)
            _ = try await world.store.complete(lease, with: .failed(.test(.poison)), effort: effort) { _ in
                JobAdvance()
            }
            let events = try await world.store.events(of: job.id, after: 0, limit: 100)
            #expect(events.first { $0.kind == .stageReleased }?.effort == nil)
            #expect(events.first { $0.kind == .stageFailed }?.effort == effort)
        }
    }

    @Test func `events of before efforts were measured are read without one`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            let job = try await World(store: store).job()
            try await server.execute(
                """
                insert into event (job, at, kind, stage_name, stage_index, node)
                values ('\(job.id)', now(), 'stage.done', 'scan', 0, 'one')
                """, on: database)
            let last = try await store.events(of: job.id, after: 0, limit: 100).last
            #expect(last?.kind == .stageDone && last?.effort == nil)
            group.cancelAll()
        }
        await store.shutdown()
    }

    @Test(arguments: Adapter.allCases)
    func `a reader that follows the numbers misses nothing while many write`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: (0..<60).map { StageKey(.render, $0) })
            let life = try await world.node()
            // Every stage: opened, started, done; the job: created, started.
            let expected = 60 * 3 + 2
            try await withThrowingTaskGroup(of: [Event].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<15 {
                            var lease: StageLease?
                            while lease == nil { lease = try await world.store.claim(1, for: life).first }
                            if let lease { _ = try await world.complete(lease, .produced(world.result())) }
                        }
                        return []
                    }
                }
                group.addTask {
                    var seen: [Event] = []
                    while seen.count < expected {
                        seen += try await world.store.events(of: job.id, after: seen.last?.id ?? 0, limit: 7)
                    }
                    return seen
                }
                let seen = try await group.reduce(into: []) { $0 += $1 }
                let written = try await world.store.events(of: job.id, after: 0, limit: 1000)
                #expect(seen == written)
                #expect(seen.count == expected)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `subscribers hear of work, of the job and of stopping`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var signals = world.store.signals().makeAsyncIterator()
            // The connection that listens says so when it stands.
            if adapter == .postgres { #expect(await signals.next() == .resynchronise) }
            let job = try await world.job()
            let first = [await signals.next(), await signals.next()]
            #expect(first.contains(.work) && first.contains(.job(job.id)))
            _ = try await world.store.cancel(job.id)
            var heard: Set<StoreSignal> = []
            while !heard.contains(.stop(job.id)), let signal = await signals.next() { heard.insert(signal) }
            #expect(heard.contains(.stop(job.id)))
        }
    }

    @Test func `a subscriber that does not read keeps the newest signals and delays nobody`() async throws {
        let fan = SignalFan()
        let slow = fan.subscribe()
        let jobs: [JobID] = (0..<StoreLimits.signalsMax + 10).map { _ in Numbers().identifier() }
        for job in jobs { fan.send([.job(job)]) }
        fan.close()
        var heard: [StoreSignal] = []
        for await signal in slow { heard.append(signal) }
        #expect(heard == jobs.suffix(StoreLimits.signalsMax).map { .job($0) })
        var late = fan.subscribe().makeAsyncIterator()
        #expect(await late.next() == nil)
    }

    @Test(arguments: Adapter.allCases)
    func `upkeep and ping work on a store in use`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            try await world.store.ping()
            try await world.store.upkeep()
            try await world.store.upkeep()
            #expect(try await world.kinds(job.id) == [.jobCreated, .stageOpened])
        }
    }
}
