import Synchronization

/// Wakes one waiting task. Rings while nobody waits are remembered as one: whoever wakes looks at everything anyway.
final class Bell: Sendable {
    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() { wake(remembering: true) }

    /// Returns when the bell rang since the last wait, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    precondition(state.waiter == nil, "a bell has one listener")
                    if state.hasRung || Task.isCancelled {
                        state.hasRung = false
                        continuation.resume()
                    } else {
                        state.waiter = continuation
                    }
                }
            }
        } onCancel: {
            wake(remembering: false)
        }
    }

    /// As `wait`, but not longer than until `moment`; nil waits for the bell alone.
    func wait(until moment: Duration?, on timeline: Timeline) async {
        guard let moment else { return await wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            // Cancelled when the bell rings first: then there is nothing left to wait for.
            group.addTask { try? await timeline.sleep(until: moment) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wake(remembering: Bool) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            if state.waiter == nil, remembering { state.hasRung = true }
            return state.waiter
        }
        waiter?.resume()
    }
}
