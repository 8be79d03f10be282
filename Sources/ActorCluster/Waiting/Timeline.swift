/// The injected clock, seen as time since the system was made. Machines take `now`, shells sleep until.
struct Timeline: Sendable {
    private let read: @Sendable () -> Duration
    private let wait: @Sendable (Duration) async throws -> Void

    init(_ clock: any Clock<Duration>) { self.init(on: clock) }

    private init<Source: Clock>(on clock: Source) where Source.Duration == Duration {
        let start = clock.now
        read = { start.duration(to: clock.now) }
        wait = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    var now: Duration { read() }

    /// Ends early by cancellation only, which it throws.
    func sleep(until moment: Duration) async throws { try await wait(moment) }

    func sleep(for duration: Duration) async throws { try await wait(read() + duration) }

    /// Runs `body`, cancelled when `deadline` comes first; nil then. Costs two tasks: for what is rare.
    func before<Answer: Sendable>(
        _ deadline: Duration?, _ body: @Sendable @escaping () async throws -> Answer
    ) async throws -> Answer? {
        guard let deadline else { return try await body() }
        return try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            // Two tasks were added, so there is a first. Whichever it is decides, also by throwing.
            return try await group.next()!
        }
    }
}
