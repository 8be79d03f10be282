/// The streams of one connection, both those we opened and the peer's: bytes both ways, with credit, in turns.
///
/// `Waiter` is whatever waits to read or write, usually a continuation. The caller owns the table under a lock; nothing
/// here waits. Whatever becomes readable or writable answers with the waiter to wake.
///
/// Memory of a stream is at most `streamWindowBytes` (received, not read) and `streamOutboundBytesMax` (written, not
/// sent), whatever either side does. A stream leaves the table when both directions are over and its local end was
/// released: a peer that opens and breaks off in a loop runs into `streamsMax` while its handlers are still here.
package struct StreamTable<Waiter> {
    /// Bytes of a purpose; 4 KiB.
    package static var purposeBytesMax: Int { 4096 }

    package enum WriteAnswer: Hashable, Sendable {
        /// So many bytes were queued, from the front; wait before the rest (`awaitWritable`) when it is not all.
        case took(Int)
        /// The peer reads no more, the connection is gone, or we broke off.
        case broken(StreamReset)
    }

    package enum ReadAnswer: Hashable, Sendable {
        case bytes(ArraySlice<UInt8>)
        /// Wait (`awaitReadable`).
        case nothingYet
        /// The peer has finished and everything is read.
        case end
        case broken(StreamReset)
    }

    /// What arrived, and whom to wake.
    package struct Received {
        /// The peer opened this stream.
        package var opened: (id: UInt32, purpose: ArraySlice<UInt8>)?
        package var reader: Waiter?
        package var writer: Waiter?
    }

    /// Open: bytes are queued. Exits: finishing (`finish`), broken (either side).
    /// Finishing: the end follows what is queued. Exits: over (the end is sent), broken.
    enum Sending {
        case open
        case finishing
        case over
        case broken(StreamReset)

        var isOver: Bool {
            switch self {
            case .open, .finishing: false
            case .over, .broken: true
            }
        }
    }

    /// Open: bytes arrive. Exits: ended (by the peer), broken (either side).
    enum Receiving {
        case open
        case ended
        case broken(StreamReset)

        var isOver: Bool { if case .open = self { false } else { true } }
    }

    struct Stream {
        var sending = Sending.open
        var credit: SendCredit
        var outbound = ByteQueue()
        var receiving = Receiving.open
        var window: ReceiveWindow
        var inbound = ByteQueue()
        var reader: Waiter?
        var writer: Waiter?
        /// Whether it stands in `rotation`.
        var isQueued = false
        /// Credit that is in `urgent` and grows until it is sent.
        var creditToSend = 0
        var isReleased = false

        var isOver: Bool { sending.isOver && receiving.isOver && isReleased }
    }

    /// Frames that go before data.
    enum Urgent {
        case open(UInt32, purpose: ArraySlice<UInt8>)
        case credit(UInt32)
        case close(UInt32, StreamClose)
    }

    let isDialler: Bool
    let limits: WireLimits
    let allowance: PeerAllowance
    var streams: [UInt32: Stream] = [:]
    var urgent: [Urgent] = []
    /// Streams that have something to send and may, in the order of their turns.
    var rotation: [UInt32] = []
    var rotationStart = 0
    var nextID: UInt32
    var highestPeerID: UInt32 = 0
    var lost: StreamReset?
    /// Those of `streams` that the peer opened.
    var peerStreams = 0

    package init(isDialler: Bool, limits: WireLimits, allowance: PeerAllowance) {
        self.isDialler = isDialler
        self.limits = limits
        self.allowance = allowance
        nextID = isDialler ? 1 : 2
    }

    /// Streams that count, ended ones that are not released included.
    package var count: Int { streams.count }

    /// Whether `nextFrame` has something.
    package var hasFrames: Bool { !urgent.isEmpty || rotationStart < rotation.count }

    /// Bytes of a stream that wait here: received and not read, written and not sent. Nil when it is over.
    package func waitingBytes(_ id: UInt32) -> (inbound: Int, outbound: Int)? {
        streams[id].map { ($0.inbound.count, $0.outbound.count) }
    }

    /// Frames that wait to be sent: control frames, and one for each stream that has data.
    package var waitingFrames: Int { urgent.count + rotation.count - rotationStart }

    /// Control frames that may wait to be sent. More means that the peer makes us answer and does not read.
    package var urgentMax: Int { 64 + 4 * (limits.streamsMax + allowance.streamsMax) }
}

// MARK: - The local end

