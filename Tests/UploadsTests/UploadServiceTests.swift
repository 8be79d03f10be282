import Blobs
import ClipModel
import Crypto
import Foundation
import Logging
import Store
import Testing
import Uploads

/// Nodes that share a store and a blob directory.
struct Cluster: Sendable {
    let store: any Store
    let blobs: BlobDirectory
    let nodes: [UploadService]

    static func run(
        nodes: Int = 2, limits: UploadLimits = UploadLimits(partBytes: 1 << 20, takeoverSeconds: 60),
        _ body: (Cluster) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "uploads-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = InMemoryStore(now: { wallTime() })
        let blobs = try BlobDirectory(root: root, limits: BlobLimits(freeBytesMin: 0))
        let services = (0..<nodes).map { number in
            UploadService(
                store: store, blobs: blobs, node: NodeID("node-\(number)")!, limits: limits, clock: ContinuousClock(),
                now: { wallTime() }, newID: { freshID() }, source: { BlobName("uploads/\($0.ulid)/source")! },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        let cluster = Cluster(store: store, blobs: blobs, nodes: services)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in services { group.addTask { await node.run() } }
            try await body(cluster)
            store.shutdown()
            group.cancelAll()
        }
    }

    static func wallTime() -> Timestamp {
        Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000))
    }

    static func freshID() -> UploadID {
        var random = SystemRandomNumberGenerator()
        return UploadID(at: wallTime(), using: &random)
    }

    func open(_ length: Int64?, kind: UploadSession.Kind = .whole, sha256: String? = nil) async throws -> UploadSession
    {
        try await nodes[0].open(
            UploadService.Opening(tenant: "ana", kind: kind, fileName: "talk.mp4", length: length, sha256: sha256))
    }

    /// A request that sends all of `bytes` in blocks.
    @discardableResult
    func send(
        _ bytes: [UInt8], at offset: Int64, to id: UploadID, node: Int = 0, checksum: UploadChecksum? = nil,
        length: Int64? = nil, completes: Bool? = nil, announced: Bool = true
    ) async throws -> UploadSession {
        var rest = bytes[...]
        return try await nodes[node].receive(
            UploadAppend(
                offset: offset, announced: announced ? Int64(bytes.count) : nil, length: length, checksum: checksum,
                completes: completes),
            of: id, stop: {}
        ) { () -> ArraySlice<UInt8>? in
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(65_536) }
            return rest.prefix(65_536)
        }
    }

    /// How a request fails whose bytes come when the test sends them. It breaks off when it is told to stop, unless it
    /// is deaf.
    func failure(of feed: Feed, to id: UploadID, node: Int = 0, isDeaf: Bool = false) async -> UploadError? {
        var incoming = feed.stream.makeAsyncIterator()
        do {
            _ = try await nodes[node].receive(
                UploadAppend(offset: 0), of: id, stop: { if !isDeaf { feed.stop() } }
            ) { () -> [UInt8]? in
                guard let element = await incoming.next(isolation: #isolation) else { throw CancellationError() }
                feed.consumed(element.count)
                return element
            }
            return nil
        } catch { return error as? UploadError }
    }

    func content(of id: UploadID) async throws -> [UInt8] {
        let upload = try #require(try await store.upload(id))
        let bytes = try await blobs.bytes(of: upload.blob, limitBytes: 1 << 30)
        #expect(upload.sha256 == sha256(bytes))
        #expect(upload.bytes == Int64(bytes.count))
        return bytes
    }

    /// Every blob there is.
    func blobCount() async throws -> Int {
        try await blobs.list(under: BlobName("parts")!, limit: 1000).count
            + blobs.list(under: BlobName("uploads")!, limit: 1000).count
    }
}

func sha256(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined() }

func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

/// Bytes on their way, in the hands of a test.
final class Feed: Sendable {
    let stream: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let progress = AsyncStream.makeStream(of: Int.self)

    init() { (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self) }

    func send(_ bytes: [UInt8]) { continuation.yield(bytes) }
    /// The connection is cut.
    func stop() { continuation.finish() }
    fileprivate func consumed(_ count: Int) { progress.continuation.yield(count) }

    /// Returns when the receiver has taken the next block.
    func wasTaken() async {
        var iterator = progress.stream.makeAsyncIterator()
        _ = await iterator.next()
    }
}

