import WireProtocol

/// Why a call between nodes gave no answer.
package struct ClusterCallError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        // It did not run: safe to send again, whatever it does.
        /// No connection to the node, and none could be made.
        case unreachable
        /// As many calls as the node takes from us are running there; `retryAfter` says when to try again.
        case busy
        /// The actor lives elsewhere by the view of the node that was asked, twice.
        case wrongOwner
        /// No member of the cluster can hold the actor now.
        case noOwner
        /// No such actor at that node, or that node's life is over.
        case noSuchActor
        /// The target is not on a call list, ours or the other's, or not for that actor. `detail` has its mangled name.
        case notAllowed
        /// The arguments could not be encoded, or were not what the target takes.
        case undecodableArguments
        /// The call, or what it returned, is larger than a frame.
        case tooLarge
        /// The node is about to stop, or this system is not running.
        case stopping

        // It may have run.
        /// The call was sent and the connection was lost before the answer came.
        case outcomeUnknown
        /// The time was over.
        case deadlineExceeded
        /// The callee was cancelled at its side.
        case cancelledThere
        /// It ran and threw; `detail` describes the error.
        case remoteError
        /// It ran and answered with what is not the type that was asked for: releases that do not fit together.
        case undecodableAnswer
    }

    package let code: Code
    /// For people.
    package let detail: String
    /// With `busy`: not before.
    package let retryAfter: Duration?
    /// With `wrongOwner`: the name of the node that the one we asked takes for the owner.
    package let owner: String?

    package init(_ code: Code, _ detail: String, retryAfter: Duration? = nil, owner: String? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.owner = owner
    }

    /// Whether the call may have had an effect. If not, it may be sent again, whatever it does.
    package var mayHaveRun: Bool {
        switch code {
        case .unreachable, .busy, .wrongOwner, .noOwner, .noSuchActor, .notAllowed, .undecodableArguments, .tooLarge,
            .stopping:
            false
        case .outcomeUnknown, .deadlineExceeded, .cancelledThere, .remoteError, .undecodableAnswer: true
        }
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}

extension ClusterCallError {
    /// What an answer that is no value means to the caller; nil for a value.
    init?(_ outcome: ReplyOutcome, from peer: String) {
        switch outcome {
        case .returned: return nil
        case .threw(let message): self.init(.remoteError, message)
        case .wrongOwner(_, let owner): self.init(.wrongOwner, "\(peer) takes \(owner) for the owner", owner: owner)
        case .busy(let milliseconds):
            self.init(.busy, "\(peer) runs as many of our calls as it takes", retryAfter: .milliseconds(milliseconds))
        case .noSuchActor: self.init(.noSuchActor, "\(peer) has no such actor")
        case .notAllowed: self.init(.notAllowed, "\(peer) does not allow the call")
        case .deadlineExceeded: self.init(.deadlineExceeded, "the time was over at \(peer)")
        case .cancelled: self.init(.cancelledThere, "the call was cancelled at \(peer)")
        case .undecodable(let detail): self.init(.undecodableArguments, detail)
        case .stopping: self.init(.stopping, "\(peer) is about to stop")
        }
    }
}
