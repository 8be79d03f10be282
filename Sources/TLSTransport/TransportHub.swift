import Logging
import NIOCore
import NIOSSL
import Synchronization

/// What every connection of a transport shares.
final class TransportHub: Sendable {
    let configuration: TLSTransportConfiguration
    let credentials: CredentialKeeper
    let roster: Roster
    let logger: Logger
    let secondsSince1970: @Sendable () -> Int
    private let lookups = Atomic(0)
    private let turnstiles = Mutex<[ObjectIdentifier: NIOLoopBound<Turnstile>]>([:])

    init(
        _ configuration: TLSTransportConfiguration, _ credentials: CredentialKeeper, _ roster: Roster, _ logger: Logger,
        secondsSince1970: @escaping @Sendable () -> Int
    ) {
        self.configuration = configuration
        self.credentials = credentials
        self.roster = roster
        self.logger = logger
        self.secondsSince1970 = secondsSince1970
    }

    /// A stranger connected. Throws when there is no slot; the caller closes the channel then.
    func accept(_ channel: any Channel, _ arrived: @escaping @Sendable (TLSPeerConnection) -> Void) throws {
        let address = channel.remoteAddress
        let host = address?.ipAddress ?? "unknown"
        if let refusal = roster.enter(host) {
            roster.refused(refusal, address: address?.text ?? host)
            throw refusal
        }
        do {
            let handler = NIOLoopBound(try join(channel, .accepted(arrived)), eventLoop: channel.eventLoop)
            // The future's callbacks run on the channel's event loop.
            channel.closeFuture.whenComplete { [roster] _ in
                roster.leave(host, hadProved: handler.value.hasProved)
            }
        } catch {
            roster.leave(host, hadProved: false)
            throw error
        }
    }

    /// Puts TLS and our end of it on a connected channel. On its event loop.
    func join(_ channel: any Channel, _ origin: PeerHandler.Origin) throws -> PeerHandler {
        let current = credentials.current
        let tls: NIOSSLHandler =
            origin.isAccepted
            ? NIOSSLServerHandler(context: current.server)
            : try NIOSSLClientHandler(context: current.client, serverHostname: nil)
        let handler = PeerHandler(
            tls, origin, address: channel.remoteAddress?.text ?? "unknown", hub: self,
            turnstile: turnstile(channel.eventLoop))
        try channel.pipeline.syncOperations.addHandlers([tls, handler])
        return handler
    }

    private func turnstile(_ loop: any EventLoop) -> Turnstile {
        if let known = turnstiles.withLock({ $0[ObjectIdentifier(loop)] }) { return known.value }
        // Nobody else makes the one of this loop, because we are on it.
        let fresh = NIOLoopBound(Turnstile(loop), eventLoop: loop)
        turnstiles.withLock { $0[ObjectIdentifier(loop)] = fresh }
        return fresh.value
    }

    /// For the next dial to a name.
    func nextTurn() -> AddressTurn { AddressTurn(lookups.wrappingAdd(1, ordering: .relaxed).oldValue) }

    /// The options of a connection, for both directions. Nagle's algorithm would hold a reply back for the sake of
    /// bytes that we have gathered already.
    var socketOptions: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] {
        var options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [
            (.init(level: .tcp, name: .tcp_nodelay), 1),
            (.init(level: .socket, name: .so_keepalive), 1),
        ]
        // Linux's <netinet/tcp.h>. The Swift overlay has no names for them that are the same on glibc and musl.
        let keepIdle = NIOBSDSocket.Option(rawValue: 4), keepInterval = NIOBSDSocket.Option(rawValue: 5)
        let keepCount = NIOBSDSocket.Option(rawValue: 6), userTimeout = NIOBSDSocket.Option(rawValue: 18)
        options += [
            (.init(level: .tcp, name: keepIdle), seconds(configuration.keepAliveIdle)),
            (.init(level: .tcp, name: keepInterval), seconds(configuration.keepAliveInterval)),
            (.init(level: .tcp, name: keepCount), SocketOptionValue(configuration.keepAliveProbesMax)),
            (.init(level: .tcp, name: userTimeout), seconds(configuration.unacknowledgedLimit) * 1000),
        ]
        return options
    }

    var receiveAllocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: configuration.socketReadBytesMax)
    }

    var waterMark: ChannelOptions.Types.WriteBufferWaterMark {
        .init(low: configuration.flushBytesMax / 2, high: configuration.flushBytesMax)
    }

    private func seconds(_ duration: Duration) -> SocketOptionValue {
        SocketOptionValue(max(1, duration.components.seconds))
    }
}

extension SocketAddress {
    /// As people write it: an IPv6 address in brackets when a port follows.
    var text: String {
        guard let ipAddress else { return "\(self)" }
        let host = ipAddress.contains(":") ? "[\(ipAddress)]" : ipAddress
        return port.map { "\(host):\($0)" } ?? host
    }
}
