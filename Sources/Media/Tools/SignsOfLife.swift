import Glibc
import Synchronization

/// Tells a tool that stands still from one that is slow: it computes nothing, reads nothing and says nothing, though
/// nobody keeps it waiting.
final class SignsOfLife: Sendable {
    private struct State: Hashable {
        var chunksRead = 0
        /// What it said last is being worked on. Meanwhile a tool may wait at a full pipe.
        var isReaderBusy = false
    }

    private let state = Mutex(State())
    private let process: @Sendable () -> pid_t?

    /// - Parameter process: the number of the tool; nil while it is not there.
    init(of process: @escaping @Sendable () -> pid_t?) { self.process = process }

    func readerBegins() {
        state.withLock {
            $0.chunksRead += 1
            $0.isReaderBusy = true
        }
    }

    func readerIsDone() { state.withLock { $0.isReaderBusy = false } }

    /// Returns once there was no sign of life for that long, to within a fourth of it. False: the task was cancelled.
    func fellSilent(forSeconds limit: Double, clock: any Clock<Duration>) async -> Bool {
        var (last, silent) = (look(), 0.0)
        while silent < limit {
            do { try await clock.sleep(for: .seconds(limit / 4)) } catch { return false }
            let now = look()
            // Nothing is said of a process that cannot be looked at.
            let isAlive = now.state.isReaderBusy || now.cpuSeconds == nil || now != last
            silent = isAlive ? 0 : silent + limit / 4
            last = now
        }
        return true
    }

    private struct Look: Hashable {
        let state: State
        let cpuSeconds: Double?
        let bytesRead: Int64?
    }

    private func look() -> Look {
        let reading = process().flatMap { ProcessReading(of: $0) }
        return Look(
            state: state.withLock { $0 }, cpuSeconds: reading?.cpuSeconds, bytesRead: reading?.bytesRead)
    }
}
