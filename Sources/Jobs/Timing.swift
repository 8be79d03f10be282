import Synchronization

/// Time since this value was made, on an injected clock.
struct Stopwatch: Sendable {
    private let read: @Sendable () -> Duration

    init(_ clock: any Clock<Duration>) { self.init(on: clock) }

    private init<Source: Clock>(on clock: Source) where Source.Duration == Duration {
        let start = clock.now
        read = { start.duration(to: clock.now) }
    }

    var elapsed: Duration { read() }
}

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

    /// As `wait`, but no longer than `limit`. False: it did not ring.
    @discardableResult
    func wait(upTo limit: Duration, on clock: any Clock<Duration>) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.wait()
                return true
            }
            // Cancelled when the bell rings first: then there is nothing left to wait for.
            group.addTask {
                try? await clock.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
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

/// Runs both and answers with whichever ends first; the other is cancelled and waited for.
func firstOf<Answer: Sendable>(
    _ one: @Sendable @escaping () async -> Answer, _ other: @Sendable @escaping () async -> Answer
) async -> Answer {
    await withTaskGroup(of: Answer.self) { group in
        group.addTask { await one() }
        group.addTask { await other() }
        // Two tasks were added, so there is a first.
        let answer = await group.next()!
        group.cancelAll()
        return answer
    }
}
