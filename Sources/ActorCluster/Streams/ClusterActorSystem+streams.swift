import Logging
package import Membership
import Synchronization
import WireProtocol

extension ClusterActorSystem {
    /// Serves a stream that a peer has opened: what the peer gave along, and who it is. When it returns, what it wrote
    /// ends; what it throws breaks the stream off, and the peer sees a `StreamReset` (the same one, if it throws one).
    package typealias StreamHandler =
        @Sendable (ClusterStream, _ argument: [UInt8], _ from: MemberLife) async throws
        -> Void

    /// Serves streams of that purpose. Before `run`.
    package func serveStreams(_ purpose: String, _ handler: @escaping StreamHandler) {
        precondition(ClusterActorID.isName(purpose), "\(purpose) is not the name of a purpose")
        streamHandlers.withLock { handlers in
            precondition(handlers[purpose] == nil, "purpose \(purpose) is served already")
            handlers[purpose] = handler
        }
    }

    /// Opens a stream to a node for as long as `body` runs. When it returns, what it wrote arrives and ends; when it
    /// throws or is cancelled, the peer sees a `StreamReset`.
    package func withStream<Answer>(
        to life: MemberLife, purpose: String, argument: [UInt8] = [], _ body: (ClusterStream) async throws -> Answer
    ) async throws -> Answer {
        let deadline = CallOptions.current.deadline ?? timeline.now + configuration.callTimeLimit
        let lane = try await bulkLane(to: life, before: deadline)
        let stream = try lane.open(StreamPurpose(purpose, argument))
        defer { stream.release() }
        do {
            let answer = try await body(stream)
            stream.finish()
            return answer
        } catch {
            stream.reset(Self.reset(error))
            throw error
        }
    }

    func serve(_ stream: ClusterStream, _ purpose: StreamPurpose?, from life: MemberLife) async {
        guard let purpose, let handler = streamHandlers.withLock({ $0[purpose.name] }) else {
            counters.streamsRefused.count()
            stream.reset(StreamReset(.notAllowed, "no such purpose"))
            return
        }
        counters.streamsServed.count()
        do {
            try await handler(stream, purpose.argument, life)
            stream.finish()
        } catch {
            log.debug("stream ended", metadata: ["purpose": "\(purpose.name)", "peer": "\(life)", "error": "\(error)"])
            stream.reset(Self.reset(error))
        }
    }

    private static func reset(_ error: any Error) -> StreamReset {
        switch error {
        case let reset as StreamReset: reset
        case is CancellationError: StreamReset(.cancelled)
        default: StreamReset(.failed, "\(error)")
        }
    }
}
