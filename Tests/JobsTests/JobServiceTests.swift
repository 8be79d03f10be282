import Blobs
import ClipModel
import Jobs
import Stages
import Store
import Testing

@Suite struct JobServiceTests {
    @Test func `options that make no sense are refused before anything is written`() async throws {
        try await inWorld(try World()) { world in
            var options = JobOptions()
            options.clipCount = 99
            await #expect(throws: OptionProblem.self) { try await world.submit(options: options) }
            let jobs = try await world.service.list(before: nil, limit: 10)
            #expect(jobs.isEmpty)
        }
    }

    @Test func `bytes whose upload the store refuses are removed`() async throws {
        try await inWorld(try World()) { world in
            let store = FaultyStore(world.store)
            store.set(.down)
            let service = JobService(
                store: store, blobs: world.blobs, region: Region("eu")!, now: { world.clock.wallTime },
                chance: Chance(SplitMix64(state: 1)))
            let id = service.newUploadID()
            let facts = try await world.blobs.put([1, 2, 3], as: service.blobName(of: id))
            await #expect(throws: StoreError.self) {
                try await service.register(id, fileName: "talk.mp4", facts: facts)
            }
            #expect(try await world.blobs.size(of: service.blobName(of: id)) == nil)
        }
    }

    @Test func `a repeated request with the same key is the same job`() async throws {
        try await inWorld(try World()) { world in
            let service = world.service
            let id = service.newUploadID()
            let facts = try await world.blobs.put([1], as: service.blobName(of: id))
            _ = try await service.register(id, fileName: "talk.mp4", facts: facts)
            func submit(_ digest: String) async throws -> SubmitOutcome {
                try await service.submit(
                    upload: id, options: JobOptions(), tenant: "test",
                    idempotency: JobDraft.Idempotency(key: "k", requestSHA256: digest))
            }
            guard case .created(let job) = try await submit("a") else {
                Issue.record("the first request made no job")
                return
            }
            #expect(try await submit("a") == .replayed(job))
            #expect(try await submit("b") == .idempotencyMismatch)
            let view = try #require(try await service.view(job.id))
            #expect(view.queuePosition == 0 && view.stage == .scan && view.progress == 0)
        }
    }

    @Test func `what does not exist is said so`() async throws {
        try await inWorld(try World()) { world in
            let id = JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!
            #expect(try await world.service.view(id) == nil)
            #expect(try await world.service.cancel(id) == .noSuchJob)
            #expect(try await !world.service.delete(id))
            let upload = UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!
            let outcome = try await world.service.submit(upload: upload, options: JobOptions(), tenant: "test")
            #expect(outcome == .noSuchUpload)
        }
    }
}

@Suite struct SweeperTests {
    @Test func `an upload that no job uses goes after a day, with its bytes`() async throws {
        try await inWorld(try World()) { world in
            let service = world.service
            let (unused, used) = (service.newUploadID(), try await world.submit())
            let facts = try await world.blobs.put([1], as: service.blobName(of: unused))
            _ = try await service.register(unused, fileName: "talk.mp4", facts: facts)
            world.clock.advance(by: .seconds(23 * 3600))
            try await sweeper(world).upkeep()
            #expect(try await world.blobs.size(of: service.blobName(of: unused)) == 1)
            world.clock.advance(by: .seconds(2 * 3600))
            try await sweeper(world).upkeep()
            #expect(try await world.blobs.size(of: service.blobName(of: unused)) == nil)
            let kept = try #require(await world.store.job(used)?.upload)
            #expect(try await world.blobs.size(of: service.blobName(of: kept)) == 3)
        }
    }

    @Test func `what dead attempts left goes, and what a result names stays`() async throws {
        try await inWorld(try World(keeps: true)) { world in
            let job = try await world.submit()
            try world.start("a")
            _ = try await world.runToEnd(job)
            let before = try await world.blobs.list(under: StageAttempt.root, limit: 1000)
            let left = StageAttempt(job: job, key: StageKey(.probe), epoch: 0).blobName("file")
            _ = try await world.blobs.put([1], as: left)
            try await sweeper(world).upkeep()
            let after = try await world.blobs.list(under: StageAttempt.root, limit: 1000)
            #expect(after.map(\.name) == before.map(\.name))
        }
    }

    @Test func `bytes of jobs that are gone go, unless another job reuses them`() async throws {
        try await inWorld(try World(shares: true, keeps: true)) { world in
            let first = try await world.submit(), second = try await world.submit()
            try world.start("a")
            _ = try await world.runToEnd(first)
            _ = try await world.runToEnd(second)
            #expect(try await world.service.delete(first))
            let shared = try await world.blobs.list(under: StageAttempt.prefix(of: first), limit: 1000)
            try #require(!shared.isEmpty)
            // Its node died before it could tidy up.
            let left = StageAttempt(job: first, key: StageKey(.render), epoch: 3).blobName("file")
            _ = try await world.blobs.put([1], as: left)
            try await sweeper(world).upkeep()
            let after = try await world.blobs.list(under: StageAttempt.prefix(of: first), limit: 1000)
            #expect(after.map(\.name) == shared.map(\.name))
        }
    }

    @Test func `bytes of an upload that was never noted go`() async throws {
        try await inWorld(try World()) { world in
            _ = try await world.submit()
            let noted = try await world.blobs.list(under: BlobName("uploads")!, limit: 10)
            let lost = world.service.blobName(of: world.service.newUploadID())
            _ = try await world.blobs.put([1], as: lost)
            try await sweeper(world).upkeep()
            let after = try await world.blobs.list(under: BlobName("uploads")!, limit: 10)
            #expect(after.map(\.name) == noted.map(\.name) && !noted.isEmpty)
        }
    }

    private func sweeper(_ world: World) -> Sweeper {
        Sweeper(
            store: world.store, blobs: world.blobs, clock: world.clock, now: { world.clock.wallTime },
            chance: Chance(SplitMix64(state: 9)), logger: quiet)
    }
}
