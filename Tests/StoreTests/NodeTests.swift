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
            try await world.pass(seconds: 31)
            #expect(try await world.store.nodes().map(\.isAlive) == [false])
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
            #expect(try await world.claimOne(new).attempts == 2)
            #expect(try await world.kinds(job.id).contains(.stageReleased))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a dead node's stages are freed by the store's time, all at once`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: (0..<5).map { StageKey(.render, $0) })
            let dead = try await world.node("dead", leaseSeconds: 5)
            let alive = try await world.node("alive", leaseSeconds: 1000)
            _ = try await world.store.claim(3, for: dead)
            let kept = try await world.store.claim(1, for: alive)
            #expect(try await world.store.freeStagesOfDeadNodes() == 0)
            try await world.pass(seconds: 6)
            #expect(try await world.store.freeStagesOfDeadNodes() == 3)
            #expect(try await world.store.freeStagesOfDeadNodes() == 0)
            let stages = try await world.store.stages(of: job.id)
            #expect(stages.map(\.state) == [.ready, .ready, .ready, .running, .ready])
            #expect(stages.map(\.attempts) == [1, 1, 1, 1, 0])
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
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim whose answer was lost is freed once the node does not report it for a lease`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let life = try await world.node(leaseSeconds: 30)
            let known = try await world.claimOne(life)
            _ = try await world.claimOne(life)
            let progress = StageProgress(job: job.id, key: known.key, epoch: known.epoch, fraction: 0)
            _ = try await world.store.heartbeat(life, running: [progress])
            #expect(try await world.store.freeStagesOfDeadNodes() == 0)
            try await world.pass(seconds: 31)
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
            _ = try await world.complete(leases[0], .failed(failure)) { _ in
                var advance = JobAdvance()
                advance.status = .error
                advance.failure = JobFailure(stage: StageKey(.scan), failure: failure)
                return advance
            }
            #expect(try await world.stage(job.id, StageKey(.probe)).state == .running)
            try await world.pass(seconds: 31)
            #expect(try await world.store.freeStagesOfDeadNodes() == 1)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.failed, .cancelled])
            // A retry of the job brings it back.
            _ = try await world.store.retry(job.id)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.ready, .ready])
        }
    }
}