@Suite(.timeLimit(.minutes(5))) struct UploadServiceTests {
    @Test func `two nodes in turn make one upload, byte for byte`() async throws {
        try await Cluster.run { cluster in
            let bytes = sample(3_500_000)
            let session = try await cluster.open(Int64(bytes.count))
            var offset = 0, node = 0
            for size in [1, 700_000, 1_400_000, 3, 1_399_996] {
                let chunk = Array(bytes[offset..<(offset + size)])
                let after = try await cluster.send(chunk, at: Int64(offset), to: session.id, node: node)
                offset += size
                node = 1 - node
                #expect(after.received == Int64(offset))
            }
            #expect(try await cluster.nodes[1].look(session.id).state == .finished)
            #expect(try await cluster.content(of: session.id) == bytes)
            #expect(try await cluster.blobCount() == 1, "parts are left behind")
        }
    }

    @Test func `an upload in one part is not copied`() async throws {
        try await Cluster.run { cluster in
            let bytes = sample(500_000)
            let session = try await cluster.open(Int64(bytes.count))
            try await cluster.send(bytes, at: 0, to: session.id)
            #expect(try await cluster.store.upload(session.id)?.blob.rawValue.hasPrefix("parts/") == true)
            #expect(try await cluster.content(of: session.id) == bytes)
            #expect(try await cluster.blobCount() == 1)
        }
    }

    @Test func `a long request is one part that grows, of which a cut loses nothing that counted`() async throws {
        try await Cluster.run(limits: UploadLimits(partBytes: 1000)) { cluster in
            let bytes = sample(500_000)
            let session = try await cluster.open(500_000)
            try await cluster.send(bytes, at: 0, to: session.id)
            #expect(try await cluster.content(of: session.id) == bytes)
            let blob = try await cluster.store.upload(session.id)?.blob
            #expect(blob == UploadSession.partName(of: session.id, epoch: 1, start: 0), "and nothing is copied")
            #expect(try await cluster.blobCount() == 1)

            let other = try await cluster.open(500_000)
            let feed = Feed()
            async let cut = cluster.failure(of: feed, to: other.id)
            for start in [0, 70_000] {
                feed.send(Array(bytes[start..<start + 70_000]))
                await feed.wasTaken()
            }
            let parts = try await cluster.store.parts(of: other.id)
            #expect(parts.count == 1 && parts[0].start == 0 && parts[0].bytes > 1000)
            feed.stop()
            _ = await cut
            try await cluster.send(Array(bytes[140_000...]), at: 140_000, to: other.id, node: 1)
            #expect(try await cluster.content(of: other.id) == bytes)
        }
    }

    /// An earlier holder has every byte in its part, and does not know yet that it was taken over.
    @Test func `a part that somebody else may still write to is copied`() async throws {
        try await Cluster.run(limits: UploadLimits(partBytes: 1000)) { cluster in
            let bytes = sample(2000)
            let session = try await cluster.open(nil)
            let writer = try await cluster.blobs.writer(
                for: UploadSession.partName(of: session.id, epoch: 1, start: 0), limitBytes: 10_000)
            _ = try await cluster.store.change(session.id, by: .take(holder: "older", force: false))
            try await writer.write(bytes)
            let facts = try #require(try await writer.checkpoint())
            let part = UploadPart(
                start: 0, bytes: facts.bytes, blob: UploadSession.partName(of: session.id, epoch: 1, start: 0),
                sha256: facts.sha256)
            _ = try await cluster.store.change(session.id, by: .append(part, epoch: 1))
            let newer = try await cluster.store.change(session.id, by: .take(holder: "newer", force: true))
            #expect(newer?.answer == .taken(epoch: 2))
            _ = try await cluster.store.change(session.id, by: .release(epoch: 2))
            try await writer.write([1, 2, 3])
            _ = try await writer.checkpoint()
            _ = try await cluster.send([], at: 2000, to: session.id, completes: true)
            try await writer.write([4])
            #expect(try await cluster.content(of: session.id) == bytes)
            await writer.discard()
        }
    }

    @Test func `what had come before a cut is kept, to the byte`() async throws {
        try await Cluster.run { cluster in
            let session = try await cluster.open(100_000)
            let bytes = sample(100_000)
            let feed = Feed()
            async let cut = cluster.failure(of: feed, to: session.id)
            feed.send(Array(bytes[..<12_345]))
            await feed.wasTaken()
            feed.stop()
            let failure = await cut
            #expect(failure == .connectionLost)
            let seen = try await cluster.nodes[1].look(session.id)
            #expect(seen.received == 12_345)
            #expect(seen.holder == nil)
            try await cluster.send(Array(bytes[12_345...]), at: 12_345, to: session.id, node: 1)
            #expect(try await cluster.content(of: session.id) == bytes)
        }
    }

    @Test(arguments: [0, 1])
    func `a newer request at any node takes over, and nothing the older one had is lost`(node: Int) async throws {
        try await Cluster.run { cluster in
            let session = try await cluster.open(100_000)
            let bytes = sample(100_000)
            let feed = Feed()
            async let older = cluster.failure(of: feed, to: session.id)
            feed.send(Array(bytes[..<50_000]))
            await feed.wasTaken()
            // Its client is still connected, and silent.
            let seen = try await cluster.nodes[node].look(session.id)
            #expect(seen.received == 50_000)
            let failure = await older
            #expect(failure == .connectionLost)
            try await cluster.send(Array(bytes[50_000...]), at: 50_000, to: session.id, node: node)
            #expect(try await cluster.content(of: session.id) == bytes)
        }
    }

    @Test func `a holder that never answers is overrun, and what it still writes counts for nothing`() async throws {
        let limits = UploadLimits(partBytes: 1000, takeoverSeconds: 0.1)
        try await Cluster.run(limits: limits) { cluster in
            let session = try await cluster.open(10_000)
            let bytes = sample(10_000)
            let deaf = Feed()
            async let older = cluster.failure(of: deaf, to: session.id, isDeaf: true)
            deaf.send(sample(999, seed: 9))
            await deaf.wasTaken()
            let after = try await cluster.send(Array(bytes[..<6000]), at: 0, to: session.id, node: 1)
            #expect(after.received == 6000)
            deaf.send(sample(999, seed: 9))
            deaf.stop()
            let failure = await older
            #expect(failure == .takenOver)
            try await cluster.send(Array(bytes[6000...]), at: 6000, to: session.id, node: 1)
            #expect(try await cluster.content(of: session.id) == bytes)
            #expect(try await cluster.blobCount() == 1, "bytes of the older request are left behind")
        }
    }

    @Test(arguments: UploadChecksum.Algorithm.allCases)
    func `bytes count only with the checksum they came with`(algorithm: UploadChecksum.Algorithm) async throws {
        try await Cluster.run(limits: UploadLimits(partBytes: 1000)) { cluster in
            let bytes = sample(200_000)
            let right: [UInt8] =
                switch algorithm {
                case .md5: Array(Insecure.MD5.hash(data: bytes))
                case .sha1: Array(Insecure.SHA1.hash(data: bytes))
                case .sha256: Array(SHA256.hash(data: bytes))
                }
            let wrong = right.reversed()
            let session = try await cluster.open(200_000)
            await #expect(throws: UploadError.checksumDiffers(received: 0)) {
                try await cluster.send(bytes, at: 0, to: session.id, checksum: UploadChecksum(algorithm, Array(wrong)))
            }
            #expect(try await cluster.nodes[0].look(session.id).received == 0)
            #expect(try await cluster.blobCount() == 0)
            try await cluster.send(bytes, at: 0, to: session.id, checksum: UploadChecksum(algorithm, right))
            #expect(try await cluster.content(of: session.id) == bytes)
        }
    }

    @Test func `two nodes receive pieces at one time, which are then joined`() async throws {
        try await Cluster.run { cluster in
            let bytes = sample(3_000_000)
            let first = try await cluster.open(2_000_000, kind: .partial)
            let second = try await cluster.open(1_000_000, kind: .partial)
            async let left = cluster.send(Array(bytes[..<2_000_000]), at: 0, to: first.id, node: 0)
            async let right = cluster.send(Array(bytes[2_000_000...]), at: 0, to: second.id, node: 1)
            _ = try await (left, right)
            #expect(try await cluster.store.upload(first.id) == nil, "a piece is no upload")
            let joined = try await cluster.nodes[1].open(
                UploadService.Opening(tenant: "ana", kind: .final, pieces: [first.id, second.id]))
            #expect(joined.state == .finished)
            #expect(try await cluster.content(of: joined.id) == bytes)
            await #expect(throws: UploadError.takesNothing) {
                try await cluster.send([1], at: 3_000_000, to: joined.id)
            }
        }
    }

    @Test func `the whole has the digest it was announced with, or it is thrown away`() async throws {
        try await Cluster.run { cluster in
            let bytes = sample(1000)
            let right = try await cluster.open(1000, sha256: sha256(bytes))
            try await cluster.send(bytes, at: 0, to: right.id)
            #expect(try await cluster.content(of: right.id) == bytes)
            let wrong = try await cluster.open(1000, sha256: sha256([]))
            await #expect(throws: UploadError.digestDiffers) { try await cluster.send(bytes, at: 0, to: wrong.id) }
            await #expect(throws: UploadError.noSuchUpload) { _ = try await cluster.nodes[0].look(wrong.id) }
            #expect(try await cluster.blobCount() == 1)
        }
    }

    @Test func `a length that nobody knew is that of the bytes when they are complete`() async throws {
        try await Cluster.run { cluster in
            let bytes = sample(70_000)
            let session = try await cluster.open(nil)
            try await cluster.send(Array(bytes[..<10]), at: 0, to: session.id)
            let done = try await cluster.send(
                Array(bytes[10...]), at: 10, to: session.id, completes: true, announced: false)
            #expect(done.state == .finished)
            #expect(done.length == 70_000)
            #expect(try await cluster.content(of: session.id) == bytes)
            let later = try await cluster.open(nil)
            try await cluster.send(bytes, at: 0, to: later.id, length: 70_000)
            #expect(try await cluster.content(of: later.id) == bytes)
        }
    }

    @Test func `what a dead node left whole is joined by whoever looks`() async throws {
        let limits = UploadLimits(partBytes: 1 << 20, leaseSeconds: 1, takeoverSeconds: 0.1)
        try await Cluster.run(limits: limits) { cluster in
            let bytes = sample(2000)
            let session = try await cluster.open(2000)
            // A node that received both parts, began to join them, and died.
            let holder = UploadSession.Event.take(holder: "dead", force: false)
            guard case .taken(let epoch) = try await cluster.store.change(session.id, by: holder)?.answer else {
                Issue.record("not taken")
                return
            }
            for start in [0, 1000] {
                let name = UploadSession.partName(of: session.id, epoch: epoch, start: Int64(start))
                let facts = try await cluster.blobs.put(Array(bytes[start..<(start + 1000)]), as: name)
                let part = UploadPart(start: Int64(start), bytes: facts.bytes, blob: name, sha256: facts.sha256)
                _ = try await cluster.store.change(session.id, by: .append(part, epoch: epoch))
            }
            _ = try await cluster.store.change(session.id, by: .beginFinish(epoch: epoch))
            while try await cluster.nodes[1].look(session.id).state != .finished {
                try await ContinuousClock().sleep(for: .milliseconds(20))
            }
            #expect(try await cluster.content(of: session.id) == bytes)
            #expect(try await cluster.blobCount() == 1)
        }
    }

    @Test func `terminating ends the request that is adding, and leaves nothing`() async throws {
        try await Cluster.run { cluster in
            let session = try await cluster.open(100_000)
            let feed = Feed()
            async let adding = cluster.failure(of: feed, to: session.id)
            feed.send(sample(2000))
            await feed.wasTaken()
            try await cluster.nodes[1].terminate(session.id)
            let failure = await adding
            #expect(failure == .noSuchUpload)
            #expect(try await cluster.blobCount() == 0)
            await #expect(throws: UploadError.noSuchUpload) { _ = try await cluster.nodes[0].look(session.id) }
        }
    }

    @Test func `a node that ends lets its clients go on elsewhere`() async throws {
        try await Cluster.run { cluster in
            let session = try await cluster.open(100_000)
            let bytes = sample(100_000)
            let feed = Feed()
            async let adding = cluster.failure(of: feed, to: session.id)
            feed.send(Array(bytes[..<30_000]))
            await feed.wasTaken()
            cluster.nodes[0].active.drain()
            let failure = await adding
            #expect(failure == .connectionLost)
            #expect(cluster.nodes[0].active.count == 0)
            try await cluster.send(Array(bytes[30_000...]), at: 30_000, to: session.id, node: 1)
            #expect(try await cluster.content(of: session.id) == bytes)
        }
    }

    @Test func `every limit is kept with what it is`() async throws {
        var limits = UploadLimits(bytesMax: 1000, partsMax: 2, sessionsMax: 2, clientBytesMax: 1500, piecesMax: 1)
        limits.metadataBytesMax = 10
        try await Cluster.run(limits: limits) { cluster in
            await #expect(throws: UploadError.tooLarge(bytesMax: 1000)) { _ = try await cluster.open(1001) }
            await #expect(throws: UploadError.empty) { _ = try await cluster.open(0) }
            await #expect(throws: UploadError.metadataTooLong(bytesMax: 10)) {
                _ = try await cluster.nodes[0].open(.init(tenant: "ana", metadata: "filename YQ==", length: 1))
            }
            await #expect(throws: UploadError.tooManyPieces(piecesMax: 1)) {
                let pieces = [Cluster.freshID(), Cluster.freshID()]
                _ = try await cluster.nodes[0].open(.init(tenant: "ana", kind: .final, pieces: pieces))
            }
            let session = try await cluster.open(1000)
            await #expect(throws: UploadError.tooManyBytes(bytesMax: 1500)) { _ = try await cluster.open(501) }
            let other = try await cluster.open(nil)
            await #expect(throws: UploadError.tooManySessions(sessionsMax: 2)) { _ = try await cluster.open(1) }
            await #expect(throws: UploadError.tooLarge(bytesMax: 1000)) {
                try await cluster.send(sample(1001), at: 0, to: other.id, announced: false)
            }
            await #expect(throws: UploadError.offsetDiffers(received: 0, sent: 1)) {
                try await cluster.send([1], at: 1, to: session.id)
            }
            try await cluster.send([1], at: 0, to: session.id)
            try await cluster.send([1], at: 1, to: session.id)
            await #expect(throws: UploadError.tooManyParts(partsMax: 2)) {
                try await cluster.send([1], at: 2, to: session.id)
            }
        }
    }
}
