import ClipModel
import Jobs
import Synchronization

/// A clock that moves only when the test says so, and then to the next moment that somebody waits for.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Swift.Duration
        func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var last = 0
    }

    private let state = Mutex(State())
    var minimumResolution: Swift.Duration { .nanoseconds(1) }

    var now: Instant { state.withLock { $0.now } }
    /// The same as a time of day.
    var wallTime: Timestamp {
        let (seconds, attoseconds) = now.offset.components
        return Timestamp(
            millisecondsSinceEpoch: 4_000_000_000_000 + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil || Task.isCancelled { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Lets time pass while nobody waits.
    func advance(by duration: Swift.Duration) { state.withLock { $0.now = $0.now.advanced(by: duration) } }

    /// Moves to the next moment that somebody waits for, and wakes them.
    func step() {
        let due = state.withLock { state in
            guard let next = state.sleepers.values.map(\.deadline).min() else { return [Sleeper]() }
            state.now = max(state.now, next)
            let ids = state.sleepers.filter { $0.value.deadline <= state.now }.keys
            return ids.compactMap { state.sleepers.removeValue(forKey: $0) }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }
}
