import ActorCluster
import Blobs
import ClipModel
import ClusterSimulation
import Foundation
import Jobs
import Logging
import Membership
import Stages
import Store
import StoreModel
import Synchronization

/// A simulated cluster that does jobs: real workers, sweepers, coordinators and membership on every node, over a faulty
/// network and a faulty model of PostgreSQL. Only the work of the stages is played.
///
/// Used by the thread that made it.
final class JobsWorld {
    struct Setting {
        var nodes = 4
        var regions = ["one", "two"]
        /// Threads of each node.
        var threads = 2
        var jobs = 4
        /// Whether equal videos share results.
        var shares = false
        /// Jobs of one client under way at once.
        var jobsMax: Int?
        var lengthMax = Duration.seconds(3)
        /// How attempts end that do not succeed, as shares of all.
        var transient = 0.05
        var resource = 0.03
        var poison = 0.01
        var kills = 0.005
        var worker = WorkerConfiguration(drainGrace: .seconds(4), handBackAfter: .seconds(3))
        var schedule = Schedule()
        /// Bugs around the store.
        var meddle: (inout MeddlingStore) -> Void = { _ in }
        var lets: @Sendable (StoreSignal) -> Bool = { _ in true }
        /// Whether nodes hear calls of coordinators, and tell them of changes.
        var coordinates = true
        /// Whether a worker obeys when it is told to stop.
        var stops = true
    }

    /// What one life of a node is made of.
    final class Part: Sendable {
        let coordination: Coordination
        let worker: Worker
        let sweeper: Sweeper
        let slots: CPUSlots
        let link: ModelDatabase.Link
        let isDraining = Mutex(false)

        init(
            _ coordination: Coordination, _ worker: Worker, _ sweeper: Sweeper, _ slots: CPUSlots,
            _ link: ModelDatabase.Link
        ) {
            self.coordination = coordination
            self.worker = worker
            self.sweeper = sweeper
            self.slots = slots
            self.link = link
        }
    }

    /// Found by closures that are made before it is.
    final class Parts: Sendable {
        let byLife = Mutex<[MemberLife: Part]>([:])
        /// Nodes that run now.
        let running = Mutex<[String: Part]>([:])
        /// How much a node's clock on the wall is wrong, in seconds.
        let offsets = Mutex<[String: Double]>([:])

        /// What happened to a job is told to the coordination of some node.
        func tell(_ job: JobID, _ home: Region) {
            running.withLock { $0.min { $0.key < $1.key }?.value }?.coordination.tell(job, home: home)
        }
    }

    let seed: Seed
    let setting: Setting
    private let late: Late
    let world: ClusterWorld
    let database: ModelDatabase
    let log: WorkLog
    let blobs: BlobDirectory
    let parts = Parts()
    private let root: String
    private var errands: [String: [Errand<Void>]] = [:]
    private var agenda: [(at: Duration, action: () -> Void)] = []
    /// Nodes that were killed and not started since.
    var crashed: Set<String> = []
    var random: SeededGenerator
    let told = Told()
    var clients: [Errand<Void>] = []
    var submitted: Set<Int> = []
    var healedAt = Duration.zero
    /// Overlaps of work that are known and allowed.
    var overlapsAllowed = 0
    /// `TIJERA_HISTORY=yes`: a report holds the whole history.
    static let isVerbose = ProcessInfo.processInfo.environment["TIJERA_HISTORY"] != nil

    init(_ seed: Seed, _ setting: Setting = Setting()) throws {
        self.seed = seed
        self.setting = setting
        let late = Late()
        self.late = late
        var generator = SeededGenerator(seed.number &* 0x5851_f42d)
        var cluster = ClusterWorld.Setting()
        cluster.nodes = setting.nodes
        cluster.regions = setting.regions
        cluster.targets = CallTargets(Coordination.callTargets)
        cluster.register = { system, clock in late.world?.equip(system, clock) }
        world = ClusterWorld(seed, cluster)
        log = WorkLog(world.scheduler)
        let truth = InMemoryStore(now: Self.wallTime(world.scheduler))
        var base = MeddlingStore(truth)
        setting.meddle(&base)
        database = ModelDatabase(
            world.scheduler, seed: generator.next(), truth: truth, base: base, lets: setting.lets)
        root = Self.temporary + "/tijera-jobs-\(UUID().uuidString)"
        blobs = try BlobDirectory(
            root: root + "/blobs", limits: BlobLimits(freeBytesMin: 0), diskCalls: .byCaller)
        random = generator.fork()
        late.world = self
    }

    private final class Late { weak var world: JobsWorld? }

    /// In memory where there is such a place: nothing here has to outlive the test.
    private static let temporary =
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()

    static func wallTime(_ scheduler: Scheduler) -> WallTime {
        { Timestamp(millisecondsSinceEpoch: 1_700_000_000_000 + Int64(scheduler.now / .milliseconds(1))) }
    }

    var now: Duration { world.scheduler.now }
    var ledger: Ledger { database.ledger }

    // MARK: Nodes

