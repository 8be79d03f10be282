import ClipModel
import Foundation
package import Logging
import Subprocess
import SystemPackage

/// The speech workers of a node. `SpeechSchedule` decides, this carries out: it starts and kills processes, moves
/// frames, and hands answers to those who wait.
///
/// A caller is a mailbox (a bounded stream that keeps the newest), not a continuation: when its task is cancelled the
/// stream ends at once, and the caller itself comes back here to say so. That needs no unstructured task and no lock.
package actor SpeechPool {
    private enum News: Sendable {
        case progress(Double)
        case answer(TranscribedChunk)
        case refusal(MediaError)
    }

    /// What a worker does, on whose account, and what it had taken before.
    private struct Work {
        let request: Int
        let effort: EffortMeter
        let before: ProcessReading?
    }

    private let configuration: SpeechConfiguration
    private let clock: any Clock<Duration>
    /// Seconds since the pool was made.
    private let now: @Sendable () -> Double
    private let logger: Logger
    private var schedule: SpeechSchedule
    private var callers: [Int: AsyncStream<News>.Continuation] = [:]
    private var meters: [Int: EffortMeter] = [:]
    private var work: [Int: Work] = [:]
    /// Only while their number is their own.
    private var processes: [Int: pid_t] = [:]
    private var mailboxes: [Int: AsyncStream<SpeechProcess.Command>.Continuation] = [:]
    private var lastRequest = 0
    private let starts: AsyncStream<Int>
    private let startsInput: AsyncStream<Int>.Continuation

    /// How often hangs, idle workers and ends of back-off are looked for: a fraction of the shortest limit.
    private static let tick = Duration.milliseconds(200)
    /// News that a caller has not read yet. Older ones go first; an answer is always the newest.
    private static let newsMax = 16

    package init(configuration: SpeechConfiguration, clock: any Clock<Duration>, logger: Logger) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        now = elapsedSeconds(clock)
        schedule = SpeechSchedule(configuration)
        // A child is started again only after its last process has ended: no more than one entry each.
        (starts, startsInput) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(configuration.childrenMax))
    }

    package init(
        configuration: MediaConfiguration, childrenMax: Int, clock: any Clock<Duration>, logger: Logger
    ) {
        self.init(
            configuration: SpeechConfiguration(configuration, childrenMax: childrenMax), clock: clock, logger: logger)
    }

    /// Supervises the workers until the task is cancelled; then none is left. To be called once. Requests that come
    /// before it wait for it.
    package func run() async {
        // A worker that dies while an order is on its way must be an error of that write, not the end of the node.

        _ = signal(SIGPIPE, SIG_IGN)
        perform(schedule.opened(at: now()))
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchTime() }
            for await child in starts { group.addTask { await self.live(child) } }
            group.cancelAll()
        }
        perform(schedule.closed())
    }

    /// The words of one chunk. Waits for a worker; ends at once when the calling task is cancelled.
    /// What workers take for it is added to `effort`: of those that are lost on it too.
    package func transcribe(
        _ request: TranscriptionRequest, threads: Int, effort: EffortMeter = EffortMeter(),
        progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> TranscribedChunk {
        lastRequest += 1
        let id = lastRequest
        let (news, input) = AsyncStream<News>.makeStream(bufferingPolicy: .bufferingNewest(Self.newsMax))
        callers[id] = input
        meters[id] = effort
        defer { meters[id] = nil }
        perform(schedule.submitted(id, request, threads: max(1, threads), at: now()))
        for await item in news {
            switch item {
            case .progress(let fraction): progress(fraction)
            case .answer(let chunk): return chunk
            case .refusal(let error): throw error
            }
        }
        // The stream ended without an answer: this task was cancelled.
        callers[id] = nil
        for (child, work) in work where work.request == id { settle(child) }
        perform(schedule.cancelled(id, at: now()))
        throw MediaError(.cancelled)
    }

    /// How many workers have a process, for health and tests.
    package var liveChildren: Int { schedule.children.count { !$0.isAbsent } }

    private func perform(_ actions: [SpeechSchedule.Action]) {
        for action in actions {
            switch action {
            case .start(let child): startsInput.yield(child)
            case .send(let order, let child):
                if case .transcribe(let id, _, _) = order { begin(id, child) }
                mailboxes[child]?.yield(.send(SpeechFrame.bytes(of: order)))
            case .close(let child): mailboxes[child]?.yield(.close)
            case .kill(let child):
                logger.warning("speech worker killed", metadata: ["child": "\(child)", "why": "silent or too slow"])
                mailboxes[child]?.yield(.kill)
            case .tell(let request, let fraction): callers[request]?.yield(.progress(fraction))
            case .answer(let request, let chunk): callers.removeValue(forKey: request)?.yield(.answer(chunk))
            case .refuse(let request, let error): callers.removeValue(forKey: request)?.yield(.refusal(error))
            }
        }
    }

    private func watchTime() async {
        do {
            while true {
                try await clock.sleep(for: Self.tick)
                perform(schedule.ticked(at: now()))
            }
        } catch {
            // Cancelled: the pool ends.
        }
    }

    /// One process, from its start to its end.
    private func live(_ child: Int) async {
        let (commands, input) = AsyncStream<SpeechProcess.Command>.makeStream(
            bufferingPolicy: .bufferingOldest(SpeechProcess.commandsMax))
        mailboxes[child] = input
        let process = SpeechProcess(configuration: configuration)
        let (ending, lastWords) = await process.run(commands) { number in
            await self.born(child, number)
        } report: { report in
            await self.heard(report, from: child)
        } outputEnded: {
            input.finish()
        } dead: {
            await self.died(child)
        }
        mailboxes[child] = nil
        let facts: Logger.Metadata = ["child": "\(child)", "ending": "\(ending)", "stderr": "\(lastWords)"]
        if ending == .exited(0) || Task.isCancelled {
            logger.debug("speech worker ended", metadata: facts)
        } else {
            logger.warning("speech worker lost", metadata: facts)
        }
        perform(schedule.ended(ending, child: child, at: now()))
    }

    private func heard(_ report: SpeechReport, from child: Int) {
        switch report {
        // Before the next request is given to it.
        case .transcribed(let id, _), .failed(let id?, _, _): if work[child]?.request == id { settle(child) }
        // Said twice a second, also while nothing moves that callers are told of.
        case .progress(let id, _): if let work = work[child], work.request == id { work.effort.beat() }
        case .ready, .failed(nil, _, _): break
        }
        perform(schedule.reported(report, by: child, at: now()))
    }

    // MARK: What it takes

    private func born(_ child: Int, _ process: pid_t) { processes[child] = process }

    private func died(_ child: Int) {
        settle(child)
        processes[child] = nil
    }

    private func begin(_ request: Int, _ child: Int) {
        guard let effort = meters[request] else { return }
        work[child] = Work(
            request: request, effort: effort, before: processes[child].flatMap { ProcessReading(of: $0) })
    }

    /// It works on this request no more, or nobody waits for it any more.
    private func settle(_ child: Int) {
        guard let done = work.removeValue(forKey: child), let before = done.before, let process = processes[child],
            let reading = ProcessReading(of: process)
        else { return }
        done.effort.add(reading.effort(since: before))
    }
}

/// Seconds on `clock` from now on.
private func elapsedSeconds<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Double {
    let start = clock.now
    return { start.duration(to: clock.now) / .seconds(1) }
}
