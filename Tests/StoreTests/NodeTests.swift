import ClipModel
import Store
import Testing

@Suite struct NodeTests {
    @Test(arguments: Adapter.allCases)
    func `a node is listed with its progress while its lease lasts`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node(region: .us)
            let lease = try await world.claimOne(life)
            let progress = StageProgress(job: job.id, key: lease.key, epoch: lease.epoch, fraction: 0.25)
            #expect(try await world.store.heartbeat(life, running: [progress]) == .renewed(drop: []))
            let node = try await world.store.nodes().first
            #expect(node?.id == life.id && node?.region == .us && node?.epoch == life.epoch && node?.threads == 2)
            #expect(node?.isAlive == true && node?.running == [progress])
            #expect(try #require(node).seenAgo < .seconds(300) && node?.memberEpoch == 0)
            try await world.pass(seconds: 601)
            let gone = try await world.store.nodes().first
            #expect(gone?.isAlive == false && gone?.hasLeft == false)
            #expect((601.0..<900).contains(try #require(gone).seenAgo / .seconds(1)))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a node's row tells which life of a member it is`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for epoch in [1_700_000_000_000, 1_700_000_000_001] as [UInt64] {
                _ = try await world.store.register(
                    NodeDraft(
                        id: .named("one"), region: .eu, http: "http://one", version: "1", threads: 2, leaseSeconds: 30,
                        memberEpoch: epoch))
                #expect(try await world.store.nodes().map(\.memberEpoch) == [epoch])
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a registration that arrives after a later one of its process changes nothing`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            func register(_ registration: Int, of memberEpoch: UInt64) async throws -> NodeLife {
                var draft = NodeDraft(
                    id: .named("one"), region: .eu, http: "http://one", version: "1", threads: 2, leaseSeconds: 600,
                    memberEpoch: memberEpoch)
                draft.registration = registration
                return try await world.store.register(draft)
            }
            _ = try await world.job()
            let life = try await register(2, of: 7)
            let lease = try await world.claimOne(life)
            let refusal = await #expect(throws: StoreError.self) { try await register(1, of: 7) }
            #expect(refusal?.code == .refused && refusal?.detail.contains("has registered again") == true)
            #expect(try await world.store.nodes().map(\.epoch) == [life.epoch])
            let stage = try #require(try await world.store.stages(of: lease.job).first { $0.key == lease.key })
            #expect(stage.state == .running && stage.epoch == lease.epoch)
            // Asked twice because an answer was lost, it begins a new life; so does the next process, counting anew.
            #expect(try await register(2, of: 7).epoch > life.epoch)
            #expect(try await register(1, of: 8).epoch > life.epoch)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a new life frees the stages of the old one, whose words count no more`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let old = try await world.node()
            let lease = try await world.claimOne(old)
            let new = try await world.node()
            #expect(new.epoch > old.epoch)
            #expect(try await world.stage(job.id, lease.key).state == .ready)
            #expect(try await world.complete(lease, .produced(world.result())) == .stale)
            #expect(try await world.store.heartbeat(old, running: []) == .replaced)
            try await world.store.leave(old)
            #expect(try await world.store.nodes().map(\.isAlive) == [true])
            // The attempt of the crashed life counts.
            let next = try await world.claimOne(new)
            #expect(next.attempts == 2 && next.crashes == 1)
            #expect(try await world.kinds(job.id).contains(.stageReleased))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a dead node's stages are freed by the store's time, all at once`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: (0..<5).map { StageKey(.render, $0) })
            let dead = try await world.node("dead", leaseSeconds: 300)
            let alive = try await world.node("alive", leaseSeconds: 1000)
            _ = try await world.store.claim(3, for: dead)
            let kept = try await world.store.claim(1, for: alive)
            #expect(try await world.store.freeStagesOfDeadNodes() == 0)
            try await world.pass(seconds: 301)
            #expect(try await world.store.freeStagesOfDeadNodes() == 3)
            #expect(try await world.store.freeStagesOfDeadNodes() == 0)
            let stages = try await world.store.stages(of: job.id)
            #expect(stages.map(\.state) == [.ready, .ready, .ready, .running, .ready])
            #expect(stages.map(\.attempts) == [1, 1, 1, 1, 0])
            #expect(stages.map(\.crashes) == [1, 1, 1, 0, 0])
            #expect(stages[3].key == kept.first?.key)
            let released = try await world.store.events(of: job.id, after: 0, limit: 50).filter {
                $0.kind == .stageReleased
            }
            #expect(released.count == 3 && released.allSatisfy { $0.node == dead.id })
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a node that leaves gives its stages back without counting`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node()
            let lease = try await world.claimOne(life)
            try await world.store.leave(life)
            try await world.store.leave(life)
            #expect(try await world.store.nodes().map(\.isAlive) == [false])
            #expect(try await world.store.heartbeat(life, running: []) == .replaced)
            let stage = try await world.stage(job.id, lease.key)
            #expect(stage.state == .ready && stage.attempts == 0 && stage.holder == nil && stage.epoch == 1)
            #expect(stage.crashes == 0)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `deaths of nodes are counted apart from failures, until somebody asks for a retry`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            _ = try await world.claimOne(try await world.node())
            let life = try await world.node()
            _ = try await world.complete(try await world.claimOne(life), .failed(.test(.transient))) { snapshot in
                var advance = JobAdvance()
                advance.reopen[snapshot.changed] = 0
                return advance
            }
            let third = try await world.claimOne(life)
            #expect(third.attempts == 3 && third.crashes == 1)
            // Taken back while it runs, and made ready again after it failed.
            guard case .changed = try await world.store.requeue(third.key, of: job.id) else {
                throw Surprise("not requeued")
            }
            let fresh = try await world.claimOne(life)
            #expect(fresh.attempts == 1 && fresh.crashes == 0)
            let last = try await world.claimOne(try await world.node())
            #expect(last.attempts == 2 && last.crashes == 1)
            try await world.end(last, .failed(.test(.poison)))
            #expect(try await world.stage(job.id, last.key).crashes == 1)
            guard case .changed = try await world.store.retry(job.id) else { throw Surprise("no retry") }
            let stage = try await world.stage(job.id, last.key)
            #expect(stage.attempts == 0 && stage.crashes == 0)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim whose answer was lost is freed once the node does not report it for a lease`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let life = try await world.node(leaseSeconds: 600)
            let known = try await world.claimOne(life)
            _ = try await world.claimOne(life)
            let progress = StageProgress(job: job.id, key: known.key, epoch: known.epoch, fraction: 0)
            _ = try await world.store.heartbeat(life, running: [progress])
            #expect(try await world.store.freeStagesOfDeadNodes() == 0)
            try await world.pass(seconds: 601)
            _ = try await world.store.heartbeat(life, running: [progress])
            #expect(try await world.store.freeStagesOfDeadNodes() == 1)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.running, .ready])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a stage of a job that failed is not offered again when its node dies`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let life = try await world.node()
            let leases = try await world.store.claim(2, for: life)
            let failure = Failure.test(.poison)
            try await world.end(leases[0], .failed(failure))
            #expect(try await world.stage(job.id, StageKey(.probe)).state == .running)
            try await world.pass(seconds: 601)
            #expect(try await world.store.freeStagesOfDeadNodes() == 1)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.failed, .cancelled])
            // A retry of the job brings it back.
            _ = try await world.store.retry(job.id)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.ready, .ready])
        }
    }

    // MARK: What the operator wants

    @Test(arguments: Adapter.allCases, [NodeSchedulability.cordoned, .draining])
    func `a node that is not schedulable claims nothing new and ends what it has`(
        adapter: Adapter, intent: NodeSchedulability
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let life = try await world.node()
            let lease = try await world.claimOne(life)
            let node = try await world.store.setSchedulability(of: life.id, to: intent)
            #expect(node?.schedulability == intent && node?.isAlive == true && node?.id == life.id)
            #expect(try await world.store.claim(5, for: life).isEmpty)
            let progress = StageProgress(job: job.id, key: lease.key, epoch: lease.epoch, fraction: 0.5)
            let answer = try await world.store.heartbeat(life, running: [progress])
            #expect(answer == .renewed(drop: [], schedulability: intent))
            #expect(try await world.complete(lease, .produced(world.result())) == .published(orphans: []))
            // Others still get what it may not have.
            #expect(try await world.claimOne(try await world.node("two")).key == StageKey(.probe))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what the operator wants outlives a restart, a goodbye and a repetition`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job()
            let old = try await world.node()
            #expect(try await world.store.nodes().map(\.schedulability) == [.schedulable])
            for _ in 0..<2 {
                #expect(try await world.store.setSchedulability(of: old.id, to: .cordoned)?.schedulability == .cordoned)
            }
            try await world.store.leave(old)
            #expect(try await world.store.nodes().map(\.hasLeft) == [true])
            #expect(try await world.store.setSchedulability(of: old.id, to: .cordoned)?.hasLeft == true)
            let new = try await world.node()
            let node = try await world.store.nodes().first
            #expect(node?.schedulability == .cordoned && node?.hasLeft == false)
            #expect(try await world.store.claim(1, for: new).isEmpty)
            #expect(try await world.store.heartbeat(new, running: []) == .renewed(drop: [], schedulability: .cordoned))
            _ = try await world.store.setSchedulability(of: new.id, to: .schedulable)
            #expect(try await world.store.heartbeat(new, running: []) == .renewed(drop: []))
            _ = try await world.claimOne(new)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `nothing can be wanted of a node that nobody knows`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let node = try await world.store.setSchedulability(of: .named("stranger"), to: .draining)
            #expect(node == nil)
            #expect(try await world.store.nodes().isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `no claim gives anything once a cordon was answered, however many are under way`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job(stages: (0..<200).map { StageKey(.render, $0) })
            let life = try await world.node()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<10 { _ = try await world.store.claim(1, for: life) } }
                }
                _ = try await world.store.setSchedulability(of: life.id, to: .cordoned)
                let held = try await world.store.stages(of: world.onlyJob()).count { $0.state == .running }
                try await group.waitForAll()
                let after = try await world.store.stages(of: world.onlyJob()).count { $0.state == .running }
                #expect(after == held)
            }
        }
    }
}
