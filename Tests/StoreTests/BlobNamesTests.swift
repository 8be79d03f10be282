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
        let store = PostgresStore(PostgresConfiguration(connection: database), logger: .quiet)
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
        let expected = [
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
        await store.shutdown()
    }
}
