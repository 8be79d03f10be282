import ClipModel
import Store
import Testing

/// How clients share the cluster.
@Suite struct ShareTests {

    /// A video of `bytes`, of which no clips are asked for, so that only its length costs.
    private func submit(
        _ world: World, _ tenant: String, bytes: Int64 = 0, priority: Job.Priority = .interactive, jobsMax: Int? = nil,
        region: Region = .eu
    ) async throws -> JobID {
        let id = world.newUploadID()
        try await world.store.insert(
            Upload(
                id: id, fileName: "talk.mp4", bytes: bytes, sha256: String(repeating: "ab", count: 32),
                blob: .named("uploads/\(id)"), transcript: nil, createdAt: .start))
        var options = JobOptions()
        options.clipCount = 0
        let draft = JobDraft(
            id: world.newJobID(), upload: id, region: region, tenant: tenant, options: options, priority: priority,
            jobsMax: jobsMax, stages: [StageKey(.scan)])
        guard case .created(let job) = try await world.store.submit(draft) else { throw Surprise("not created") }
        return job.id
    }

    /// The order in which one node that does one stage after the other gets to the jobs.
    private func order(_ world: World, _ count: Int) async throws -> [JobID] {
        let life = try await world.node()
        var order: [JobID] = []
        for _ in 0..<count {
            let lease = try await world.claimOne(life)
            order.append(lease.job)
            _ = try await world.complete(lease, .produced(world.result()))
        }
        return order
    }

