import Blobs
import ClipModel
import Foundation
import Jobs
import Logging
import Store
import Testing

/// Videos that were sent more than once.
@Suite struct TwinSweepTests {
    private final class House {
        let root = FileManager.default.temporaryDirectory.appending(path: "twins-\(UUID().uuidString)").path
        let store = InMemoryStore(now: systemWallTime)
        let blobs: BlobDirectory
        let service: JobService

        init() throws {
            blobs = try BlobDirectory(root: root, limits: BlobLimits(freeBytesMin: 0))
            service = JobService(
                store: store, blobs: blobs, region: Region("eu")!, now: systemWallTime, chance: .system())
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        /// A job of one client, which has ended.
        func send(_ bytes: [UInt8], as tenant: String) async throws -> (upload: Upload, job: JobID) {
            let id = service.newUploadID()
            let facts = try await blobs.put(bytes, as: service.blobName(of: id))
            let upload = try await service.register(id, fileName: "talk.mp4", facts: facts)
            guard case .created(let job) = try await service.submit(upload: id, options: JobOptions(), tenant: tenant)
            else { throw CancellationError() }
            _ = try await service.cancel(job.id)
            return (upload, job.id)
        }

        func sweep(at moment: Timestamp = systemWallTime()) async throws {
            try await Sweeper(
                store: store, blobs: blobs, twins: store, clock: ContinuousClock(), now: { moment },
                chance: .system(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ).upkeep()
        }

        func stands(_ upload: Upload) async throws -> Bool { try await blobs.size(of: upload.blob) != nil }
    }

    @Test func `what two clients sent stands once, for as long as one of them has it`() async throws {
        let house = try House()
        let ana = try await house.send([1, 2, 3], as: "ana"), bob = try await house.send([1, 2, 3], as: "bob")
        let other = try await house.send([3, 2, 1], as: "bob")
        try await house.sweep()
        // Of two that came in the same millisecond either may be the first.
        let kept = try #require(await house.store.upload(bob.upload.id)).blob
        let given = kept == ana.upload.blob ? bob.upload.blob : ana.upload.blob
        #expect(await house.store.upload(ana.upload.id)?.blob == kept)
        #expect(try await house.blobs.bytes(of: kept, limitBytes: 9) == [1, 2, 3])
        #expect(try await house.blobs.size(of: given) == nil)
        #expect(try await house.stands(other.upload))

        #expect(try await house.service.delete(ana.job))
        #expect(try await house.blobs.bytes(of: kept, limitBytes: 9) == [1, 2, 3])
        #expect(try await house.service.delete(bob.job))
        #expect(try await house.blobs.size(of: kept) == nil)
        #expect(try await house.stands(other.upload))
    }

    @Test func `bytes that a node gave up and had no time to remove go when they are old`() async throws {
        let house = try House()
        let (first, second) = (try await house.send([1, 2], as: "ana"), try await house.send([1, 2], as: "bob"))
        let pair = try #require(await house.store.twins(withinSeconds: 3600, limit: 1).first)
        let given = try #require(await house.store.unite(pair))
        try await house.sweep()
        #expect(try await house.blobs.size(of: given) == 2, "it may be about to be noted")
        try await house.sweep(at: systemWallTime().advanced(bySeconds: 4000))
        #expect(try await house.blobs.size(of: given) == nil)
        #expect(try await house.blobs.size(of: pair.blob) == 2)
        #expect(Set([given, pair.blob]) == [first.upload.blob, second.upload.blob])
    }

    @Test func `bytes that were lost take no others with them`() async throws {
        let house = try House()
        for damage in [nil, [1, 2, 3, 4]] as [[UInt8]?] {
            let bytes: [UInt8] = damage == nil ? [7, 8] : [7, 8, 9]
            _ = try await house.send(bytes, as: "ana")
            _ = try await house.send(bytes, as: "bob")
            let twins = await house.store.twins(withinSeconds: 3600, limit: 9)
            let pair = try #require(twins.first { $0.bytes == Int64(bytes.count) })
            let later = try #require(await house.store.upload(pair.later))
            if let damage {
                _ = try await house.blobs.put(damage, as: pair.blob)
            } else {
                try await house.blobs.remove([pair.blob])
            }
            try await house.sweep()
            #expect(await house.store.upload(pair.later) == later)
            #expect(try await house.blobs.bytes(of: later.blob, limitBytes: 9) == bytes)
        }
    }
}
