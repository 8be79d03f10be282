import Synchronization

/// Lets so many in at a time; the others wait in the order in which they came.
package final class Turns: Sendable {
    private struct State {
        var free: Int
        var tickets = 0
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state: Mutex<State>

    package init(_ count: Int) {
        precondition(count > 0, "with \(count) turns nobody is ever let in")
        state = Mutex(State(free: count))
    }

    /// Runs `body` when it is our turn. Throws `CancellationError` when the task is cancelled while it waits.
    package func withTurn<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        try await take()
        defer { give() }
        return try await body()
    }

    private func take() async throws(CancellationError) {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        let isOurs = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if state.free > 0 {
                        state.free -= 1
                        continuation.resume(returning: true)
                    } else if Task.isCancelled {
                        continuation.resume(returning: false)
                    } else {
                        state.waiting.append((ticket, continuation))
                    }
                }
            }
        } onCancel: {
            let left = state.withLock { state in
                let index = state.waiting.firstIndex { $0.ticket == ticket }
                return index.map { state.waiting.remove(at: $0).continuation }
            }
            left?.resume(returning: false)
        }
        guard isOurs else { throw CancellationError() }
    }

    private func give() {
        let next = state.withLock { state in
            if state.waiting.isEmpty {
                state.free += 1
                return nil as CheckedContinuation<Bool, Never>?
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}

/// One turn for each key: who wants the same as another waits for it.
package final class KeyedTurns: Sendable {
    private let keys = Mutex<[String: (turns: Turns, users: Int)]>([:])

    package init() {}

    package func withTurn<Answer>(of key: String, _ body: () async throws -> Answer) async throws -> Answer {
        let turns = keys.withLock { keys in
            let turns = keys[key]?.turns ?? Turns(1)
            keys[key] = (turns, (keys[key]?.users ?? 0) + 1)
            return turns
        }
        defer {
            keys.withLock { keys in
                let users = (keys[key]?.users ?? 1) - 1
                keys[key] = users == 0 ? nil : (turns, users)
            }
        }
        return try await turns.withTurn(body)
    }
}
