import ClipModel
import Store
import Testing

@Suite struct UploadTests {
    @Test(arguments: Adapter.allCases)
    func `an upload is found as it was inserted, and inserting it again changes nothing`(adapter: Adapter) async throws
    {
        try await World.run(adapter) { world in
            let transcript = SidecarTranscript(format: .vtt, blob: .named("uploads/t"), sha256: "00")
            let upload = try await world.upload(transcript: transcript)
            try await world.store.insert(upload)
            #expect(try await world.store.upload(upload.id) == upload)
            #expect(try await world.store.upload(world.newUploadID()) == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the same id with other bytes is refused`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let upload = try await world.upload()
            let other = Upload(
                id: upload.id, fileName: "x", bytes: 1, sha256: String(repeating: "0", count: 64),
                blob: .named("uploads/other"), createdAt: upload.createdAt)
            await #expect { try await world.store.insert(other) } throws: { ($0 as? StoreError)?.code == .refused }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `only old uploads without a job are removed, oldest first, up to the limit`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let used = try await world.upload()
            _ = try await world.job(upload: used.id)
            let first = try await world.upload()
            let second = try await world.upload()
            try await world.pass(seconds: 1)
            let veryLong = 1_000_000_000
            #expect(try await world.store.removeUnusedUploads(olderThanSeconds: veryLong, limit: 10).isEmpty)
            #expect(try await world.store.removeUnusedUploads(olderThanSeconds: 0, limit: 1).map(\.id) == [first.id])
            #expect(try await world.store.removeUnusedUploads(olderThanSeconds: 0, limit: 9).map(\.id) == [second.id])
            #expect(try await world.store.upload(used.id) != nil)
            #expect(try await world.store.upload(first.id) == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a file name may hold anything a client can send`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for name in [
                "a'b\"c\\d.mp4", "../../etc", "naïve 🎬\n.mov", "{\"a\",b}", String(repeating: "x", count: 5000),
            ] {
                let id = world.newUploadID()
                let upload = Upload(
                    id: id, fileName: name, bytes: 1, sha256: String(repeating: "0", count: 64),
                    blob: .named("uploads/\(id)"), createdAt: .start)
                try await world.store.insert(upload)
                #expect(try await world.store.upload(id)?.fileName == name)
            }
        }
    }
}
