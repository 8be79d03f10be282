import NIOCore
import NIOSSL
import NIOTLS
import WireProtocol

/// The end of a connection's pipeline, on its event loop: sees the TLS handshake through, asks who the peer is, and
/// then moves bytes between the socket and the two boxes of a `TLSPeerConnection`.
final class PeerHandler: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How the connection came about, and who waits for it.
    enum Origin {
        case accepted(@Sendable (TLSPeerConnection) -> Void)
        case dialled(EventLoopPromise<TLSPeerConnection>)

        var isAccepted: Bool { if case .accepted = self { true } else { false } }
    }

    private enum Phase {
        /// TCP is connected. Ends as `open`, or as `over` by a refusal.
        case handshaking
        /// The peer is known. Ends as `closing` by our wish, or as `over` by the peer's or the network's.
        case open(TLSPeerConnection, id: Int)
        /// What waits still leaves, nothing comes in. Ends as `over` when that is done or `closeLimit` has passed.
        case closing(TLSPeerConnection, id: Int)
        case over
    }

    private let tls: NIOSSLHandler
    private let isAccepted: Bool
    /// Until somebody has the connection, or the news that there is none. Dropped then: a promise keeps its value,
    /// which keeps us.
    private var origin: Origin?
    private let hub: TransportHub
    private let turnstile: Turnstile
    /// With the port, for the log.
    private let address: String
    private var phase = Phase.handshaking
    private var context: ChannelHandlerContext?
    /// The limit of the handshake, later that of closing.
    private var limit: Scheduled<Void>?
    private var block = ByteBuffer()
    private var isFlushing = false
    private var failure: (any Error)?
    private var hadGoodbye = false
    private(set) var hasProved = false

    init(_ tls: NIOSSLHandler, _ origin: Origin, address: String, hub: TransportHub, turnstile: Turnstile) {
        self.tls = tls
        self.origin = origin
        isAccepted = origin.isAccepted
        self.address = address
        self.hub = hub
        self.turnstile = turnstile
    }

    // MARK: From the socket

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let limit = hub.configuration.handshakeLimit
        setLimit(limit) { $0.refuse(RefusedPeer(.handshakeTimedOut, "not done after \(limit)")) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        limit?.cancel()
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? TLSUserEvent {
        case .handshakeCompleted(let protocolName): prove(context, protocolName)
        case .shutdownCompleted: hadGoodbye = true
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .open(let connection, _) = phase else { return }
        connection.deliver(unwrapInboundIn(data).readableBytesView)
    }

    /// Reading goes on by itself (`autoRead`), but each further read passes here, and stops here while the reader is
    /// behind. A closing connection reads on and forgets, because the peer's goodbye stands behind its bytes.
    func read(context: ChannelHandlerContext) {
        if case .open(let connection, _) = phase, !connection.mayRead() { return }
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshaking = phase {
            refuse(RefusedPeer(error, certificate: tls.peerCertificate, secondsSince1970: hub.secondsSince1970()))
        } else {
            failure = failure ?? error
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        limit?.cancel()
        switch phase {
        case .handshaking: refuse(RefusedPeer(.handshakeFailed, "closed during the handshake"))
        case .open(let connection, let id): end(connection, id, because: ending)
        case .closing(let connection, let id): end(connection, id, because: nil)
        case .over: break
        }
        context.fireChannelInactive()
    }

    // MARK: From the connection's users

    /// Encrypts and writes one block, and stands in line for the next one.
    func flush() {
        guard let context, context.channel.isWritable, !isFlushing else { return }
        let connection: TLSPeerConnection
        switch phase {
        case .open(let open, _): connection = open
        case .closing(let closing, _): connection = closing
        case .handshaking, .over: return
        }
        let start = NIODeadline.now()
        let taken = connection.takeBlock(for: &block)
        if taken != .nothing {
            // Writing may report a change of writability before it returns, which comes back here with a block whose
            // bytes are not away yet.
            isFlushing = true
            defer { isFlushing = false }
            context.writeAndFlush(wrapOutboundOut(block), promise: nil)
            // Encrypted by now, so this is the only reference, and the memory is ours again.
            block.clear()
        }
        if taken == .more {
            turnstile.queue(self, after: .now() - start)
        } else if case .closing = phase {
            context.close(promise: nil)
        }
    }

    func close(flushing: Bool) {
        if case .open(let connection, let id) = phase {
            phase = .closing(connection, id: id)
        } else if flushing {
            return
        }
        guard flushing else { return closeAtOnce() }
        setLimit(hub.configuration.closeLimit) { $0.closeAtOnce() }
        // The inbox may have stopped the reading of what is to be forgotten now.
        context?.read()
        flush()
    }

    func resumeReading() {
        if let context { read(context: context) }
    }

    // MARK: Private

    /// The handshake is done and the chain verified: what remains is ours to judge.
    private func prove(_ context: ChannelHandlerContext, _ protocolName: String?) {
        guard case .handshaking = phase else { return }
        limit?.cancel()
        guard protocolName == Credentials.applicationProtocol else {
            let spoken = protocolName ?? "no protocol by name"
            return refuse(RefusedPeer(.otherProtocol, "speaks \(spoken), not \(Credentials.applicationProtocol)"))
        }
        guard let certificate = tls.peerCertificate else {
            return refuse(RefusedPeer(.noCertificate, "the handshake ended without one"))
        }
        let identity: PeerIdentity
        do {
            identity = try PeerIdentity(
                certificate, namesMax: hub.configuration.namesMax, secondsSince1970: hub.secondsSince1970())
        } catch {
            return refuse(error)
        }
        let connection = TLSPeerConnection(
            identity, remoteAddress: address, isAccepted: isAccepted, channel: context.channel,
            requests: requests(NIOLoopBound(self, eventLoop: context.eventLoop)), configuration: hub.configuration)
        // Asked after the connection is in the roster: a deny list that comes this moment finds it there.
        let id = hub.roster.add(connection)
        hasProved = true
        phase = .open(connection, id: id)
        if hub.credentials.current.denied.denies(identity) {
            return refuse(.denied(identity))
        }
        switch origin {
        case .accepted(let arrived): arrived(connection)
        case .dialled(let promise): promise.succeed(connection)
        case nil: break
        }
        origin = nil
    }

    private func requests(_ handler: NIOLoopBound<PeerHandler>) -> TLSPeerConnection.Requests {
        TLSPeerConnection.Requests(
            flush: { handler.value.flush() }, read: { handler.value.resumeReading() },
            close: { handler.value.close(flushing: $0) })
    }

    /// The peer is not let in: said in the log and to whoever dialled.
    private func refuse(_ refusal: RefusedPeer) {
        var names: [String] = []
        if case .open(let connection, let id) = phase {
            names = connection.certifiedNames
            end(connection, id, because: PeerConnectError(refusal))
        }
        phase = .over
        limit?.cancel()
        hub.roster.refused(refusal, address: address, names: names)
        if case .dialled(let promise) = origin { promise.fail(PeerConnectError(refusal)) }
        origin = nil
        closeAtOnce()
    }

    private func end(_ connection: TLSPeerConnection, _ id: Int, because reason: (any Error)?) {
        phase = .over
        connection.end(reason)
        hub.roster.remove(id, because: reason)
    }

    /// Why the channel closed although we did not ask for it; nil when the peer said goodbye.
    private var ending: (any Error)? {
        if let failure, let alert = RefusedPeer.alert(in: failure) {
            let refusal = RefusedPeer(.refusedByPeer, alert)
            hub.roster.refused(refusal, address: address)
            return PeerConnectError(refusal)
        }
        if hadGoodbye { return nil }
        switch failure {
        case nil, NIOSSLError.uncleanShutdown?:
            return TLSTransportError(.truncated, "the peer closed without a goodbye")
        case let error?:
            return TLSTransportError(.connectionLost, "\(error)")
        }
    }

    /// Says goodbye if that takes no time, and closes the socket without waiting for an answer.
    private func closeAtOnce() {
        guard let context else { return }
        context.close(promise: nil)
        // Below the TLS handler, which would wait for the peer's goodbye. Absent when it has removed itself.
        (try? context.pipeline.syncOperations.context(handler: tls))?.close(promise: nil)
    }

    private func setLimit(_ duration: Duration, _ passed: @escaping (PeerHandler) -> Void) {
        limit?.cancel()
        limit = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) { [weak self] in
            if let self { passed(self) }
        }
    }
}

extension RefusedPeer {
    static func denied(_ identity: PeerIdentity) -> RefusedPeer {
        RefusedPeer(.denied, "serial \(identity.serial), sha256 \(identity.fingerprint)")
    }
}

extension PeerConnectError {
    /// What whoever dialled is told. A handshake that was cut off says nothing about credentials.
    init(_ refusal: RefusedPeer) {
        switch refusal.reason {
        case .handshakeTimedOut: self = .timedOut
        case .handshakeFailed: self = .unreachable(detail: "handshake failed: \(refusal.detail)")
        default: self = .rejected(reason: "\(refusal.reason.rawValue): \(refusal.detail)")
        }
    }
}
