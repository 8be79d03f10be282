import Synchronization

/// A clock that a test moves on.
final class HandClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        let offset: Swift.Duration

        func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Swift.Duration.zero
        var last = 0
        var sleepers: [Int: (deadline: Swift.Duration, wake: CheckedContinuation<Void, any Error>)] = [:]
        var watchers: [(deadline: Swift.Duration, tell: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var minimumResolution: Swift.Duration { .nanoseconds(1) }
    var now: Instant { state.withLock { Instant(offset: $0.now) } }

    /// Wakes everybody whose time has come.
    func advance(seconds: Double) {
        let due = state.withLock { state in
            state.now += .seconds(seconds)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.wake)
        }
        for wake in due { wake.resume() }
    }

    /// Returns when somebody sleeps until then.
    func sleeper(untilSeconds seconds: Double) async {
        let deadline = Swift.Duration.seconds(seconds)
        await withCheckedContinuation { tell in
            let isThere = state.withLock { state in
                if state.sleepers.values.contains(where: { $0.deadline == deadline }) { return true }
                state.watchers.append((deadline, tell))
                return false
            }
            if isThere { tell.resume() }
        }
    }

    func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wake in
                let (isOver, told) = state.withLock { state in
                    if Task.isCancelled || deadline.offset <= state.now {
                        return (true, [CheckedContinuation<Void, Never>]())
                    }
                    state.sleepers[id] = (deadline.offset, wake)
                    let told = state.watchers.filter { $0.deadline == deadline.offset }.map(\.tell)
                    state.watchers.removeAll { $0.deadline == deadline.offset }
                    return (false, told)
                }
                for tell in told { tell.resume() }
                guard isOver else { return }
                if Task.isCancelled { wake.resume(throwing: CancellationError()) } else { wake.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.wake.resume(throwing: CancellationError())
        }
    }
}
