package import Blobs
package import ClipModel
package import Logging
import Media
package import Stages
package import Store
import Synchronization

/// Runs the stages of one node: claims them when there are threads, keeps its lease alive, and lets go when told to.
///
/// This is the shell. What may be done is decided by `WorkerMachine`, `LeaseKeeper` and `Schedule`; here are only the
/// loops that feed them. A node has one life after another: when it cannot be sure of its lease any more it stops all
/// work and registers anew, and the store fences whatever its former life still says.
package actor Worker {
    /// One claimed stage, from the claim until its outcome is reported.
    final class Run: Sendable {
        struct State {
            var grant: CPUSlots.Grant
            var fraction = 0.0
            /// Where its job is at home; nil before the job was read.
            var home: Region?
            var givesBack = false
            /// On the worker's stopwatch, and after how many seconds of work that is. Nil before the work begins.
            var deadline: (at: Duration, seconds: Double)?
            /// How it was ended from outside.
            var imposed: Ending?
            var isOver = false
            var isLeftBehind = false
            /// Since when it works, on the stopwatch, and what the constants say that it takes. Nil: it does not work
            /// yet, or they say nothing about it.
            var work: (startedAt: Duration, costSeconds: Double)?
        }

        /// Somebody wants it to end.
        let stop = Bell()
        /// It was ended from outside, or is over.
        let intervention = Bell()
        let over = Bell()
        let effort = EffortMeter()
        let state: Mutex<State>

        /// On the worker's stopwatch.
        let startedAt: Duration

        init(grant: CPUSlots.Grant, startedAt: Duration) {
            state = Mutex(State(grant: grant))
            self.startedAt = startedAt
        }
    }

    let node: NodeDraft
    let configuration: WorkerConfiguration
    let store: any Store
    let blobs: any BlobStore
    let runner: StageRunner
    let slots: CPUSlots
    let clock: any Clock<Duration>
    let now: WallTime
    let chance: Chance
    let logger: Logger
    let stopwatch: Stopwatch
    /// Something happened that the claim loop should look at.
    let bell = Bell()
    private let drainBell = Bell()
    /// The operator wants something else of this node.
    private let emptyBell = Bell()
    /// The last run is over, or left behind.
    private let idleBell = Bell()
    private let overload: OverloadWatch?
    private let machineReading: @Sendable () -> MachineReading
    private let sharing: @Sendable () -> BlobSharing
    private let onSchedulability: @Sendable (NodeSchedulability) -> Void
    let onWaiting: @Sendable (Failure) -> Void
    let onChange: @Sendable (JobID, Region) -> Void
    private let isDrainRequested = Mutex(false)
    private(set) var machine: WorkerMachine
    /// Of this process, so that one that arrives late cannot end a later life.
    private var registrations = 0
    private var keeper: LeaseKeeper
    private var runs: [StageLease: Run] = [:]
    /// Threads of attempts that go on though they were ended.
    var stuck: [StageLease: Int] = [:]
    var stuckSince: Timestamp?
    /// Of all lives in this process: they share one machine.
    var measuredCosts = MeasuredCosts()
    /// On the stopwatch: nothing is claimed before, so that the other nodes of this machine get their turn.
    private var yieldsUntil = Duration.zero
    private var batchDelay = BatchDelay()
    /// Jobs that were worked on here, the last one first. None where no copies of blobs are kept.
    private var familiar: [JobID] = []
    /// Why nothing is claimed though it could be; nil: nothing stands against it.
    private var pause: NodeCondition.Pause?
    private var machineKnown: (reading: MachineReading, at: Duration)?

    /// - Parameters:
    ///   - schedulability: what the operator wanted when the program started.
    ///   - overload: which level the region is on; nil: nobody watches.
    ///   - machine: what is left of this machine; asked before claims, `machineInterval` apart at least.
    ///   - sharing: how the node sees the blobs, which others are told.
    ///   - onSchedulability: told whenever that changes, within a heartbeat. Called on the way of a heartbeat, so it
    ///     must return at once.
    ///   - onWaiting: told of each failure here that is waited for (`Failure.waits`). Must return at once.
    ///   - onChange: told of a job after an outcome of it was published here. Must return at once.
    package init(
        node: NodeDraft, configuration: WorkerConfiguration, store: any Store, blobs: any BlobStore,
        runner: StageRunner, slots: CPUSlots, clock: any Clock<Duration>, now: @escaping WallTime, chance: Chance,
        logger: Logger, schedulability: NodeSchedulability = .schedulable, overload: OverloadWatch? = nil,
        machine: @escaping @Sendable () -> MachineReading = { MachineReading() },
        sharing: @escaping @Sendable () -> BlobSharing = { BlobSharing() },
        onSchedulability: @escaping @Sendable (NodeSchedulability) -> Void = { _ in },
        onWaiting: @escaping @Sendable (Failure) -> Void = { _ in },
        onChange: @escaping @Sendable (JobID, Region) -> Void = { _, _ in }
    ) {
        precondition(node.leaseSeconds == configuration.leaseSeconds, "two lengths of one lease")
        self.node = node
        self.configuration = configuration
        self.store = store
        self.blobs = blobs
        self.runner = runner
        self.slots = slots
        self.clock = clock
        self.now = now
        self.chance = chance
        self.logger = logger
        self.overload = overload
        machineReading = machine
        self.sharing = sharing
        self.onSchedulability = onSchedulability
        self.onWaiting = onWaiting
        self.onChange = onChange
        stopwatch = Stopwatch(clock)
        self.machine = WorkerMachine(schedule: configuration.schedule, schedulability: schedulability)
        keeper = LeaseKeeper(
            lease: .seconds(configuration.leaseSeconds), margin: configuration.leaseMargin,
            registrationStartedAt: .zero)
    }

    /// Works until `drain` was called and everything is given back, or until the task is cancelled, which stops all
    /// work at once and leaves the giving back to the end of the lease.
    ///
    /// Runs belong to no life: one that does not end though it was stopped holds up neither the next life nor the
    /// goodbye. Only this does not return before it: such a process must be killed.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while mayBegin {
                let start = stopwatch.elapsed
                guard let life = await register() else { return }
                logger.info("node registered", metadata: ["node.epoch": "\(life.epoch)"])
                await live(life, since: start, &group)
            }
        }
    }

    /// Asks the node to go: nothing new is begun, running stages get `drainGrace` to end and are then given back.
    package nonisolated func drain() {
        isDrainRequested.withLock { $0 = true }
        drainBell.ring()
        bell.ring()
    }

    /// Stages may be ready: the store is asked now and not at the next poll.
    package nonisolated func lookForWork() { bell.ring() }

    /// Ends whatever runs here of that job: it was cancelled, deleted or has failed.
    package func stop(_ job: JobID) { apply(.stopped(job)) }

    /// How far the stages are that run here right now.
    package var running: [StageProgress] {
        runs.map { lease, run in
            let fraction = run.state.withLock { $0.fraction }
            return StageProgress(job: lease.job, key: lease.key, epoch: lease.epoch, fraction: fraction)
        }.sorted { ($0.job, $0.key) < ($1.job, $1.key) }
    }

    private var mayBegin: Bool { !Task.isCancelled && !isDrainRequested.withLock { $0 } }

    // MARK: One life

    private func register() async -> NodeLife? {
        var failures = 0
        while mayBegin {
            registrations += 1
            var draft = node
            draft.registration = registrations
            do { return try await store.register(draft) } catch {
                failures += 1
                logger.warning("node could not register", metadata: ["error": "\(error)"])
                await bell.wait(upTo: delay(afterFailures: failures), on: clock)
            }
        }
        return nil
    }

    private func live(_ life: NodeLife, since start: Duration, _ runGroup: inout DiscardingTaskGroup) async {
        machine = WorkerMachine(schedule: configuration.schedule, schedulability: machine.schedulability)
        keeper = LeaseKeeper(
            lease: .seconds(configuration.leaseSeconds), margin: configuration.leaseMargin,
            registrationStartedAt: start)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.sendHeartbeats(life) }
            group.addTask { await self.watchTrust() }
            group.addTask { await self.listen() }
            group.addTask { await self.watchDrain() }
            group.addTask { await self.emptyWhenTold() }
            await claimStages(life, &runGroup)
            group.cancelAll()
        }
        // All were stopped or are done. Those that do not end are left behind after `letGoAfter`.
        while !runs.isEmpty, !Task.isCancelled { await idleBell.wait() }
        guard !machine.isLifeLost else { return }
        // When the store cannot be told, the end of the lease says the same a few seconds later.
        do { try await store.leave(life) } catch {
            logger.info("node left without goodbye", metadata: ["error": "\(error)"])
        }
    }

    private func sendHeartbeats(_ life: NodeLife) async {
        while !Task.isCancelled, machine.state != .over {
            let start = stopwatch.elapsed
            do {
                switch try await store.heartbeat(life, running: running, condition: condition) {
                case .renewed(let drop, let schedulability):
                    keeper.renewed(attemptStartedAt: start)
                    apply(.dropped(drop))
                    obey(schedulability)
                case .replaced:
                    logger.warning("another life of this node exists; two nodes may share one name")
                    apply(.lifeLost)
                }
            } catch {
                logger.debug("heartbeat failed", metadata: ["error": "\(error)"])
            }
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: configuration.heartbeatInterval)
        }
    }

    private func watchTrust() async {
        while !Task.isCancelled {
            guard let wait = keeper.wait(at: stopwatch.elapsed) else {
                logger.warning("lease lost: the store has not answered in time; all work is stopped")
                apply(.lifeLost)
                return
            }
            // As above.
            try? await clock.sleep(for: wait)
        }
    }

    private func listen() async {
        for await signal in store.signals() {
            switch signal {
            case .work, .resynchronise: bell.ring()
            case .stop(let job): apply(.stopped(job))
            case .job, .upload: break
            }
        }
    }

    private func watchDrain() async {
        await drainBell.wait()
        guard isDrainRequested.withLock({ $0 }) else { return }
        apply(.drainBegan)
        bell.ring()
        do { try await clock.sleep(for: configuration.drainGrace) } catch { return }
        apply(.graceEnded)
    }

    private func obey(_ wanted: NodeSchedulability) {
        let before = machine.schedulability
        guard wanted != before else { return }
        logger.notice(
            "node is told by its operator",
            metadata: ["schedulability": "\(wanted.rawValue)", "before": "\(before.rawValue)"])
        apply(.wanted(wanted))
        onSchedulability(wanted)
        emptyBell.ring()
        bell.ring()
    }

    /// Gives a draining node time to finish what it has, then hands the rest back.
    private func emptyWhenTold() async {
        while !Task.isCancelled {
            let (drain, until) = (machine.drains, stopwatch.elapsed + configuration.handBackAfter)
            while machine.schedulability == .draining, machine.drains == drain, !Task.isCancelled {
                let rest = until - stopwatch.elapsed
                if rest > .zero {
                    await emptyBell.wait(upTo: rest, on: clock)
                } else {
                    apply(.patienceEnded(drain: drain))
                    await emptyBell.wait()
                }
            }
            if machine.schedulability != .draining { await emptyBell.wait() }
        }
    }

    // MARK: Claiming

    private func claimStages(_ life: NodeLife, _ group: inout DiscardingTaskGroup) async {
        var failures = 0
        // Since the last claim that brought nothing.
        var isCalled = false
        while machine.state != .over, !Task.isCancelled {
            guard machine.claimsAllowed else {
                await bell.wait()
                continue
            }
            let rest = yieldsUntil - stopwatch.elapsed
            // Ends early only by cancellation, which the loop sees.
            if rest > .zero { try? await clock.sleep(for: rest) }
            // Half of the threads that are free: what has just become ready is for the other nodes, too.
            let room = room(forUpTo: max(1, (slots.budget - slots.inUse) / 2))
            guard room > 0 else {
                if await bell.wait(upTo: configuration.pollInterval, on: clock) { isCalled = true }
                continue
            }
            var grants: [CPUSlots.Grant] = []
            while grants.count < room, let grant = slots.tryAcquire() { grants.append(grant) }
            guard !grants.isEmpty else {
                // Our own threads come back with a ring; those of other nodes come back silently.
                let isOwnBudgetSpent = slots.inUse >= slots.budget
                let interval = isOwnBudgetSpent ? configuration.pollInterval : configuration.slotPollInterval
                if await bell.wait(upTo: interval, on: clock) { isCalled = true }
                continue
            }
            do {
                let asked = stopwatch.elapsed
                let leases = try await claim(grants.count, for: life)
                failures = 0
                for grant in grants.dropFirst(leases.count) { slots.release(grant) }
                guard !leases.isEmpty else {
                    // What it was called for may be another region's for a moment, and nobody calls when that is over.
                    let interval = isCalled ? configuration.secondLook : configuration.pollInterval
                    isCalled = await bell.wait(upTo: interval, on: clock)
                    continue
                }
                let isLate = !keeper.mayBegin(claimAskedAt: asked, at: stopwatch.elapsed)
                for (lease, grant) in zip(leases, grants) {
                    begin(isLate ? .claimedLate(lease) : .claimed(lease), grant, &group)
                }
                yield()
            } catch {
                // Should the claim have counted after all: the store takes back what no heartbeat reports.
                for grant in grants { slots.release(grant) }
                failures += 1
                logger.debug("claim failed", metadata: ["error": "\(error)"])
                await bell.wait(upTo: delay(afterFailures: failures), on: clock)
            }
        }
    }

    private func claim(_ limit: Int, for life: NodeLife) async throws -> [StageLease] {
        var terms = ClaimTerms(limit: limit, awaySeconds: configuration.awaySeconds, familiar: familiar)
        switch batchDelay.next(isOn: (overload?.state.level ?? .normal) >= .delayBatch) {
        case .ordinary: break
        case .byRankAlone: terms.familiar = []
        case .othersFirst:
            var others = terms
            others.includesBatch = false
            let wanted = try await store.claim(others, for: life)
            if !wanted.isEmpty { return wanted }
        }
        return try await store.claim(terms, for: life)
    }

    /// How this node is, as others are told.
    var condition: NodeCondition {
        let (state, sharing) = (overload?.state, sharing())
        return NodeCondition(
            level: state?.level, levelSince: state?.since, levelReason: state?.reason, pause: pause ?? standstill,
            blobStrangers: sharing.strangers, blobOutage: sharing.outage,
            measuredCosts: measuredCosts.isEmpty ? nil : measuredCosts)
    }

    /// For how many more stages there are memory and disk. Says so once when there begins to be none, and when there is
    /// some again.
    private func room(forUpTo wish: Int) -> Int {
        let moment = stopwatch.elapsed
        if machineKnown.map({ moment - $0.at >= configuration.machineInterval }) ?? true {
            machineKnown = (machineReading(), moment)
        }
        guard let reading = machineKnown?.reading else { return wish }
        let young = runs.values.count { moment - $0.startedAt < configuration.youngAge }
        let claimGuard = ClaimGuard(configuration.claimGuard)
        let objection = claimGuard.objection(to: reading, young: young, isIdle: runs.isEmpty)
        guard let objection else {
            if pause != nil { logger.notice("node claims again") }
            pause = nil
            return claimGuard.room(in: reading, forUpTo: wish, young: young, isIdle: runs.isEmpty)
        }
        if pause?.code != objection.code.rawValue {
            logger.warning(
                "node claims nothing for now", metadata: ["reason": "\(objection.reason)", "code": "\(objection.code)"])
        }
        let since = pause?.code == objection.code.rawValue ? pause?.since : nil
        pause = NodeCondition.Pause(code: objection.code.rawValue, reason: objection.reason, since: since ?? now())
        return 0
    }

    private func begin(
        _ claim: WorkerMachine.Event, _ grant: CPUSlots.Grant, _ group: inout DiscardingTaskGroup
    ) {
        var isStarted = false
        for action in apply(claim) {
            switch action {
            case .start(let lease):
                let run = Run(grant: grant, startedAt: stopwatch.elapsed)
                runs[lease] = run
                isStarted = true
                remember(lease.job)
                group.addTask { await self.carryOut(lease, run) }
            case .giveBack(let lease): group.addTask { await self.report(.released, under: lease) }
            case .refuse(let lease, let failure):
                group.addTask { await self.report(.failed(failure), under: lease) }
            case .stop, .end: break
            }
        }
        if !isStarted { slots.release(grant) }
    }

    /// From its first attempt on: while that fetches what it reads, another thread may claim.
    private func remember(_ job: JobID) {
        guard blobs.keepsCopies else { return }
        familiar = Array(([job] + familiar.filter { $0 != job }).prefix(StoreLimits.familiarMax))
    }

    /// Lets the machine decide, and does what needs no new task. Returns the rest.
    @discardableResult
    private func apply(_ event: WorkerMachine.Event) -> [WorkerMachine.Action] {
        var rest: [WorkerMachine.Action] = []
        for action in machine.received(event) {
            switch action {
            case .stop(let lease, let givesBack):
                runs[lease]?.state.withLock { $0.givesBack = givesBack }
                runs[lease]?.stop.ring()
            case .end: bell.ring()
            case .start, .giveBack, .refuse: rest.append(action)
            }
        }
        return rest
    }

    /// A run is over and reported, whatever became of it.
    func ended(_ lease: StageLease) {
        runs[lease] = nil
        apply(.finished(lease))
        if runs.isEmpty { idleBell.ring() }
        // There may be room for another one now, which the end of the run did not show yet.
        if pause != nil { bell.ring() }
    }

    /// Nothing of the run works any more; reporting needs no core. Who held cores for a while lets others go first.
    func handBackThreads(of run: Run, hasWorked: Bool) {
        slots.release(run.state.withLock { $0.grant })
        if hasWorked { yield() }
        bell.ring()
    }

    private func yield() {
        let (low, high) = (configuration.yieldMin, configuration.yieldMax)
        yieldsUntil = stopwatch.elapsed + low + (high - low) * chance.fraction()
    }

    /// Grows from a tenth of a second, with jitter, so that nodes do not come back all at once.
    func delay(afterFailures failures: Int) -> Duration {
        let ceiling = min(configuration.reconnectDelayMax, .milliseconds(100) * (1 << min(failures, 10)))
        return ceiling * (0.5 + chance.fraction() / 2)
    }
}
