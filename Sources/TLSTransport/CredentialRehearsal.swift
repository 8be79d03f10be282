import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS

/// A TLS handshake of a node with itself, in memory, before new credentials are used.
///
/// Without it a certificate that was signed by the new CA before the new CA was spread would be taken, and from then on
/// every new connection would fail, on a node that a moment ago was well. BoringSSL verifies chains only inside a
/// handshake, so we let it have one; `EmbeddedChannel` runs it on the spot without a socket.
enum CredentialRehearsal {
    /// A handshake takes three flights; more rounds than this mean that both sides wait.
    private static let roundsMax = 16

    static func greet(client: NIOSSLContext, server: NIOSSLContext) throws {
        let caller = EmbeddedChannel(), called = EmbeddedChannel()
        let callerEnd = HandshakeWatch(), calledEnd = HandshakeWatch()
        let callerTLS = try NIOSSLClientHandler(context: client, serverHostname: nil)
        let calledTLS = NIOSSLServerHandler(context: server)
        try caller.pipeline.syncOperations.addHandlers(callerTLS, callerEnd)
        try called.pipeline.syncOperations.addHandlers(calledTLS, calledEnd)
        defer {
            close(caller, below: callerTLS)
            close(called, below: calledTLS)
        }
        let nowhere = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        caller.connect(to: nowhere, promise: nil)
        called.connect(to: nowhere, promise: nil)
        for _ in 0..<roundsMax {
            while let bytes = try caller.readOutbound(as: ByteBuffer.self) { try called.writeInbound(bytes) }
            while let bytes = try called.readOutbound(as: ByteBuffer.self) { try caller.writeInbound(bytes) }
            if let failure = calledEnd.failure ?? callerEnd.failure { throw failure }
            if callerEnd.isDone && calledEnd.isDone { return }
        }
        throw ChannelError.eof
    }

    /// Without a goodbye: the other side has stopped listening.
    private static func close(_ channel: EmbeddedChannel, below tls: NIOSSLHandler) {
        // Absent when a failed handshake has closed the channel already.
        (try? channel.pipeline.syncOperations.context(handler: tls))?.close(promise: nil)
        channel.embeddedEventLoop.run()
    }
}

private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var isDone = false
    private(set) var failure: (any Error)?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(TLSUserEvent.handshakeCompleted) = event as? TLSUserEvent { isDone = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { failure = failure ?? error }
}
