import NIOCore
import Synchronization
import WireProtocol

/// One TLS connection whose peer has proved who it is.
///
/// Callers stand on any thread, the socket on its event loop; between them are two boxes, each behind a mutex that is
/// held for one copy of bytes. Senders fill the outbox and wake the loop once; the loop fills the inbox and wakes the
/// reader once per batch. No actor and no future stands on that way.
package final class TLSPeerConnection: PeerConnection {
    private struct Sending {
        var outbox: Outbox
        var lastWaiter = 0
        /// The socket is closed, and its event loop may be gone.
        var hasEnded = false
        var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    }

    private struct Receiving {
        var inbox: Inbox
        var reader: CheckedContinuation<[UInt8]?, any Error>?
    }

    /// What the connection asks of its event loop. Made once, so that asking costs no allocation.
    struct Requests: Sendable {
        let flush: @Sendable () -> Void
        let read: @Sendable () -> Void
        let close: @Sendable (_ flush: Bool) -> Void
    }

    let identity: PeerIdentity
    package let remoteAddress: String
    /// Whether the peer called us.
    let isAccepted: Bool
    private let eventLoop: any EventLoop
    private let requests: Requests
    /// Completed when the socket is closed.
    private let closed: EventLoopFuture<Void>
    private let sending: Mutex<Sending>
    private let receiving: Mutex<Receiving>

    init(
        _ identity: PeerIdentity, remoteAddress: String, isAccepted: Bool, channel: any Channel, requests: Requests,
        configuration: TLSTransportConfiguration
    ) {
        precondition(!identity.names.isEmpty, "a connection without a name does not exist")
        self.identity = identity
        self.remoteAddress = remoteAddress
        self.isAccepted = isAccepted
        self.requests = requests
        eventLoop = channel.eventLoop
        closed = channel.closeFuture
        let outbox = Outbox(bytesMax: configuration.outboundBytesMax, blockBytesMax: configuration.flushBytesMax)
        sending = Mutex(Sending(outbox: outbox))
        receiving = Mutex(Receiving(inbox: Inbox(bytesMax: configuration.inboundBytesMax)))
    }

    package var certifiedNames: [String] { identity.names }
    package var certificateEnd: Int? { identity.notValidAfter }

    /// Where the bytes of this connection arrive. A reader with this as its task executor preference (SE-0417) is woken
    /// without a change of thread; it must not compute for long.
    package var executor: (any TaskExecutor)? { LoopExecutor(eventLoop) }

    /// Bytes of both directions, before encryption and after decryption.
    var traffic: (sent: Int, received: Int) {
        (sending.withLock { $0.outbox.takenBytes }, receiving.withLock { $0.inbox.receivedBytes })
    }

    /// Bytes that wait for the event loop, and for the reader.
    package var waitingBytes: (outbound: Int, inbound: Int) {
        (sending.withLock { $0.outbox.waitingBytes }, receiving.withLock { $0.inbox.waitingBytes })
    }

    // MARK: What callers use

    package func send(_ bytes: [UInt8]) -> Bool {
        switch sending.withLock({ $0.outbox.append(bytes) }) {
        case .queuedFirst:
            eventLoop.execute(requests.flush)
            return true
        case .queued:
            return true
        case .full, .closed:
            return false
        }
    }

    package func drained() async throws {
        let id = sending.withLock { sending in
            sending.lastWaiter += 1
            return sending.lastWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = sending.withLock { sending in
                    // Cancelled before we got here: the handler below found nobody to wake.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if sending.outbox.isClosed { return .failure(TLSTransportError.connectionClosed) }
                    if sending.outbox.isDrained { return .success(()) }
                    sending.waiters[id] = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            sending.withLock { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    /// Throws `PeerConnectError.rejected` when the peer says that it does not accept our certificate: in TLS 1.3 a
    /// client is done with its handshake before the server has looked at it (RFC 8446, 4.4.2.4). Otherwise a
    /// `TLSTransportError`. After `close` it returns nil.
    package func receive() async throws -> [UInt8]? {
        switch receiving.withLock({ $0.inbox.take() }) {
        case .bytes(let bytes, let resumesReading):
            if resumesReading { eventLoop.execute(requests.read) }
            return bytes
        case .end: return nil
        case .failure(let error): throw error
        case .nothingYet: return try await nextBatch()
        }
    }

    package func close(flush: Bool) {
        let (waiters, hasEnded) = sending.withLock { sending in
            sending.outbox.close(dropping: !flush)
            defer { sending.waiters = [:] }
            return (sending.waiters, sending.hasEnded)
        }
        for waiter in waiters.values { waiter.resume(throwing: TLSTransportError.connectionClosed) }
        endReceiving(nil, dropping: true)
        if hasEnded { return }
        let close = requests.close
        eventLoop.execute { close(flush) }
    }

    /// Returns when the socket is closed. Bounded after `close`, not before.
    func ended() async {
        // A close future never fails.
        try? await closed.get()
    }

    // MARK: What the event loop uses

    /// Exchanges an emptied block for the next one to encrypt.
    func takeBlock(for block: inout ByteBuffer) -> Outbox.Taken {
        let (taken, waiters) = sending.withLock { sending in
            let taken = sending.outbox.take(for: &block)
            guard !sending.waiters.isEmpty, sending.outbox.isDrained else {
                return (taken, [Int: CheckedContinuation<Void, any Error>]())
            }
            defer { sending.waiters = [:] }
            return (taken, sending.waiters)
        }
        for waiter in waiters.values { waiter.resume() }
        return taken
    }

    func deliver(_ bytes: ByteBufferView) {
        let reader = receiving.withLock { receiving in
            let reader = receiving.reader
            receiving.reader = nil
            // Who waits for bytes has emptied the inbox: order is kept.
            if reader == nil { receiving.inbox.append(bytes) } else { receiving.inbox.passed(bytes.count) }
            return reader
        }
        reader?.resume(returning: Array(bytes))
    }

    func mayRead() -> Bool { receiving.withLock { $0.inbox.mayRead() } }

    /// The socket is closed.
    func end(_ failure: (any Error)?) {
        let waiters = sending.withLock { sending in
            sending.outbox.close(dropping: true)
            sending.hasEnded = true
            defer { sending.waiters = [:] }
            return sending.waiters
        }
        for waiter in waiters.values { waiter.resume(throwing: failure ?? TLSTransportError.connectionClosed) }
        endReceiving(failure, dropping: false)
    }

    private func endReceiving(_ failure: (any Error)?, dropping: Bool) {
        let reader = receiving.withLock { receiving in
            receiving.inbox.end(failure, dropping: dropping)
            defer { receiving.reader = nil }
            return receiving.reader
        }
        // A reader who waits has an empty inbox, and the first ending wakes it: this is the one it is told.
        if let failure { reader?.resume(throwing: failure) } else { reader?.resume(returning: nil) }
    }

    private func nextBatch() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let next = receiving.withLock { receiving -> Inbox.Next in
                    precondition(receiving.reader == nil, "a connection has one reader")
                    // Cancelled before we got here: the handler below found nobody to wake.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    let next = receiving.inbox.take()
                    if case .nothingYet = next { receiving.reader = continuation }
                    return next
                }
                switch next {
                case .bytes(let bytes, let resumesReading):
                    if resumesReading { eventLoop.execute(requests.read) }
                    continuation.resume(returning: bytes)
                case .end: continuation.resume(returning: nil)
                case .failure(let error): continuation.resume(throwing: error)
                case .nothingYet: break
                }
            }
        } onCancel: {
            let reader = receiving.withLock { receiving in
                defer { receiving.reader = nil }
                return receiving.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }
}

extension TLSTransportError {
    package static let connectionClosed = TLSTransportError(.closed, "this side closed the connection, or it had ended")
}
