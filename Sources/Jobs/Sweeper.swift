package import Blobs
package import ClipModel
package import Logging
import Stages
package import Store
import Synchronization

/// Keeps house on every node: frees the stages of dead nodes quickly, and removes slowly what nobody needs.
///
/// Every node does it, none waits for another: each statement is safe to run twice at the same time.
package struct Sweeper: Sendable {
    private let store: any Store
    private let blobs: any BlobStore
    private let configuration: SweeperConfiguration
    private let clock: any Clock<Duration>
    private let now: WallTime
    private let chance: Chance
    private let logger: Logger
    private let onChange: @Sendable (JobID, Region) -> Void
    private let quarantine: SweptQuarantine?
    private let twins: (any UploadTwinBook)?
    private let folders: FolderWalk
    private let failing = FailingSteps()

    /// - Parameters:
    ///   - twins: nil: equal uploads stay as they are.
    ///   - onChange: told of a held job that begins. Must return at once.
    package init(
        store: any Store, blobs: any BlobStore, configuration: SweeperConfiguration = SweeperConfiguration(),
        quarantine: SweptQuarantine? = nil, twins: (any UploadTwinBook)? = nil, clock: any Clock<Duration>,
        now: @escaping WallTime, chance: Chance, logger: Logger,
        onChange: @escaping @Sendable (JobID, Region) -> Void = { _, _ in }
    ) {
        self.store = store
        self.blobs = blobs
        self.configuration = configuration
        self.quarantine = quarantine
        self.twins = twins
        self.clock = clock
        self.now = now
        self.chance = chance
        self.logger = logger
        self.onChange = onChange
        folders = FolderWalk(blobs: blobs, limit: configuration.foldersPerRound, now: now, chance: chance)
    }

    /// Ends by cancellation only.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await repeatedly("dead nodes", every: configuration.deadNodesInterval) {
                    let freed = try await store.freeStagesOfDeadNodes()
                    if freed > 0 { logger.notice("stages of dead nodes freed", metadata: ["count": "\(freed)"]) }
                }
            }
            group.addTask {
                await repeatedly("held jobs", every: configuration.heldJobsInterval) { try await admit() }
            }
            group.addTask {
                await repeatedly("effects", every: configuration.effectsInterval) { try await countEffects() }
            }
            group.addTask {
                await repeatedly("upkeep", every: configuration.upkeepInterval) { try await upkeep() }
            }
        }
    }

    /// Begins held jobs whose clients have room again.
    package func admit() async throws {
        let jobs = try await store.admitHeldJobs(opening: Pipeline.firstStages, jobsMax: configuration.jobsMax)
        for job in jobs { onChange(job.id, job.region) }
    }

    /// Counts what was published, until nothing is left.
    package func countEffects() async throws {
        while try await store.countEffects(limit: configuration.effectsPerRound) == configuration.effectsPerRound {}
    }

    /// One round of the slow work. A step that fails is no reason to leave out those after it; only cancellation is.
    package func upkeep() async throws {
        try await step("rows") { try await store.upkeep() }
        try await step("scratch") { try await blobs.sweep() }
        try await step("unused uploads") {
            let unused = try await store.removeUnusedUploads(
                olderThanSeconds: configuration.unusedUploadSeconds, limit: configuration.uploadsPerRound)
            try await blobs.remove(unused.flatMap { [$0.blob] + ($0.transcript.map { [$0.blob] } ?? []) })
        }
        try await step("expired uploads") {
            try await blobs.remove(try await store.removeExpiredSessions(limit: configuration.uploadsPerRound))
        }
        try await step("equal uploads") { try await uniteTwins() }
        try await step("quarantine") { try await emptyQuarantine() }
        try await step("leftovers") { try await removeLeftovers() }
        try await step("uploads without row") { try await removeUploadsWithoutRow() }
        try await step("parts without row") { try await removePartsWithoutRow() }
    }

    /// Says once that a step fails, until it works again.
    private func step(_ name: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
            if failing.worked(name) { logger.notice("sweeping works again", metadata: ["step": "\(name)"]) }
        } catch {
            try Task.checkCancellation()
            guard failing.failed(name) else { return }
            logger.warning("a step of sweeping fails", metadata: ["step": "\(name)", "error": "\(error)"])
        }
    }

    /// The bytes first: an entry whose bytes went and that still counts is emptied again.
    private func emptyQuarantine() async throws {
        guard let quarantine else { return }
        let due = try await quarantine.book.quarantineToEmpty(
            olderThanSeconds: quarantine.days * 86_400, limit: configuration.uploadsPerRound)
        guard !due.isEmpty else { return }
        try await blobs.remove(due.map { QuarantineEntry.blobName(of: $0) })
        try await quarantine.book.quarantineEmptied(due)
        logger.notice("quarantined bytes removed", metadata: ["count": "\(due.count)"])
    }

    /// Equal uploads whose jobs have all ended stand at one blob.
    private func uniteTwins() async throws {
        guard let twins else { return }
        let found = try await twins.twins(
            withinSeconds: configuration.twinSeconds, limit: configuration.uploadsPerRound)
        for pair in found {
            // Bytes that were lost must not take others with them.
            guard try await blobs.size(of: pair.blob) == pair.bytes, let freed = try await twins.unite(pair) else {
                continue
            }
            try await remove([freed], ["upload": "\(pair.later)"])
        }
    }

    /// Blobs of attempts that can publish nothing any more. Those of jobs that are gone stay while other jobs reuse
    /// them.
    private func removeLeftovers() async throws {
        try await folders.round(under: StageAttempt.root) { name in
            guard let job = JobID("job_" + name) else { return }
            // Listed before the job is read: what is published in between is then named by a result.
            let listed = try await old(under: StageAttempt.prefix(of: job))
            guard !listed.isEmpty else { return }
            let leftovers =
                try await store.job(job) == nil
                ? try await store.unnamed(listed.map(\.name))
                : Leftovers.select(listed, stages: try await store.stages(of: job), olderThan: moment)
            try await remove(leftovers, ["job": "\(job)"])
        }
    }

    /// Bytes whose node died before it had noted the upload: the client was never told of it. And those that an upload
    /// gave up for its twin's, where a node died before it had removed them.
    private func removeUploadsWithoutRow() async throws {
        try await folders.round(under: JobService.uploadsRoot) { name in
            guard let upload = UploadID("upload_" + name) else { return }
            let blob = try await store.upload(upload)?.blob
            guard blob?.rawValue.hasPrefix(JobService.prefix(of: upload).rawValue + "/") != true else { return }
            let listed = try await old(under: JobService.prefix(of: upload))
            try await remove(try await store.unnamed(listed.map(\.name)), ["upload": "\(upload)"])
        }
    }

    /// Bytes of uploads on their way whose request lost its session, or whose node died before it had noted them.
    private func removePartsWithoutRow() async throws {
        try await folders.round(under: UploadSession.partsRoot) { name in
            guard let upload = UploadID("upload_" + name) else { return }
            let listed = try await old(under: UploadSession.partsPrefix(of: upload))
            try await remove(try await store.unnamed(listed.map(\.name)), ["upload": "\(upload)"])
        }
    }

    /// Those that nobody can be about to point at.
    private func old(under prefix: BlobName) async throws -> [ListedBlob] {
        try await blobs.list(under: prefix, limit: configuration.blobsPerJob).filter { $0.changedAt < moment }
    }

    private var moment: Timestamp { now().advanced(bySeconds: -configuration.leftoverSeconds) }

    private func remove(_ names: [BlobName], _ owner: Logger.Metadata) async throws {
        guard !names.isEmpty else { return }
        try await blobs.remove(names)
        logger.info("leftovers removed", metadata: owner.merging(["count": "\(names.count)"]) { first, _ in first })
    }

    private func repeatedly(
        _ work: String, every interval: Duration, _ body: @Sendable () async throws -> Void
    ) async {
        while !Task.isCancelled {
            do { try await body() } catch {
                logger.debug("sweeping failed", metadata: ["work": "\(work)", "error": "\(error)"])
            }
            // Jitter keeps the nodes from sweeping in step. Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: interval * (0.75 + chance.fraction() / 2))
        }
    }
}

