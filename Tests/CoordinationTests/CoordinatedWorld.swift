import ActorCluster
import ClipModel
import ClusterSimulation
import Jobs
import Logging
import Membership
import Store
import Synchronization
import Testing

/// A simulated cluster whose nodes coordinate jobs: the real actors, protocol and membership over a faulty network, the
/// store in memory, and workers that play their stages.
final class CoordinatedWorld {
    /// What one life of a node needs besides its actor system.
    private final class Part: Sendable {
        let coordination: Coordination
        let bell = NudgeBell()

        init(_ coordination: Coordination) { self.coordination = coordination }
    }

    private final class Parts: Sendable {
        let byLife = Mutex<[MemberLife: Part]>([:])
    }

    /// What happened, at what time of the simulation.
    struct Note: Sendable, Hashable {
        enum Kind: Sendable, Hashable { case claimed, published, failed, refused, stopped }

        let kind: Kind
        let node: String
        let stage: StageKey?
        let at: Duration
    }

    final class Record: Sendable {
        private let notes = Mutex<[Note]>([])
        var all: [Note] { notes.withLock { $0 } }
        func add(_ note: Note) { notes.withLock { $0.append(note) } }
        func first(_ isMeant: (Note) -> Bool) -> Note? { all.first(where: isMeant) }
        func all(_ kind: Note.Kind) -> [Note] { all.filter { $0.kind == kind } }
    }

    let world: ClusterWorld
    let record = Record()
    let store: InMemoryStore
    /// How long a stage takes, and how often a worker looks by itself.
    private let stageLength: Duration
    private let poll: Duration
    /// The first attempt at each stage fails and is to be tried again so many seconds later.
    private let retrySeconds: Double?
    private let parts = Parts()
    private var errands: [String: [Errand<Void>]] = [:]
    private let identifiers = Chance(ClusterSimulation.SeededGenerator(7))

    init(
        _ seed: Seed, nodes: Int = 3, stageLength: Duration = .seconds(4), poll: Duration = .seconds(2),
        retrySeconds: Double? = nil
    ) {
        self.retrySeconds = retrySeconds
        self.stageLength = stageLength
        self.poll = poll
        let (parts, late) = (parts, Late())
        var setting = ClusterWorld.Setting()
        setting.nodes = nodes
        setting.targets = CallTargets(Coordination.callTargets)
        setting.register = { system, clock in
            guard let world = late.world, let store = late.store else { return }
            let coordination = Coordination(
                store: store, on: system, clock: clock, now: Self.wallTime(world), logger: Self.quiet)
            let part = Part(coordination)
            let (record, scheduler) = (late.record, world.scheduler)
            do {
                try coordination.host(lookForWork: { part.bell.ring() }) { job in
                    record?.add(
                        Note(kind: .stopped, node: system.life.id.rawValue, stage: nil, at: scheduler.now))
                }
            } catch { return }
            parts.byLife.withLock { $0[system.life] = part }
        }
        world = ClusterWorld(seed, setting)
        store = InMemoryStore(now: Self.wallTime(world))
        (late.world, late.store, late.record) = (world, store, record)
    }

    /// Set after the world is there, because they keep time by its clock.
    private final class Late {
        var world: ClusterWorld?
        var store: InMemoryStore?
        var record: Record?
    }

    private static func wallTime(_ world: ClusterWorld) -> WallTime {
        let scheduler = world.scheduler
        return {
            Timestamp(millisecondsSinceEpoch: 1_700_000_000_000 + Int64(scheduler.now / .milliseconds(1)))
        }
    }

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    deinit { for errand in errands.values.joined() { errand.cancel() } }

    // MARK: Nodes

    func startAll() throws {
        for name in world.names { start(name) }
        try #require(world.settle(), "\(world.report(world.disagreements))")
    }

    func start(_ name: String) {
        world.start(name)
        let life = world[name].life
        guard let part = parts.byLife.withLock({ $0[life] }) else { preconditionFailure("\(name) has no part") }
        let player = PlayedWorker(
            life: life, store: store, record: record, scheduler: world.scheduler, clock: world[name].clock,
            bell: part.bell, stageLength: stageLength, poll: poll, retrySeconds: retrySeconds
        ) { part.coordination.tell($0, home: $1) }
        errands[name] = [
            world.begin(on: name) { _ in await part.coordination.run() },
            world.begin(on: name) { _ in try await player.run() },
        ]
    }

    func crash(_ name: String) {
        for errand in errands[name] ?? [] { errand.cancel() }
        errands[name] = nil
        world.crash(name)
    }

    func coordination(_ name: String) -> Coordination {
        guard let part = parts.byLife.withLock({ $0[world[name].life] }) else {
            preconditionFailure("\(name) has no part")
        }
        return part.coordination
    }