extension StreamTable {
    /// Opens a stream. Nil when the peer has as many of ours as it takes, the numbers are used up (after 2^31 streams),
    /// or the connection is lost.
    package mutating func open(purpose: ArraySlice<UInt8>) -> UInt32? {
        precondition(purpose.count <= Self.purposeBytesMax, "a purpose of \(purpose.count) bytes")
        let ours = streams.count - peerStreams
        guard lost == nil, ours < allowance.streamsMax, urgent.count < urgentMax, nextID <= UInt32.max - 2 else {
            return nil
        }
        let id = nextID
        nextID += 2
        add(id)
        urgent.append(.open(id, purpose: purpose))
        return id
    }

    /// Queues the front of `bytes`, as far as there is room.
    package mutating func write(_ bytes: ArraySlice<UInt8>, to id: UInt32) -> WriteAnswer {
        guard let index = streams.index(forKey: id) else { return .broken(lost ?? StreamReset(.cancelled)) }
        switch streams.values[index].sending {
        case .open: break
        case .finishing, .over: preconditionFailure("stream \(id) was finished before")
        case .broken(let reset): return .broken(reset)
        }
        let room = limits.streamOutboundBytesMax - streams.values[index].outbound.count
        let taken = bytes.prefix(max(0, room))
        streams.values[index].outbound.append(taken)
        queueIfReady(index)
        return .took(taken.count)
    }

    /// Nothing more will be written; the peer sees the end after everything before.
    package mutating func finish(_ id: UInt32) {
        guard let index = streams.index(forKey: id), case .open = streams.values[index].sending else { return }
        streams.values[index].sending = .finishing
        queueIfReady(index)
    }

    /// Everything that can be read without waiting.
    package mutating func read(_ id: UInt32) -> ReadAnswer {
        guard let index = streams.index(forKey: id) else { return .broken(lost ?? StreamReset(.cancelled)) }
        if let piece = streams.values[index].inbound.take(upTo: .max) {
            if let credit = streams.values[index].window.read(piece.count), !streams.values[index].receiving.isOver {
                if streams.values[index].creditToSend == 0 { urgent.append(.credit(id)) }
                streams.values[index].creditToSend += credit
            }
            return .bytes(piece)
        }
        switch streams.values[index].receiving {
        case .open: return .nothingYet
        case .ended: return .end
        case .broken(let reset): return .broken(reset)
        }
    }

    /// Breaks both directions off, telling the peer why. What is queued is dropped; what the peer has not read is void.
    package mutating func reset(_ id: UInt32, _ reset: StreamReset) -> (reader: Waiter?, writer: Waiter?) {
        guard let index = streams.index(forKey: id) else { return (nil, nil) }
        return breakOff(index, [.sending, .reading], reset)
    }

    /// The local end is gone. What was written and finished is still sent; what is not finished is broken off, and the
    /// peer is told that nobody reads.
    package mutating func release(_ id: UInt32) -> (reader: Waiter?, writer: Waiter?) {
        guard let index = streams.index(forKey: id) else { return (nil, nil) }
        streams.values[index].isReleased = true
        var directions: StreamClose.Directions = .reading
        if case .open = streams.values[index].sending { directions.insert(.sending) }
        let waiters = breakOff(index, directions, StreamReset(.cancelled))
        if let index = streams.index(forKey: id) { removeIfOver(index) }
        return waiters
    }

    /// Waits for something to read. Gives the waiter back when there is something already.
    package mutating func awaitReadable(_ id: UInt32, _ waiter: Waiter) -> Waiter? {
        guard let index = streams.index(forKey: id), streams.values[index].inbound.isEmpty,
            !streams.values[index].receiving.isOver
        else { return waiter }
        precondition(streams.values[index].reader == nil, "stream \(id) has a reader that waits")
        streams.values[index].reader = waiter
        return nil
    }

    /// Waits for room to write: half of `streamOutboundBytesMax`. Gives the waiter back when there is room already.
    package mutating func awaitWritable(_ id: UInt32, _ waiter: Waiter) -> Waiter? {
        guard let index = streams.index(forKey: id), !streams.values[index].sending.isOver, !hasRoom(index) else {
            return waiter
        }
        precondition(streams.values[index].writer == nil, "stream \(id) has a writer that waits")
        streams.values[index].writer = waiter
        return nil
    }

    /// Takes back waiters whose task was cancelled.
    package mutating func stopWaiting(_ id: UInt32) -> (reader: Waiter?, writer: Waiter?) {
        guard let index = streams.index(forKey: id) else { return (nil, nil) }
        return takeWaiters(index)
    }

    /// The connection is gone: everybody to wake. Reads and writes answer `broken` from now on.
    package mutating func connectionLost() -> [Waiter] {
        let reset = StreamReset(.connectionLost, "the connection is lost")
        lost = reset
        let waiters = streams.values.flatMap { [$0.reader, $0.writer] }.compactMap { $0 }
        (streams, urgent, rotation, rotationStart, peerStreams) = ([:], [], [], 0, 0)
        return waiters
    }
}
