package import ClipModel
package import Store
import Synchronization

/// Clips of finished jobs that are rendered anew, and clips made by hand.
extension PostgresStore {
    package func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome {
        try await database.write { [self] connection, _ in
            let loaded = try JobTables.load(draft.job, on: &connection, cache: cache, lockingStages: true)
            guard let loaded else { return .rollBack(.noSuchJob) }
            let older = try connection.queries([Self.olderNode.with(), Self.unknowingNode(draft.options)])
            guard older.allSatisfy(\.isEmpty) else { return .rollBack(.olderNodes) }
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

    package func edits(of revision: RevisionID) async throws -> ClipEdits? {
        try await database.read { try $0.query(JobTables.edits.with(revision)).first.map { try $0.json("edits") } }
    }

    /// Answers with a node that lives and cannot carry these options out, if there is any: it would leave out what it
    /// does not know, or fail to read the job.
    static func unknowingNode(_ options: JobOptions) -> Call {
        unknowing.with(options.needed.sorted(), JobOptions.knownAtFirst.sorted())
    }

    /// None that knows less can come later without saying so: it registers first, with the options that it knows.
    private static let unknowing = Statement(
        "unknowing_node",
        """
        select 1 from node
        where not coalesce(options, $2::text[]) @> $1::text[]
            and left_at is null and seen_at + lease_seconds * interval '1 second' > now() limit 1
        """)
    /// One that could claim stages of a revision and would not know what they are. None can come later: a binary that
    /// does not know this schema does not start on it.
    private static let olderNode = Statement(
        "older_node",
        """
        select 1 from node
        where not revises and left_at is null and seen_at + lease_seconds * interval '1 second' > now() limit 1
        """)
    /// A node that knows no revisions ends a job and leaves the clip as it was, with a revision that nobody makes. A
    /// job that somebody else is about to change is left for the next time.
    static let stopForgotten = Statement(
        unprepared: """
            with over as materialized (
                select id from job
                where status in ('ready', 'error', 'cancelled')
                    and id in (select clip.job from clip where clip.revision ->> 'pending' is not null)
                order by id for no key update skip locked
            )
            update clip set revision = (clip.revision - 'pending'::text) || jsonb_build_object('failure', $1::jsonb),
                state = case when clip.files is null then 'error' else clip.state end,
                failure = case when clip.files is null then $1::jsonb else clip.failure end
            from over where clip.job = over.id and clip.revision ->> 'pending' is not null
            """
    ).with(JSON(Revision.stopped))
    private static let setRank = Statement("set_rank", "update job set rank = $2 where id = $1")
}
