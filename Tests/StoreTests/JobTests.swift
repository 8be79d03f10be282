import ClipModel
import Store
import Testing

@Suite struct JobTests {
    @Test(arguments: Adapter.allCases)
    func `a submitted job waits with its first stages ready`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload()
            var options = JobOptions()
            options.keywords = ["ñandú", "\"quoted\"", "back\\slash"]
            options.minSeconds = 12.345
            let draft = JobDraft(
                id: world.newJobID(), upload: upload.id, region: .eu, tenant: "ana", options: options,
                stages: [StageKey(.scan), StageKey(.probe)])
            guard case .created(let job) = try await world.store.submit(draft) else { throw Surprise("not created") }
            #expect(job.status == .pending && job.options == options && job.tenant == "ana")
            #expect(try await world.job(job.id) == job)
            let stages = try await world.store.stages(of: job.id)
            #expect(stages.map(\.key) == [StageKey(.scan), StageKey(.probe)])
            #expect(stages.allSatisfy { $0.state == .ready && $0.epoch == 0 && $0.attempts == 0 })
            #expect(try await world.kinds(job.id) == [.jobCreated, .stageOpened, .stageOpened])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a job without its upload is not taken in`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let outcome = try await world.store.submit(world.draft(world.newUploadID()))
            #expect(outcome == .noSuchUpload)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the same idempotency key answers with the first job, for a day`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload().id
            func submit(_ digest: String) async throws -> SubmitOutcome {
                let key = JobDraft.Idempotency(key: "k", requestSHA256: digest)
                return try await world.store.submit(world.draft(upload, idempotency: key))
            }
            guard case .created(let first) = try await submit("a") else { throw Surprise("not created") }
            #expect(try await submit("a") == .replayed(first))
            #expect(try await submit("b") == .idempotencyMismatch)
            #expect(try await world.store.jobs(before: nil, limit: 10).count == 1)
            try await world.pass(seconds: Double(StoreLimits.idempotencySeconds + 1))
            guard case .created = try await submit("b") else { throw Surprise("the key did not expire") }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the same key of two tenants is two keys, and a deleted job frees its key`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload().id
            func submit(_ tenant: String) async throws -> SubmitOutcome {
                try await world.store.submit(
                    JobDraft(
                        id: world.newJobID(), upload: upload, region: .eu, tenant: tenant, options: JobOptions(),
                        stages: [], idempotency: .init(key: "k", requestSHA256: "a")))
            }
            guard case .created(let first) = try await submit("ana") else { throw Surprise("not created") }
            guard case .created = try await submit("bob") else { throw Surprise("tenants share keys") }
            _ = try await world.store.delete(first.id)
            guard case .created = try await submit("ana") else { throw Surprise("the key outlived its job") }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `jobs are listed newest first, from a cursor on`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload().id
            var ids: [JobID] = []
            for _ in 0..<5 { ids.append(try await world.job(upload: upload).id) }
            #expect(try await world.store.jobs(before: nil, limit: 2).map(\.id) == [ids[4], ids[3]])
            #expect(try await world.store.jobs(before: ids[3], limit: 2).map(\.id) == [ids[2], ids[1]])
            #expect(try await world.store.jobs(before: ids[0], limit: 2).isEmpty)
            #expect(try await world.store.jobs(before: nil, limit: -1).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the place in the queue counts older jobs that have not begun`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let jobs = [try await world.job(), try await world.job(), try await world.job()]
            #expect(try await world.store.queuePosition(of: jobs[2].id) == 2)
            _ = try await world.claimOne(try await world.node())
            #expect(try await world.store.queuePosition(of: jobs[2].id) == 1)
            _ = try await world.store.cancel(jobs[1].id)
            #expect(try await world.store.queuePosition(of: jobs[2].id) == 0)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `cancelling ends every stage that has not ended, once`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe), StageKey(.audio)])
            let life = try await world.node()
            let done = try await world.claimOne(life), running = try await world.claimOne(life)
            _ = try await world.complete(done, .produced(world.result()))
            guard case .changed(let cancelled) = try await world.store.cancel(job.id) else { throw Surprise("kept") }
            #expect(cancelled.status == .cancelled && cancelled.endedAt != nil)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.done, .cancelled, .cancelled])
            #expect(try await world.stage(job.id, StageKey(.probe)).attempts == 0)
            // The attempt that still runs learns of it, and its result comes too late.
            let progress = StageProgress(job: job.id, key: running.key, epoch: running.epoch, fraction: 0.5)
            #expect(try await world.store.heartbeat(life, running: [progress]) == .renewed(drop: [progress]))
            #expect(try await world.complete(running, .produced(world.result())) == .stale)
            #expect(try await world.store.cancel(job.id) == .notPossible(cancelled))
            #expect(try await world.store.retry(job.id) == .notPossible(cancelled))
            #expect(try await world.store.cancel(world.newJobID()) == .noSuchJob)
            #expect(try await world.store.claim(10, for: life).isEmpty)
            #expect(try await world.kinds(job.id).count(where: { $0 == .jobCancelled }) == 1)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a retry brings back what failed and what was abandoned, under rising epochs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe), StageKey(.audio)])
            let life = try await world.node()
            let scan = try await world.claimOne(life), probe = try await world.claimOne(life)
            _ = try await world.complete(scan, .produced(world.result()))
            let failure = Failure.test(.poison)
            _ = try await world.complete(probe, .failed(failure)) { _ in
                var advance = JobAdvance()
                advance.status = .error
                advance.failure = JobFailure(stage: StageKey(.probe), failure: failure)
                return advance
            }
            let failed = try await world.job(job.id)
            #expect(failed.status == .error && failed.failure?.failure == failure && failed.endedAt != nil)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.done, .failed, .cancelled])
            guard case .changed(let again) = try await world.store.retry(job.id) else { throw Surprise("no retry") }
            #expect(again.status == .processing && again.failure == nil && again.endedAt == nil)
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.done, .ready, .ready])
            let second = try await world.claimOne(life)
            #expect(second.key == StageKey(.probe) && second.epoch == 2 && second.attempts == 1)
            #expect(try await world.complete(probe, .produced(world.result())) == .stale)
            #expect(try await world.store.retry(world.newJobID()) == .noSuchJob)
            #expect(try await world.kinds(job.id).contains(.jobRetried))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a retry of a job that could not be published begins at that alone`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.check, 0), StageKey(.publish)])
            let life = try await world.node()
            let check = try await world.claimOne(life), publish = try await world.claimOne(life)
            _ = try await world.complete(check, .failed(.test(.poison)))
            _ = try await world.complete(publish, .failed(.test(.poison))) { snapshot in
                var advance = JobAdvance()
                advance.status = .error
                advance.failure = JobFailure(stage: snapshot.changed, failure: .test(.poison))
                return advance
            }
            guard case .changed = try await world.store.retry(job.id) else { throw Surprise("no retry") }
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.failed, .ready])
        }
    }
}
