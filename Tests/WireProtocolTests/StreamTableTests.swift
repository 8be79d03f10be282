import Testing
import WireProtocol

/// The stream tables of both ends of a connection, and the bytes between them.
struct StreamPair {
    var dialler: StreamTable<String>
    var accepter: StreamTable<String>
    private var diallerDecoder = FrameDecoder(frameBytesMax: 1 << 20, version: 1)
    private var accepterDecoder = FrameDecoder(frameBytesMax: 1 << 20, version: 1)
    /// Streams the accepter was told of.
    var opened: [(id: UInt32, purpose: [UInt8])] = []
    var woken: [String] = []

    init(_ diallerLimits: WireLimits = .standard, _ accepterLimits: WireLimits = .standard) {
        dialler = StreamTable(
            isDialler: true, limits: diallerLimits, allowance: PeerAllowance(accepterLimits))
        accepter = StreamTable(
            isDialler: false, limits: accepterLimits, allowance: PeerAllowance(diallerLimits))
    }

    /// One frame of the dialler reaches the accepter, if it has one.
    mutating func stepForward() throws -> [Frame] {
        var bytes: [UInt8] = []
        if let waiter = try dialler.nextFrame(Samples.writer, into: &bytes).wakes { woken.append(waiter) }
        let frames = try accepterDecoder.take(bytes)
        for frame in frames { note(try accepter.received(frame)) }
        return frames
    }

    mutating func stepBack() throws -> [Frame] {
        var bytes: [UInt8] = []
        if let waiter = try accepter.nextFrame(Samples.writer, into: &bytes).wakes { woken.append(waiter) }
        let frames = try diallerDecoder.take(bytes)
        for frame in frames { note(try dialler.received(frame)) }
        return frames
    }

    mutating func settle() throws {
        while dialler.hasFrames || accepter.hasFrames {
            _ = try stepForward()
            _ = try stepBack()
        }
    }

    mutating func note(_ received: StreamTable<String>.Received) {
        if let (id, purpose) = received.opened { opened.append((id, Array(purpose))) }
        woken += [received.reader, received.writer].compactMap { $0 }
    }

    mutating func open(_ purpose: [UInt8] = [1]) throws -> UInt32 {
        let id = dialler.open(purpose: purpose[...])
        return try #require(id)
    }
}

extension StreamTable {
    mutating func readAll(_ id: UInt32) -> [UInt8] {
        var all: [UInt8] = []
        while case .bytes(let piece) = read(id) { all += piece }
        return all
    }
}

@Suite struct StreamTableTests {
    @Test func `bytes go both ways, and each direction ends on its own`() throws {
        var pair = StreamPair()
        let id = try pair.open(Array("blob/7".utf8))
        #expect(id == 1)
        #expect(pair.dialler.write([1, 2, 3], to: id) == .took(3))
        pair.dialler.finish(id)
        try pair.settle()
        #expect(pair.opened.map(\.purpose) == [Array("blob/7".utf8)])
        #expect(pair.accepter.read(id) == .bytes([1, 2, 3]))
        #expect(pair.accepter.read(id) == .end)
        #expect(pair.accepter.write([4], to: id) == .took(1))
        try pair.settle()
        #expect(pair.dialler.read(id) == .bytes([4]))
        #expect(pair.dialler.read(id) == .nothingYet)
        pair.accepter.finish(id)
        try pair.settle()
        #expect(pair.dialler.read(id) == .end)
        #expect(pair.dialler.count == 1 && pair.accepter.count == 1)
        _ = pair.dialler.release(id)
        _ = pair.accepter.release(id)
        try pair.settle()
        #expect(pair.dialler.count == 0 && pair.accepter.count == 0)
    }

    @Test func `numbers of the dialler are odd, those of the accepter even`() throws {
        var pair = StreamPair()
        #expect((0..<3).map { _ in pair.dialler.open(purpose: []) } == [1, 3, 5])
        #expect((0..<3).map { _ in pair.accepter.open(purpose: []) } == [2, 4, 6])
        try pair.settle()
        #expect(pair.dialler.count == 6 && pair.accepter.count == 6)
    }