    @Test(arguments: Adapter.allCases)
    func `a client with much waiting does not hold up one with little`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var noisy: [JobID] = []
            for _ in 0..<9 { noisy.append(try await submit(world, "noisy")) }
            let victim = try await submit(world, "victim")
            #expect(try await order(world, 10) == [noisy[0], victim] + noisy[1...])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `clients take turns by what their jobs cost`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            // Ten minutes against four of two and a half: each client has had the same when the first job is over.
            var long: [JobID] = [], short: [JobID] = []
            for _ in 0..<2 { long.append(try await submit(world, "long", bytes: 600 * 250_000)) }
            for _ in 0..<6 { short.append(try await submit(world, "short", bytes: 150 * 250_000)) }
            #expect(try await order(world, 8) == [long[0]] + short[..<4] + [long[1]] + short[4...])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `upkeep forgets clients whose turn is over, and nobody's place changes by it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var noisy: [JobID] = []
            for _ in 0..<4 { noisy.append(try await submit(world, "noisy")) }
            let passing = try await submit(world, "passing")
            #expect(try await order(world, 3) == [noisy[0], passing, noisy[1]])
            try await world.store.upkeep()
            // Still behind itself, and the one that was forgotten is as good as new.
            let more = try await submit(world, "noisy"), back = try await submit(world, "passing")
            #expect(try await order(world, 4) == [noisy[2], back, noisy[3], more])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a client used while others had nothing to do is not held against it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for _ in 0..<5 { _ = try await submit(world, "early") }
            _ = try await order(world, 5)
            let early = try await submit(world, "early")
            let late = [try await submit(world, "late"), try await submit(world, "late")]
            #expect(try await order(world, 3) == [early, late[0], late[1]])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a client of weight three gets three times the work while others wait`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            try await world.store.setTerms(of: "heavy", to: ClientTerms(weight: 3))
            var heavy: [JobID] = [], light: [JobID] = []
            for _ in 0..<6 { heavy.append(try await submit(world, "heavy")) }
            for _ in 0..<2 { light.append(try await submit(world, "light")) }
            let order = try await order(world, 8)
            #expect(Set(order[..<4]).intersection(heavy).count == 3 && order[..<4].contains(light[0]))
            #expect(Set(order[4...]).intersection(heavy).count == 3 && order[4...].contains(light[1]))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `batch jobs come after what others are waiting for, also of their own client`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let batch = [
                try await submit(world, "ana", priority: .batch), try await submit(world, "ana", priority: .batch),
            ]
            let own = try await submit(world, "ana"), other = try await submit(world, "bob")
            #expect(try await world.job(batch[0]).priority == .batch)
            #expect(try await world.job(own).priority == .interactive)
            #expect(try await order(world, 4) == [own, other, batch[0], batch[1]])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the crowd before a batch job is told apart from other batch jobs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let first = try await submit(world, "ana", priority: .batch)
            let batch = try await submit(world, "ana", priority: .batch)
            for region in [Region.eu, .eu, .us] { _ = try await submit(world, "bob", region: region) }
            #expect(
                try await world.store.waits(of: batch).crowds == [
                    JobWaits.Crowd(region: .eu, priority: .batch, stages: 2, ahead: 1),
                    JobWaits.Crowd(region: .eu, stages: 2, ahead: 2), JobWaits.Crowd(region: .us, stages: 1, ahead: 1),
                ])
            #expect(try await world.store.waits(of: first).crowds.map(\.ahead) == [0, 2, 1])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a batch job is overtaken by a bounded amount of work`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let batch = try await submit(world, "patient", priority: .batch)
            // Eight jobs of ten minutes: the handicap is six of them.
            var busy: [JobID] = []
            for _ in 0..<8 { busy.append(try await submit(world, "busy", bytes: 600 * 250_000)) }
            #expect(FairShare.batchHandicap == 3600)
            let order = try await order(world, 9)
            #expect(order.firstIndex(of: batch) == 6)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `upkeep forgets nobody whose batch jobs wait`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var jobs: [JobID] = []
            for _ in 0..<3 { jobs.append(try await submit(world, "patient", priority: .batch)) }
            try await world.store.upkeep()
            jobs.append(try await submit(world, "patient", priority: .batch))
            let other = try await submit(world, "other", priority: .batch)
            #expect(try await order(world, 5) == [jobs[0], other] + jobs[1...])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim can leave batch jobs out`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let batch = try await submit(world, "ana", priority: .batch)
            let life = try await world.node()
            let without = ClaimTerms(limit: 5, includesBatch: false)
            #expect(try await world.store.claim(without, for: life).isEmpty)
            let own = try await submit(world, "ana")
            #expect(try await world.store.claim(without, for: life).map(\.job) == [own])
            #expect(try await world.store.claim(5, for: life).map(\.job) == [batch])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a job turns out to cost is charged to its client's next ones`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            // A small file of two hours: the estimate is half a minute.
            let small = try await submit(world, "small")
            let life = try await world.node()
            let lease = try await world.claimOne(life)
            #expect(lease.job == small)
            _ = try await world.complete(lease, .produced(world.result())) { snapshot in
                var advance = JobAdvance()
                advance.open = [StageKey(.probe)]
                advance.cost = FairShare.cost(seconds: 7200, of: snapshot.upload, options: snapshot.job.options)
                return advance
            }
            let next = try await submit(world, "small")
            var others: [JobID] = []
            for _ in 0..<3 { others.append(try await submit(world, "other", bytes: 600 * 250_000)) }
            // The first job goes on; then the other client has two hours to catch up.
            #expect(try await order(world, 5) == [small] + others + [next])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a client's jobs beyond its limit wait, and begin in their order as others end`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            var jobs: [JobID] = []
            for _ in 0..<4 { jobs.append(try await submit(world, "ana", jobsMax: 2)) }
            let other = try await submit(world, "bob", jobsMax: 2)
            for (job, held) in zip(jobs, [false, false, true, true]) {
                #expect(try await world.job(job).isHeld == held)
                #expect(try await world.store.stages(of: job).isEmpty == held)
            }
            let life = try await world.node()
            let first = try await world.store.claim(9, for: life)
            #expect(Set(first.map(\.job)) == [jobs[0], jobs[1], other])
            #expect(try await admit(world, jobsMax: 2).isEmpty)
            let ended = try #require(first.first { $0.job == jobs[1] })
            try await world.end(ended, .produced(world.result()))
            // One that comes now does not pass those that wait.
            jobs.append(try await submit(world, "ana", jobsMax: 2))
            #expect(try await world.job(jobs[4]).isHeld)
            #expect(try await admit(world, jobsMax: 2) == [jobs[2]])
            #expect(try await world.store.claim(9, for: life).map(\.job) == [jobs[2]])
            #expect(try await world.kinds(jobs[2]) == [.jobCreated, .stageOpened, .jobStarted, .stageStarted])
        }
    }

    /// Its old rank would be the lowest that runs, so that everybody who comes next would pass those who wait.
    @Test(arguments: Adapter.allCases, [true, false])
    func `what waited for room, or had failed, has its turn with what comes now`(
        adapter: Adapter, wasHeld: Bool
    ) async throws {
        try await World.run(adapter) { world in
            // `order` begins a new life of another node.
            let life = try await world.node("two")
            let first = try await submit(world, "ana", jobsMax: 1)
            let held = try await submit(world, "ana", jobsMax: 1)
            for _ in 0..<4 { _ = try await submit(world, "bob") }
            let early = try await world.claimOne(life)
            #expect(early.job == first)
            _ = try await order(world, 3)
            // The fourth of the other client runs on.
            _ = try await world.claimOne(life)
            if wasHeld {
                try await world.end(early, .produced(world.result()))
                #expect(try await admit(world, jobsMax: 1) == [held])
            } else {
                try await world.end(early, .failed(.test(.poison)))
                guard case .changed = try await world.store.retry(first) else { throw Surprise("no retry") }
            }
            #expect(try await world.claimOne(life).job == (wasHeld ? held : first))
            let next = try await submit(world, "bob")
            var late: [JobID] = []
            for _ in 0..<3 { late.append(try await submit(world, "carla")) }
            #expect(try await order(world, 4) == [late[0], next, late[1], late[2]])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a held job stands before nobody but the held ones of its client`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var ana: [JobID] = [], bob: [JobID] = []
            for _ in 0..<3 { ana.append(try await submit(world, "ana", jobsMax: 1)) }
            #expect(try await world.job(ana[2]).isHeld)
            #expect(try await world.store.queuePosition(of: ana[2]) == 2)
            for _ in 0..<4 { bob.append(try await submit(world, "bob")) }
            // By rank the held ones come first; they are not in the queue.
            #expect(try await world.store.queuePosition(of: bob[3]) == 4)
            #expect(try await admit(world, jobsMax: 9) == [ana[1], ana[2]])
            #expect(try await world.store.queuePosition(of: bob[3]) == 6)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `an operator's limit stands over everybody's, and raising it lets held jobs begin`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            try await world.store.setTerms(of: "ana", to: ClientTerms(weight: 2, jobsMax: 1))
            var jobs: [JobID] = []
            for _ in 0..<3 { jobs.append(try await submit(world, "ana", jobsMax: 9)) }
            let share = try #require(try await world.store.clients(after: nil, limit: 9).first)
            #expect(share.tenant == "ana" && share.terms == ClientTerms(weight: 2, jobsMax: 1))
            #expect(share.underWay == 1 && share.held == 2)
            try await world.store.setTerms(of: "ana", to: ClientTerms())
            #expect(try await admit(world, jobsMax: 9) == [jobs[1], jobs[2]])
            #expect(try await admit(world, jobsMax: 9).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a held job can be cancelled, and is not begun then`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await submit(world, "ana", jobsMax: 1)
            let held = try await submit(world, "ana", jobsMax: 1), next = try await submit(world, "ana", jobsMax: 1)
            guard case .changed(let job) = try await world.store.cancel(held) else { throw Surprise("not cancelled") }
            #expect(job.status == .cancelled && !job.isHeld)
            #expect(try await admit(world, jobsMax: 2) == [next])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `clients with jobs or with terms are listed by name, page by page`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for tenant in ["carla", "ana"] { _ = try await submit(world, tenant) }
            try await world.store.setTerms(of: "bob", to: ClientTerms(weight: 0.5))
            // The same as everybody: nothing to list.
            try await world.store.setTerms(of: "dora", to: ClientTerms())
            let all = try await world.store.clients(after: nil, limit: 9)
            #expect(all.map(\.tenant) == ["ana", "bob", "carla"])
            #expect(all.map(\.underWay) == [1, 0, 1])
            #expect(all[0].aheadSeconds > 0 && all[1].aheadSeconds == 0)
            #expect(try await world.store.clients(after: "ana", limit: 1).map(\.tenant) == ["bob"])
            try await world.store.upkeep()
            #expect(try await world.store.clients(after: "ana", limit: 9).map(\.tenant) == ["bob", "carla"])
        }
    }

    // MARK: Regions

    @Test(arguments: Adapter.allCases)
    func `what has waited long is no longer left to its own region`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let away = try await submit(world, "ana", region: .us)
            let near = try await submit(world, "bob")
            let waits = try await world.store.waits(of: near)
            #expect(waits.crowds.map(\.ripeAhead) == [0, 0] && waits.stages.map(\.isRipe) == [false])
            try await world.pass(seconds: 61)
            let later = try await world.store.waits(of: near)
            #expect(later.crowds.map(\.ripeAhead) == [0, 1] && later.stages.map(\.isRipe) == [true])
            // Its rank is the lower one, so it is the first; before, its region would have been the only thing that
            // counts.
            let living = try await world.node(region: .eu)
            #expect(try await world.store.claim(1, for: living).map(\.job) == [away])
            #expect(try await world.store.claim(1, for: living).map(\.job) == [near])
        }
    }

    private func admit(_ world: World, jobsMax: Int?) async throws -> [JobID] {
        try await world.store.admitHeldJobs(opening: [StageKey(.scan)], jobsMax: jobsMax).map(\.id)
    }
}
