import Blobs
import ClipModel
import Crypto
import Foundation
import Store
import Testing
import Uploads

@testable import S3Blobs

/// Resumable uploads where a bucket is all that two nodes share: parts are objects, and are joined through this
/// machine.
@Suite struct UploadsInABucketTests {
    private let root: TemporaryDirectory
    init() throws { root = try TemporaryDirectory() }

    /// Two nodes with disks of their own, behind one faulty service.
    private struct Nodes {
        let blobs: [S3BlobStore]
        let services: [UploadService]
        let store: any Store
        private let directories: [TemporaryDirectory]

        init(_ server: S3Server, at endpoint: String, partBytes: Int64 = 6 << 20) throws {
            let prefix = UUID().uuidString
            let directories = try [TemporaryDirectory(), TemporaryDirectory()]
            let store = InMemoryStore(now: wallTime)
            self.store = store
            self.directories = directories
            blobs = try directories.map { try server.store(at: endpoint, in: $0) { $0.prefix = prefix } }
            services = blobs.enumerated().map { number, blobs in
                UploadService(
                    store: store, blobs: blobs, node: NodeID("node-\(number)")!,
                    limits: UploadLimits(partBytes: partBytes), clock: ContinuousClock(), now: wallTime,
                    newID: {
                        var random = SystemRandomNumberGenerator()
                        return UploadID(at: wallTime(), using: &random)
                    },
                    source: { name("uploads/\($0.ulid)/source") }, logger: quiet)
            }
        }

        /// A request that ends after `bytes`, or breaks off there.
        @discardableResult
        func send(
            _ bytes: ArraySlice<UInt8>, to id: UploadID, node: Int, announced: Int? = nil,
            checksum: UploadChecksum? = nil
        ) async throws -> UploadSession {
            var rest = bytes
            return try await services[node].receive(
                UploadAppend(
                    offset: Int64(bytes.startIndex), announced: Int64(announced ?? bytes.count), checksum: checksum),
                of: id, stop: {}
            ) { () -> ArraySlice<UInt8>? in
                guard !rest.isEmpty else { return nil }
                defer { rest = rest.dropFirst(1 << 18) }
                return rest.prefix(1 << 18)
            }
        }

        /// What stands in the bucket, and the objects in parts that nobody has ended.
        func leftovers() async throws -> (names: [BlobName], open: Int) {
            let names = try await blobs[0].list(under: nil, after: nil, limit: 100).map(\.name)
            let query = [("uploads", ""), ("prefix", blobs[0].keyPrefix)]
            let page = try await blobs[0].client.send(S3Client.Request(method: "GET", query: query)).document
            return (names, page?.all("Upload").count ?? 0)
        }
    }

    private func withNodes(
        _ body: @escaping @Sendable (Nodes, FaultyService) async throws -> Void
    ) async throws {
        let server = try await S3Server.shared(.seaweed)
        try await FaultyService.run(before: server) { faulty in
            try await body(try Nodes(server, at: faulty.double.url), faulty)
        }
    }

    @Test func `parts that came at two nodes are joined byte for byte, through troubles that pass`() async throws {
        try await withNodes { nodes, faulty in
            let bytes = sample(20 << 20)
            let session = try await nodes.services[0].open(.init(tenant: "ana", length: Int64(bytes.count)))
            faulty.plan(.refuse(503, "SlowDown")) { $0.method == "PUT" && $0.target.contains("/parts/") }
            faulty.plan(.loseAnswer) { $0.method == "PUT" && $0.target.contains("/parts/") }
            faulty.plan(.cutAfter(1000)) { $0.method == "GET" && $0.target.contains("/parts/") }
            faulty.plan(.refuse(500, "InternalError")) { $0.target.contains("/source?partNumber=2") }
            faulty.plan(.loseAnswer) { $0.method == "POST" && $0.target.contains("/source?uploadId") }
            var (offset, node) = (0, 0)
            for size in [7 << 20, 1, (13 << 20) - 1] {
                let after = try await nodes.send(bytes[offset..<(offset + size)], to: session.id, node: node)
                offset += size
                node = 1 - node
                #expect(after.received == Int64(offset))
            }
            let upload = try #require(try await nodes.store.upload(session.id))
            #expect(upload.blob == name("uploads/\(session.id.ulid)/source"))
            #expect(upload.bytes == Int64(bytes.count) && upload.sha256 == sha256(bytes))
            #expect(try await nodes.blobs[1].bytes(of: upload.blob, limitBytes: bytes.count) == bytes)
            let (names, open) = try await nodes.leftovers()
            #expect(names == [upload.blob] && open == 0, "parts are left behind")
        }
    }

    @Test func `what came before a cut stands in the bucket, and what fails its checksum does not`() async throws {
        try await withNodes { nodes, _ in
            let bytes = sample(13 << 20)
            let session = try await nodes.services[0].open(.init(tenant: "ana", length: Int64(bytes.count)))
            let checksum = UploadChecksum(.sha256, Array(SHA256.hash(data: [1])))
            // Large enough for an object in parts, which is then given up.
            await #expect(throws: UploadError.checksumDiffers(received: 0)) {
                try await nodes.send(bytes[...], to: session.id, node: 0, checksum: checksum)
            }
            let (none, open) = try await nodes.leftovers()
            #expect(none.isEmpty && open == 0)
            await #expect(throws: UploadError.connectionLost) {
                try await nodes.send(bytes[..<(7 << 20)], to: session.id, node: 0, announced: bytes.count)
            }
            #expect(try await nodes.services[1].look(session.id).received == 7 << 20)
            try await nodes.send(bytes[(7 << 20)...], to: session.id, node: 1)
            let upload = try #require(try await nodes.store.upload(session.id))
            #expect(try await nodes.blobs[0].bytes(of: upload.blob, limitBytes: bytes.count) == bytes)
        }
    }

    @Test func `an upload of one part is the part, and nothing is copied`() async throws {
        try await withNodes { nodes, faulty in
            let bytes = sample(300_000)
            let session = try await nodes.services[0].open(.init(tenant: "ana", length: Int64(bytes.count)))
            try await nodes.send(bytes[...], to: session.id, node: 0)
            let upload = try #require(try await nodes.store.upload(session.id))
            #expect(upload.blob == UploadSession.partName(of: session.id, epoch: 1, start: 0))
            #expect(faulty.seen.all.map(\.method) == ["PUT"])
        }
    }
}
