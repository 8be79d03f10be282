import NIOCore
import NIOPosix

/// A client of clamd, the daemon of ClamAV: bytes go to it as a stream (`INSTREAM`), so it need not see our files.
///
/// Every command has a connection of its own. A session (`IDSESSION`) would save a connect for each 25 MiB, some 50
/// microseconds, and cost that a connection which broke takes other scans with it.
package final class Clamd: Sendable {
    package let configuration: ClamdConfiguration
    private let turns: Turns
    private let clock: any Clock<Duration>

    package init(_ configuration: ClamdConfiguration, clock: any Clock<Duration>) {
        self.configuration = configuration
        self.clock = clock
        turns = Turns(limit: configuration.connectionsMax)
    }

    /// Sends blocks as one stream and answers with what clamd thinks of it. Together they must not have more than
    /// `streamBytesMax` bytes. An error of `blocks` is thrown as it is; everything else is a `ClamdError`.
    package func scan<Blocks: AsyncSequence & Sendable>(
        _ blocks: Blocks
    ) async throws -> ClamdVerdict where Blocks.Element == [UInt8] {
        let chunkBytes = configuration.chunkBytes
        let reply = try await exchange("zINSTREAM\0") { outbound in
            for try await block in blocks {
                for start in stride(from: 0, to: block.count, by: chunkBytes) {
                    let chunk = block[start..<min(block.count, start + chunkBytes)]
                    var buffer = ByteBuffer()
                    buffer.reserveCapacity(chunk.count + 4)
                    buffer.writeInteger(UInt32(chunk.count))
                    buffer.writeBytes(chunk)
                    try await Self.send(buffer, to: outbound)
                }
            }
            try await Self.send(ByteBuffer(integer: UInt32(0)), to: outbound)
        }
        switch reply {
        case .clean: return .clean
        case .infected(let signature): return .infected(signature: signature)
        case .streamTooLong:
            throw ClamdError(
                .streamTooLong,
                "its StreamMaxLength is less than antivirus.streamBytesMax (\(configuration.streamBytesMax)): make "
                    + "them equal")
        case .pong, .version, .refused: throw ClamdError(.refused, "\(reply)")
        }
    }

    /// What it is and how old its signatures are. Tells as well that it answers.
    package func version() async throws -> String {
        let reply = try await exchange("zVERSION\0") { _ in }
        guard case .version(let text) = reply else { throw ClamdError(.refused, "\(reply)") }
        return text
    }

    // MARK: One connection

    private typealias Wire = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// Sending failed. What clamd said before, if it did, tells more.
    private struct SendingFailed: Error { let detail: String }

    private enum Step: Sendable {
        case sent
        case notSent(String)
        case received(String)
    }

    private func exchange(
        _ command: String, _ send: @escaping @Sendable (Outbound) async throws -> Void
    ) async throws -> ClamdReply {
        try await turns.taken {
            try await limited {
                let wire = try await self.connect()
                let line = try await Self.converse(wire, command, send)
                guard !line.isEmpty else { throw ClamdError(.broken, "it closed the connection and said nothing") }
                return ClamdReply(line)
            }
        }
    }

    private func connect() async throws -> Wire {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(Int64(configuration.connectSecondsMax)))
        let wrap: @Sendable (any Channel) -> EventLoopFuture<Wire> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try Wire(wrappingChannelSynchronously: channel)
            }
        }
        do {
            switch configuration.address {
            case .socket(let path):
                return try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: wrap)
            case .network(let host, let port):
                return try await bootstrap.connect(host: host, port: port, channelInitializer: wrap)
            }
        } catch {
            throw ClamdError(.away, "\(configuration.address) cannot be reached: \(error)")
        }
    }

    /// Sends and listens at the same time: past its limit clamd says so and closes, whatever is still on its way.
    private static func converse(
        _ wire: Wire, _ command: String, _ send: @escaping @Sendable (Outbound) async throws -> Void
    ) async throws -> String {
        try await wire.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Step.self) { group in
                group.addTask { .received(try await line(inbound)) }
                group.addTask {
                    do {
                        try await Self.send(ByteBuffer(string: command), to: outbound)
                        try await send(outbound)
                        return .sent
                    } catch let failure as SendingFailed {
                        return .notSent(failure.detail)
                    }
                }
                defer { group.cancelAll() }
                var failure: String?
                while let step = try await group.next() {
                    switch step {
                    case .sent: break
                    case .notSent(let detail): failure = detail
                    case .received(let line):
                        if line.isEmpty, let failure { throw ClamdError(.broken, failure) }
                        return line
                    }
                }
                return ""
            }
        }
    }

    private static func send(_ buffer: ByteBuffer, to outbound: Outbound) async throws {
        do { try await outbound.write(buffer) } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw SendingFailed(detail: "the connection broke while it was sent to: \(error)")
        }
    }

    /// Up to the zero byte with which clamd ends a line; empty when there is none.
    private static func line(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) async throws -> String {
        var bytes: [UInt8] = []
        do {
            for try await buffer in inbound {
                bytes += buffer.readableBytesView
                if let end = bytes.firstIndex(of: 0) { return String(decoding: bytes[..<end], as: UTF8.self) }
                guard bytes.count <= ClamdReply.bytesMax else { throw ClamdError(.refused, "its answer has no end") }
            }
        } catch let error as ClamdError {
            throw error
        } catch {
            throw ClamdError(.broken, "\(error)")
        }
        return ""
    }

    private func limited<Answer: Sendable>(
        _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let seconds = configuration.answerSecondsMax
        return try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await body() }
            group.addTask { [clock] in
                try await clock.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let answer = first else {
                throw ClamdError(.late, "it did not answer within \(seconds) s")
            }
            try Task.checkCancellation()
            return answer
        }
    }
}
