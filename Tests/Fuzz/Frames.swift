/// What arrives after the handshake: frames in pieces of any size, their payloads, calls and streams.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer's bytes, for the time of this call.
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    var peer = Peer(lane: Lane(rawValue: first & 3))
    var rest = input.dropFirst()
    let pieceBytes = 1 + Int(first >> 2)
    while !rest.isEmpty {
        let piece = Array(rest.prefix(pieceBytes))
        rest = rest.dropFirst(piece.count)
        do {
            try peer.take(piece)
        } catch {
            break
        }
    }
    return 0
}

/// A node at the other end, without a network: it answers everything that can be answered.
private struct Peer {
    private static let frameBytesMax = 4096
    private var decoder: FrameDecoder
    private var streams: StreamTable<Int>
    private var served = ServedCalls<Int>(inFlightMax: 4)
    private let limits: WireLimits
    private var outbound: [UInt8] = []
    private let writer = FrameWriter(version: 1, frameBytesMax: 1 << 14)

    init(lane: Lane?) {
        decoder = FrameDecoder(frameBytesMax: Self.frameBytesMax, version: 1)
        decoder.lane = lane
        var limits = WireLimits()
        limits.streamsMax = 4
        limits.streamWindowBytes = 64
        limits.streamOutboundBytesMax = 64
        self.limits = limits
        streams = StreamTable(isDialler: false, limits: limits, allowance: PeerAllowance(limits))
        _ = streams.open(purpose: [])
    }

    mutating func take(_ piece: [UInt8]) throws {
        decoder.feed(piece)
        while let frame = try decoder.next() {
            precondition(frame.payload.count <= Self.frameBytesMax, "a payload of \(frame.payload.count) bytes")
            try take(frame)
        }
        precondition(decoder.heldBytes <= Self.frameBytesMax + 4, "\(decoder.heldBytes) bytes are held")
    }

    private mutating func take(_ frame: Frame) throws {
        switch frame.kind {
        case .hello: _ = try Hello(parsing: frame.payload)
        case .callList: _ = try CallList(parsing: frame.payload)
        case .goAway: _ = try GoAway(parsing: frame.payload)
        case .ping, .ack: _ = try Keepalive.number(in: frame.payload)
        case .gossip: break
        case .call:
            let (header, _) = try CallHeader.parse(frame.payload)
            var again: [UInt8] = []
            try header.append(to: &again)
            precondition(frame.payload.starts(with: again), "a call header has two forms")
            if served.accept(frame.streamID) == .run { _ = served.started(frame.streamID, 1) }
            precondition(served.inFlight <= 4, "\(served.inFlight) calls")
        case .reply: _ = try ReplyOutcome(parsing: frame.payload)
        case .cancel: if served.cancel(frame.streamID) != nil { _ = served.finished(frame.streamID) }
        case .streamOpen, .streamData, .streamCredit, .streamClose: try takeStream(frame)
        }
    }

    private mutating func takeStream(_ frame: Frame) throws {
        if let opened = try streams.received(frame).opened?.id {
            _ = streams.write([1, 2, 3], to: opened)
            // Some handlers leave, some finish, some stall.
            if opened % 8 == 1 { _ = streams.release(opened) }
            if opened % 8 == 3 { streams.finish(opened) }
        }
        if frame.streamID % 4 == 1 { _ = streams.read(frame.streamID) }
        if frame.streamID % 2 == 1 {
            while try streams.nextFrame(writer, into: &outbound).appended {}
            outbound.removeAll(keepingCapacity: true)
        }
        precondition(streams.count <= limits.streamsMax + 1, "\(streams.count) streams")
        let waiting = streams.waitingBytes(frame.streamID)?.inbound ?? 0
        precondition(waiting <= limits.streamWindowBytes, "\(waiting) bytes wait")
    }
}
