import Blobs
import ClipModel
import Dispatch
import Foundation
import Glibc
import Jobs
import Logging
import Stages
import Store
import Synchronization
import TestSupport
import Testing

/// A small cluster on one clock: real workers, a real blob directory, the store in memory, and played stages.
final class World: Sendable {
    /// One run of a played stage.
    struct Run: Sendable, Hashable {
        let node: String
        let key: StageKey
        let epoch: Int
        let threads: Int
        let start: Double
        var end: Double?
        var wasCancelled = false
    }

    /// What a stage does before it succeeds. Throw to fail.
    typealias Play = @Sendable (StageRunner.Assignment, ManualClock) async throws -> Void

    struct Member: Sendable {
        let worker: Worker
        let store: FaultyStore
        let task: Task<Void, Never>
    }

    let clock = ManualClock()
    let store: InMemoryStore
    let blobs: BlobDirectory
    let video: PlayedVideo
    private let root: String
    private let play: Play
    private let shares: Bool
    private let keeps: Bool
    private let machineThreads: Int
    private let runLog = Mutex<[Run]>([])
    private let membersByName = Mutex<[String: Member]>([:])
    private let ended = Mutex<Set<String>>([])
    private let executor = StepExecutor()
    private let pump = DispatchQueue(label: "world")
    private let sweeping = Mutex<Task<Void, Never>?>(nil)
    private let watching = Mutex<Task<Void, Never>?>(nil)
    /// What is left of the machine, as all nodes read it.
    let machine = Mutex(MachineReading())
    /// Codes of failures that are waited for, as nodes told them.
    let waits = Mutex<[String]>([])
    /// Nil: nobody watches the load.
    let overload: OverloadWatch?

    /// - Parameters:
    ///   - shares: whether results have cache keys.
    ///   - keeps: whether every attempt makes a blob, first of all.
    ///   - overload: how the load of the region is watched; nil: it is not.
    init(
        video: PlayedVideo = PlayedVideo(), machineThreads: Int = 2, shares: Bool = false, keeps: Bool = false,
        overload: OverloadConfiguration? = nil,
        play: @escaping Play = { _, clock in try await clock.sleep(for: .seconds(1)) }
    ) throws {
        let clock = clock
        let store = InMemoryStore(now: { clock.wallTime })
        self.store = store
        self.overload = overload.map {
            OverloadWatch(
                region: Region("eu")!, configuration: $0, store: store, clock: clock, now: { clock.wallTime },
                logger: quiet)
        }
        root = FileManager.default.temporaryDirectory.appendingPathComponent("jobs-\(UUID().uuidString)").path
        blobs = try BlobDirectory(root: root + "/blobs", limits: BlobLimits(freeBytesMin: 0))
        self.video = video
        self.machineThreads = machineThreads
        self.shares = shares
        self.keeps = keeps
        self.play = play
    }

    // MARK: What happens

    /// Starts a node. The first one also starts a sweeper, which outlives its node like those of other nodes would.
    /// - Parameter keepsCopies: whether the node has copies of blobs, as where they are in a bucket.
    func start(
        _ name: String, in region: Region = Region("eu")!, configuration: WorkerConfiguration = WorkerConfiguration(),
        keepsCopies: Bool = false
    ) throws {
        let seen: any BlobStore = if keepsCopies { BucketLike(base: blobs) } else { blobs }
        let (clock, faulty) = (clock, FaultyStore(store))
        let draft = NodeDraft(
            id: NodeID(name)!, region: region, http: "http://\(name)", version: "test", threads: machineThreads,
            leaseSeconds: configuration.leaseSeconds)
        let worker = Worker(
            node: draft, configuration: configuration, store: faulty, blobs: seen, runner: runner(of: name),
            slots: try CPUSlots(directory: root + "/slots", machineThreads: machineThreads, budget: machineThreads),
            clock: clock, now: { clock.wallTime }, chance: Chance(SplitMix64(state: UInt64(name.utf8.first ?? 1))),
            logger: quiet, overload: overload, machine: { [self] in machine.withLock { $0 } },
            onWaiting: { [self] failure in waits.withLock { $0.append(failure.code) } })
        let task = Task(executorPreference: executor) { [self] in
            await worker.run()
            ended.withLock { _ = $0.insert(name) }
        }
        membersByName.withLock { $0[name] = Member(worker: worker, store: faulty, task: task) }
        startSweeping()
        startWatching()
    }

    /// As `kill -9` does: the node says nothing more, to anybody.
    func kill(_ name: String) {
        member(name).store.set(.down)
        member(name).task.cancel()
    }

    func submit(options: JobOptions = JobOptions()) async throws -> JobID {
        let id = service.newUploadID()
        let facts = try await blobs.put([1, 2, 3], as: service.blobName(of: id))
        let upload = try await service.register(id, fileName: "talk.mp4", facts: facts)
        let outcome = try await service.submit(upload: upload.id, options: options, tenant: "test")
        guard case .created(let job) = outcome else { throw StoreError(.refused, "\(outcome)") }
        return job.id
    }

