import ClipModel
import Store
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