    /// What a node gets before it runs. A node that cannot be equipped has no part, and `start` says so.
    private func equip(_ system: ClusterActorSystem, _ clock: any Clock<Duration>) {
        let name = system.life.id.rawValue
        let link = ModelDatabase.Link("\(name)/\(system.life.epoch)")
        let store = ModelStore(database, link)
        let (parts, right) = (parts, Self.wallTime(world.scheduler))
        let now: WallTime = {
            right().advanced(bySeconds: parts.offsets.withLock { $0[name] ?? 0 })
        }
        let coordination = Coordination(store: store, on: system, clock: clock, now: now, logger: Self.quiet)
        guard let id = NodeID(name), let region = Region(system.configuration.metadata.region),
            let slots = try? CPUSlots(
                directory: root + "/slots-\(name)-\(system.life.epoch)", machineThreads: setting.threads,
                budget: setting.threads)
        else { return }
        var configuration = setting.worker
        configuration.schedule = setting.schedule
        let draft = NodeDraft(
            id: id, region: region, http: "http://\(name)", version: "1", threads: setting.threads,
            leaseSeconds: configuration.leaseSeconds, memberEpoch: system.life.epoch)
        let coordinates = setting.coordinates
        let worker = Worker(
            node: draft, configuration: configuration, store: store, blobs: blobs, runner: runner(system.life, clock),
            slots: slots, clock: clock, now: now, chance: Chance(random.fork()), logger: Self.quiet,
            onSchedulability: { system.obey($0) },
            onChange: { if coordinates { coordination.tell($0, home: $1) } })
        let sweeper = Sweeper(
            store: store, blobs: blobs, configuration: SweeperConfiguration(jobsMax: setting.jobsMax), clock: clock,
            now: now, chance: Chance(random.fork()), logger: Self.quiet,
            onChange: { if coordinates { coordination.tell($0, home: $1) } })
        let stops = setting.stops
        do {
            try coordination.host(lookForWork: { if coordinates { worker.lookForWork() } }) { job in
                if stops { await worker.stop(job) }
            }
        } catch { return }
        parts.byLife.withLock { $0[system.life] = Part(coordination, worker, sweeper, slots, link) }
    }

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A life of the node begins; what it had before is killed.
    func start(_ name: String) {
        if errands[name] != nil { crash(name) }
        end(name)
        world.start(name)
        crashed.remove(name)
        let life = world[name].life
        guard let part = parts.byLife.withLock({ $0[life] }) else { preconditionFailure("\(name) has no part") }
        parts.running.withLock { $0[name] = part }
        errands[name] = [
            world.begin(on: name) { _ in await part.coordination.run() },
            world.begin(on: name) { _ in await part.sweeper.run() },
            world.begin(on: name) { system in
                await part.worker.run()
                if part.isDraining.withLock({ $0 }) { system.stop() }
            },
        ]
    }

    func startAll() { for name in world.names { start(name) } }

    func part(_ name: String) -> Part? { parts.running.withLock { $0[name] } }

    /// `kill -9`.
    func crash(_ name: String) {
        guard world[name].isRunning else { return }
        end(name)
        crashed.insert(name)
        world.crash(name)
    }

    private func end(_ name: String) {
        if let part = part(name) { database.kill(part.link) }
        parts.running.withLock { $0[name] = nil }
        log.died(name)
        for errand in errands[name] ?? [] { errand.cancel() }
        errands[name] = nil
    }

    func pause(_ name: String) {
        guard world[name].isRunning, !world.scheduler.isPaused(world[name].executor.owner) else { return }
        world.pause(name)
        log.paused(name)
    }

    func resume(_ name: String) {
        log.resumed(name)
        world.resume(name)
    }

    /// Asks the node to go, as a rolling restart does.
    func drain(_ name: String) {
        guard let part = part(name), world[name].isRunning else { return }
        part.isDraining.withLock { $0 = true }
        part.worker.drain()
    }

    // MARK: Time

    /// Something the test does at a moment.
    func at(_ moment: Duration, _ action: @escaping () -> Void) {
        agenda.append((moment, action))
        // Stable: what was planned first for a moment comes first.
        agenda = agenda.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    /// What was still to come does not.
    func forgetAgenda() { agenda = [] }

    func after(_ delay: Duration, _ action: @escaping () -> Void) { at(now + delay, action) }

    /// Lets time pass, does what is due, and lets nodes die whose stages kill them. True as soon as `isDone`.
    @discardableResult
    func pass(_ length: Duration, until isDone: () -> Bool = { false }) -> Bool {
        let end = now + length
        while true {
            for name in log.takeCrashes() {
                crash(name)
                let back = random.duration(in: .milliseconds(500) ... .seconds(6))
                after(back) { [unowned self] in if crashed.contains(name) { start(name) } }
            }
            while let next = agenda.first, next.at <= now {
                agenda.removeFirst()
                next.action()
            }
            if isDone() { return true }
            guard now < end else { return false }
            world.scheduler.run(until: min(end, agenda.first?.at ?? end)) { log.hasCrashes || isDone() }
        }
    }

    /// Ends everything, so that nothing of the run is left behind.
    func close() {
        for name in world.names { end(name) }
        for client in clients { client.cancel() }
        world.tearDown()
        database.shutdown()
        world.run(for: .seconds(1))
        try? FileManager.default.removeItem(atPath: root)
    }
}

extension ClusterActorSystem {
    /// What the operator wants is passed on to the members, as the node program does.
    fileprivate func obey(_ wanted: NodeSchedulability) {
        var metadata = members.first { $0.life == life }?.metadata ?? configuration.metadata
        metadata.schedulability =
            switch wanted {
            case .schedulable: .schedulable
            case .cordoned: .cordoned
            case .draining: .draining
            }
        changeMetadata(metadata)
    }
}