    /// Lets time pass until `done`.
    func run(upTo seconds: Double = 900, until done: () async throws -> Bool) async throws {
        let limit = clock.now.offset + .seconds(seconds)
        while try await !done() {
            guard clock.now.offset < limit else {
                Issue.record("nothing more happened in \(seconds) s")
                return
            }
            await settle()
            clock.step()
        }
    }

    func runToEnd(_ job: JobID) async throws -> Job {
        try await run { await store.job(job)?.status.hasEnded ?? true }
        return try #require(await store.job(job))
    }

    /// Ends everything that still runs, and removes its files.
    func close() async {
        sweeping.withLock { $0 }?.cancel()
        watching.withLock { $0 }?.cancel()
        let members = membersByName.withLock { $0 }
        for member in members.values { member.task.cancel() }
        while members.keys.contains(where: { !hasEnded($0) }) { await settle() }
        // Workers hold the world by their stages, and the world its workers.
        membersByName.withLock { $0 = [:] }
        sweeping.withLock { $0 = nil }
        watching.withLock { $0 = nil }
        try? FileManager.default.removeItem(atPath: root)
    }

    // MARK: What is seen

    var service: JobService {
        let clock = clock
        return JobService(
            store: store, blobs: blobs, region: Region("eu")!, now: { clock.wallTime }, chance: Self.identifiers,
            overload: overload)
    }
    var seconds: Double { clock.now.offset / .seconds(1) }
    var runs: [Run] { runLog.withLock { $0 } }
    func runs(of name: StageName) -> [Run] { runs.filter { $0.key.name == name } }
    func member(_ name: String) -> Member { membersByName.withLock { $0[name]! } }
    func hasEnded(_ name: String) -> Bool { ended.withLock { $0.contains(name) } }
    func isRunning(_ name: StageName) -> Bool { runs(of: name).contains { $0.end == nil } }
    func stage(_ job: JobID, _ key: StageKey) async -> Stage? { await store.stages(of: job).first { $0.key == key } }

    /// Most threads that were in use at one time.
    var threadsMax: Int {
        let runs = runs
        return runs.map { run in
            runs.filter { $0.start <= run.start && run.start < ($0.end ?? .infinity) }.reduce(0) { $0 + $1.threads }
        }.max() ?? 0
    }

    // MARK: Machinery

    private static let identifiers = Chance(SplitMix64(state: 42))

    private func startSweeping() {
        let clock = clock
        let sweeper = Sweeper(
            store: store, blobs: blobs, clock: clock, now: { clock.wallTime },
            chance: Chance(SplitMix64(state: 3)), logger: quiet)
        sweeping.withLock { task in
            if task == nil { task = Task(executorPreference: executor) { await sweeper.run() } }
        }
    }

    private func startWatching() {
        guard let overload else { return }
        watching.withLock { task in
            if task == nil { task = Task(executorPreference: executor) { await overload.run() } }
        }
    }

    private func runner(of node: String) -> StageRunner {
        StageRunner(
            cacheKey: { [shares] inputs in
                shares && inputs.key.name != .publish ? "\(inputs.upload.sha256) \(inputs.key)" : nil
            },
            run: { [self] assignment in
                let key = assignment.inputs.key
                let run = Run(
                    node: node, key: key, epoch: assignment.attempt.epoch, threads: assignment.threads, start: seconds)
                let index = runLog.withLock { log in
                    log.append(run)
                    return log.count - 1
                }
                defer {
                    let (end, wasCancelled) = (seconds, Task.isCancelled)
                    runLog.withLock { log in
                        log[index].end = end
                        log[index].wasCancelled = wasCancelled
                    }
                }
                let blob = assignment.attempt.blobName("file")
                if keeps { _ = try await blobs.put([1], as: blob) }
                try await play(assignment, clock)
                return StageOutput(body: video.body(key, blob: blob), blobs: keeps ? [blob] : [])
            })
    }

    /// Lets everything go on that can, until all of it waits: for time to pass, for a bell, or for nothing.
    private func settle() async {
        await withCheckedContinuation { continuation in
            pump.async { [executor, blobs] in
                repeat {
                    executor.drain()
                    if blobs.pendingDiskCalls > 0 { sched_yield() }
                } while blobs.pendingDiskCalls > 0 || !executor.isEmpty
                continuation.resume()
            }
        }
    }
}

/// Runs tasks one after another, and only when it is told to: what happens in a world does not depend on how busy the
/// machine is.
private final class StepExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    var isEmpty: Bool { jobs.withLock { $0.isEmpty } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    func drain() {
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            // Every job is taken from the list once and so run once, as `UnownedJob` asks.
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

/// Tests assert on what happened, not on what was said about it.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Plays a world to its end, whatever the test does.
func inWorld(_ world: World, _ body: (World) async throws -> Void) async throws {
    do { try await body(world) } catch {
        await world.close()
        throw error
    }
    await world.close()
}
