/// The bytes of one blob, or a range of them, in blocks: never more than one block in memory.
package struct BlobReader: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    /// Size of a block when the caller names none, in bytes.
    package static let chunkBytesDefault = 256 << 10

    private let file: OpenFile
    private let lane: DiskLane
    package let range: Range<Int64>
    private let chunkBytes: Int

    init(file: OpenFile, lane: DiskLane, range: Range<Int64>, chunkBytes: Int) {
        self.file = file
        self.lane = lane
        self.range = range
        self.chunkBytes = chunkBytes
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(file: file, lane: lane, rest: range, chunkBytes: chunkBytes)
    }

    /// Reads one block ahead of nobody: the next block is read when it is asked for.
    package struct Iterator: AsyncIteratorProtocol {
        private let file: OpenFile
        private let lane: DiskLane
        private var rest: Range<Int64>
        private let chunkBytes: Int

        init(file: OpenFile, lane: DiskLane, rest: Range<Int64>, chunkBytes: Int) {
            self.file = file
            self.lane = lane
            self.rest = rest
            self.chunkBytes = chunkBytes
        }

        package mutating func next() async throws -> [UInt8]? {
            guard !rest.isEmpty else { return nil }
            try Task.checkCancellation()
            let (offset, limit) = (rest.lowerBound, Int(clamping: rest.prefix(chunkBytes).count))
            let file = file
            let block = try await lane.run { () throws(BlobError) in
                try Disk.read(file.descriptor, at: offset, limit: limit)
            }
            // Blobs never change once they stand, so a short file can only be a broken disk.
            guard !block.isEmpty else { throw BlobError(.broken, "the file ended \(rest.count) bytes early") }
            rest = (offset + Int64(block.count))..<rest.upperBound
            return block
        }
    }
}

/// A file that is closed when the last reader lets go of it; removing the blob meanwhile does not disturb the reader.
final class OpenFile: Sendable {
    let descriptor: Int32

    init(_ path: String) throws(BlobError) { descriptor = try Disk.open(path, 0) }

    deinit { Disk.close(descriptor) }
}
