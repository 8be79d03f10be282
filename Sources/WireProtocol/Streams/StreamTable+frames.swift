// MARK: - Frames that arrive

extension StreamTable {
    /// A stream frame arrived. Throws what ends the connection.
    package mutating func received(_ frame: Frame) throws(WireError) -> Received {
        switch frame.kind {
        case .streamOpen: return try opened(frame)
        case .streamData: return try data(frame)
        case .streamCredit:
            let bytes = try StreamCreditGrant.parse(frame.payload)
            guard let index = try known(frame), !streams.values[index].sending.isOver else { return Received() }
            try streams.values[index].credit.grant(bytes)
            queueIfReady(index)
            return Received()
        case .streamClose:
            let close = try StreamClose(parsing: frame.payload)
            guard let index = try known(frame) else { return Received() }
            let waiters = closedByPeer(index, close)
            return Received(reader: waiters.reader, writer: waiters.writer)
        default: preconditionFailure("a \(frame.kind) is not about a stream")
        }
    }

    private mutating func opened(_ frame: Frame) throws(WireError) -> Received {
        let id = frame.streamID
        guard !isOurs(id), id > highestPeerID else {
            throw WireError(.unexpectedFrame, "stream \(id) opened after \(highestPeerID)")
        }
        let purpose = try StreamPurpose.parse(frame.payload, bytesMax: Self.purposeBytesMax)
        // A peer that opens streams, lets us turn them down and never reads our answers.
        guard urgent.count < urgentMax else {
            throw WireError(.tooMany, "\(urgent.count) answers wait for a peer that does not read")
        }
        highestPeerID = id
        guard peerStreams < limits.streamsMax else {
            let reset = StreamReset(.refused, "\(limits.streamsMax) streams are open")
            urgent.append(.close(id, StreamClose([.sending, .reading], reset)))
            return Received()
        }
        add(id)
        peerStreams += 1
        return Received(opened: (id, purpose))
    }

    private mutating func data(_ frame: Frame) throws(WireError) -> Received {
        guard !frame.payload.isEmpty || frame.flags.contains(.end) else {
            throw WireError(.malformed, "data without bytes and without an end")
        }
        guard let index = try known(frame) else { return Received() }
        switch streams.values[index].receiving {
        case .open: break
        case .ended: throw WireError(.unexpectedFrame, "data after the end of stream \(frame.streamID)")
        // Sent before the peer knew that nobody reads.
        case .broken: return Received()
        }
        try streams.values[index].window.arrived(frame.payload.count)
        // What a reader takes at once may lean on the whole read it came in; what waits for a slow one may not.
        let leans = frame.retainedBytes > 2 * frame.payload.count
        streams.values[index].inbound.append(
            frame.payload, copying: leans && !streams.values[index].inbound.isEmpty)
        if frame.flags.contains(.end) { streams.values[index].receiving = .ended }
        var received = Received()
        swap(&received.reader, &streams.values[index].reader)
        removeIfOver(index)
        return received
    }

    private mutating func closedByPeer(
        _ index: Dictionary<UInt32, Stream>.Index, _ close: StreamClose
    ) -> (reader: Waiter?, writer: Waiter?) {
        var waiters: (reader: Waiter?, writer: Waiter?) = (nil, nil)
        if close.directions.contains(.sending), !streams.values[index].receiving.isOver {
            streams.values[index].receiving = .broken(close.reset)
            streams.values[index].inbound.removeAll()
            swap(&waiters.reader, &streams.values[index].reader)
        }
        if close.directions.contains(.reading), !streams.values[index].sending.isOver {
            streams.values[index].sending = .broken(close.reset)
            streams.values[index].outbound.removeAll()
            swap(&waiters.writer, &streams.values[index].writer)
        }
        removeIfOver(index)
        return waiters
    }

    /// The stream a frame is about; nil when it is over here and the peer did not know yet.
    private func known(_ frame: Frame) throws(WireError) -> Dictionary<UInt32, Stream>.Index? {
        let id = frame.streamID
        if let index = streams.index(forKey: id) { return index }
        guard isOurs(id) ? id < nextID : id <= highestPeerID else {
            throw WireError(.unexpectedFrame, "a \(frame.kind) of stream \(id), which was never opened")
        }
        return nil
    }

    private func isOurs(_ id: UInt32) -> Bool { (id % 2 == 1) == isDialler }
}

// MARK: - Frames to send

extension StreamTable {
    /// Appends the next frame, if there is one. `wakes` is a writer that has room now.
    package mutating func nextFrame(
        _ writer: FrameWriter, into buffer: inout [UInt8]
    ) throws(WireError) -> (appended: Bool, wakes: Waiter?) {
        if !urgent.isEmpty {
            let taken = urgent
            urgent = []
            for frame in taken { try append(frame, writer, to: &buffer) }
            return (true, nil)
        }
        while rotationStart < rotation.count {
            let id = rotation[rotationStart]
            rotationStart += 1
            if rotationStart * 2 >= rotation.count {
                rotation.removeFirst(rotationStart)
                rotationStart = 0
            }
            // One that was broken off meanwhile has nothing to say.
            guard let index = streams.index(forKey: id) else { continue }
            streams.values[index].isQueued = false
            guard isReady(index) else { continue }
            return (true, try appendData(index, writer, to: &buffer))
        }
        return (false, nil)
    }

