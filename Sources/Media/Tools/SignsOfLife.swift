import Glibc
import Synchronization

/// Looks at a tool again and again, until it has been still for too long (`Stillness`).
final class SignsOfLife: Sendable {
    /// What only the reader of its output can tell; the rest is asked of the kernel at every look.
    private let told = Mutex(ToolSigns())
    private let process: @Sendable () -> pid_t?
    private let effort: EffortMeter

    /// - Parameters:
    ///   - process: the number of the tool; nil while it is not there.
    ///   - effort: of the attempt that the tool works for, which lives as long as the tool does.
    init(of process: @escaping @Sendable () -> pid_t?, for effort: EffortMeter) {
        self.process = process
        self.effort = effort
    }

    func readerBegins() {
        told.withLock {
            $0.chunksRead += 1
            $0.isReaderBusy = true
        }
    }

    func readerIsDone() { told.withLock { $0.isReaderBusy = false } }

    /// Returns once there was no sign of life for that long, to within a fourth of it. False: the task was cancelled.
    func fellSilent(forSeconds limit: Double, clock: any Clock<Duration>) async -> Bool {
        var stillness = Stillness(limitSeconds: limit, first: look())
        let pause = stillness.secondsBetweenLooks
        while true {
            do { try await clock.sleep(for: .seconds(pause)) } catch { return false }
            guard !stillness.saw(look(), afterSeconds: pause) else { return true }
            if stillness.isAlive { effort.beat() }
        }
    }

    private func look() -> ToolSigns {
        let reading = process().flatMap { ProcessReading(of: $0) }
        var signs = told.withLock { $0 }
        signs.cpuSeconds = reading?.cpuSeconds
        signs.bytesRead = reading?.bytesRead
        return signs
    }
}
