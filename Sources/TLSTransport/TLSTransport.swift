package import Logging
import NIOCore
package import NIOPosix
import Synchronization
package import WireProtocol

/// `PeerTransport` over TCP and mutual TLS 1.3.
///
/// A peer is let in when its certificate is signed by one of the cluster's CAs for this use, is in its time, names a
/// node in its SAN and is not denied, and when it speaks `tijera/1` (ALPN). Which of the names it goes by is for the
/// handshake of the cluster to settle. There is no plaintext and no older TLS.
///
/// `run()` watches the credential files and must run for as long as the node; `shutdown()` ends the event loops.
package final class TLSTransport: PeerTransport {
    let hub: TransportHub
    private let loops: MultiThreadedEventLoopGroup
    private let ownsLoops: Bool
    private let clock: any Clock<Duration>
    private let listener = Mutex<(any Channel)?>(nil)
    private typealias Arrivals = AsyncStream<TLSPeerConnection>
    private let arrivals: (stream: Arrivals, entrance: Arrivals.Continuation)

    /// Reads the credentials; throws `TLSTransportError` when they cannot be used.
    ///
    /// `clock` paces the look at the files, `secondsSince1970` judges the dates of certificates. Without `loops` the
    /// transport makes its own, `eventLoopThreads` of them.
    package init(
        _ configuration: TLSTransportConfiguration, _ files: CredentialFiles, logger: Logger,
        clock: any Clock<Duration>, loops: MultiThreadedEventLoopGroup? = nil,
        secondsSince1970: @escaping @Sendable () -> Int = systemSecondsSince1970
    ) throws(TLSTransportError) {
        configuration.check()
        let credentials = try CredentialKeeper(files, configuration, secondsSince1970: secondsSince1970)
        let roster = Roster(configuration, logger: logger, elapsed: stopwatch(clock))
        hub = TransportHub(configuration, credentials, roster, logger, secondsSince1970: secondsSince1970)
        ownsLoops = loops == nil
        self.loops = loops ?? MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopThreads)
        self.clock = clock
        // Never overruns: `Admission` lets no more in.
        let (stream, entrance) = AsyncStream.makeStream(
            of: TLSPeerConnection.self, bufferingPolicy: .bufferingOldest(configuration.connectionsMax))
        arrivals = (stream, entrance)
        warnOfOpenKey()
    }

    package var counters: TransportCounters { hub.roster.counters }

    // MARK: Credentials

    /// When this node's certificate ends, in seconds since 1970.
    package var certificateExpiry: Int { hub.credentials.current.own.notValidAfter }

    /// The names that this node's certificate speaks for.
    package var ownNames: [String] { hub.credentials.current.own.names }

    /// The CAs in force: more than one while a CA is being replaced.
    package var authorities: [CertificateFacts] { hub.credentials.current.authorities }

    /// Looks at the credential files every `reloadInterval`, until cancelled.
    package func run() async throws {
        while true {
            try await clock.sleep(for: hub.configuration.reloadInterval)
            reload()
        }
    }

    /// Looks at the credential files now. New handshakes use what is new; who is denied now is disconnected; everybody
    /// else stays connected. Files that cannot be used change nothing but a counter and the log.
    package func reload() {
        switch hub.credentials.look() {
        case .unchanged: break
        case .kept(let error, let isNews):
            hub.roster.count { $0.reloadsFailed += 1 }
            guard isNews else { return }
            hub.logger.warning("credentials not replaced", metadata: ["reason": "\(error)"])
        case .replaced(let fresh):
            hub.roster.count { $0.reloads += 1 }
            hub.logger.notice(
                "credentials replaced",
                metadata: [
                    "certificate.serial": "\(fresh.own.serial)", "certificate.ends": "\(fresh.own.notValidAfter)",
                    "authorities": "\(fresh.authorities.count)", "denied": "\(fresh.denied.count)",
                ])
            for member in hub.roster.members where fresh.denied.denies(member.identity) {
                hub.roster.refused(
                    .denied(member.identity), address: member.remoteAddress, names: member.certifiedNames)
                member.close(flush: false)
            }
            warnOfOpenKey()
        }
    }

    // MARK: Listening

    /// Binds the address and answers the port. Nobody is accepted before `serve`. Call it once, or leave it to `serve`.
    package func listen() async throws -> Int {
        let hub = hub, entrance = arrivals.entrance
        var bootstrap = ServerBootstrap(group: loops)
            .serverChannelOption(.backlog, value: Int32(clamping: hub.configuration.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptGuard(pause: hub.configuration.acceptPause, logger: hub.logger))
                }
            }
            .childChannelOption(.recvAllocator, value: hub.receiveAllocator)
            .childChannelOption(.writeBufferWaterMark, value: hub.waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try hub.accept(channel) { connection in
                        // Nobody serves any more.
                        if case .terminated = entrance.yield(connection) { connection.close(flush: false) }
                    }
                }
            }
        for (option, value) in hub.socketOptions { bootstrap = bootstrap.childChannelOption(option, value: value) }
        let channel: any Channel
        do {
            channel = try await bootstrap.bind(host: hub.configuration.host, port: hub.configuration.port).get()
        } catch {
            throw TLSTransportError(
                .cannotListen, "\(hub.configuration.host) port \(hub.configuration.port): \(error)")
        }
        let isFirst = listener.withLock { listener in
            defer { listener = listener ?? channel }
            return listener == nil
        }
        precondition(isFirst, "a transport listens once")
        return channel.localAddress?.port ?? hub.configuration.port
    }

    package func serve(_ accepted: @escaping @Sendable (any PeerConnection) async -> Void) async throws {
        if listener.withLock({ $0 }) == nil { _ = try await listen() }
        // Set by `listen`.
        let channel = listener.withLock { $0! }
        try await channel.setOption(.autoRead, value: true).get()
        let entrance = arrivals.entrance
        channel.closeFuture.whenComplete { _ in entrance.finish() }
        await withDiscardingTaskGroup { group in
            for await connection in arrivals.stream {
                group.addTask {
                    await accepted(connection)
                    connection.close(flush: true)
                    await connection.ended()
                }
            }
            // Before the children are waited for, so that nobody new arrives. Closing twice is an error of no interest.
            try? await channel.close().get()
            group.cancelAll()
        }
        // Who arrived after the last look has nobody to serve it.
        for connection in hub.roster.members where connection.isAccepted { connection.close(flush: false) }
        try Task.checkCancellation()
        throw TLSTransportError(.cannotListen, "the listening socket was closed")
    }

    // MARK: Dialling

    package func connect(host: String, port: Int) async throws -> any PeerConnection {
        let dial = Dial(loops.next(), hub)
        do {
            return try await withTaskCancellationHandler {
                try await dial.connect(host: host, port: port)
            } onCancel: {
                dial.cancel()
            }
        } catch {
            try Task.checkCancellation()
            hub.roster.count { $0.dialsFailed += 1 }
            throw PeerConnectError(dialling: error)
        }
    }

    /// Closes everything at once and ends its own event loops. After it the transport is of no use.
    package func shutdown() async throws {
        if let channel = listener.withLock({ $0 }) {
            // Closed already when `serve` has ended.
            try? await channel.close().get()
        }
        for member in hub.roster.members { member.close(flush: false) }
        if ownsLoops { try await loops.shutdownGracefully() }
    }

    private func warnOfOpenKey() {
        let path = hub.credentials.files.key
        guard FileStamp(path)?.isOpenToOthers == true else { return }
        hub.logger.warning("the private key can be read by other users", metadata: ["file.path": "\(path)"])
    }
}
