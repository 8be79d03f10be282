import Blobs
package import ClipModel
import Stages
package import Store

/// What operators and the curious ask of jobs.
extension JobService {
    /// Events of one job that a waterfall is made from; more are left out and said to be missing.
    package static let waterfallEventsMax = 10_000
    /// Blobs of one job whose sizes are looked up.
    package static let waterfallBlobsMax = 2000

    /// Why the job is where it is, or nil when there is none.
    /// - Parameter members: who lives as a member of the cluster; nil: this node is in none.
    package func explain(_ id: JobID, members: Set<NodeID>?) async throws -> JobExplanation? {
        guard let job = try await store.job(id), let upload = try await store.upload(job.upload) else { return nil }
        let stages = try await store.stages(of: id)
        return .make(
            JobExplanation.Picture(
                job: job, upload: upload, stages: stages, revisions: try await store.revisions(of: id, with: stages),
                waits: try await store.waits(of: id, awaySeconds: awaySeconds), nodes: try await store.nodes(),
                members: members))
    }

    /// Where the job's time went, or nil when there is none.
    package func waterfall(_ id: JobID) async throws -> JobWaterfall? {
        guard let job = try await store.job(id) else { return nil }
        let stages = try await store.stages(of: id)
        var events: [Event] = []
        var isComplete = true
        while true {
            let page = try await store.events(
                of: id, after: events.last?.id ?? 0, limit: StoreLimits.pageRowsMax)
            events += page
            guard !page.isEmpty else { break }
            guard events.count < Self.waterfallEventsMax else {
                isComplete = false
                break
            }
        }
        var bytes: [BlobName: Int64] = [:]
        // Results that are reused stand under the jobs that made them.
        let makers = Set(stages.flatMap { $0.result?.blobs ?? [] }.compactMap { StageAttempt(owning: $0)?.job })
        for maker in makers.sorted() {
            // Blobs that cannot be looked at take nothing from the rest of the answer.
            let listed = try? await blobs.list(
                under: StageAttempt.prefix(of: maker), limit: Self.waterfallBlobsMax)
            for blob in listed ?? [] { bytes[blob.name] = blob.bytes }
        }
        return .make(
            job: job, stages: stages, events: events, isComplete: isComplete, bytes: bytes, now: currentTime)
    }

    /// Makes one stage of a job ready at once, whatever it waits for.
    package func requeue(_ key: StageKey, of id: JobID) async throws -> RequeueOutcome {
        let outcome = try await store.requeue(key, of: id)
        if case .changed(let job) = outcome { tell(job) }
        return outcome
    }

    /// Makes failed jobs that fit begin again, newest first, at most `limit`; with `isRehearsal` nothing is changed.
    /// Safe to repeat: what was requeued fits no more.
    package func requeueDeadLetters(_ filter: JobFilter, limit: Int, isRehearsal: Bool) async throws -> Requeued {
        precondition(filter.status == .error, "only jobs in error are dead letters, not \(filter)")
        let found = try await store.jobs(filter, before: nil, limit: limit + 1)
        var outcome = Requeued(jobs: [], skipped: [], hasMore: found.count > limit, isRehearsal: isRehearsal)
        for job in found.prefix(limit) {
            guard !isRehearsal else {
                outcome.jobs.append(job.id)
                continue
            }
            switch try await retry(job.id) {
            case .changed: outcome.jobs.append(job.id)
            // Somebody else was first, or nothing in it can be tried again.
            case .notPossible, .noSuchJob: outcome.skipped.append(job.id)
            }
        }
        return outcome
    }

    /// What became of dead letters.
    package struct Requeued: Codable, Hashable, Sendable {
        /// Those that begin again, or would.
        package var jobs: [JobID]
        /// Those that could not.
        package var skipped: [JobID]
        /// Whether more fit than were looked at.
        package var hasMore: Bool
        /// Nothing was changed.
        package var isRehearsal: Bool
    }
}
