import Store
import Synchronization

/// Lends lanes to callers, one at a time, as `PoolSchedule` says.
final class LanePool: Sendable {
    private struct State {
        var schedule: PoolSchedule
        var continuations: [Int: CheckedContinuation<Int, any Error>] = [:]
        var lastWaiter = 0
    }

    private let state: Mutex<State>
    private let lanes: [Lane]
    private let waitSecondsMax: Double
    private let clock: any Clock<Duration>

    init(_ configuration: PostgresConfiguration, clock: any Clock<Duration>) {
        let schedule = PoolSchedule(lanes: configuration.connectionsMax, waitersMax: configuration.waitersMax)
        state = Mutex(State(schedule: schedule))
        lanes = (0..<configuration.connectionsMax).map { Lane(configuration, name: "postgres-\($0)") }
        waitSecondsMax = configuration.waitSecondsMax
        self.clock = clock
    }

    func withLane<Value>(_ body: (Lane) async throws -> Value) async throws -> Value {
        let lane = try await borrow()
        defer { giveBack(lane) }
        return try await body(lanes[lane])
    }

    func close() async {
        for lane in lanes { await lane.close() }
    }

    private func borrow() async throws -> Int {
        try Task.checkCancellation()
        if let lane = takeFree() { return lane }
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await self.wait() }
            group.addTask {
                try await self.clock.sleep(for: .seconds(self.waitSecondsMax))
                return nil
            }
            // Either the lane or the end of patience; cancelling the wait may still turn up a lane that was served in
            // the same moment.
            var failure: (any Error)?
            for _ in 0..<2 {
                do {
                    if let lane = try await group.next() ?? nil {
                        group.cancelAll()
                        return lane
                    }
                    failure = failure ?? self.exhausted()
                } catch {
                    failure = failure ?? error
                }
                group.cancelAll()
            }
            throw failure ?? self.exhausted()
        }
    }

    private func takeFree() -> Int? {
        state.withLock { state in
            state.lastWaiter += 1
            var trial = state.schedule
            guard case .take(let lane) = trial.asked(by: state.lastWaiter) else { return nil }
            state.schedule = trial
            return lane
        }
    }

    private func wait() async throws -> Int {
        let waiter = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in register(waiter, continuation) }
        } onCancel: {
            let continuation = state.withLock { state in
                state.schedule.gaveUp(waiter) ? state.continuations.removeValue(forKey: waiter) : nil
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    private func register(_ waiter: Int, _ continuation: CheckedContinuation<Int, any Error>) {
        let answer: Result<Int, any Error>? = state.withLock { state in
            // Inside the lock, so that a cancellation is either seen here or finds the waiter registered.
            if Task.isCancelled { return .failure(CancellationError()) }
            switch state.schedule.asked(by: waiter) {
            case .take(let lane): return .success(lane)
            case .refuse: return .failure(exhausted())
            case .wait:
                state.continuations[waiter] = continuation
                return nil
            }
        }
        if let answer { continuation.resume(with: answer) }
    }

    private func giveBack(_ lane: Int) {
        let next = state.withLock { state in
            state.schedule.returned(lane: lane).flatMap { state.continuations.removeValue(forKey: $0) }
        }
        next?.resume(returning: lane)
    }

    private func exhausted() -> StoreError {
        StoreError(
            .poolExhausted,
            "all \(lanes.count) connections were busy for \(waitSecondsMax) s: the database is slow, or "
                + "connectionsMax is too low for this node")
    }
}
