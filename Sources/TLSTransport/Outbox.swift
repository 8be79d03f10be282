package import NIOCore

/// Bytes that wait to be encrypted, in blocks: the last one is being filled while the first one leaves.
///
/// Small messages are copied behind each other into one block, so that everything that was sent since the last flush
/// becomes one write and few TLS records; a block is at most `blockBytesMax`, so that no flush keeps the event loop,
/// and the other lanes on it, for long.
package struct Outbox: Sendable {
    package enum Verdict: Hashable, Sendable {
        /// Taken. Nobody is on the way to flush: the caller asks the event loop to.
        case queuedFirst
        /// Taken, and a flush is due already.
        case queued
        case full
        case closed
    }

    package enum Taken: Hashable, Sendable {
        /// The block taken is not the last one: another flush follows.
        case more
        /// The block taken was the last one: the next `append` asks for a flush again.
        case last
        case nothing
    }

    /// An emptied block up to this size is kept for the next messages; larger ones go back to the allocator, so that a
    /// connection which was busy once does not hold its largest block for ever.
    private static let spareBytesMax = 64 << 10

    package let bytesMax: Int
    package let blockBytesMax: Int
    package private(set) var waitingBytes = 0
    package private(set) var takenBytes = 0
    package private(set) var isClosed = false
    private var isFlushDue = false
    private var full = CircularBuffer<ByteBuffer>(initialCapacity: 2)
    private var filling = ByteBuffer()
    private var spare = ByteBuffer()

    package init(bytesMax: Int, blockBytesMax: Int) {
        precondition(bytesMax > 0 && blockBytesMax > 0, "an outbox of \(bytesMax) bytes in blocks of \(blockBytesMax)")
        self.bytesMax = bytesMax
        self.blockBytesMax = blockBytesMax
    }

    /// Half empty or more: who waited may go on. Half and not one byte, so that a waiter is woken for a good many
    /// bytes.
    package var isDrained: Bool { waitingBytes <= bytesMax / 2 }

    package mutating func append(_ bytes: [UInt8]) -> Verdict {
        guard !isClosed else { return .closed }
        guard waitingBytes < bytesMax else { return .full }
        guard !bytes.isEmpty else { return .queued }
        waitingBytes += bytes.count
        if bytes.count <= blockBytesMax - filling.readableBytes {
            filling.writeBytes(bytes)
        } else {
            split(bytes[...])
        }
        defer { isFlushDue = true }
        return isFlushDue ? .queued : .queuedFirst
    }

    /// Exchanges `block`, whose bytes have left and whose memory is free, for the next one to encrypt.
    package mutating func take(for block: inout ByteBuffer) -> Taken {
        precondition(block.readableBytes == 0, "\(block.readableBytes) bytes of the last block have not left")
        if block.capacity <= Self.spareBytesMax, block.capacity > spare.capacity { swap(&spare, &block) }
        if let first = full.popFirst() {
            block = first
        } else {
            block = filling
            filling = spare
            spare = ByteBuffer()
        }
        waitingBytes -= block.readableBytes
        takenBytes += block.readableBytes
        isFlushDue = waitingBytes > 0
        return isFlushDue ? .more : block.readableBytes > 0 ? .last : .nothing
    }

    /// Nothing more is taken in; what waits still leaves, unless it is `dropped`.
    package mutating func close(dropping dropped: Bool) {
        isClosed = true
        guard dropped else { return }
        full.removeAll()
        filling = ByteBuffer()
        waitingBytes = 0
    }

    private mutating func split(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            if filling.readableBytes >= blockBytesMax {
                full.append(filling)
                filling = spare
                spare = ByteBuffer()
            }
            let part = rest.prefix(blockBytesMax - filling.readableBytes)
            filling.writeBytes(part)
            rest = rest.dropFirst(part.count)
        }
    }
}
