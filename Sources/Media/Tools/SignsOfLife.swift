import Glibc
import Synchronization

/// Looks at a tool again and again, until it has been still for too long (`Stillness`).
final class SignsOfLife: Sendable {
    /// What only the reader of its output can tell; the rest is asked of the kernel at every look.
    private let told = Mutex(ToolSigns())
    private let process: @Sendable () -> pid_t?

    /// - Parameter process: the number of the tool; nil while it is not there.
    init(of process: @escaping @Sendable () -> pid_t?) { self.process = process }

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
        repeat {
            do { try await clock.sleep(for: .seconds(pause)) } catch { return false }
        } while !stillness.saw(look(), afterSeconds: pause)
        return true
    }

    private func look() -> ToolSigns {
        let reading = process().flatMap { ProcessReading(of: $0) }
        var signs = told.withLock { $0 }
        signs.cpuSeconds = reading?.cpuSeconds
        signs.bytesRead = reading?.bytesRead
        return signs
    }
}