/// Which steps of a round failed the last time.
private final class FailingSteps: Sendable {
    private let names = Mutex<Set<String>>([])

    /// True when that is news.
    func failed(_ name: String) -> Bool { names.withLock { $0.insert(name).inserted } }
    /// True when that is news.
    func worked(_ name: String) -> Bool { names.withLock { $0.remove(name) != nil } }
}

/// The quarantine that a sweeper empties, and after how long.
package struct SweptQuarantine: Sendable {
    let book: any QuarantineBook
    let days: Int

    package init(book: any QuarantineBook, days: Int) {
        precondition(days >= 0, "\(days) days")
        self.book = book
        self.days = days
    }
}

/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `deadNodesInterval` | duration | 1 s | the work of a dead node waits |
/// | `heldJobsInterval` | duration | 1 s | a client's next job waits though another has ended |
/// | `effectsInterval` | duration | 2 s | figures of ended jobs come late |
/// | `effectsPerRound` | count | 500 | a transaction takes long after an outage |
/// | `jobsMax` | jobs of one client | none | one client's jobs fill the queue (`JobDraft.jobsMax`) |
/// | `upkeepInterval` | duration | 10 min | the disk fills with what nobody needs |
/// | `unusedUploadSeconds` | seconds | 24 h | uploads without a job stay for ever |
/// | `twinSeconds` | seconds | 7 days | every round compares all uploads that there ever were |
/// | `leftoverSeconds` | seconds | 1 h; with S3 25 h | a blob that is about to be published is taken for a leftover |
/// | `uploadsPerRound`, `blobsPerJob` | count | 100, 10000 | a round takes minutes |
/// | `foldersPerRound` | count, of each root | 500 | as before; `F` folders take `F / 500` rounds |
package struct SweeperConfiguration: Sendable, Hashable {
    package var deadNodesInterval: Duration
    package var heldJobsInterval: Duration
    package var jobsMax: Int?
    package var effectsInterval: Duration
    package var effectsPerRound: Int
    package var upkeepInterval: Duration
    package var unusedUploadSeconds: Int
    package var twinSeconds: Int
    package var leftoverSeconds: Double
    package var uploadsPerRound: Int
    package var foldersPerRound: Int
    package var blobsPerJob: Int

    package init(
        deadNodesInterval: Duration = .seconds(1), heldJobsInterval: Duration = .seconds(1), jobsMax: Int? = nil,
        effectsInterval: Duration = .seconds(2), effectsPerRound: Int = 500,
        upkeepInterval: Duration = .seconds(600),
        unusedUploadSeconds: Int = 24 * 3600, twinSeconds: Int = 7 * 24 * 3600, leftoverSeconds: Double = 3600,
        uploadsPerRound: Int = 100, foldersPerRound: Int = 500, blobsPerJob: Int = 10_000
    ) {
        precondition(
            deadNodesInterval > .zero && heldJobsInterval > .zero && effectsInterval > .zero && upkeepInterval > .zero,
            "intervals must be positive")
        self.deadNodesInterval = deadNodesInterval
        self.heldJobsInterval = heldJobsInterval
        self.jobsMax = jobsMax
        self.effectsInterval = effectsInterval
        self.effectsPerRound = effectsPerRound
        self.upkeepInterval = upkeepInterval
        self.unusedUploadSeconds = unusedUploadSeconds
        self.twinSeconds = twinSeconds
        self.leftoverSeconds = leftoverSeconds
        self.uploadsPerRound = uploadsPerRound
        self.foldersPerRound = foldersPerRound
        self.blobsPerJob = blobsPerJob
    }
}
