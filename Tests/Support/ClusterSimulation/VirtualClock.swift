import Synchronization

/// One node's clock over the scheduler's time: it may be off and run fast or slow, as clocks of machines do.
package final class VirtualClock: Clock {
    package struct Instant: InstantProtocol {
        package let offset: Swift.Duration

        package func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let scheduler: Scheduler
    /// How much faster than the scheduler's time: 0.0001 is 100 ppm.
    private let drift: Double
    private let start: Swift.Duration

    private struct Sleeper {
        let continuation: CheckedContinuation<Void, any Error>
        let ticket: EventQueue.Ticket
    }

    private struct State {
        var sleepers: [Int: Sleeper] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    package init(_ scheduler: Scheduler, drift: Double = 0) {
        self.scheduler = scheduler
        self.drift = drift
        start = scheduler.now
    }

    package var minimumResolution: Swift.Duration { .nanoseconds(1) }
    package var now: Instant { Instant(offset: (scheduler.now - start) * (1 + drift)) }

    package func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // A nanosecond more than it takes, so that the clock is never found a rounding before the deadline.
                let moment = start + deadline.offset / (1 + drift) + .nanoseconds(1)
                let isCancelled = state.withLock { state -> Bool in
                    if Task.isCancelled { return true }
                    let ticket = scheduler.at(moment) { self.wake(id) }
                    state.sleepers[id] = Sleeper(continuation: continuation, ticket: ticket)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            guard let sleeper = state.withLock({ $0.sleepers.removeValue(forKey: id) }) else { return }
            scheduler.cancel(sleeper.ticket)
            sleeper.continuation.resume(throwing: CancellationError())
        }
    }

    private func wake(_ id: Int) { state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume() }
}