    private mutating func append(
        _ frame: Urgent, _ writer: FrameWriter, to buffer: inout [UInt8]
    ) throws(WireError) {
        let (kind, id): (FrameKind, UInt32)
        var payload: [UInt8] = []
        switch frame {
        case .open(let opened, let purpose):
            (kind, id) = (.streamOpen, opened)
            StreamPurpose.append(purpose, to: &payload)
        case .credit(let reader):
            guard let index = streams.index(forKey: reader) else { return }
            (kind, id) = (.streamCredit, reader)
            StreamCreditGrant.append(streams.values[index].creditToSend, to: &payload)
            streams.values[index].creditToSend = 0
        case .close(let closed, let close):
            (kind, id) = (.streamClose, closed)
            close.append(to: &payload)
        }
        try writer.append(Frame(kind, streamID: id, payload: payload[...]), to: &buffer)
    }

    /// One turn: at most a chunk, then the stream goes to the back.
    private mutating func appendData(
        _ index: Dictionary<UInt32, Stream>.Index, _ writer: FrameWriter, to buffer: inout [UInt8]
    ) throws(WireError) -> Waiter? {
        var room = min(limits.streamChunkBytesMax, writer.payloadBytesMax, streams.values[index].credit.available)
        var flags: FrameFlags = []
        if case .finishing = streams.values[index].sending, streams.values[index].outbound.count <= room {
            flags = .end
            streams.values[index].sending = .over
        }
        let start = writer.begin(.streamData, flags: flags, streamID: streams.keys[index], in: &buffer)
        while let piece = streams.values[index].outbound.take(upTo: room) {
            buffer.append(contentsOf: piece)
            streams.values[index].credit.spend(piece.count)
            room -= piece.count
        }
        try writer.end(start, in: &buffer)
        queueIfReady(index)
        var wakes: Waiter?
        if hasRoom(index) { swap(&wakes, &streams.values[index].writer) }
        removeIfOver(index)
        return wakes
    }
}

// MARK: - Rules

extension StreamTable {
    mutating func add(_ id: UInt32) {
        streams[id] = Stream(
            credit: SendCredit(allowance.streamWindowBytes), window: ReceiveWindow(limits.streamWindowBytes))
    }

    /// Has something to send, and may: bytes with credit, or the end when no bytes are left.
    func isReady(_ index: Dictionary<UInt32, Stream>.Index) -> Bool {
        let isEmpty = streams.values[index].outbound.isEmpty
        let mayDeliver = streams.values[index].credit.available > 0
        switch streams.values[index].sending {
        case .open: return !isEmpty && mayDeliver
        case .finishing: return isEmpty || mayDeliver
        case .over, .broken: return false
        }
    }

    mutating func queueIfReady(_ index: Dictionary<UInt32, Stream>.Index) {
        guard !streams.values[index].isQueued, isReady(index) else { return }
        streams.values[index].isQueued = true
        rotation.append(streams.keys[index])
    }

    func hasRoom(_ index: Dictionary<UInt32, Stream>.Index) -> Bool {
        streams.values[index].outbound.count * 2 <= limits.streamOutboundBytesMax
    }

    mutating func takeWaiters(
        _ index: Dictionary<UInt32, Stream>.Index
    ) -> (reader: Waiter?, writer: Waiter?) {
        let waiters = (streams.values[index].reader, streams.values[index].writer)
        streams.values[index].reader = nil
        streams.values[index].writer = nil
        return waiters
    }

    /// Ends those of `directions` that are not over yet, and tells the peer of them.
    mutating func breakOff(
        _ index: Dictionary<UInt32, Stream>.Index, _ directions: StreamClose.Directions, _ reset: StreamReset
    ) -> (reader: Waiter?, writer: Waiter?) {
        var ended: StreamClose.Directions = []
        if directions.contains(.sending), !streams.values[index].sending.isOver {
            ended.insert(.sending)
            streams.values[index].sending = .broken(reset)
            streams.values[index].outbound.removeAll()
        }
        if directions.contains(.reading) {
            if !streams.values[index].receiving.isOver {
                ended.insert(.reading)
                streams.values[index].receiving = .broken(reset)
            }
            streams.values[index].inbound.removeAll()
        }
        if !ended.isEmpty { urgent.append(.close(streams.keys[index], StreamClose(ended, reset))) }
        return takeWaiters(index)
    }

    mutating func removeIfOver(_ index: Dictionary<UInt32, Stream>.Index) {
        guard streams.values[index].isOver else { return }
        if streams.values[index].isQueued, let place = rotation[rotationStart...].firstIndex(of: streams.keys[index]) {
            rotation.remove(at: place)
        }
        if !isOurs(streams.keys[index]) { peerStreams -= 1 }
        streams.remove(at: index)
    }
}
