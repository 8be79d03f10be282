import Glibc
package import Logging
package import NIOCore

/// Stands at the listening socket. When the process has no descriptor left, the kernel reports the same waiting
/// connection again and again: accepting pauses instead of spinning.
package final class AcceptGuard: ChannelInboundHandler, ChannelOutboundHandler {
    package typealias InboundIn = any Channel
    package typealias OutboundIn = Never

    private let pause: Duration
    private let logger: Logger
    private var isPaused = false

    package init(pause: Duration, logger: Logger) {
        self.pause = pause
        self.logger = logger
    }

    package func read(context: ChannelHandlerContext) {
        if !isPaused { context.read() }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let failure = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(failure.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        guard !isPaused else { return }
        isPaused = true
        logger.warning("accepting paused", metadata: ["reason": "\(failure)"])
        let loop = context.eventLoop.assumeIsolated()
        loop.scheduleTask(in: TimeAmount(pause)) {
            self.isPaused = false
            context.read()
        }
    }
}
