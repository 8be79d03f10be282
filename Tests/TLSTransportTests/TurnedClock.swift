import Synchronization
import Testing

/// A clock that stands still until the test turns it to the next moment that somebody waits for.
final class TurnedClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Swift.Duration
        func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleeper: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)?
    }

    private let state = Mutex(State())
    let minimumResolution = Swift.Duration.nanoseconds(1)

    var now: Instant { state.withLock { $0.now } }

    /// One sleeper at a time, which is all that `run()` is.
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.sleeper = (deadline, continuation) }
                if Task.isCancelled { wake(throwing: CancellationError()) }
            }
        } onCancel: {
            wake(throwing: CancellationError())
        }
    }

    /// Waits until somebody sleeps, and then until that sleep is over and the next one has begun: what the sleeper did
    /// in between is done when this returns.
    func turn() async throws {
        try await eventually("somebody sleeps") { isSlept }
        wake(throwing: nil)
        try await eventually("the sleeper sleeps again") { isSlept }
    }

    private var isSlept: Bool { state.withLock { $0.sleeper != nil } }

    private func wake(throwing error: (any Error)?) {
        let sleeper = state.withLock { state in
            if let deadline = state.sleeper?.deadline { state.now = max(state.now, deadline) }
            defer { state.sleeper = nil }
            return state.sleeper
        }
        if let error { sleeper?.continuation.resume(throwing: error) } else { sleeper?.continuation.resume() }
    }
}
