import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import WireProtocol

/// One attempt to reach a peer: from the name to a proven connection, or to a reason.
final class Dial: Sendable {
    private struct State {
        var isCancelled = false
        /// One for each address that is being tried (RFC 8305).
        var channels: [any Channel] = []
    }

    private let loop: any EventLoop
    private let hub: TransportHub
    private let state = Mutex(State())

    init(_ loop: any EventLoop, _ hub: TransportHub) {
        self.loop = loop
        self.hub = hub
    }

    func connect(host: String, port: Int) async throws -> TLSPeerConnection {
        let promise = loop.makePromise(of: TLSPeerConnection.self)
        let hub = hub
        tcp(host, port).whenComplete { result in
            do {
                let channel = try result.get()
                // TLS comes onto the one channel that won, so that the losers' ends are nobody's business. What the
                // peer says meanwhile waits in the kernel.
                _ = try hub.join(channel, .dialled(promise))
                try channel.syncOptions?.setOption(.autoRead, value: true)
            } catch {
                promise.fail(error)
            }
        }
        return try await promise.futureResult.get()
    }

    /// Closes what was tried; the attempt then fails.
    func cancel() {
        let channels = state.withLock { state in
            state.isCancelled = true
            return state.channels
        }
        for channel in channels { channel.close(promise: nil) }
    }

    private func tcp(_ host: String, _ port: Int) -> EventLoopFuture<any Channel> {
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(hub.configuration.connectLimit))
            .channelOption(.autoRead, value: false)
            .channelOption(.recvAllocator, value: hub.receiveAllocator)
            .channelOption(.writeBufferWaterMark, value: hub.waterMark)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    let isCancelled = state.withLock { state in
                        state.channels.append(channel)
                        return state.isCancelled
                    }
                    if isCancelled { throw CancellationError() }
                }
            }
        for (option, value) in hub.socketOptions { bootstrap = bootstrap.channelOption(option, value: value) }
        // A literal address needs no resolver, which is a thread of its own.
        if let address = try? SocketAddress(ipAddress: host, port: port) { return bootstrap.connect(to: address) }
        return bootstrap.resolver(NameLookup(host, port, hub.nextTurn(), on: loop)).connect(host: host, port: port)
    }
}

extension PeerConnectError {
    /// Reads what ended an attempt to reach a peer.
    init(dialling error: any Error) {
        switch error {
        case let known as PeerConnectError:
            self = known
        case let attempts as NIOConnectionError:
            let reasons = attempts.connectionErrors.map { PeerConnectError(dialling: $0.error) }
            // One machine that answers "nobody listens" is an answer, whatever its other addresses did.
            if reasons.contains(.refused) {
                self = .refused
            } else if reasons.contains(.timedOut) {
                self = .timedOut
            } else {
                self = .unreachable(detail: "\(attempts)")
            }
        case ChannelError.connectTimeout:
            self = .timedOut
        case let failure as IOError where failure.errnoCode == ECONNREFUSED:
            self = .refused
        case let failure as IOError where failure.errnoCode == ETIMEDOUT:
            self = .timedOut
        default:
            self = .unreachable(detail: "\(error)")
        }
    }
}
