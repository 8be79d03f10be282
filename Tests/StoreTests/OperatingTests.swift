import ClipModel
import Store
import Testing

/// What operators ask of a store.
@Suite struct OperatingTests {
    private func end(_ world: World, _ lease: StageLease, _ code: String) async throws {
        let failure = Failure.test(.poison, code)
        try await world.end(lease, .failed(failure))
    }

    @Test(arguments: Adapter.allCases)
    func `jobs are listed by status and client`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let first = try await world.job()
            try await end(world, try await world.claimOne(life), "disk_full")
            let second = try await world.job()
            try await end(world, try await world.claimOne(life), "text_file")
            let waiting = try await world.job()
            func ids(_ filter: JobFilter, before: JobID? = nil) async throws -> [JobID] {
                try await world.store.jobs(filter, before: before, limit: 10).map(\.id)
            }
            #expect(try await ids(JobFilter()) == [waiting.id, second.id, first.id])
            #expect(try await ids(JobFilter(status: .error)) == [second.id, first.id])
            #expect(try await ids(JobFilter(status: .error), before: second.id) == [first.id])
            #expect(try await ids(JobFilter(status: .pending, tenant: "ana")) == [waiting.id])
            #expect(try await ids(JobFilter(tenant: "bob")).isEmpty)
            let one = try await world.store.jobs(JobFilter(status: .error), before: nil, limit: 1)
            #expect(one.map(\.id) == [second.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a failed stage is requeued with what was abandoned, and others stay failed`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: (0..<4).map { StageKey(.render, $0) })
            let life = try await world.node()
            let leases = try await world.store.claim(3, for: life)
            _ = try await world.complete(leases[0], .failed(.test(.poison, "first")))
            _ = try await world.complete(leases[1], .produced(world.result()))
            try await end(world, leases[2], "third")
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.failed, .done, .failed, .cancelled])
            guard case .changed(let again) = try await world.store.requeue(leases[2].key, of: job.id) else {
                throw Surprise("not requeued")
            }
            #expect(again.status == .processing && again.failure == nil && again.endedAt == nil)
            let stages = try await world.store.stages(of: job.id)
            #expect(stages.map(\.state) == [.failed, .done, .ready, .ready])
            #expect(stages[2].attempts == 0 && stages[2].failure == nil && stages[0].failure?.code == "first")
            let lease = try await world.claimOne(life)
            #expect(lease.key == leases[2].key && lease.epoch == 2)
            // What is done stays done, and what nobody knows is said so.
            #expect(try await world.store.requeue(leases[1].key, of: job.id) == .notPossible(again, .done))
            #expect(try await world.store.requeue(StageKey(.audio), of: job.id) == .noSuchStage)
            #expect(try await world.store.requeue(StageKey(.audio), of: world.newJobID()) == .noSuchJob)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a stage that waits for a retry is requeued to be claimed at once`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node()
            _ = try await world.complete(try await world.claimOne(life), .failed(.test(.resource))) { snapshot in
                var advance = JobAdvance()
                advance.reopen[snapshot.changed] = 600
                return advance
            }
            let wait = try #require(try await world.store.waits(of: job.id).stages.first)
            #expect(wait.opensIn > .seconds(300) && wait.opensIn <= .seconds(600))
            #expect(wait.avoided == life.id && wait.avoidedFor > wait.opensIn)
            #expect(try await world.store.waits(of: job.id).crowds.isEmpty)
            #expect(try await world.store.claim(1, for: life).isEmpty)
            guard case .changed = try await world.store.requeue(StageKey(.scan), of: job.id) else {
                throw Surprise("not requeued")
            }
            let freed = try #require(try await world.store.waits(of: job.id).stages.first)
            #expect(freed == JobWaits.StageWait(key: StageKey(.scan)))
            #expect(try await world.claimOne(life).attempts == 1)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a running stage is taken from its holder, who is fenced`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node(), other = try await world.node("two")
            let lost = try await world.claimOne(life)
            guard case .changed = try await world.store.requeue(lost.key, of: job.id) else {
                throw Surprise("not requeued")
            }
            let progress = StageProgress(job: job.id, key: lost.key, epoch: lost.epoch, fraction: 0.5)
            #expect(try await world.store.heartbeat(life, running: [progress]) == .renewed(drop: [progress]))
            let won = try await world.claimOne(other)
            #expect(won.epoch == lost.epoch + 1 && won.attempts == 1)
            #expect(try await world.complete(lost, .produced(world.result())) == .stale)
            #expect(try await world.kinds(job.id).contains(.stageReleased))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `nothing is requeued in a job that is over or about to be published`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let over = try await world.job()
            _ = try await world.store.cancel(over.id)
            let cancelled = try await world.job(over.id)
            #expect(try await world.store.requeue(StageKey(.scan), of: over.id) == .notPossible(cancelled, .cancelled))
            let job = try await world.job(stages: [StageKey(.render, 0), StageKey(.publish)])
            let lease = try await world.claimOne(life)
            _ = try await world.complete(lease, .failed(.test(.poison)))
            let processing = try await world.job(job.id)
            #expect(try await world.store.requeue(lease.key, of: job.id) == .notPossible(processing, .failed))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the crowd before a job is counted by region`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            _ = try await world.job(region: .us)
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe), StageKey(.audio)])
            _ = try await world.job(region: .us)
            _ = try await world.claimOne(try await world.node())
            let waits = try await world.store.waits(of: job.id)
            #expect(waits.stages.map(\.key) == [StageKey(.scan), StageKey(.probe), StageKey(.audio)])
            #expect(waits.stages.allSatisfy { $0.opensIn == .zero && $0.avoided == nil })
            #expect(
                waits.crowds == [
                    JobWaits.Crowd(region: .eu, stages: 4, ahead: 1), JobWaits.Crowd(region: .us, stages: 2, ahead: 1),
                ])
            #expect(try await world.store.waits(of: world.newJobID()).stages.isEmpty)
        }
    }
}
