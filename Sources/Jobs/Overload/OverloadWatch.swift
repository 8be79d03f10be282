package import ClipModel
package import Logging
package import Store
import Synchronization

/// How a node watches the load of its region.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `thresholds` | see `OverloadLadder.Thresholds` | | |
/// | `interval` | duration | 5 s | a flood is noticed late; every round is one statement |
/// | `deferSecondsMax` | seconds | 3600 | a job that was put off is never begun |
package struct OverloadConfiguration: Sendable, Hashable {
    package var thresholds: OverloadLadder.Thresholds
    package var interval: Duration
    package var deferSecondsMax: Double

    package init(
        thresholds: OverloadLadder.Thresholds = OverloadLadder.Thresholds(), interval: Duration = .seconds(5),
        deferSecondsMax: Double = 3600
    ) {
        precondition(interval > .zero && deferSecondsMax > 0, "an interval and a bound must be positive")
        self.thresholds = thresholds
        self.interval = interval
        self.deferSecondsMax = deferSecondsMax
    }
}

/// Measures how long a job of this region would wait, lets the ladder decide what that means, and opens jobs that were
/// put off when there is room for them.
///
/// Every node does so for its own region and by its own memory: no decision needs a second opinion, and two nodes that
/// disagree for some seconds do no harm.
package final class OverloadWatch: Sendable {
    private struct Memory {
        var ladder: OverloadLadder
        var state: OverloadState
    }

    package let region: Region
    package let configuration: OverloadConfiguration
    private let store: any Store
    private let machine: @Sendable () -> MachineReading
    private let clock: any Clock<Duration>
    private let stopwatch: Stopwatch
    private let now: WallTime
    private let logger: Logger
    private let memory: Mutex<Memory>

    /// - Parameter machine: what is left of this machine; asked once a round.
    package init(
        region: Region, configuration: OverloadConfiguration = OverloadConfiguration(), store: any Store,
        machine: @escaping @Sendable () -> MachineReading = { MachineReading() }, clock: any Clock<Duration>,
        now: @escaping WallTime, logger: Logger
    ) {
        self.region = region
        self.configuration = configuration
        self.store = store
        self.machine = machine
        self.clock = clock
        self.now = now
        self.logger = logger
        stopwatch = Stopwatch(clock)
        memory = Mutex(
            Memory(ladder: OverloadLadder(configuration.thresholds), state: OverloadState(since: now())))
    }

    package var state: OverloadState { memory.withLock { $0.state } }

    /// Where a job that is taken in now gets its home, and after how long it may begin.
    package var berth: OverloadState.Berth {
        state.berth(at: region, configuration.thresholds, deferSecondsMax: configuration.deferSecondsMax)
    }

    /// Looks again and again until cancelled.
    package func run() async {
        while !Task.isCancelled {
            await look()
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: configuration.interval)
        }
    }

    /// One round.
    package func look() async {
        var queues: QueueReading?
        do { queues = try await store.queues() } catch {
            // Without an answer the level stays; whoever asks for anything learns of the store's silence anyway.
            logger.debug("load of the regions is not known", metadata: ["error": "\(error)"])
        }
        judge(queues, machine())
        guard let queues else { return }
        do { try await openDeferred(queues) } catch {
            logger.info("deferred jobs wait for the next round", metadata: ["error": "\(error)"])
        }
    }

    private func judge(_ queues: QueueReading?, _ machine: MachineReading) {
        let (moment, time) = (stopwatch.elapsed, now())
        let reading = OverloadLadder.Reading(
            queueSeconds: queues?.expectedSeconds(in: region), diskFreeBytes: machine.diskFreeBytes,
            memoryPressurePercent: machine.memoryPressurePercent)
        let (change, state) = memory.withLock { memory in
            let change = memory.ladder.received(reading, at: moment)
            if change != nil { memory.state.since = time }
            memory.state.level = memory.ladder.level
            memory.state.reason = memory.ladder.reason
            memory.state.queueSeconds = memory.ladder.reading.queueSeconds
            memory.state.retryAfterSeconds = memory.ladder.retryAfterSeconds
            memory.state.isDiskFull = memory.ladder.cause == .disk
            memory.state.queues = queues ?? memory.state.queues
            return (change, memory.state)
        }
        guard let change else { return }
        logger.log(
            level: change.to > change.from ? .warning : .notice, "overload level changed",
            metadata: [
                "overload.level": "\(change.to.rawValue)", "overload.before": "\(change.from.rawValue)",
                "overload.reason": "\(state.reason ?? "the load has gone")",
                "overload.queue_seconds": "\(Int(state.queueSeconds ?? 0))",
            ])
    }

    /// Keeps the nodes of this region busy while jobs wait that were put off: as many are opened as fit below the level
    /// from which jobs are put off, so the queue that clients see does not grow by them; and at once those whose turn
    /// it is before that of open work, so that one client's flood puts off nobody else for longer than a look.
    private func openDeferred(_ queues: QueueReading) async throws {
        guard let own = queues.queue(of: region), own.deferredJobs > 0, own.threads > 0 else { return }
        let room = max(0, configuration.thresholds.leaves(.deferNew) * Double(own.threads) - own.openSeconds)
        // An effort near nothing, of a cluster that only finds results ready, must not divide to more than all.
        let opened = try await store.openDeferred(in: region, costSeconds: room / max(queues.effort, 0.01))
        guard opened > 0 else { return }
        logger.info("deferred jobs are begun", metadata: ["jobs": "\(opened)", "region": "\(region)"])
    }
}

extension OverloadLadder {
    /// Why the level is what it is, for people.
    var reason: String? {
        switch cause {
        case nil: nil
        case .queue:
            "A job that comes now would wait about \(Int(reading.queueSeconds ?? 0)) s; this level is left below "
                + "\(Int(thresholds.leaves(level))) s."
        case .disk:
            "\(mebibytes(reading.diskFreeBytes ?? 0)) of disk are free for videos, "
                + "\(mebibytes(thresholds.diskFreeBytesMin)) must be."
        case .memory:
            "Something waited for memory in \(Int(reading.memoryPressurePercent ?? 0)) % of the last ten seconds."
        }
    }
}
