import Synchronization
import WireProtocol

/// One end of a connection. It sends into its own pipe; the peer's end takes out of it.
package final class SimulatedConnection: PeerConnection {
    /// Bytes on their way to the peer, in order.
    private struct Sending {
        var pieces: [[UInt8]] = []
        var waitingBytes = 0
        /// Whether the front piece has a time of arrival already.
        var isUnderWay = false
        /// Nothing more is taken; when everything has arrived the peer sees the end.
        var isFinished = false
        var isClosed = false
        var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
        var lastWaiter = 0
    }

    private struct Receiving {
        var bytes: [UInt8] = []
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        /// The peer's pipe waits for room.
        var isFull = false
        /// This end was closed: what still arrives is answered by a reset.
        var isClosedHere = false
    }

    package let host: String
    package let peerHost: String
    package let certifiedNames: [String]
    package let remoteAddress: String
    package var certificateEnd: Int? { nil }
    private let network: SimulatedNetwork
    private let number = Mutex<Int?>(nil)
    private let sending = Mutex(Sending())
    private let receiving = Mutex(Receiving())
    private let peer = Mutex<WeakEnd>(WeakEnd())
    private let tap: Mutex<(any ConnectionTap)?>

    private struct WeakEnd { weak var end: SimulatedConnection? }

    init(
        _ network: SimulatedNetwork, from host: String, to peerHost: String, certifiedNames: [String],
        tap: (any ConnectionTap)?
    ) {
        self.network = network
        self.host = host
        self.peerHost = peerHost
        self.certifiedNames = certifiedNames
        remoteAddress = peerHost
        self.tap = Mutex(tap)
    }

    /// Both ends exist from here on.
    func join(_ other: SimulatedConnection) {
        peer.withLock { $0.end = other }
        let added = network.add(self)
        number.withLock { $0 = added }
    }

    // MARK: Sending

    package func send(_ bytes: [UInt8]) -> Bool {
        let isTaken = sending.withLock { sending -> Bool in
            guard !sending.isClosed, sending.waitingBytes < network.limits.outboundBytesMax else { return false }
            if bytes.isEmpty { return true }
            sending.waitingBytes += bytes.count
            // What is sent in one turn leaves together.
            if sending.pieces.count > (sending.isUnderWay ? 1 : 0),
                sending.pieces[sending.pieces.count - 1].count < 16384
            {
                sending.pieces[sending.pieces.count - 1] += bytes
            } else {
                sending.pieces.append(bytes)
            }
            return true
        }
        if isTaken {
            tap.withLock { $0?.sent(bytes) }
            startNext()
        }
        return isTaken
    }

    package func drained() async throws {
        let id = sending.withLock { sending in
            sending.lastWaiter += 1
            return sending.lastWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = sending.withLock { sending -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if sending.isClosed { return .failure(SimulatedReset()) }
                    if sending.waitingBytes <= network.limits.outboundBytesMax / 2 { return .success(()) }
                    sending.waiters[id] = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            sending.withLock { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    package func close(flush: Bool) {
        let (waiters, isIdle) = sending.withLock { sending -> ([CheckedContinuation<Void, any Error>], Bool) in
            if !sending.isClosed {
                sending.isClosed = true
                sending.isFinished = true
                if !flush { (sending.pieces, sending.waitingBytes) = ([], 0) }
            }
            defer { sending.waiters = [:] }
            return (sending.waiters.sorted { $0.key < $1.key }.map(\.value), sending.pieces.isEmpty)
        }
        for waiter in waiters { waiter.resume(throwing: SimulatedReset()) }
        receiving.withLock { $0.isClosedHere = true }
        endReceiving(.success(()), dropping: true)
        if isIdle { startNext() }
    }

    /// Gives the front piece a time of arrival, if the path lets anything pass.
    private func startNext() {
        let hasWork = sending.withLock { sending -> Bool in
            guard !sending.isUnderWay, !sending.pieces.isEmpty || sending.isFinished else { return false }
            sending.isUnderWay = true
            return true
        }
        if hasWork { schedule() }
    }

    private func schedule() {
        let path = network.path(from: host, to: peerHost)
        let now = network.scheduler.now
        guard !path.isCut, path.cloggedUntil <= now else {
            // `pathChanged` starts it again.
            network.count { $0.waits += 1 }
            sending.withLock { $0.isUnderWay = false }
            return
        }
        let (delay, lost) = network.draw { random -> (Duration, Int) in
            var (delay, lost) = (random.duration(in: path.delay), 0)
            while lost < 8, random.chance(path.loss) {
                // TCP doubles its timer.
                delay += path.retransmission * (1 << lost)
                lost += 1
            }
            return (delay, lost)
        }
        network.count { counts in
            counts.pieces += 1
            counts.losses += lost
        }
        network.scheduler.after(delay) { self.arrive() }
    }

    /// The front piece reaches the peer, if the path still stands.
    private func arrive() {
        let path = network.path(from: host, to: peerHost)
        guard !path.isCut, path.cloggedUntil <= network.scheduler.now else {
            network.count { $0.waits += 1 }
            sending.withLock { $0.isUnderWay = false }
            return
        }
        // The peer's end is closed and forgotten.
        guard let peer = peer.withLock({ $0.end }) else { return breakOff(SimulatedReset()) }
        guard peer.hasRoom() else {
            // It starts again when the peer has read.
            sending.withLock { $0.isUnderWay = false }
            return
        }
        let (splits, flips, bit) = network.draw {
            ($0.chance(path.splits), $0.chance(path.flips), $0.next())
        }
        let (piece, waiters, isEnd) = sending.withLock { sending in takePiece(&sending, splitting: splits, bit) }
        if splits, piece != nil { network.count { $0.splits += 1 } }
        for waiter in waiters { waiter.resume() }
        sending.withLock { $0.isUnderWay = false }
        if var piece {
            if peer.receiving.withLock({ $0.isClosedHere }) { return breakOff(SimulatedReset()) }
            if flips {
                network.count { $0.flips += 1 }
                guard !path.isAuthenticated else { return broken(SimulatedReset()) }
                piece[Int(bit % UInt64(piece.count))] ^= 1 << UInt8(bit >> 32 & 7)
            }
            network.scheduler.note(UInt64(piece.count))
            peer.arrived(piece)
            startNext()
        } else if isEnd {
            peer.endReceiving(.success(()), dropping: false)
            forget()
        }
    }

    private func takePiece(
        _ sending: inout Sending, splitting: Bool, _ bit: UInt64
    ) -> (piece: [UInt8]?, waiters: [CheckedContinuation<Void, any Error>], isEnd: Bool) {
        guard !sending.pieces.isEmpty else { return (nil, [], sending.isFinished) }
        var piece = sending.pieces.removeFirst()
        if splitting, piece.count > 1 {
            let at = 1 + Int(bit % UInt64(piece.count - 1))
            sending.pieces.insert(Array(piece[at...]), at: 0)
            piece = Array(piece[..<at])
        }
        sending.waitingBytes -= piece.count
        guard sending.waitingBytes <= network.limits.outboundBytesMax / 2 else { return (piece, [], false) }
        defer { sending.waiters = [:] }
        return (piece, sending.waiters.sorted { $0.key < $1.key }.map(\.value), false)
    }

    /// A cut was mended, a clog is over: what waits may go.
    func pathChanged() { startNext() }

    // MARK: Receiving

    package func receive() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (answer, wasFull) = receiving.withLock { receiving -> (Result<[UInt8]?, any Error>?, Bool) in
                    precondition(receiving.reader == nil, "a connection has one reader")
                    if Task.isCancelled { return (.failure(CancellationError()), false) }
                    if !receiving.bytes.isEmpty {
                        defer { (receiving.bytes, receiving.isFull) = ([], false) }
                        return (.success(receiving.bytes), receiving.isFull)
                    }
                    if let end = receiving.end { return (end.map { nil }, false) }
                    receiving.reader = continuation
                    return (nil, false)
                }
                if let answer { continuation.resume(with: answer) }
                if wasFull { peer.withLock { $0.end }?.pathChanged() }
            }
        } onCancel: {
            let reader = receiving.withLock { receiving in
                defer { receiving.reader = nil }
                return receiving.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }

    private func hasRoom() -> Bool {
        receiving.withLock { receiving in
            receiving.isFull = receiving.bytes.count >= network.limits.inboundBytesMax
            return !receiving.isFull
        }
    }

    private func arrived(_ bytes: [UInt8]) {
        tap.withLock { $0?.received(bytes) }
        let reader = receiving.withLock { receiving -> CheckedContinuation<[UInt8]?, any Error>? in
            guard receiving.end == nil else { return nil }
            if let reader = receiving.reader {
                receiving.reader = nil
                return reader
            }
            receiving.bytes += bytes
            return nil
        }
        reader?.resume(returning: bytes)
    }

    private func endReceiving(_ end: Result<Void, any Error>, dropping: Bool) {
        let reader = receiving.withLock { receiving -> CheckedContinuation<[UInt8]?, any Error>? in
            if receiving.end == nil { receiving.end = end }
            if dropping { receiving.bytes = [] }
            defer { receiving.reader = nil }
            return receiving.reader
        }
        switch end {
        case .success: reader?.resume(returning: nil)
        case .failure(let error): reader?.resume(throwing: error)
        }
    }

    // MARK: Ends

    /// Both ends are over at once.
    func broken(_ error: any Error) {
        breakOff(error)
        peer.withLock { $0.end }?.breakOff(error)
    }

    /// This end's process is gone. Its kernel resets the connection, if the machine runs: the reset travels like
    /// everything else.
    func processEnded(tellingPeer: Bool) {
        breakOff(SimulatedReset())
        guard tellingPeer, let peer = peer.withLock({ $0.end }) else { return }
        let path = network.path(from: host, to: peerHost)
        guard !path.isCut, path.cloggedUntil <= network.scheduler.now else { return }
        network.scheduler.after(path.delay.lowerBound) { peer.breakOff(SimulatedReset()) }
    }

    private func breakOff(_ error: any Error) {
        let waiters = sending.withLock { sending -> [CheckedContinuation<Void, any Error>] in
            sending.isClosed = true
            sending.isFinished = false
            (sending.pieces, sending.waitingBytes) = ([], 0)
            defer { sending.waiters = [:] }
            return sending.waiters.sorted { $0.key < $1.key }.map(\.value)
        }
        for waiter in waiters { waiter.resume(throwing: error) }
        endReceiving(.failure(error), dropping: false)
        forget()
    }

    private func forget() {
        if let known = number.withLock({ number in
            defer { number = nil }
            return number
        }) {
            network.remove(known)
        }
    }
}

/// Sees the bytes of one end of a connection, in order.
package protocol ConnectionTap: Sendable {
    func sent(_ bytes: [UInt8])
    func received(_ bytes: [UInt8])
}
