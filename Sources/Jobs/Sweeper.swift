package import Blobs
import ClipModel
package import Logging
import Stages
package import Store

/// Keeps house on every node: frees the stages of dead nodes quickly, and removes slowly what nobody needs.
///
/// Every node does it, none waits for another: each statement is safe to run twice at the same time.
package struct Sweeper: Sendable {
    private let store: any Store
    private let blobs: BlobDirectory
    private let configuration: SweeperConfiguration
    private let clock: any Clock<Duration>
    private let now: WallTime
    private let chance: Chance
    private let logger: Logger

    package init(
        store: any Store, blobs: BlobDirectory, configuration: SweeperConfiguration = SweeperConfiguration(),
        clock: any Clock<Duration>, now: @escaping WallTime, chance: Chance, logger: Logger
    ) {
        self.store = store
        self.blobs = blobs
        self.configuration = configuration
        self.clock = clock
        self.now = now
        self.chance = chance
        self.logger = logger
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
                await repeatedly("upkeep", every: configuration.upkeepInterval) { try await upkeep() }
            }
        }
    }

    /// One round of the slow work.
    package func upkeep() async throws {
        try await store.upkeep()
        _ = try await blobs.sweepScratch()
        let unused = try await store.removeUnusedUploads(
            olderThanSeconds: configuration.unusedUploadSeconds, limit: configuration.uploadsPerRound)
        try await blobs.remove(unused.flatMap { [$0.blob] + ($0.transcript.map { [$0.blob] } ?? []) })
        try await removeLeftovers()
    }

    /// Looks at a window of the jobs that have blobs, another one every time, so that a round stays short however many
    /// there are. Blobs of jobs that are gone are not touched: other jobs may reuse their results, and only the store,
    /// which removed the job, could tell.
    private func removeLeftovers() async throws {
        let names = try await blobs.directories(under: StageAttempt.root)
        guard !names.isEmpty else { return }
        let first = Int(chance.fraction() * Double(names.count))
        let moment = now().advanced(bySeconds: -configuration.leftoverSeconds)
        for offset in 0..<min(names.count, configuration.jobsPerRound) {
            guard let job = JobID("job_" + names[(first + offset) % names.count]) else { continue }
            // Listed before the job is read: what is published in between is then named by a result.
            let listed = try await blobs.list(
                under: StageAttempt.prefix(of: job), limit: configuration.blobsPerJob)
            guard listed.contains(where: { $0.changedAt < moment }) else { continue }
            let stages = try await store.stages(of: job)
            let leftovers = Leftovers.select(listed, stages: stages, olderThan: moment)
            guard !leftovers.isEmpty else { continue }
            try await blobs.remove(leftovers)
            logger.info("leftovers removed", metadata: ["job": "\(job)", "count": "\(leftovers.count)"])
        }
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

/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `deadNodesInterval` | duration | 1 s | the work of a dead node waits |
/// | `upkeepInterval` | duration | 10 min | the disk fills with what nobody needs |
/// | `unusedUploadSeconds` | seconds | 24 h | uploads without a job stay for ever |
/// | `leftoverSeconds` | seconds | 1 h | a blob that is about to be published is taken for a leftover |
/// | `uploadsPerRound`, `jobsPerRound`, `blobsPerJob` | count | 100, 200, 10000 | a round takes minutes |
package struct SweeperConfiguration: Sendable, Hashable {
    package var deadNodesInterval: Duration
    package var upkeepInterval: Duration
    package var unusedUploadSeconds: Int
    package var leftoverSeconds: Double
    package var uploadsPerRound: Int
    package var jobsPerRound: Int
    package var blobsPerJob: Int

    package init(
        deadNodesInterval: Duration = .seconds(1), upkeepInterval: Duration = .seconds(600),
        unusedUploadSeconds: Int = 24 * 3600, leftoverSeconds: Double = 3600, uploadsPerRound: Int = 100,
        jobsPerRound: Int = 200, blobsPerJob: Int = 10_000
    ) {
        precondition(deadNodesInterval > .zero && upkeepInterval > .zero, "intervals must be positive")
        self.deadNodesInterval = deadNodesInterval
        self.upkeepInterval = upkeepInterval
        self.unusedUploadSeconds = unusedUploadSeconds
        self.leftoverSeconds = leftoverSeconds
        self.uploadsPerRound = uploadsPerRound
        self.jobsPerRound = jobsPerRound
        self.blobsPerJob = blobsPerJob
    }
}
