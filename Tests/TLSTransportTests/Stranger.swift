import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// A socket that does to a node what no node would do: plaintext, old TLS, a torn cable.
final class Stranger: Sendable {
    let channel: any Channel
    private let ears: Ears

    /// Connects; with `tls` the handshake has begun when this returns.
    init(_ port: Int, tls: TLSConfiguration? = nil) async throws {
        let ears = Ears()
        self.ears = ears
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: context, serverHostname: nil), name: "tls")
                    }
                    try channel.pipeline.syncOperations.addHandler(EarHandler(ears))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// What a node's certificate would make of it, for the cases that differ in one point.
    static func tls(_ name: String, _ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> TLSConfiguration {
        let folder = try Certificates.folder()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .noHostnameVerification
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile("\(folder)/ca.pem"))
        tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(folder)/\(name).pem").map { .certificate($0) }
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: "\(folder)/\(name).key", format: .pem))
        tls.applicationProtocols = ["tijera/1"]
        change(&tls)
        return tls
    }

    func write(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// Says goodbye and closes.
    func close() async throws { try await channel.close().get() }

    /// Past TLS, straight to the socket.
    func writeRaw(_ bytes: [UInt8]) async throws {
        try await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.context(name: "tls")
                .writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
        }.get()
    }

    /// Returns when the other side has closed the connection, or broken it.
    func closed() async throws { try await eventually("the other side closes") { !channel.isActive } }

    var heard: [UInt8] { ears.bytes.withLock { $0 } }

    /// Closes TCP with a reset, as a machine does that lost the connection (SO_LINGER of zero seconds).
    func reset() async throws {
        try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await tear()
    }

    /// Closes TCP without a goodbye of TLS.
    func tear() async throws {
        try await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.context(name: "tls").close(promise: nil)
        }.get()
        try await closed()
    }
}

/// A server that accepts and never says a word.
func silentServer() async throws -> any Channel {
    try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
}

private final class Ears: Sendable {
    let bytes = Mutex<[UInt8]>([])
}

private final class EarHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let ears: Ears

    init(_ ears: Ears) { self.ears = ears }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytesView
        ears.bytes.withLock { $0 += bytes }
    }

    /// Strangers are refused in many ways; the node's log says which one it was.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A server that answers with whatever certificate it is given.
final class Imposter: Sendable {
    private let channel: any Channel
    let port: Int

    init(_ tls: TLSConfiguration) async throws {
        let context = try NIOSSLContext(configuration: tls)
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLServerHandler(context: context), EarHandler(Ears()))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func close() async throws { try await channel.close().get() }
}
