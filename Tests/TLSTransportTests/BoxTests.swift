import NIOCore
import TLSTransport
import Testing

/// The two machines between callers and the event loop.
@Suite struct BoxTests {
    @Test func `what is sent in one turn leaves in one block, and one flush is asked for`() {
        var outbox = Outbox(bytesMax: 100, blockBytesMax: 50), block = ByteBuffer()
        #expect(outbox.append([1, 2]) == .queuedFirst)
        #expect(outbox.append([3]) == .queued)
        #expect(outbox.append([]) == .queued)
        #expect(outbox.take(for: &block) == .last)
        #expect(Array(block.readableBytesView) == [1, 2, 3])
        block.clear()
        #expect(outbox.append([4]) == .queuedFirst)
        #expect(outbox.take(for: &block) == .last)
        #expect(Array(block.readableBytesView) == [4])
        block.clear()
        #expect(outbox.take(for: &block) == .nothing)
        #expect(block.readableBytes == 0)
        #expect(outbox.takenBytes == 4)
    }

    @Test func `much leaves in blocks of bounded size, in order`() {
        var outbox = Outbox(bytesMax: 10_000, blockBytesMax: 64), block = ByteBuffer(), left: [UInt8] = []
        var verdicts: [Outbox.Verdict] = []
        for start in stride(from: 0, to: 3000, by: 150) { verdicts.append(outbox.append(pattern(150, from: start))) }
        #expect(verdicts.first == .queuedFirst)
        #expect(verdicts.dropFirst().allSatisfy { $0 == .queued })
        var taken = Outbox.Taken.more
        while taken == .more {
            taken = outbox.take(for: &block)
            #expect((1...64).contains(block.readableBytes))
            left += block.readableBytesView
            block.clear()
            #expect(outbox.waitingBytes == 3000 - left.count)
        }
        #expect(taken == .last)
        #expect(left == pattern(3000))
    }

    @Test func `a full outbox takes nothing, and one that is half empty is drained`() {
        var outbox = Outbox(bytesMax: 100, blockBytesMax: 30), block = ByteBuffer()
        #expect(outbox.append(pattern(99)) == .queuedFirst)
        // Taken whole although it is over the edge: a frame is never cut.
        #expect(outbox.append(pattern(51)) == .queued)
        #expect(outbox.append([1]) == .full)
        #expect(outbox.waitingBytes == 150)
        var drained: [Bool] = []
        for _ in 0..<5 {
            #expect(outbox.take(for: &block) != .nothing)
            block.clear()
            drained.append(outbox.isDrained)
        }
        #expect(drained == [false, false, false, true, true])
        #expect(outbox.append([1]) == .queuedFirst)
    }

    @Test func `a closed outbox takes nothing and gives what it has, unless that was dropped`() {
        var outbox = Outbox(bytesMax: 100, blockBytesMax: 30), block = ByteBuffer()
        #expect(outbox.append([1, 2, 3]) == .queuedFirst)
        outbox.close(dropping: false)
        #expect(outbox.append([4]) == .closed)
        #expect(outbox.take(for: &block) == .last)
        #expect(Array(block.readableBytesView) == [1, 2, 3])
        var dropped = Outbox(bytesMax: 100, blockBytesMax: 30)
        #expect(dropped.append(pattern(80)) == .queuedFirst)
        dropped.close(dropping: true)
        block.clear()
        #expect(dropped.take(for: &block) == .nothing)
        #expect(dropped.waitingBytes == 0)
    }

    @Test func `a small block's memory is used again, a large one's is given back`() {
        var outbox = Outbox(bytesMax: 1 << 20, blockBytesMax: 1 << 18), block = ByteBuffer()
        #expect(outbox.append(pattern(10_000)) == .queuedFirst)
        _ = outbox.take(for: &block)
        let small = block.capacity
        block.clear()
        _ = outbox.append([1])
        _ = outbox.take(for: &block)
        block.clear()
        _ = outbox.append([2])
        #expect(outbox.take(for: &block) == .last)
        #expect(block.capacity == small)
        _ = outbox.append(pattern(1 << 18))
        block.clear()
        _ = outbox.take(for: &block)
        block.clear()
        for byte in 0..<3 as Range<UInt8> {
            _ = outbox.append([byte])
            _ = outbox.take(for: &block)
            block.clear()
        }
        #expect(block.capacity <= small)
    }

    @Test func `everything that waits is handed out at once, then the end`() {
        var inbox = Inbox(bytesMax: 10)
        inbox.append(ByteBuffer(bytes: [1, 2]).readableBytesView)
        inbox.append(ByteBuffer(bytes: [3]).readableBytesView)
        inbox.end(nil, dropping: false)
        inbox.append(ByteBuffer(bytes: [4]).readableBytesView)
        #expect(Seen(inbox.take()) == .bytes([1, 2, 3], resumes: false))
        #expect(Seen(inbox.take()) == .end)
        #expect(Seen(inbox.take()) == .end)
        #expect(inbox.receivedBytes == 3)
    }

    @Test func `reading stops at the limit and resumes when the reader has taken everything`() {
        var inbox = Inbox(bytesMax: 4)
        #expect(Seen(inbox.take()) == .nothingYet)
        inbox.append(ByteBuffer(bytes: [1, 2, 3]).readableBytesView)
        let before = inbox.mayRead()
        inbox.append(ByteBuffer(bytes: [4, 5]).readableBytesView)
        let after = inbox.mayRead()
        #expect(before)
        #expect(!after)
        #expect(Seen(inbox.take()) == .bytes([1, 2, 3, 4, 5], resumes: true))
        let again = inbox.mayRead()
        #expect(again)
        #expect(Seen(inbox.take()) == .nothingYet)
    }

    @Test func `the first reason for an end is the one that is told, after what had come`() {
        var inbox = Inbox(bytesMax: 4)
        inbox.append(ByteBuffer(bytes: [1]).readableBytesView)
        inbox.end(TLSTransportError(.truncated, "first"), dropping: false)
        inbox.end(nil, dropping: false)
        #expect(Seen(inbox.take()) == .bytes([1], resumes: false))
        #expect(Seen(inbox.take()) == .failure("truncated: first"))
        var dropped = Inbox(bytesMax: 4)
        dropped.append(ByteBuffer(bytes: [1]).readableBytesView)
        dropped.end(nil, dropping: true)
        #expect(Seen(dropped.take()) == .end)
    }

    /// `Inbox.Next` in a form that can be compared.
    enum Seen: Equatable {
        case bytes([UInt8], resumes: Bool), end, failure(String), nothingYet

        init(_ next: Inbox.Next) {
            switch next {
            case .bytes(let bytes, let resumes): self = .bytes(bytes, resumes: resumes)
            case .end: self = .end
            case .failure(let error): self = .failure("\(error)")
            case .nothingYet: self = .nothingYet
            }
        }
    }
}
