import NIOCore
import NIOPosix
import NIOSSL

/// A length-prefixed echo over swift-nio and TLS 1.3, both ends in this process, without calls, names, deadlines, tasks
/// or actors: nothing that is built on NIO gets above it.
struct NIOPeer {
    let certificates: Certificates
    let seconds: Double

    func run() async throws -> Figures {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (serverLoop, clientLoop) = (loops.next(), loops.next())
        let (serverTLS, clientTLS) = (try context("eu-1"), try context("us-1"))
        let server = try await ServerBootstrap(group: serverLoop)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: serverTLS), ByteToMessageHandler(FrameDecoder()), EchoHandler(),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let address = server.localAddress else { preconditionFailure("a bound socket without an address") }

        func measure(inFlight: Int, seconds: Double) async throws -> [Duration] {
            let times = clientLoop.makePromise(of: [Duration].self)
            let channel = try await ClientBootstrap(group: clientLoop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            NIOSSLClientHandler(context: clientTLS, serverHostname: nil),
                            ByteToMessageHandler(FrameDecoder()),
                            CallingHandler(inFlight: inFlight, time: .nanoseconds(Int64(seconds * 1e9)), times: times),
                        ])
                    }
                }
                .connect(to: address).get()
            let result = try await times.futureResult.get()
            try await channel.close()
            return result
        }
        let many = try await measure(inFlight: Load.inFlight, seconds: seconds)
        let single = try await measure(inFlight: 1, seconds: seconds)
        try await server.close()
        try await loops.shutdownGracefully()
        return Figures(callsPerSecond: Double(many.count) / seconds, single: single)
    }

    private func context(_ node: String) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.chain(node)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.key(node), format: .pem)),
            trustRoots: .certificates(try NIOSSLCertificate.fromPEMFile(certificates.authorities)))
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .noHostnameVerification
        return try NIOSSLContext(configuration: tls)
    }
}

/// Frames of a length in four bytes and that many bytes; they are handed on with their length, ready to be sent back.
private struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
            let frame = buffer.readSlice(length: 4 + Int(length))
        else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) -> DecodingState {
        .needMoreData
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

/// Keeps `inFlight` frames under way until the time is over; each answer makes room for the next frame.
private final class CallingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let inFlight: Int
    private let time: TimeAmount
    private let promise: EventLoopPromise<[Duration]>
    private let frame: ByteBuffer
    /// When the frames under way left, oldest first: answers come back in the order of the frames.
    private var starts = CircularBuffer<NIODeadline>()
    private var times: [Duration] = []
    /// Set by the answer to the first frame, which shows that the TLS handshake is over.
    private var end: NIODeadline?

    init(inFlight: Int, time: TimeAmount, times promise: EventLoopPromise<[Duration]>) {
        self.inFlight = inFlight
        self.time = time
        self.promise = promise
        var frame = ByteBuffer()
        frame.writeInteger(UInt32(Load.payload.count))
        frame.writeBytes(Load.payload)
        self.frame = frame
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = NIODeadline.now()
        guard let end else {
            self.end = now + time
            for _ in 0..<inFlight { send(context, at: now) }
            return
        }
        times.append(.nanoseconds((now - starts.removeFirst()).nanoseconds))
        if now < end { send(context, at: now) } else if starts.isEmpty { promise.succeed(times) }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    /// After the end this changes nothing: a promise keeps its first result.
    func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }

    private func send(_ context: ChannelHandlerContext, at now: NIODeadline) {
        starts.append(now)
        context.write(wrapOutboundOut(frame), promise: nil)
    }
}
