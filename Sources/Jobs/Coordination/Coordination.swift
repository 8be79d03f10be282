package import ActorCluster
package import ClipModel
import Distributed
package import Logging
import Membership
package import Store
import Synchronization

/// A node's part in looking after jobs: hosts its `StageWorker`, makes the `JobCoordinator`s of the jobs that are its
/// own, passes on what happened to jobs, and frees the stages of nodes that have died.
///
/// Nothing here is needed for correctness. Whatever is lost on the way is found by polling the store, later.
package final class Coordination: Sendable {
    private struct State {
        /// Jobs whose coordinators are to be told.
        var changed: [JobID: HomedJob] = [:]
        /// When to look at a job again, on the stopwatch.
        var wakeUps: [JobID: (job: HomedJob, at: Duration)] = [:]
        var watch = DeathWatch()
    }

    private let store: any Store
    private let system: ClusterActorSystem
    private let configuration: CoordinationConfiguration
    private let clock: any Clock<Duration>
    private let now: WallTime
    private let logger: Logger
    private let stopwatch: Stopwatch
    private let state = Mutex(State())
    private let bell = Bell()
    private let deathBell = Bell()

    /// Once, before the system runs.
    package init(
        store: any Store, on system: ClusterActorSystem,
        configuration: CoordinationConfiguration = CoordinationConfiguration(), clock: any Clock<Duration>,
        now: @escaping WallTime, logger: Logger
    ) {
        self.store = store
        self.system = system
        self.configuration = configuration
        self.clock = clock
        self.now = now
        self.logger = logger
        stopwatch = Stopwatch(clock)
        system.register(kind: JobCoordinator.kind) { [weak self] key, system in
            guard let self, let id = JobID(key.key), let region = key.home.flatMap(Region.init) else {
                throw ClusterCallError(.noSuchActor, "\(key) names no job")
            }
            return JobCoordinator(HomedJob(id: id, region: region), self, actorSystem: system)
        }
    }

    /// Makes the node's worker known to the others. Once, before the system runs.
    package func host(_ worker: Worker) throws {
        try host(lookForWork: { worker.lookForWork() }, stop: { await worker.stop($0) })
    }

    /// The same for whatever works in its place.
    package func host(
        lookForWork: @escaping @Sendable () -> Void, stop: @escaping @Sendable (JobID) async -> Void
    ) throws {
        _ = try system.host(StageWorker.name) {
            StageWorker(lookForWork: lookForWork, stop: stop, actorSystem: system)
        }
    }

    /// What other nodes may call.
    package static var callTargets: [CallTargets.Group] {
        [
            CallTargets.Group(JobCoordinator.self, JobCoordinator.callTargets),
            CallTargets.Group(StageWorker.self, StageWorker.callTargets),
        ]
    }

    /// Something happened to a job: its coordinator will look at it. Returns at once.
    package func tell(_ job: JobID, home: Region) {
        state.withLock { state in
            // Beyond the limit the polls of the workers find the work.
            guard state.changed.count < configuration.changedMax else { return }
            state.changed[job] = HomedJob(id: job, region: home)
        }
        bell.ring()
    }

    /// Lives as long as the node. Ends by cancellation only.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.passOn() }
            group.addTask { await self.watchViews() }
            group.addTask { await self.freeTheDead() }
        }
    }

    // MARK: Telling coordinators

    private func passOn() async {
        while !Task.isCancelled {
            let (jobs, next) = takeDue()
            // As many at once as there are lanes' worth of calls; the rest is gathered meanwhile.
            await withDiscardingTaskGroup { group in
                for job in jobs { group.addTask { await self.askToLook(job) } }
            }
            guard jobs.isEmpty else { continue }
            if let next {
                await bell.wait(upTo: next, on: clock)
            } else {
                await bell.wait()
            }
        }
    }

    /// The jobs to tell now, and how long until the next one otherwise.
    private func takeDue() -> (jobs: [HomedJob], next: Duration?) {
        let moment = stopwatch.elapsed
        return state.withLock { state in
            for (id, wakeUp) in state.wakeUps where wakeUp.at <= moment {
                state.wakeUps[id] = nil
                state.changed[id] = wakeUp.job
            }
            let jobs = state.changed.values.sorted { $0.id < $1.id }.prefix(configuration.callsMax)
            for job in jobs { state.changed[job.id] = nil }
            return (Array(jobs), state.wakeUps.values.map { $0.at - moment }.min())
        }
    }

    private func askToLook(_ job: HomedJob) async {
        do {
            try await system.withTimeLimit(configuration.callLimit) {
                try await system.virtual(
                    JobCoordinator.self, kind: JobCoordinator.kind, key: job.id.rawValue, home: job.region.rawValue
                ).look()
            }
        } catch {
            logger.debug("coordinator not told", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
    }

    // MARK: What coordinators do

    func picture(of job: HomedJob) async throws -> CoordinatorMachine.Picture? {
        guard let stored = try await store.job(job.id) else { return nil }
        return CoordinatorMachine.Picture(
            hasEnded: stored.status.hasEnded, stages: try await store.stages(of: job.id),
            nodes: try await store.nodes(), now: now())
    }

    func carryOut(_ actions: [CoordinatorMachine.Action], for job: HomedJob) async {
        state.withLock { $0.wakeUps[job.id] = nil }
        await withDiscardingTaskGroup { group in
            for action in actions {
                switch action {
                case .nudge(let node): group.addTask { await self.call(node) { try await $0.workIsReady() } }
                case .stop(let node):
                    group.addTask { await self.call(node) { try await $0.stop(job.id.rawValue) } }
                case .lookAgain(let seconds):
                    let at = stopwatch.elapsed + .seconds(seconds)
                    state.withLock { $0.wakeUps[job.id] = (job, at) }
                    bell.ring()
                case .rest: break
                }
            }
        }
    }

    private func call(_ node: NodeID, _ body: @Sendable (StageWorker) async throws -> Void) async {
        // A node that is no member here polls for itself.
        guard let id = MemberID(node.rawValue), let life = system.view?[id]?.life else { return }
        do {
            try await system.withTimeLimit(configuration.callLimit) {
                try await body(system.named(StageWorker.self, StageWorker.name, on: life))
            }
        } catch {
            logger.debug("worker not told", metadata: ["peer": "\(node)", "error": "\(error)"])
        }
    }

    // MARK: Changes of the cluster

    private func watchViews() async {
        for await view in system.views() {
            let isPursuing = state.withLock { state in
                state.watch.saw(view.members.map(\.life), at: stopwatch.elapsed)
                return !state.watch.isEmpty
            }
            if isPursuing { deathBell.ring() }
            await adoptJobs(of: view)
        }
    }

    /// Jobs whose coordinator was on a node that is gone, or that are this node's since one came, are looked at by
    /// their new owners.
    private func adoptJobs(of view: MembershipView) async {
        var cursor: JobID?
        repeat {
            guard let page = try? await store.jobsUnderWay(after: cursor, limit: configuration.pageRows) else { return }
            let active = Set(system.activeKeys)
            for job in page where isOurs(job, active) { tell(job.id, home: job.region) }
            cursor = page.count < configuration.pageRows ? nil : page.last?.id
        } while cursor != nil && !Task.isCancelled && system.view?.number == view.number
    }

    private func isOurs(_ job: HomedJob, _ active: Set<VirtualActorKey>) -> Bool {
        let key = VirtualActorKey(kind: JobCoordinator.kind, key: job.id.rawValue, home: job.region.rawValue)
        return system.owner(of: key) == system.life.id && !active.contains(key)
    }

    /// The owner of a dead node's name frees its stages; whoever else sees the death has no need to ask the store.
    private func freeTheDead() async {
        while !Task.isCancelled {
            let due = state.withLock { $0.watch.due(at: stopwatch.elapsed) }
            guard !due.isEmpty else {
                await deathBell.wait()
                continue
            }
            for life in due where system.owner(of: Self.deathKey(life)) == system.life.id { await free(life) }
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: configuration.deathPoll)
        }
    }

    private static func deathKey(_ life: MemberLife) -> VirtualActorKey {
        VirtualActorKey(kind: "death", key: life.id.rawValue)
    }

    private func free(_ life: MemberLife) async {
        guard let node = NodeID(life.id.rawValue) else { return }
        do {
            switch try await store.freeStages(
                ofDead: node, memberEpoch: life.epoch, unheardForSeconds: configuration.unheardSeconds)
            {
            case .heard: break
            case .unknown: state.withLock { $0.watch.settled(life) }
            case .freed(let stages):
                state.withLock { $0.watch.settled(life) }
                logger.notice(
                    "stages of a dead node freed", metadata: ["peer": "\(life.id)", "count": "\(stages)"])
            }
        } catch {
            logger.debug("stages of a dead node not freed", metadata: ["peer": "\(life.id)", "error": "\(error)"])
        }
    }
}

/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `unheardSeconds` | seconds | 1.5 | a rumour costs a living node its work: it must have missed a heartbeat too |
/// | `deathPoll` | duration | 250 ms | the work of a dead node waits |
/// | `callLimit` | duration | 2 s | a node that hangs holds up whoever tells it something |
/// | `callsMax` | count | 64 | a change of many jobs at once floods the lanes |
/// | `changedMax` | count | 10000 | a database that hangs lets memory grow |
/// | `pageRows` | count | 100 | one read of jobs is long |
package struct CoordinationConfiguration: Sendable, Hashable {
    package var unheardSeconds = 1.5
    package var deathPoll = Duration.milliseconds(250)
    package var callLimit = Duration.seconds(2)
    package var callsMax = 64
    package var changedMax = 10_000
    package var pageRows = 100

    package init() {}
}
