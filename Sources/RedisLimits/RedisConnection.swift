import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One connection to Redis. Commands leave as they come and answers come back in that order, so one connection serves
/// a whole node: Redis itself does one thing at a time.
final class RedisConnection: Sendable {
    private let channel: any Channel
    private let watch: Watch

    /// What both the event loop and whoever asks can see.
    final class Watch: Sendable {
        let isStalled = Atomic<Bool>(false)
        private let reason = Mutex<RedisError?>(nil)

        /// Why it ended; the first reason is the one.
        func ended(_ error: RedisError) { reason.withLock { $0 = $0 ?? error } }
        var end: RedisError? { reason.withLock { $0 } }
    }

    private init(_ channel: any Channel, _ watch: Watch) {
        self.channel = channel
        self.watch = watch
    }

    /// An answer is overdue: whoever asks is turned away until it has come.
    var isStalled: Bool { watch.isStalled.load(ordering: .relaxed) }

    static func open(_ configuration: RedisConfiguration) async throws(RedisError) -> RedisConnection {
        let watch = Watch()
        do {
            let tls = configuration.address.usesTLS ? try tlsContext(configuration) : nil
            let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(TimeAmount(configuration.connectPatience))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: serverName(configuration)))
                        }
                        try channel.pipeline.syncOperations.addHandler(RedisHandler(configuration, watch))
                    }
                }
            switch configuration.address.place {
            case .socket(let path):
                return RedisConnection(try await bootstrap.connect(unixDomainSocketPath: path).get(), watch)
            case .network(let host, let port):
                return RedisConnection(try await bootstrap.connect(host: host, port: port).get(), watch)
            }
        } catch { throw RedisError(.away, "\(configuration.address) cannot be reached: \(error)") }
    }

    private static func tlsContext(_ configuration: RedisConfiguration) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let path = configuration.authoritiesPath { tls.trustRoots = .file(path) }
        return try NIOSSLContext(configuration: tls)
    }

    /// For SNI, which knows no addresses; against an address the certificate is checked all the same.
    private static func serverName(_ configuration: RedisConfiguration) -> String? {
        guard case .network(let host, _) = configuration.address.place,
            (try? SocketAddress(ipAddress: host, port: 0)) == nil
        else { return nil }
        return host
    }

    /// Sends a command and waits for its answer, `patience` at most. What an error of Redis means is the caller's.
    func ask(_ command: RESPCommand, patience: Duration) async throws(RedisError) -> RESPValue {
        let answer = channel.eventLoop.makePromise(of: RESPValue.self)
        let call = RedisCall(bytes: command.bytes, patience: TimeAmount(patience), answer: answer)
        // The handler answers; when it is gone, or the bytes did not leave, this does.
        channel.writeAndFlush(call).whenFailure { [watch] error in
            answer.fail(watch.end ?? RedisError(.broken, "\(error)"))
        }
        do { return try await answer.futureResult.get() } catch let error as RedisError {
            throw error
        } catch { throw RedisError(.broken, "\(error)") }
    }

    /// Returns when it has ended, with the reason.
    func untilItEnds() async -> RedisError {
        await withTaskCancellationHandler {
            // Whether it closed well or not, it is closed.
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        return watch.end ?? RedisError(.broken, "it closed the connection")
    }

    func close(_ reason: RedisError) {
        watch.ended(reason)
        channel.close(promise: nil)
    }
}

/// A command on its way.
struct RedisCall: Sendable {
    let bytes: ByteBuffer
    let patience: TimeAmount
    let answer: EventLoopPromise<RESPValue>
}

/// The shell around parser and pipeline, on the event loop of the connection.
final class RedisHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = RedisCall
    typealias OutboundOut = ByteBuffer

    private let watch: RedisConnection.Watch
    private let stallMax: TimeAmount
    private let stallsInRowMax: Int
    private var parser = RESPParser()
    private var pipeline: RedisPipeline<EventLoopPromise<RESPValue>>
    private var alarm: (at: NIODeadline, task: Scheduled<Void>)?
    /// TLS takes its time to close.
    private var hasEnded = false

    init(_ configuration: RedisConfiguration, _ watch: RedisConnection.Watch) {
        self.watch = watch
        stallMax = TimeAmount(configuration.connectPatience)
        stallsInRowMax = configuration.stallsInRowMax
        pipeline = RedisPipeline(waitingMax: configuration.waitingMax)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let call = unwrapOutboundIn(data)
        guard !hasEnded, pipeline.send(call.answer, until: context.eventLoop.now + call.patience) else {
            call.answer.fail(watch.end ?? RedisError(.busy, "others wait for it already"))
            promise?.succeed()
            return
        }
        context.write(wrapOutboundOut(call.bytes), promise: promise)
        // What was asked while connecting had longer.
        if let next = pipeline.nextDeadline, alarm.map({ next < $0.at }) ?? true { setAlarm(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parser.append(unwrapInboundIn(data))
        do throws(RedisError) {
            while let value = try parser.next() {
                switch pipeline.answered() {
                case .to(let waiter): waiter.succeed(value)
                case .nobody: break
                // It says so, too, that it takes no more clients.
                case .unexpected: throw RedisError(.unusable, "an answer to nothing: \(value)")
                }
            }
            watch.isStalled.store(pipeline.isStalled, ordering: .relaxed)
        } catch { end(context, error) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context, RedisError(.broken, "it closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, RedisError(.broken, "\(error)"))
    }

    private func end(_ context: ChannelHandlerContext, _ error: RedisError) {
        watch.ended(error)
        hasEnded = true
        alarm?.task.cancel()
        alarm = nil
        for waiter in pipeline.removeAll() { waiter.fail(error) }
        context.close(promise: nil)
    }

    // MARK: Time

    /// One alarm for all: deadlines come in the order of the pipeline.
    private func setAlarm(_ context: ChannelHandlerContext) {
        alarm?.task.cancel()
        let stallEnd = pipeline.stalledSince.map { $0 + stallMax }
        guard let next = [pipeline.nextDeadline, stallEnd].compactMap({ $0 }).min() else {
            alarm = nil
            return
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleTask(deadline: next) {
            let (handler, context) = bound.value
            handler.alarmRang(context)
        }
        alarm = (next, task)
    }

    private func alarmRang(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        for waiter in pipeline.expire(at: now) { waiter.fail(RedisError(.late, "no answer in time")) }
        watch.isStalled.store(pipeline.isStalled, ordering: .relaxed)
        if let since = pipeline.stalledSince, since + stallMax <= now {
            return end(context, RedisError(.late, "it hangs"))
        }
        if pipeline.stallsInRow >= stallsInRowMax { return end(context, RedisError(.late, "it is too slow")) }
        setAlarm(context)
    }
}