    // MARK: Jobs

    /// A job of so many stages, taken in on that node.
    func submit(_ stages: Int, on name: String) throws -> JobID {
        let (store, coordination) = (store, coordination(name))
        let now = Self.wallTime(world)()
        let (upload, job) = identifiers.draw { random in
            (UploadID(at: now, using: &random), JobID(at: now, using: &random))
        }
        return try world.perform(on: name) { _ in
            try await store.insert(
                Upload(
                    id: upload, fileName: "talk.mp4", bytes: 12, sha256: String(repeating: "ab", count: 32),
                    blob: BlobName("uploads/\(upload)")!, transcript: nil, createdAt: now))
            _ = try await store.submit(
                JobDraft(
                    id: job, upload: upload, region: Region("one")!, tenant: "ana", options: JobOptions(),
                    stages: (0..<stages).map { StageKey(.render, $0) }))
            coordination.tell(job, home: Region("one")!)
            return job
        }
    }

    func stages(_ job: JobID) throws -> [Stage] {
        let store = store
        return try world.perform(on: world.running[0].name) { _ in await store.stages(of: job) }
    }

    /// The node that coordinates the job.
    func coordinator(of job: JobID) throws -> String {
        let key = VirtualActorKey(kind: JobCoordinator.kind, key: job.rawValue, home: "one")
        return try #require(world.running.first?.system.owner(of: key)).rawValue
    }
}

/// Wakes one waiting worker; in the simulation's time.
final class NudgeBell: Sendable {
    private let rings = Mutex(0)
    func ring() { rings.withLock { $0 += 1 } }
    /// Whether it rang since the last time it was asked.
    func take() -> Bool {
        rings.withLock { rings in
            defer { rings = 0 }
            return rings > 0
        }
    }
}

/// Claims one stage at a time, keeps its lease alive, and plays that it works.
struct PlayedWorker: Sendable {
    let life: MemberLife
    let store: InMemoryStore
    let record: CoordinatedWorld.Record
    let scheduler: Scheduler
    let clock: VirtualClock
    let bell: NudgeBell
    let stageLength: Duration
    let poll: Duration
    let retrySeconds: Double?
    let tell: @Sendable (JobID, Region) -> Void

    private final class Work: Sendable {
        let running = Mutex<[StageProgress]>([])
        let random = Mutex(ClusterSimulation.SeededGenerator(1))

        func resultID() -> ResultID {
            random.withLock { ResultID(at: Timestamp(millisecondsSinceEpoch: 0), using: &$0) }
        }
    }
    private let work = Work()

    func run() async throws {
        let node = try await store.register(
            NodeDraft(
                id: NodeID(life.id.rawValue)!, region: Region("one")!, http: "http://\(life.id)", version: "1",
                threads: 1, leaseSeconds: 6, memberEpoch: life.epoch))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    _ = await store.heartbeat(
                        node, running: work.running.withLock { $0 }, condition: NodeCondition())
                    try await clock.sleep(for: .seconds(1))
                }
            }
            group.addTask { try await claimAndWork(node) }
            try await group.waitForAll()
        }
    }

    private func claimAndWork(_ node: NodeLife) async throws {
        while true {
            guard let lease = await store.claim(ClaimTerms(limit: 1), for: node).first else {
                // Looks at the bell often, at the store seldom.
                let end = scheduler.now + poll
                while !bell.take(), scheduler.now < end { try await clock.sleep(for: .milliseconds(5)) }
                continue
            }
            note(.claimed, lease.key)
            work.running.withLock {
                $0 = [StageProgress(job: lease.job, key: lease.key, epoch: lease.epoch, fraction: 0)]
            }
            try await clock.sleep(for: stageLength)
            work.running.withLock { $0 = [] }
            if let retrySeconds, lease.attempts == 1 {
                let failure = Failure(.transient, code: "played", reason: "It was meant to fail.", hint: "")
                _ = try await store.complete(lease, with: .failed(failure)) { _ in
                    var advance = JobAdvance()
                    advance.reopen[lease.key] = retrySeconds
                    return advance
                }
                note(.failed, lease.key)
            } else {
                let result = StageResult(id: work.resultID(), body: "{}", blobs: [], cacheKey: nil)
                let outcome = try await store.complete(lease, with: .produced(result)) { _ in JobAdvance() }
                note(outcome == .stale ? .refused : .published, lease.key)
            }
            tell(lease.job, Region("one")!)
        }
    }

    private func note(_ kind: CoordinatedWorld.Note.Kind, _ stage: StageKey) {
        record.add(CoordinatedWorld.Note(kind: kind, node: life.id.rawValue, stage: stage, at: scheduler.now))
    }
}
