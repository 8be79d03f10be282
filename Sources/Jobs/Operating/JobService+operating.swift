import Blobs
package import ClipModel
import Stages
import Store

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
        let revisions = try await store.revisions(of: id, with: stages)
        let missing = MissingClip.all(of: try await store.clips(of: id), stages: stages, revisions: revisions)
        return .make(
            JobExplanation.Picture(
                job: job, upload: upload, stages: stages, revisions: revisions, missing: missing,
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
}
