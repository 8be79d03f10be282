import Synchronization

/// A call of ours that is under way, and whoever waits for its answer.
///
/// The answer may come before the caller has begun to wait: it is encoded and sent outside of any lock, and the peer
/// may be quicker. The call table hands each call out once, so it is answered once.
final class PendingCall: Sendable {
    private enum State {
        /// Sent; the caller is on its way to wait. Exits: `waiting`, `answered`.
        case begun
        case waiting(CheckedContinuation<ArraySlice<UInt8>, any Error>)
        case answered(Result<ArraySlice<UInt8>, any Error>)
        case taken
    }

    private let state = Mutex(State.begun)

    /// The payload of the reply.
    func wait() async throws -> ArraySlice<UInt8> {
        try await withCheckedThrowingContinuation { continuation in
            let answer = state.withLock { state -> Result<ArraySlice<UInt8>, any Error>? in
                if case .answered(let answer) = state {
                    state = .taken
                    return answer
                }
                state = .waiting(continuation)
                return nil
            }
            if let answer { continuation.resume(with: answer) }
        }
    }

    func answer(_ answer: Result<ArraySlice<UInt8>, any Error>) {
        let waiter = state.withLock { state -> CheckedContinuation<ArraySlice<UInt8>, any Error>? in
            switch state {
            case .begun:
                state = .answered(answer)
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .answered, .taken:
                return nil
            }
        }
        waiter?.resume(with: answer)
    }
}
