import Testing
import WireProtocol

@Suite struct StreamViolationTests {
    /// An accepter that has streams 1 and 3 of its peer, and 2 of its own.
    private func table(_ limits: WireLimits = .standard) throws -> StreamTable<String> {
        var table = StreamTable<String>(isDialler: false, limits: limits, allowance: PeerAllowance(.standard))
        _ = table.open(purpose: [])
        _ = try table.received(open(1))
        _ = try table.received(open(3))
        return table
    }

    private func open(_ id: UInt32) -> Frame { Frame(.streamOpen, streamID: id, payload: [0]) }

    private func code(_ table: StreamTable<String>, _ frame: Frame) -> WireError.Code? {
        var table = table
        return wireError { _ = try table.received(frame) }?.code
    }

    @Test func `streams are opened in order, by the side that has their numbers`() throws {
        let table = try table()
        for id in [1, 2, 3, 4] as [UInt32] { #expect(code(table, open(id)) == .unexpectedFrame, "\(id)") }
        #expect(code(table, open(5)) == nil)
        #expect(code(table, open(99)) == nil)
    }

    @Test func `frames of streams that never were end the connection`() throws {
        let table = try table()
        for id in [4, 5, 6, 1001] as [UInt32] {
            #expect(code(table, Frame(.streamData, streamID: id, payload: [1])) == .unexpectedFrame)
            #expect(code(table, Frame(.streamCredit, streamID: id, payload: [0, 0, 0, 1])) == .unexpectedFrame)
            #expect(code(table, Frame(.streamClose, streamID: id, payload: [3, 0, 0, 0, 0, 0])) == .unexpectedFrame)
        }
    }

    @Test func `frames of streams that are over are skipped`() throws {
        var table = try table()
        _ = table.reset(1, StreamReset(.cancelled))
        _ = table.release(1)
        #expect(table.count == 2)
        for frame in [
            Frame(.streamData, streamID: 1, payload: [1]), Frame(.streamCredit, streamID: 1, payload: [0, 0, 0, 1]),
            Frame(.streamClose, streamID: 1, payload: [3, 0, 0, 0, 0, 0]),
        ] {
            #expect(code(table, frame) == nil)
        }
    }

    @Test func `data that nobody reads any more is skipped, though it is counted by nobody`() throws {
        var table = try table()
        _ = table.reset(1, StreamReset(.cancelled))
        for _ in 0..<100 {
            let frame = Frame(.streamData, streamID: 1, payload: Samples.number(60_000)[...])
            _ = try table.received(frame)
        }
        #expect(table.waitingBytes(1)?.inbound == 0)
    }

    @Test func `data over the window, after the end, or without a meaning ends the connection`() throws {
        var limits = WireLimits()
        limits.streamWindowBytes = 10
        var table = try table(limits)
        #expect(code(table, Frame(.streamData, streamID: 1, payload: Samples.number(11)[...])) == .creditExceeded)
        _ = try table.received(Frame(.streamData, streamID: 1, payload: Samples.number(10)[...]))
        #expect(code(table, Frame(.streamData, streamID: 1, payload: [1])) == .creditExceeded)
        #expect(code(table, Frame(.streamData, streamID: 1)) == .malformed)
        _ = try table.received(Frame(.streamData, flags: .end, streamID: 1))
        #expect(code(table, Frame(.streamData, flags: .end, streamID: 1)) == .unexpectedFrame)
    }

    @Test func `credit over 2 GiB ends the connection`() throws {
        let table = try table()
        let frame = Frame(.streamCredit, streamID: 1, payload: [0x7F, 0xFF, 0xFF, 0xFF])
        #expect(code(table, frame) == .creditExceeded)
        #expect(code(table, Frame(.streamCredit, streamID: 1, payload: [0, 0, 0, 0])) == .creditExceeded)
    }

    @Test func `payloads that are no payload of their kind end the connection`() throws {
        let table = try table()
        for frame in [
            Frame(.streamOpen, streamID: 5), Frame(.streamOpen, streamID: 5, payload: [1]),
            Frame(.streamOpen, streamID: 5, payload: [0, 0]),
            Frame(.streamOpen, streamID: 5, payload: [0x81, 0x20] + Samples.number(4097)),
            Frame(.streamCredit, streamID: 1), Frame(.streamCredit, streamID: 1, payload: [0, 0, 1]),
            Frame(.streamCredit, streamID: 1, payload: [0, 0, 0, 1, 0]), Frame(.streamClose, streamID: 1),
            Frame(.streamClose, streamID: 1, payload: [1, 0, 0, 0]),
            Frame(.streamClose, streamID: 1, payload: [1, 0, 0, 0, 0, 0x81, 0x02] + Samples.number(257)),
        ] {
            #expect(code(table, frame) == .malformed, "\(frame)")
        }
        for directions in [0, 4, 255] as [UInt8] {
            let frame = Frame(.streamClose, streamID: 1, payload: [directions, 0, 0, 0, 0, 0])
            #expect(code(table, frame) == .reservedBits)
        }
    }

    @Test func `a stream over the limit is refused, the connection lives`() throws {
        var limits = WireLimits()
        limits.streamsMax = 2
        var table = try table(limits)
        #expect(try table.received(open(5)).opened == nil)
        #expect(table.count == 3)
        var bytes: [UInt8] = []
        while try table.nextFrame(Samples.writer, into: &bytes).appended {}
        var decoder = FrameDecoder(frameBytesMax: 1 << 20, version: 1)
        let close = try #require(try decoder.take(bytes).last)
        #expect(close.kind == .streamClose && close.streamID == 5)
        #expect(try StreamClose(parsing: close.payload).reset.code == .refused)
    }

    @Test func `a stream that is over counts until its handler lets go of it`() throws {
        var limits = WireLimits()
        limits.streamsMax = 2
        var table = try table(limits)
        _ = try table.received(Frame(.streamClose, streamID: 1, payload: [3, 0, 0, 0, 0, 0]))
        #expect(try table.received(open(5)).opened == nil)
        _ = table.release(1)
        #expect(try table.received(open(7)).opened?.id == 7)
    }

    @Test func `ours are not opened over the peer's limit`() {
        var limits = WireLimits()
        limits.streamsMax = 2
        var table = StreamTable<String>(isDialler: true, limits: .standard, allowance: PeerAllowance(limits))
        #expect((0..<3).map { _ in table.open(purpose: []) } == [1, 3, nil])
        _ = table.release(1)
        #expect(table.open(purpose: []) == 5)
    }

    @Test func `a peer that opens and never reads our refusals is cut off`() throws {
        var limits = WireLimits()
        limits.streamsMax = 2
        var table = try table(limits)
        var error: WireError?
        var id: UInt32 = 5
        while error == nil, id < 10_000 {
            error = wireError { _ = try table.received(open(id)) }
            id += 2
        }
        #expect(error?.code == .tooMany)
        #expect(table.waitingFrames <= table.urgentMax)
    }

    @Test func `opening and leaving in a loop without sending does not pile up`() {
        var table = StreamTable<String>(isDialler: true, limits: .standard, allowance: PeerAllowance(.standard))
        for _ in 0..<10_000 {
            guard let id = table.open(purpose: []) else { break }
            _ = table.write([1], to: id)
            _ = table.release(id)
        }
        #expect(table.waitingFrames <= table.urgentMax + 1 + table.count)
    }

    @Test func `text of a reset is made fit for a log line`() throws {
        let close = try StreamClose(parsing: [1, 0, 0, 0, 20, 3, 0x41, 0x0A, 0x42])
        #expect(close.reset == StreamReset(StreamReset.Code(rawValue: 20), "A?B"))
        #expect(StreamReset(.failed, String(repeating: "x", count: 300)).text.utf8.count == 256)
    }
}
