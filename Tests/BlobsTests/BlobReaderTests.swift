import Blobs
import Synchronization
import Testing

@Suite struct BlobReaderTests {
    private static let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    /// Where it was asked for bytes.
    private final class Asked: Sendable {
        private let offsets = Mutex<[Int64]>([])
        var last: Int64 { offsets.withLock { $0.max() ?? 0 } }
        func add(_ offset: Int64) { offsets.withLock { $0.append(offset) } }
    }

    @Test func `blocks come in order though later ones arrive first, and only so many are on their way`() async throws {
        let (others, told) = AsyncStream.makeStream(of: Void.self)
        let asked = Asked()
        let reader = BlobReader(range: 100..<950, chunkBytes: 100) { offset, limit in
            asked.add(offset)
            // The first block comes when a later one has been asked for.
            if offset == 100 { for await _ in others { break } } else { told.yield() }
            // No store has to send all of a block at once.
            return Array(Self.bytes[Int(offset)..<(Int(offset) + min(limit, 60))])
        }
        var read: [UInt8] = []
        try await reader.forEachBlock(ahead: 3) { block in
            #expect(asked.last < 100 + Int64(read.count) + 300)
            read += block
            #expect(block.count == 100 || read.count == 850)
        }
        #expect(read == Array(Self.bytes[100..<950]))
    }

    @Test func `what goes wrong on either side ends it`() async throws {
        struct Enough: Error {}
        let broken = BlobReader(range: 0..<1000, chunkBytes: 100) { offset, limit in
            guard offset < 300 else { throw BlobError(.unavailable, "away") }
            return Array(Self.bytes[Int(offset)..<(Int(offset) + limit)])
        }
        await #expect(throws: BlobError.self) { try await broken.forEachBlock(ahead: 2) { _ in } }
        await #expect(throws: Enough.self) { try await broken.forEachBlock(ahead: 1) { _ in throw Enough() } }
        let empty = BlobReader(range: 5..<5, chunkBytes: 100) { _, _ in [] }
        try await empty.forEachBlock(ahead: 2) { _ in throw Enough() }
        let short = BlobReader(range: 0..<10, chunkBytes: 10) { _, _ in [] }
        await #expect(throws: BlobError.self) { try await short.forEachBlock(ahead: 2) { _ in } }
    }
}