    @Test func `a stalled reader stops its stream, holds its window, and nobody else's`() throws {
        var limits = WireLimits()
        limits.streamWindowBytes = 100_000
        var pair = StreamPair(.standard, limits)
        let (stalled, quick) = (try pair.open(), try pair.open())
        var arrived = 0
        for _ in 0..<200 {
            for id in [stalled, quick] { _ = pair.dialler.write(Samples.number(20_000)[...], to: id) }
            try pair.settle()
            arrived += pair.accepter.readAll(quick).count
        }
        #expect(arrived > 2_000_000)
        let held = pair.accepter.waitingBytes(stalled)?.inbound
        #expect(held == 100_000)
        #expect(pair.dialler.waitingBytes(stalled)?.outbound == WireLimits.standard.streamOutboundBytesMax)
        #expect(pair.dialler.write([1], to: stalled) == .took(0))
        // Reading sets it going again.
        #expect(pair.accepter.readAll(stalled).count == 100_000)
        try pair.settle()
        #expect(pair.accepter.readAll(stalled).count >= 50_000)
    }

    @Test func `streams take turns by a chunk, however much one has`() throws {
        var limits = WireLimits()
        limits.streamChunkBytesMax = 1000
        var pair = StreamPair(limits)
        let ids = try (0..<5).map { _ in try pair.open() }
        try pair.settle()
        for (index, id) in ids.enumerated() {
            #expect(
                pair.dialler.write([UInt8](repeating: 0, count: index == 2 ? 100_000 : 4000)[...], to: id) != .took(0))
        }
        var order: [UInt32] = []
        for _ in 0..<20 { order += try pair.stepForward().map(\.streamID) }
        #expect(order == ids + ids + ids + ids)
        // One that comes later waits for one round, not for the large one.
        _ = pair.dialler.write([1], to: ids[0])
        #expect(try pair.stepForward().map(\.streamID) == [ids[2]])
        #expect(try pair.stepForward().map(\.streamID) == [ids[0]])
    }

    @Test func `a chunk is never larger than the credit, the limit or the peer's frames`() throws {
        var small = WireLimits()
        small.streamWindowBytes = 70
        var pair = StreamPair(.standard, small)
        let id = try pair.open()
        _ = pair.dialler.write(Samples.number(100)[...], to: id)
        #expect(try pair.stepForward().map(\.payload.count) == [2])
        #expect(try pair.stepForward().map(\.payload.count) == [70])
        #expect(try pair.stepForward().isEmpty)
        var table = StreamTable<String>(isDialler: true, limits: .standard, allowance: PeerAllowance(.standard))
        #expect(table.open(purpose: []) == 1)
        _ = table.write(Samples.number(50_000)[...], to: 1)
        let writer = FrameWriter(version: 1, frameBytesMax: 16_384)
        var bytes: [UInt8] = []
        while try table.nextFrame(writer, into: &bytes).appended {}
        var decoder = FrameDecoder(frameBytesMax: 16_384, version: 1)
        #expect(try decoder.take(bytes).map(\.payload.count) == [1, 16_376, 16_376, 16_376, 872])
    }

    @Test func `the end goes with the last bytes, or alone when there are none`() throws {
        var pair = StreamPair()
        let (one, two) = (try pair.open(), try pair.open())
        _ = pair.dialler.write([1], to: one)
        pair.dialler.finish(one)
        pair.dialler.finish(two)
        pair.dialler.finish(two)
        _ = try pair.stepForward()
        #expect(try pair.stepForward() == [Frame(.streamData, flags: .end, streamID: one, payload: [1])])
        #expect(try pair.stepForward() == [Frame(.streamData, flags: .end, streamID: two)])
        #expect(!pair.dialler.hasFrames)
    }

    @Test func `an end without bytes needs no credit`() throws {
        var small = WireLimits()
        small.streamWindowBytes = 10
        var pair = StreamPair(.standard, small)
        let id = try pair.open()
        _ = pair.dialler.write(Samples.number(10)[...], to: id)
        try pair.settle()
        pair.dialler.finish(id)
        try pair.settle()
        #expect(pair.accepter.readAll(id).count == 10)
        #expect(pair.accepter.read(id) == .end)
    }

    @Test func `a writer waits for room and a reader for bytes, and both are woken once`() throws {
        var limits = WireLimits()
        limits.streamOutboundBytesMax = 1000
        var pair = StreamPair(limits)
        let id = try pair.open()
        #expect(pair.dialler.awaitWritable(id, "writer") == "writer")
        #expect(pair.dialler.write(Samples.number(1500)[...], to: id) == .took(1000))
        #expect(pair.dialler.write([1], to: id) == .took(0))
        #expect(pair.dialler.awaitWritable(id, "writer") == nil)
        _ = try pair.stepForward()
        #expect(pair.accepter.awaitReadable(id, "reader") == nil)
        #expect(pair.woken.isEmpty)
        _ = try pair.stepForward()
        #expect(pair.woken.sorted() == ["reader", "writer"])
        #expect(pair.accepter.awaitReadable(id, "reader") == "reader")
        _ = pair.accepter.readAll(id)
        pair.dialler.finish(id)
        #expect(pair.accepter.awaitReadable(id, "reader again") == nil)
        try pair.settle()
        #expect(pair.woken.last == "reader again")
        #expect(pair.accepter.awaitReadable(id, "too late") == "too late")
    }

    @Test func `a waiter whose task is cancelled is given back`() throws {
        var pair = StreamPair()
        let id = try pair.open()
        _ = pair.dialler.awaitReadable(id, "reader")
        #expect(pair.dialler.stopWaiting(id).reader == "reader")
        #expect(pair.dialler.stopWaiting(id).reader == nil)
        #expect(pair.dialler.stopWaiting(99).reader == nil)
    }

    @Test func `a reset reaches the other end with its reason and drops what was queued`() throws {
        var pair = StreamPair()
        let id = try pair.open()
        try pair.settle()
        _ = pair.accepter.write(Samples.number(10)[...], to: id)
        try pair.settle()
        _ = pair.dialler.write(Samples.number(100_000)[...], to: id)
        _ = pair.accepter.awaitReadable(id, "reader")
        let reset = StreamReset(.failed, "disk full")
        _ = pair.dialler.reset(id, reset)
        try pair.settle()
        #expect(pair.accepter.read(id) == .broken(reset))
        #expect(pair.accepter.write([1], to: id) == .broken(reset))
        #expect(pair.dialler.read(id) == .broken(reset))
        #expect(pair.dialler.write([1], to: id) == .broken(reset))
        #expect(pair.woken == ["reader"])
        _ = pair.dialler.release(id)
        _ = pair.accepter.release(id)
        try pair.settle()
        #expect(pair.dialler.count == 0 && pair.accepter.count == 0)
    }

    @Test func `whoever writes, finishes and leaves loses nothing`() throws {
        var pair = StreamPair()
        let id = try pair.open()
        _ = pair.dialler.write(Samples.number(200_000)[...], to: id)
        pair.dialler.finish(id)
        _ = pair.dialler.release(id)
        try pair.settle()
        #expect(pair.accepter.readAll(id) == Samples.number(200_000))
        #expect(pair.accepter.read(id) == .end)
        // The dialler reads no more, so nobody has to write.
        #expect(pair.accepter.write([1], to: id) == .broken(StreamReset(.cancelled)))
        _ = pair.accepter.release(id)
        try pair.settle()
        #expect(pair.dialler.count == 0 && pair.accepter.count == 0)
    }

    @Test func `whoever leaves in the middle breaks both directions off`() throws {
        var pair = StreamPair()
        let id = try pair.open()
        _ = pair.dialler.write([1], to: id)
        try pair.settle()
        _ = pair.dialler.release(id)
        try pair.settle()
        #expect(pair.dialler.count == 0)
        #expect(pair.accepter.read(id) == .broken(StreamReset(.cancelled)))
        _ = pair.accepter.release(id)
        #expect(pair.accepter.count == 0)
    }

    @Test func `when the connection is lost everybody is woken and told`() throws {
        var pair = StreamPair()
        let id = try pair.open()
        _ = pair.dialler.awaitReadable(id, "reader")
        #expect(pair.dialler.connectionLost() == ["reader"])
        guard case .broken(let reset) = pair.dialler.read(id) else {
            Issue.record("not broken")
            return
        }
        #expect(reset.code == .connectionLost)
        #expect(pair.dialler.open(purpose: []) == nil)
        #expect(pair.dialler.awaitReadable(id, "late") == "late")
        #expect(pair.dialler.awaitWritable(id, "late") == "late")
        #expect(!pair.dialler.hasFrames)
        _ = pair.dialler.release(id)
    }
}
