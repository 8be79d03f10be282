import Synchronization

/// An answer that does not exist yet and that any number of tasks wait for. The first `settle` counts.
final class Promise<Answer: Sendable>: Sendable {
    private enum State {
        /// Waiters in the order they came. Exit: `settled`.
        case pending([Int: CheckedContinuation<Answer, any Error>], last: Int)
        case settled(Result<Answer, any Error>)
    }

    private let state = Mutex(State.pending([:], last: 0))

    /// Throws what it was settled with, or `CancellationError` when the waiting task is cancelled.
    func wait() async throws -> Answer {
        let id = state.withLock { state -> Int in
            guard case .pending(let waiters, let last) = state else { return 0 }
            state = .pending(waiters, last: last + 1)
            return last + 1
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state -> Result<Answer, any Error>? in
                    switch state {
                    case .settled(let result): return result
                    case .pending(var waiters, let last):
                        // Cancelled before we got here: the handler below found nobody to wake.
                        if Task.isCancelled { return .failure(CancellationError()) }
                        waiters[id] = continuation
                        state = .pending(waiters, last: last)
                        return nil
                    }
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Answer, any Error>? in
                guard case .pending(var waiters, let last) = state else { return nil }
                let waiter = waiters.removeValue(forKey: id)
                state = .pending(waiters, last: last)
                return waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    func settle(_ result: Result<Answer, any Error>) {
        let waiters = state.withLock { state -> [Int: CheckedContinuation<Answer, any Error>] in
            guard case .pending(let waiters, _) = state else { return [:] }
            state = .settled(result)
            return waiters
        }
        // In the order they came: a run under a seed must not depend on the order of a dictionary.
        for id in waiters.keys.sorted() { waiters[id]?.resume(with: result) }
    }
}
