import ClipModel
import Store
import Testing

/// Uploads of the same bytes, the same in both stores. Those of a `World` all are.
@Suite struct TwinTests {
    private static let veryLong = 1_000_000_000

    private func book(_ world: World) throws -> any UploadTwinBook {
        try #require(world.store as? any UploadTwinBook)
    }

    private func twins(_ world: World, limit: Int = 9) async throws -> [UploadTwins] {
        try await book(world).twins(withinSeconds: Self.veryLong, limit: limit)
    }

    /// An upload whose only job has ended.
    private func resting(_ world: World) async throws -> (upload: Upload, job: JobID) {
        let upload = try await world.upload()
        let job = try await world.job(upload: upload.id)
        _ = try await world.store.cancel(job.id)
        return (upload, job.id)
    }

    private func freed(_ outcome: DeleteOutcome) throws -> [BlobName] {
        guard case .deleted(let blobs) = outcome else { throw Surprise("\(outcome)") }
        return blobs
    }

    @Test(arguments: Adapter.allCases)
    func `twins that rest stand at one blob, which goes with the last of them`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            let (first, second, third) = (
                try await resting(world), try await resting(world), try await resting(world)
            )
            let expected = [second, third].map {
                UploadTwins(
                    earlier: first.upload.id, later: $0.upload.id, blob: first.upload.blob, bytes: first.upload.bytes)
            }
            #expect(try await twins(world) == expected)
            #expect(try await twins(world, limit: 1) == [expected[0]])
            #expect(try await book.twins(withinSeconds: -60, limit: 9).isEmpty, "none came in the next minute")
            #expect(try await book.unite(expected[0]) == second.upload.blob)
            #expect(try await book.unite(expected[0]) == nil, "they are one already")
            #expect(try await book.unite(expected[1]) == third.upload.blob)
            #expect(try await twins(world).isEmpty)
            let united = try #require(try await world.store.upload(second.upload.id))
            #expect(united.blob == first.upload.blob && united.fileName == second.upload.fileName)
            #expect(try await world.store.unnamed([first.upload.blob, second.upload.blob]) == [second.upload.blob])

            #expect(try freed(try await world.store.delete(first.job)) == [])
            #expect(try freed(try await world.store.delete(third.job)) == [])
            #expect(try freed(try await world.store.delete(second.job)) == [first.upload.blob])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what does not rest is left as it is`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            // Without a job, and with one under way.
            _ = try await world.upload()
            let busy = try await world.job(), other = try await world.job()
            let alone = try await resting(world)
            #expect(try await twins(world).isEmpty)
            _ = try await world.store.cancel(busy.id)
            #expect(try await twins(world).map(\.earlier) == [busy.upload])
            // Another job of the same upload.
            let again = try await world.job(upload: alone.upload.id)
            #expect(try await twins(world).isEmpty)
            _ = try await world.store.cancel(again.id)
            #expect(try await twins(world).map(\.later) == [alone.upload.id])
            _ = try await world.store.cancel(other.id)
            #expect(try await twins(world).map(\.later) == [other.upload, alone.upload.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a stage still reads though its job has ended is not given up`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            _ = try await resting(world)
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let leases = try await world.store.claim(2, for: life)
            let scan = try #require(leases.first { $0.key == StageKey(.scan) })
            let probe = try #require(leases.first { $0.key == StageKey(.probe) })
            let broken = Failure(.poison, code: "broken", reason: "It is broken.", hint: "Send another.")
            try await world.end(scan, .failed(broken))
            #expect(try await world.job(job.id).status == .error)
            #expect(try await world.stage(job.id, probe.key).state == .running)
            #expect(try await twins(world).isEmpty)
            _ = try await world.complete(probe, .failed(broken))
            // Notes who still runs.
            try await world.store.upkeep()
            #expect(try await twins(world).map(\.later) == [job.upload])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `twins that woke up or went since they were found stay apart`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            let first = try await resting(world), second = try await resting(world)
            let pair = try #require(try await twins(world).first)
            for upload in [first.upload, second.upload] {
                let job = try await world.job(upload: upload.id)
                #expect(try await book.unite(pair) == nil)
                _ = try await world.store.cancel(job.id)
            }
            #expect(try await world.store.upload(second.upload.id)?.blob == second.upload.blob)
            for job in try await world.store.jobs(before: nil, limit: 9) where job.upload == first.upload.id {
                _ = try await world.store.delete(job.id)
            }
            #expect(try await book.unite(pair) == nil)
            #expect(try await world.store.upload(second.upload.id)?.blob == second.upload.blob)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what was put away has no twins, and says whose bytes others still need`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let quarantine = try #require(world.store as? any QuarantineBook)
            func putAway(_ upload: Upload, _ job: JobID) async throws {
                try await quarantine.quarantine(
                    QuarantineEntry(
                        upload: upload.id, sha256: upload.sha256, bytes: upload.bytes, signature: "Eicar", job: job,
                        tenant: "ana", node: .named("one"), foundAt: .start))
            }
            let first = try await resting(world), second = try await resting(world), third = try await resting(world)
            let pair = try #require(try await twins(world).first)
            #expect(try await book(world).unite(pair) == second.upload.blob)
            let blob = first.upload.blob
            #expect(try await quarantine.isShared(blob, besides: first.upload.id))
            #expect(try await quarantine.isShared(blob, besides: second.upload.id))
            #expect(try await !quarantine.isShared(third.upload.blob, besides: third.upload.id))
            try await putAway(first.upload, first.job)
            #expect(try await quarantine.isShared(blob, besides: first.upload.id))
            #expect(try await !quarantine.isShared(blob, besides: second.upload.id))
            #expect(try await twins(world).map(\.later) == [third.upload.id])
            try await putAway(third.upload, third.job)
            #expect(try await twins(world).isEmpty)
        }
    }
}
