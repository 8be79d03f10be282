import ClipModel
import Store
import Testing

/// What coordinators ask of the store.
@Suite struct CoordinationTests {
    @Test(arguments: Adapter.allCases)
    func `jobs under way are those that were begun and have not ended`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var jobs: [Job] = []
            for _ in 0..<5 { jobs.append(try await world.job()) }
            let life = try await world.node()
            for _ in 0..<4 { _ = try await world.claimOne(life) }
            _ = try await world.store.cancel(jobs[1].id)
            let expected = [jobs[0], jobs[2], jobs[3]].map { HomedJob(id: $0.id, region: .eu) }
            #expect(try await world.store.jobsUnderWay(after: nil, limit: 10) == expected)
            #expect(try await world.store.jobsUnderWay(after: nil, limit: 2) == Array(expected.prefix(2)))
            #expect(try await world.store.jobsUnderWay(after: jobs[0].id, limit: 2) == Array(expected.suffix(2)))
        }
    }

    private func member(_ world: World, epoch: UInt64) async throws -> NodeLife {
        try await world.store.register(
            NodeDraft(
                id: .named("one"), region: .eu, http: "http://one", version: "1", threads: 2, leaseSeconds: 30,
                memberEpoch: epoch))
    }

    @Test(arguments: Adapter.allCases)
    func `stages of a dead node are freed before its lease ends`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.render, 0), StageKey(.render, 1)])
            let life = try await member(world, epoch: 7)
            let lease = try await world.claimOne(life)
            _ = try await world.claimOne(life)
            try await world.pass(seconds: 2)
            let outcome = try await world.store.freeStages(
                ofDead: life.id, memberEpoch: 7, unheardForSeconds: 1.5)
            #expect(outcome == .freed(stages: 2))
            let freed = try await world.stage(job.id, lease.key)
            #expect(freed.state == .ready && freed.holder == nil && freed.attempts == 1 && freed.crashes == 1)
            #expect(try await world.complete(lease, .produced(world.result())) == .stale)
            #expect(try await world.kinds(job.id).count(where: { $0 == .stageReleased }) == 2)
            // It was alive after all: it may go on, with new leases.
            #expect(try await world.store.heartbeat(life, running: []) == .renewed(drop: []))
            let next = try await world.claimOne(life)
            #expect(next.epoch == 2 && next.crashes == 1)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a rumour frees nothing of a node that is heard, has left, or lives again`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await member(world, epoch: 7)
            let lease = try await world.claimOne(life)
            func rumour(_ epoch: UInt64, _ name: String = "one") async throws -> DeathOutcome {
                try await world.store.freeStages(
                    ofDead: .named(name), memberEpoch: epoch, unheardForSeconds: 60)
            }
            #expect(try await rumour(7) == .heard)
            #expect(try await rumour(6) == .unknown)
            #expect(try await rumour(7, "two") == .unknown)
            #expect(try await world.stage(job.id, lease.key).state == .running)
            try await world.store.leave(life)
            #expect(try await rumour(7) == .unknown)
            _ = try await member(world, epoch: 8)
            #expect(try await rumour(7) == .unknown)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `bytes that nothing points at are told from those that count`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload(
                transcript: SidecarTranscript(
                    format: .srt, blob: .named("words"), sha256: String(repeating: "ab", count: 32)))
            _ = try await world.job(upload: upload.id)
            let lease = try await world.claimOne(try await world.node())
            _ = try await world.complete(lease, .produced(world.result(blobs: ["one", "two"])))
            let names = ["one", "lost", "words", "two", "gone"].map { BlobName.named($0) } + [upload.blob]
            #expect(try await world.store.unnamed(names).map(\.rawValue).sorted() == ["gone", "lost"])
            #expect(try await world.store.unnamed([]).isEmpty)
        }
    }
}
