import SystemPackage

/// Reads pieces of a file on a budget, so that no structure a stranger made up can keep the sniffer busy.
package struct SniffReader {
    /// Of one inspection, in bytes. A moov of thousands of boxes needs some 100 KiB of headers.
    package static let budgetBytes = 1 << 20
    /// Of one inspection: how often it may read. Small reads cost a system call each.
    package static let readsMax = 8192

    package let sizeBytes: Int64
    private(set) package var bytesRead = 0
    private(set) package var reads = 0
    private let source: (Int64, Int) throws(MediaError) -> [UInt8]

    /// `source` gives up to so many bytes from an offset; fewer only at the end of the file.
    package init(sizeBytes: Int64, source: @escaping (Int64, Int) throws(MediaError) -> [UInt8]) {
        self.sizeBytes = sizeBytes
        self.source = source
    }

    /// Up to `count` bytes from `offset`: fewer at the end of the file, none outside of it or once the budget is spent.
    package mutating func bytes(at offset: Int64, _ count: Int) throws(MediaError) -> [UInt8] {
        guard offset >= 0, offset < sizeBytes, count > 0 else { return [] }
        let allowed = min(count, Self.budgetBytes - bytesRead, Int(clamping: sizeBytes - offset))
        guard allowed > 0, reads < Self.readsMax else { return [] }
        reads += 1
        let found = try source(offset, allowed)
        bytesRead += found.count
        return found
    }

    /// Opens `path`, lends a reader over it to `body` and closes it.
    static func withFile<Result>(
        _ path: String, _ body: (inout SniffReader) throws(MediaError) -> Result
    ) throws(MediaError) -> Result {
        let file: FileDescriptor
        let size: Int64
        do {
            file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
            size = try file.seek(offset: 0, from: .end)
        } catch {
            throw MediaError(.fileUnreadable, "\(error)")
        }
        // A descriptor that was only read from has nothing to lose at close.
        defer { try? file.close() }
        var reader = SniffReader(sizeBytes: size) { offset, count throws(MediaError) in
            do {
                return try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                    // Sound: the buffer is the array's own, and read(2) tells how much of it was filled.
                    filled = try unsafe file.read(
                        fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
                }
            } catch {
                throw MediaError(.fileUnreadable, "\(error)")
            }
        }
        return try body(&reader)
    }
}

/// Numbers and names inside bytes. Outside the bytes everything is zero or absent: the caller need not count first.
struct ByteReading {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func byte(_ index: Int) -> UInt8 { bytes.indices.contains(index) ? bytes[index] : 0 }

    func bigEndian(_ index: Int, bytes count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 << 8 | UInt64(byte(index + $1)) }
    }

    func littleEndian(_ index: Int, bytes count: Int) -> UInt64 {
        (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(byte(index + $1)) }
    }

    /// Whether `magic` stands at `index`.
    func has(_ magic: [UInt8], at index: Int = 0) -> Bool {
        index >= 0 && index + magic.count <= bytes.count && bytes[index..<(index + magic.count)].elementsEqual(magic)
    }

    func has(_ text: String, at index: Int = 0) -> Bool { has(Array(text.utf8), at: index) }

    /// Whether `text` occurs in the first `limit` bytes.
    func contains(_ text: String, within limit: Int) -> Bool {
        let wanted = Array(text.utf8)
        let last = min(bytes.count, limit) - wanted.count
        return last >= 0 && (0...last).contains { has(wanted, at: $0) }
    }
}
