import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// What happens to a connection between `accept` and its first request: counted, told who the client is, greeted with
/// TLS, and given to HTTP/1.1 or HTTP/2 as both sides agree (ALPN). Without TLS it is HTTP/1.1.
struct DoorChannel: HTTPChannelHandler {
    enum Agreed: Sendable {
        case http1(HTTP1Channel.Value)
        case http2(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let agreed: EventLoopFuture<Agreed>
    }

    let table: ConnectionTable
    /// Nil: this listener speaks without TLS.
    let certificate: DoorCertificate?
    let expectsProxyHeader: Bool
    let proxies: TrustedProxies
    let http1: HTTP1Channel
    let http2: HTTP2Channel

    var responder: Responder { http1.responder }

    init(
        _ configuration: GatewayConfiguration, table: ConnectionTable, certificate: DoorCertificate?,
        unparsed: UnparsedAnswer, responder: @escaping Responder
    ) {
        self.table = table
        self.certificate = certificate
        expectsProxyHeader = configuration.expectsProxyHeader
        proxies = configuration.trustedProxies
        // Nothing but `ConnectionPace` ends HTTP/1.1 connections: it knows what each is waited for.
        let stream = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestWatch(table: table, unparsed: unparsed)], idleTimeout: nil,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: configuration.headerBytesMax, maxHeaderListSize: configuration.headerBytesMax,
                maxHeaderFieldCount: 100))
        http1 = HTTP1Channel(responder: responder, configuration: stream)
        let goodbye = Duration.seconds(configuration.pace.idleSeconds)
        http2 = HTTP2Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: goodbye, gracefulCloseTimeout: .seconds(configuration.shutdownSeconds),
                streamConfiguration: stream))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard let connection = table.enter(channel) else {
            table.note(ConnectionTable.tooMany)
            return turnAway(channel)
        }
        // Only a machine that we know may say for whom it speaks.
        if expectsProxyHeader, !proxies.contains(connection.address) {
            table.note(ProxyHeaderHandler.malformed)
            return turnAway(channel)
        }
        do {
            // What waits for its request is counted in reads, so a read is 64 KiB at most: of many uploads at once each
            // held some MiB.
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ByteWatch(connection))
            if expectsProxyHeader { try pipeline.addHandler(ProxyHeaderHandler(connection, table)) }
            guard let certificate else {
                return channel.eventLoop.makeSucceededFuture(
                    Value(
                        channel: channel, agreed: http1.setup(channel: channel, logger: logger).map { Agreed.http1($0) }
                    ))
            }
            let agreement = NIOTypedApplicationProtocolNegotiationHandler<Agreed> { result, channel in
                agree(result, channel, connection, logger)
            }
            try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context))
            try pipeline.addHandler(agreement)
            return channel.eventLoop.makeSucceededFuture(
                Value(channel: channel, agreed: agreement.protocolNegotiationResult))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    private func agree(
        _ result: ALPNResult, _ channel: any Channel, _ connection: Connection, _ logger: Logger
    ) -> EventLoopFuture<Agreed> {
        let isHTTP2 = if case .negotiated("h2") = result { true } else { false }
        connection.note { $0.negotiated(isMultiplexed: isHTTP2, now: $1) }
        return isHTTP2
            ? http2.setup(channel: channel, logger: logger).map { Agreed.http2($0) }
            : http1.setup(channel: channel, logger: logger).map { Agreed.http1($0) }
    }

    /// A failed setup would be an error of the listener; this is only a connection that ends at once.
    private func turnAway(_ channel: any Channel) -> EventLoopFuture<Value> {
        do { try channel.pipeline.syncOperations.addHandler(ShutDoor()) } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return channel.eventLoop.makeSucceededFuture(
            Value(channel: channel, agreed: channel.eventLoop.makeFailedFuture(ChannelError.alreadyClosed)))
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.agreed.get() {
            case .http1(let channel): await http1.handle(value: channel, logger: logger)
            case .http2(let channel): await http2.handle(value: channel, logger: logger)
            }
        } catch {
            // A port scanner, a client that speaks no TLS, or one that was turned away.
            logger.trace("connection ended before its first request", metadata: ["error": "\(error)"])
        }
    }
}
