import ClipModel
import PostgresStore
import Store
import TestSupport
import Testing

@Suite struct BlobNamesTests {
    @Test func `every blob that the database names is told once, in order, with its size where that is noted`()
        async throws
    {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        #expect(try await store.namedBlobs(after: nil, limit: 10).isEmpty)
        let sidecar = SidecarTranscript(
            format: .srt, blob: BlobName("uploads/b/transcript")!, sha256: String(repeating: "cd", count: 32))
        try await store.insert(
            Upload(
                id: UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!, fileName: "talk.mp4", bytes: 12,
                sha256: String(repeating: "ab", count: 32), blob: BlobName("uploads/b/source")!, transcript: sidecar,
                createdAt: .start))
        // The second names a blob of the first: that is told once.
        try await server.execute(
            """
            insert into result (id, body, blobs) values
            ('r1', '{"video": "results/a/clip.mp4", "videoBytes": 77}', '{results/a/clip.mp4,results/a/clip.srt}'),
            ('r2', '{"cuts": "results/a/cuts.json"}', '{results/a/cuts.json,results/a/clip.srt}')
            """, on: database)
        let part = try await addPart(to: store)
        let (kept, emptied) = try await putAway(in: store)
        let expected = [
            part,
            NamedBlob(name: QuarantineEntry.blobName(of: kept), bytes: 5),
            NamedBlob(name: BlobName("results/a/clip.mp4")!, bytes: 77),
            NamedBlob(name: BlobName("results/a/clip.srt")!, bytes: nil),
            NamedBlob(name: BlobName("results/a/cuts.json")!, bytes: nil),
            NamedBlob(name: BlobName("uploads/b/source")!, bytes: 12),
            NamedBlob(name: BlobName("uploads/b/transcript")!, bytes: nil),
        ]
        #expect(try await store.namedBlobs(after: nil, limit: 10) == expected)
        for limit in 1...3 {
            var paged: [NamedBlob] = []
            while true {
                let page = try await store.namedBlobs(after: paged.last?.name, limit: limit)
                if page.isEmpty { break }
                paged += page
            }
            #expect(paged == expected)
        }
        let names = expected.map(\.name)
        let gone = QuarantineEntry.blobName(of: emptied)
        #expect(
            try await store.unnamed(names + [gone, BlobName("quarantine/x/source")!]) == [
                gone, BlobName("quarantine/x/source")!,
            ])
        await store.shutdown()
    }

    /// Two uploads in which something was found; the bytes of the second are gone since. Both still have their rows,
    /// and nothing stands any more under the names in them.
    private func putAway(in store: PostgresStore) async throws -> (kept: UploadID, emptied: UploadID) {
        let ids = [UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzv")!, UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzw")!]
        let sha256 = String(repeating: "12", count: 32)
        for id in ids {
            try await store.insert(
                Upload(
                    id: id, fileName: "talk.mp4", bytes: 5, sha256: sha256,
                    blob: BlobName("uploads/\(id.ulid)/source")!, transcript: nil, createdAt: .start))
            try await store.quarantine(
                QuarantineEntry(
                    upload: id, sha256: sha256, bytes: 5, signature: "Eicar",
                    job: JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!, tenant: "ana", node: NodeID("one")!,
                    foundAt: .start))
        }
        try await store.quarantineEmptied([ids[1]])
        return (ids[0], ids[1])
    }

    /// Of an upload that is still on its way.
    private func addPart(to store: PostgresStore) async throws -> NamedBlob {
        let id = UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzy")!
        let bounds = UploadBounds(bytesMax: 100, partsMax: 10, keepSeconds: 3600, leaseSeconds: 600)
        let draft = UploadSessionDraft(id: id, tenant: "ana", length: 9, bounds: bounds)
        _ = try await store.open(draft, quota: UploadQuota(sessionsMax: 1, bytesMax: 100))
        _ = try await store.change(id, by: .take(holder: "a", force: false))
        let part = UploadPart(
            start: 0, bytes: 3, blob: UploadSession.partName(of: id, epoch: 1, start: 0),
            sha256: String(repeating: "ef", count: 32))
        let change = try await store.change(id, by: .append(part, epoch: 1))
        #expect(change?.answer == .appended(isAsked: false))
        return NamedBlob(name: part.blob, bytes: nil)
    }
}
