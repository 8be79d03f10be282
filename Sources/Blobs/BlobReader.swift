/// The bytes of one blob, or a range of them, in blocks: never more than one block in memory.
package struct BlobReader: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    /// Up to so many bytes from there; fewer, but at least one, are fine.
    package typealias Source = @Sendable (_ offset: Int64, _ limit: Int) async throws -> [UInt8]

    package let range: Range<Int64>
    private let chunkBytes: Int
    private let source: Source

    package init(range: Range<Int64>, chunkBytes: Int, source: @escaping Source) {
        precondition(chunkBytes > 0, "a block of \(chunkBytes) bytes holds nothing")
        self.range = range
        self.chunkBytes = chunkBytes
        self.source = source
    }

    package func makeAsyncIterator() -> Iterator { Iterator(source: source, rest: range, chunkBytes: chunkBytes) }

    /// Hands every block on, in order, while the ones after it are on their way: `ahead` of them at most are in memory.
    /// For stores that take their time for each.
    package func forEachBlock(ahead: Int, _ body: ([UInt8]) async throws -> Void) async throws {
        precondition(ahead > 0, "with \(ahead) blocks on their way none ever comes")
        try await withThrowingTaskGroup(of: (Int64, [UInt8]).self) { group in
            var (asked, done) = (range.lowerBound, range.lowerBound)
            var arrived: [Int64: [UInt8]] = [:]
            while done < range.upperBound {
                while asked < range.upperBound, asked - done < Int64(ahead) * Int64(chunkBytes) {
                    let next = asked..<Swift.min(asked + Int64(chunkBytes), range.upperBound)
                    group.addTask { (next.lowerBound, try await whole(next)) }
                    asked = next.upperBound
                }
                guard let (offset, block) = try await group.next() else { break }
                arrived[offset] = block
                while let block = arrived.removeValue(forKey: done) {
                    try await body(block)
                    done += Int64(block.count)
                }
            }
        }
    }

    /// All bytes of one block.
    private func whole(_ part: Range<Int64>) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        var iterator = Iterator(source: source, rest: part, chunkBytes: part.count)
        while let block = try await iterator.next() { bytes += block }
        return bytes
    }

    /// Reads one block ahead of nobody: the next block is read when it is asked for.
    package struct Iterator: AsyncIteratorProtocol {
        private let source: Source
        private var rest: Range<Int64>
        private let chunkBytes: Int

        init(source: @escaping Source, rest: Range<Int64>, chunkBytes: Int) {
            self.source = source
            self.rest = rest
            self.chunkBytes = chunkBytes
        }

        package mutating func next() async throws -> [UInt8]? {
            guard !rest.isEmpty else { return nil }
            try Task.checkCancellation()
            let block = try await source(rest.lowerBound, Int(clamping: rest.prefix(chunkBytes).count))
            // Blobs never change once they stand, so a short one can only be a broken store.
            guard !block.isEmpty else { throw BlobError(.broken, "the blob ended \(rest.count) bytes early") }
            rest = (rest.lowerBound + Int64(block.count))..<rest.upperBound
            return block
        }
    }
}
