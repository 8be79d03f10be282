package import ClipModel
package import Store
import Synchronization

/// Clips of finished jobs that are rendered anew, and clips made by hand.
extension PostgresStore {
    package func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome {
        try await database.write { [self] connection, _ in
            let loaded = try JobTables.load(draft.job, on: &connection, cache: cache, lockingStages: true)
            guard let loaded else { return .rollBack(.noSuchJob) }
            guard try connection.query(Self.olderNode.with()).isEmpty else { return .rollBack(.olderNodes) }
            var record = loaded
            let outcome = try record.revise(draft, advance: advance)
            guard !record.newRevisions.isEmpty else { return .rollBack(outcome) }
            let job = record.job
            // The job's lock is held already, as when a report corrects what a job costs (`TenantTable`).
            let take = try TenantTable.takeRank.with(
                job.tenant, FairShare.secondsPerClip, job.priority == .batch, claimFloor(on: &connection).rank)
            guard let rank = try connection.query(take).first?.double("rank") else {
                throw PostgresFailure(.corrupt, "taking a rank answered nothing")
            }
            floor.withLock { $0.lower(to: rank) }
            connection.enqueue(Self.setRank.with(job.id, rank))
            JobTables.enqueue([(record, before: loaded.stages)], on: &connection)
            return .commit(outcome)
        }
    }

    package func revisions(of job: JobID) async throws -> [Revision] {
        try await database.read { try $0.query(JobTables.revisions.with([job])).map(JobTables.revision(_:)) }
    }

    /// One that could claim stages of a revision and would not know what they are. None can come later: a binary that
    /// does not know this schema does not start on it.
    private static let olderNode = Statement(
        "older_node",
        """
        select 1 from node
        where not revises and left_at is null and seen_at + lease_seconds * interval '1 second' > now() limit 1
        """)
    private static let setRank = Statement("set_rank", "update job set rank = $2 where id = $1")
}
