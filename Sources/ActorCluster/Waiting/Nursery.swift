import Synchronization

/// Lets code that is not a child of `run()` start work that is one: a caller on any task may need a connection dialled
/// or an actor activated, and that work must neither end with the caller nor outlive the system.
final class Nursery: Sendable {
    private struct State {
        var jobs: [@Sendable () async -> Void] = []
        var isOpen = true
    }

    private let state = Mutex(State())
    private let bell = Bell()

    /// False when the system has stopped: the job will not run. Callers bound what they start (one dial per lane, one
    /// activation per key), so the list is bounded too.
    func start(_ job: @escaping @Sendable () async -> Void) -> Bool {
        let isTaken = state.withLock { state in
            if state.isOpen { state.jobs.append(job) }
            return state.isOpen
        }
        if isTaken { bell.ring() }
        return isTaken
    }

    /// Runs the jobs side by side until the task is cancelled. Jobs that nobody began by then are run too, cancelled,
    /// so that whoever waits for them hears of it.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for job in take() { group.addTask { await job() } }
                await bell.wait()
            }
            for job in close() { group.addTask { await job() } }
        }
    }

    private func take() -> [@Sendable () async -> Void] {
        state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
    }

    private func close() -> [@Sendable () async -> Void] {
        state.withLock { state in
            defer { state.jobs = [] }
            state.isOpen = false
            return state.jobs
        }
    }
}
