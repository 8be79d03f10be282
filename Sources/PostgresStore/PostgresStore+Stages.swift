package import ClipModel
package import Store

/// Attempts: taken under a lease, ended under it.
extension PostgresStore {
    package func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease] {
        guard terms.limit > 0 else { return [] }
        let limit = min(terms.limit, StoreLimits.claimMax)
        let claim = Self.claim.with(
            life.id, life.epoch, life.region, limit, terms.awaySeconds, terms.includesBatch)
        return try await database.write(wasCommitted: Self.holds) { connection, _ in
            let rows = try connection.query(claim)
            guard !rows.isEmpty else { return .rollBack([]) }
            let claimed = try rows.map { try Claimed($0, life: life) }.sorted(by: Claimed.precedes)
            var events: [EventRow] = []
            for stage in claimed {
                let job = stage.lease.job
                if stage.startsJob, !events.contains(where: { $0.job == job.rawValue }) {
                    events.append(EventRow(.init(.jobStarted), job: job, at: stage.at))
                }
                let started = JobRecord.EventDraft(.stageStarted, stage: stage.lease.key, node: life.id)
                events.append(EventRow(started, job: job, at: stage.at))
            }
            EventTable.enqueue(events, on: &connection)
            EventTable.announce(Set(claimed.map { .job($0.lease.job) }), on: &connection)
            return .commit(claimed.map(\.lease))
        }
    }

    /// Whether a claim took effect: all of it did, or nothing.
    private static func holds(_ connection: inout PostgresConnection, _ leases: [StageLease]) throws -> Bool {
        guard let lease = leases.first else { return true }
        let held = held.with(
            lease.job, lease.key.name.rawValue, lease.key.index, lease.epoch, lease.node, lease.nodeEpoch)
        return try !connection.query(held).isEmpty
    }

    private static let held = Statement(
        "held",
        """
        select 1 from stage where job = $1 and name = $2 and index = $3 and epoch = $4 and holder = $5
            and holder_epoch = $6
        """)

    package func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: @escaping Advance
    ) async throws -> CompleteOutcome {
        if case .produced(let result) = outcome { try result.checkLength() }
        return try await reports.complete(.init(lease: lease, outcome: outcome, effort: effort, advance: advance))
    }

    package func result(cachedUnder key: String) async throws -> StageResult? {
        try await database.read { try $0.query(ResultTable.cached.with(key)).first.map(ResultTable.result(_:)) }
    }

    package func unnamed(_ blobs: [BlobName]) async throws -> [BlobName] {
        guard !blobs.isEmpty else { return [] }
        return try await database.read { connection in
            try connection.query(ResultTable.unnamed.with(blobs)).map { try $0.read("name", BlobName.init) }
        }
    }

    private struct Claimed {
        let lease: StageLease
        /// Taken by its rank, not because there was nothing better.
        let isNear: Bool
        let rank: Double
        let startsJob: Bool
        let at: Timestamp

        init(_ row: Row, life: NodeLife) throws {
            lease = StageLease(
                job: try row.read("job", JobID.init),
                key: StageKey(try row.read("name", StageName.init), try row.int("index")),
                epoch: try row.int("epoch"), node: life.id, nodeEpoch: life.epoch, attempts: try row.int("attempts"))
            isNear = try row.bool("is_near")
            rank = try row.double("rank")
            startsJob = try row.bool("starts_job")
            at = try row.time("at")
        }

        /// Rows come in no order; leases are given out in that of the claim.
        static func precedes(_ left: Self, _ right: Self) -> Bool {
            if left.isNear != right.isNear { return left.isNear }
            return (left.rank, left.lease.job, left.lease.key) < (right.rank, right.lease.job, right.lease.key)
        }
    }

    /// Waits for nobody but the node's own row: stages and jobs that others hold are skipped, so claims never deadlock
    /// and never queue up. `for share` on the node makes a restart of it wait, and makes us see one that was first.
    ///
    /// No stage is ready whose job has ended, so looking begins at the lowest rank of an open job: the index still
    /// holds what was claimed before, for as long as some old snapshot may see it.
    private static let claim = Statement(
        "claim",
        """
        with life as materialized (
            select id from node
            where id = $1 and epoch = $2 and left_at is null and seen_at + lease_seconds * interval '1 second' > now()
                and schedulability = 'schedulable'
            for share
        ), lowest as (
            select min(rank) as rank from job where status in ('pending', 'processing')
        ), moment as (
            select now() - $5::float8 * interval '1 second' as ripe
        ), near as materialized (
            select job, name, index, true as is_near from stage
            where state = 'ready' and rank >= (select rank from lowest)
                and (region = $3 or not_before <= (select ripe from moment)) and not_before <= now()
                and ($6 or not batch) and (avoided is distinct from $1 or avoided_until <= now())
                and exists (select from life)
            order by rank, job, position, index limit $4 for no key update skip locked
        ), far as materialized (
            select job, name, index, false as is_near from stage
            where state = 'ready' and rank >= (select rank from lowest)
                and region <> $3 and not_before > (select ripe from moment) and not_before <= now()
                and ($6 or not batch) and (avoided is distinct from $1 or avoided_until <= now())
                and exists (select from life)
            order by rank, job, position, index limit $4 - (select count(*) from near) for no key update skip locked
        ), chosen as (
            select * from near union all select * from far
        ), claimed as (
            update stage set state = 'running', epoch = epoch + 1, attempts = attempts + 1, holder = $1,
                holder_epoch = $2, failure = null, started_at = now(), ended_at = null
            from chosen
            where stage.job = chosen.job and stage.name = chosen.name and stage.index = chosen.index
            returning stage.job, stage.name, stage.index, stage.epoch, stage.attempts, stage.rank, chosen.is_near
        ), starting as (
            update job set status = 'processing', started_at = now()
            where id in (
                select id from job where id in (select job from chosen) and status = 'pending'
                for no key update skip locked)
            returning id
        )
        select claimed.*, starting.id is not null as starts_job, ms_of(now()) as at
        from claimed left join starting on starting.id = claimed.job
        """)
}
