import Foundation
import Synchronization

/// A thread of our own that runs the jobs of one actor, one after the other.
///
/// libpq blocks. On the shared threads of Swift's concurrency a handful of slow statements would stop everything else
/// in the process; here they stop one connection.
final class LaneThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    /// Only wakes the thread; what it guards is in `state`.
    private let wake = NSCondition()

    init(name: String) {
        // The thread keeps this object alive until `stop()`: jobs refer to their executor without owning it.
        let thread = Thread { self.run() }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        state.withLock { $0.jobs.append(unowned) }
        ring()
    }

    /// Ends the thread once it has run what is enqueued.
    func stop() {
        state.withLock { $0.isStopped = true }
        ring()
    }

    private func ring() {
        wake.lock()
        wake.signal()
        wake.unlock()
    }

    private func run() {
        while let jobs = waitForJobs() {
            for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }

    /// Nil when the thread shall end.
    private func waitForJobs() -> [UnownedJob]? {
        wake.lock()
        defer { wake.unlock() }
        while true {
            let (jobs, isStopped) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isStopped)
            }
            if !jobs.isEmpty { return jobs }
            if isStopped { return nil }
            wake.wait()
        }
    }
}

/// One connection and the thread it blocks. Connects when first used, and again after the connection broke.
actor Lane {
    private let thread: LaneThread
    private let configuration: PostgresConfiguration
    private var connection: PostgresConnection?

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    init(_ configuration: PostgresConfiguration, name: String) {
        self.configuration = configuration
        thread = LaneThread(name: name)
    }

    deinit { thread.stop() }

    /// Runs `body` on the lane's thread. A connection that broke is closed; one that was left inside a transaction is
    /// rolled back.
    func use<Value: Sendable>(_ body: @Sendable (inout PostgresConnection) throws -> Value) throws -> Value {
        var connection = try self.connection.take() ?? PostgresConnection.open(configuration)
        do {
            let value = try body(&connection)
            // `body` may know what to make of a broken connection; its answer is not ours to replace.
            guard !connection.isBroken else { return value }
            try connection.rollBackIfOpen()
            self.connection = consume connection
            return value
        } catch {
            // A failed roll-back means a broken connection: it is dropped with its transaction, which is the same.
            if !connection.isBroken, (try? connection.rollBackIfOpen()) != nil { self.connection = consume connection }
            throw error
        }
    }

    func close() { connection = nil }
}
