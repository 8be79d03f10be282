/// Cuts a stream of bytes into lines. Lines end at `\n`; the last one may lack it.
struct LineSplitter {
    private var rest: [UInt8] = []
    private let lineBytesMax: Int

    init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    /// Hands the lines that are whole now to `line`.
    mutating func append(_ bytes: [UInt8], line: (Substring) -> Void) throws(MediaError) {
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            rest.append(contentsOf: bytes[start..<end])
            try checkLength()
            flush(line)
            start = end + 1
        }
        rest.append(contentsOf: bytes[start...])
        try checkLength()
    }

    /// The stream ended: what is left is the last line.
    mutating func finish(line: (Substring) -> Void) {
        if !rest.isEmpty { flush(line) }
    }

    private mutating func flush(_ line: (Substring) -> Void) {
        line(Substring(String(decoding: rest, as: UTF8.self)))
        rest.removeAll(keepingCapacity: true)
    }

    private func checkLength() throws(MediaError) {
        guard rest.count <= lineBytesMax else {
            throw MediaError(.outputLimit, "a line of more than \(lineBytesMax) bytes")
        }
    }
}

/// Gathers a stream of bytes into blocks of one size: raw frames.
struct BlockGatherer {
    private var block: [UInt8] = []
    private let blockBytes: Int

    init(blockBytes: Int) {
        precondition(blockBytes > 0, "blockBytes is \(blockBytes)")
        self.blockBytes = blockBytes
        block.reserveCapacity(blockBytes)
    }

    /// How many bytes of an unfinished block are held.
    var pendingBytes: Int { block.count }

    /// Takes bytes of `source` from `position` on, up to the end of the block; returns the block once it is full.
    mutating func take(_ source: [UInt8], from position: inout Int) -> [UInt8]? {
        let end = min(source.count, position + blockBytes - block.count)
        block.append(contentsOf: source[position..<end])
        position = end
        guard block.count == blockBytes else { return nil }
        var full: [UInt8] = []
        full.reserveCapacity(blockBytes)
        swap(&full, &block)
        return full
    }
}

/// Keeps the end of a stream of bytes.
struct ByteTail {
    private var bytes: [UInt8] = []
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
        // Cut only at twice the size, so that a chatty tool costs one copy per `bytesMax` and not one per write.
        if bytes.count > 2 * bytesMax { bytes.removeFirst(bytes.count - bytesMax) }
    }

    var text: String { String(decoding: bytes.suffix(bytesMax), as: UTF8.self) }
}
