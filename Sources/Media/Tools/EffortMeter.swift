package import ClipModel
import Glibc
import Synchronization

/// Adds up what one attempt takes. Handed to the tools with the toolbox, so that nobody who only passes a toolbox on
/// has to know of it.
///
/// Counted as processor time:
/// - every child (ffmpeg, ffprobe), user and system time of all its threads from its start on, whatever ended it; read
///   from the kernel's clock of that process when its output has ended, or when it was killed, and before it is reaped.
///   What it spends on dying after that is not seen: 0.2 ms of one that ends by itself, up to 10 ms of one that is
///   killed;
/// - the speech worker, from when it is given a request until it answers, dies, or the caller goes away;
/// - work of the node's own threads inside `measure`: looking for faces, choosing moments, joining transcripts, reading
///   what tools print, writing and reading JSON.
///
/// Not counted: loading the speech model, moving bytes between pipes and memory, hashing blobs on the disk's thread,
/// and talking to the database. Bytes read are blobs that the node reads whole and whatever a tool reads from files,
/// which is the source, its own scratch files, and 0.2 MB of its libraries a run; not the little that `scan` looks at.
/// Bytes written are blobs.
///
/// Whatever is counted is a sign that the attempt lives, and so is each `beat`.
package final class EffortMeter: Sendable {
    private struct State {
        var spent = Effort()
        var beats = 0
        var waits = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Up to now, in whole microseconds.
    package var total: Effort {
        var total = state.withLock { $0.spent }
        total.cpuSeconds = (total.cpuSeconds * 1_000_000).rounded() / 1_000_000
        return total
    }

    package func add(_ effort: Effort) {
        state.withLock { state in
            state.spent += effort
            state.beats += 1
        }
    }

    /// Something went on that takes nothing which is counted, or is counted only at its end.
    package func beat() { state.withLock { $0.beats += 1 } }

    /// What `Stillness` looks at: an attempt is still when nothing of it goes on, and it waits for nobody.
    package var signs: ToolSigns {
        state.withLock { state in
            ToolSigns(
                chunksRead: state.beats, isReaderBusy: state.waits > 0, cpuSeconds: state.spent.cpuSeconds,
                bytesRead: state.spent.bytesRead)
        }
    }

    /// From here to `waitEnds` the attempt waits for somebody who may be slow and has limits of his own: a blob of
    /// gigabytes that comes from a bucket is no silence of the one who wants it. Waits may overlap.
    package func waitBegins() { state.withLock { $0.waits += 1 } }

    package func waitEnds() {
        state.withLock { state in
            state.waits -= 1
            state.beats += 1
        }
    }

    /// Runs `work` and counts the processor time of this thread. Only for work that does not wait: after an `await`
    /// another thread may go on.
    package func measure<Answer, Problem: Error>(_ work: () throws(Problem) -> Answer) throws(Problem) -> Answer {
        let start = CPUClock.seconds(CLOCK_THREAD_CPUTIME_ID) ?? 0
        defer { add(Effort(cpuSeconds: max(0, (CPUClock.seconds(CLOCK_THREAD_CPUTIME_ID) ?? 0) - start))) }
        return try work()
    }
}

/// The kernel's clocks that run while a processor works for somebody.
enum CPUClock {
    /// Nil when there is no such clock.
    static func seconds(_ clock: clockid_t) -> Double? {
        var time = timespec()
        // Sound: the pointer is to a local that outlives the call.
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Of all threads that a process has and had. Nil when it is not there.
    static func seconds(of process: pid_t) -> Double? {
        var clock = clockid_t()
        // Sound: as above.
        guard unsafe clock_getcpuclockid(process, &clock) == 0 else { return nil }
        return seconds(clock)
    }
}
