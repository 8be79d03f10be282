package import Distributed
import Synchronization
import WireProtocol

/// Writes a call's arguments, each behind its length.
package struct ClusterInvocationEncoder: DistributedTargetInvocationEncoder, Sendable {
    package typealias SerializationRequirement = any Codable

    private(set) var arguments: [UInt8] = []

    package mutating func recordGenericSubstitution<T>(_ type: T.Type) throws {
        // The callee would have to look a type up by a name from the wire.
        throw ClusterCallError(.undecodableArguments, "calls between nodes are not generic: \(type)")
    }

    package mutating func recordArgument<Value: Codable>(_ argument: RemoteCallArgument<Value>) throws {
        do {
            try WireEncoder().encodeCounted(argument.value, into: &arguments)
        } catch {
            throw ClusterCallError(.undecodableArguments, "argument \(argument.name): \(error)")
        }
    }

    package mutating func recordReturnType<R: Codable>(_ type: R.Type) throws {}
    package mutating func recordErrorType<E: Error>(_ type: E.Type) throws {}
    package mutating func doneRecording() throws {}
}

/// Reads them again.
package struct ClusterInvocationDecoder: DistributedTargetInvocationDecoder, Sendable {
    package typealias SerializationRequirement = any Codable

    private var rest: ArraySlice<UInt8>
    private let decoder: WireDecoder

    init(_ arguments: ArraySlice<UInt8>, _ decoder: WireDecoder) {
        rest = arguments
        self.decoder = decoder
    }

    package mutating func decodeGenericSubstitutions() throws -> [any Any.Type] { [] }

    package mutating func decodeNextArgument<Argument: Codable>() throws -> Argument {
        do {
            return try decoder.decodeCounted(Argument.self, from: &rest)
        } catch {
            throw UndecodableArgument(detail: "\(Argument.self): \(error)")
        }
    }

    package mutating func decodeErrorType() throws -> (any Any.Type)? { nil }
    package mutating func decodeReturnType() throws -> (any Any.Type)? { nil }
}

/// The arguments are not what the target takes: told apart from what the target throws, for it did not run.
struct UndecodableArgument: Error {
    let detail: String
}

/// Takes what a call returned or threw, and writes the reply: a frame that is ready to leave, or, for a call that stays
/// on this node, its payload alone.
package final class ClusterResultHandler: DistributedTargetInvocationResultHandler, Sendable {
    package typealias SerializationRequirement = any Codable

    private let writer: FrameWriter?
    private let call: UInt32
    private let reply = Mutex<[UInt8]>([])

    /// The reply to call `call` of a peer.
    init(_ writer: FrameWriter, call: UInt32) {
        self.writer = writer
        self.call = call
    }

    /// The reply to a call on this node.
    init() {
        writer = nil
        call = 0
    }

    package func onReturn<Success: Codable>(value: Success) async throws {
        do {
            try write { bytes in
                ReplyOutcome.beginReturned(in: &bytes)
                try WireEncoder().encode(value, into: &bytes)
            }
        } catch {
            answer(.threw(message: "what was returned could not be sent: \(error)"))
        }
    }

    package func onReturnVoid() async throws { answer(.returned([])) }

    package func onThrow<Err: Error>(error: Err) async throws {
        switch error {
        case let argument as UndecodableArgument: answer(.undecodable(detail: argument.detail))
        case is CancellationError: answer(.cancelled)
        default: answer(.threw(message: "\(error)"))
        }
    }

    /// What is no value is short: it always fits into a frame.
    func answer(_ outcome: ReplyOutcome) {
        // Texts are cut by `ReplyOutcome`, and a frame has room for at least 1 KiB more than they need.
        try? write { outcome.append(to: &$0) }
    }

    /// What was written last. Empty if nothing was, which only a defect of ours makes possible.
    func takeReply() -> [UInt8] {
        reply.withLock { reply in
            defer { reply = [] }
            return reply
        }
    }

    private func write(_ body: (inout [UInt8]) throws -> Void) throws {
        var bytes: [UInt8] = []
        if let writer {
            bytes.reserveCapacity(128)
            try writer.append(.reply, streamID: call, to: &bytes, body)
        } else {
            try body(&bytes)
        }
        reply.withLock { $0 = bytes }
    }
}
