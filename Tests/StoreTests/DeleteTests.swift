import ClipModel
import Store
import Testing

@Suite struct DeleteTests {
    @Test(arguments: Adapter.allCases)
    func `a deleted job is gone with everything that was only its own`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let transcript = SidecarTranscript(format: .srt, blob: .named("uploads/sidecar"), sha256: "00")
            let upload = try await world.upload(transcript: transcript)
            let job = try await world.job(upload: upload.id)
            let lease = try await world.claimOne(try await world.node())
            let clip = Clip(
                id: ClipID(job: job.id, ordinal: 0), state: .planned, range: TimeRange(start: 0, end: 1), title: "t",
                score: 1, reason: "r", signals: [:])
            _ = try await world.complete(lease, .produced(world.result(blobs: ["a/1", "a/2"], cacheKey: "key"))) { _ in
                var advance = JobAdvance()
                advance.clips = [clip]
                return advance
            }
            let blobs = [BlobName.named("a/1"), .named("a/2"), upload.blob, transcript.blob].sorted()
            #expect(try await world.store.delete(job.id) == .deleted(blobs: blobs))
            #expect(try await world.store.delete(job.id) == .noSuchJob)
            #expect(try await world.store.job(job.id) == nil)
            #expect(try await world.store.stages(of: job.id).isEmpty)
            #expect(try await world.store.clip(clip.id) == nil)
            #expect(try await world.store.events(of: job.id, after: 0, limit: 10).isEmpty)
            #expect(try await world.store.upload(upload.id) == nil)
            #expect(try await world.store.result(cachedUnder: "key") == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what another job uses stays until that one is deleted too`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload()
            let first = try await world.job(upload: upload.id), second = try await world.job(upload: upload.id)
            let life = try await world.node()
            let result = world.result(blobs: ["shared/1"], cacheKey: "key")
            _ = try await world.complete(try await world.claimOne(life), .produced(result))
            _ = try await world.complete(try await world.claimOne(life), .reused(result.id))
            #expect(try await world.stage(second.id, StageKey(.scan)).reused)
            #expect(try await world.store.delete(first.id) == .deleted(blobs: []))
            #expect(try await world.store.result(cachedUnder: "key") == result)
            #expect(try await world.stage(second.id, StageKey(.scan)).result == result)
            let blobs = [BlobName.named("shared/1"), upload.blob].sorted()
            #expect(try await world.store.delete(second.id) == .deleted(blobs: blobs))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a blob that a kept result points at is not given away`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let first = try await world.job(), second = try await world.job()
            _ = try await world.complete(
                try await world.claimOne(life), .produced(world.result(blobs: ["both", "own"])))
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result(blobs: ["both"])))
            guard case .deleted(let blobs) = try await world.store.delete(first.id) else { throw Surprise("kept") }
            #expect(blobs.contains(.named("own")) && !blobs.contains(.named("both")))
            guard case .deleted(let rest) = try await world.store.delete(second.id) else { throw Surprise("kept") }
            #expect(rest.contains(.named("both")))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `deleting takes the lease from a stage that runs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node()
            let lease = try await world.claimOne(life)
            _ = try await world.store.delete(job.id)
            let progress = StageProgress(job: job.id, key: lease.key, epoch: lease.epoch, fraction: 0)
            #expect(try await world.store.heartbeat(life, running: [progress]) == .renewed(drop: [progress]))
            #expect(try await world.complete(lease, .produced(world.result())) == .stale)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a result that was deleted before it could be reused gives the stage back`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let first = try await world.job(), second = try await world.job()
            let result = world.result(cacheKey: "key")
            _ = try await world.complete(try await world.claimOne(life), .produced(result))
            let lease = try await world.claimOne(life)
            _ = try await world.store.delete(first.id)
            #expect(try await world.complete(lease, .reused(result.id)) == .published(orphans: []))
            let stage = try await world.stage(second.id, StageKey(.scan))
            #expect(stage.state == .ready && stage.attempts == 0)
        }
    }
}
