package import ClipModel
package import Store
import Synchronization

/// Attempts: taken under a lease, ended under it.
extension PostgresStore {
    package func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease] {
        guard terms.limit > 0 else { return [] }
        let limit = min(terms.limit, StoreLimits.claimMax)
        return try await database.write(wasCommitted: Self.holds) { [self] connection, _ in
            func claim(_ limit: Int, from rank: Double, _ familiar: [JobID] = []) throws -> [Claimed] {
                let statement = familiar.isEmpty ? Self.claim : Self.claimFamiliar
                var claim = statement.with(
                    life.id, life.epoch, life.region, limit, terms.awaySeconds, terms.includesBatch, rank,
                    terms.homeSeconds)
                if !familiar.isEmpty { claim.add(familiar, rank + StoreLimits.familiarSeconds) }
                return try connection.query(claim).map { try Claimed($0, life: life, isFamiliar: !familiar.isEmpty) }
            }
            var floor = try claimFloor(on: &connection)
            var claimed: [Claimed] = []
            let familiar = Array(terms.familiar.prefix(StoreLimits.familiarMax))
            // Nothing is close behind minus infinity, and jobs may have come since nothing was open.
            if !familiar.isEmpty, floor.rank == ClaimFloor.bottom { floor = (try findFloor(on: &connection), true) }
            if !familiar.isEmpty { claimed = try claim(limit, from: floor.rank, familiar) }
            if claimed.count < limit { claimed += try claim(limit - claimed.count, from: floor.rank) }
            if claimed.isEmpty || (claimed.count < limit && !floor.isFresh) {
                let lowest = try findFloor(on: &connection)
                if lowest < floor.rank { claimed += try claim(limit - claimed.count, from: lowest) }
            }
            guard !claimed.isEmpty else { return .rollBack([]) }
            claimed.sort(by: Claimed.precedes)
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

    /// Looked up when what is known is too old.
    func claimFloor(on connection: inout PostgresConnection) throws -> (rank: Double, isFresh: Bool) {
        if let reading = floor.withLock({ $0.reading(at: age()) }) { return reading }
        return (try findFloor(on: &connection), true)
    }

    private func findFloor(on connection: inout PostgresConnection) throws -> Double {
        let began = age()
        let rank = try connection.query(Self.lowest.with()).first?.double("rank")
        floor.withLock { $0.found(rank, at: age(), took: age() - began) }
        return rank ?? ClaimFloor.bottom
    }

    private static let lowest = Statement(
        "lowest_rank",
        "select rank from job where status in ('pending', 'processing') and not held order by rank limit 1")

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
        let isFamiliar: Bool
        let rank: Double
        let startsJob: Bool
        let at: Timestamp

        init(_ row: Row, life: NodeLife, isFamiliar: Bool) throws {
            lease = StageLease(
                job: try row.read("job", JobID.init),
                key: StageKey(try row.read("name", StageName.init), try row.int("index")),
                epoch: try row.int("epoch"), node: life.id, nodeEpoch: life.epoch, attempts: try row.int("attempts"),
                crashes: try row.int("crashes"))
            isNear = try row.bool("is_near")
            self.isFamiliar = isFamiliar
            rank = try row.double("rank")
            startsJob = try row.bool("starts_job")
            at = try row.time("at")
        }

        /// Rows come in no order; leases are given out in that of the claim.
        static func precedes(_ left: Self, _ right: Self) -> Bool {
            if left.isNear != right.isNear { return left.isNear }
            if left.isFamiliar != right.isFamiliar { return left.isFamiliar }
            return (left.rank, left.lease.job, left.lease.key) < (right.rank, right.lease.job, right.lease.key)
        }
    }

    /// Waits for nobody but the node's own row: stages and jobs that others hold are skipped, so claims never deadlock
    /// and never queue up. `for share` on the node makes a restart of it wait, and makes us see one that was first.
    ///
    /// Goes from open job to open job, by rank, and takes what is ready in each: the subqueries lock row by row as they
    /// are read, and stop at the limit. No stage is ready whose job has ended.
    private static let claim = claiming("claim")
    /// Among the jobs `$9`, as long as their rank is at most `$10`. What is left to another region comes after
    /// everything else, whoever knows it.
    private static let claimFamiliar = claiming(
        "claim_familiar", near: "and id = any($9::text[]) and rank <= $10", far: "and false")

    private static func claiming(_ name: String, near: String = "", far: String = "") -> Statement {
        Statement(
            name,
            """
            with life as materialized (
                select id from node
                where id = $1 and epoch = $2 and left_at is null and schedulability = 'schedulable'
                    and seen_at + lease_seconds * interval '1 second' > now()
                for share
            ), moment as (
                select now() - $5::float8 * interval '1 second' as ripe,
                    now() - $8::float8 * interval '1 second' as left_to_home
            ), homes as materialized (
                select region from node
                where left_at is null and schedulability = 'schedulable'
                    and seen_at + lease_seconds * interval '1 second' > now()
            ), near as materialized (
                \(ready("open.region = $3 or not_before <= (select ripe from moment)", near))
                limit $4
            ), far as materialized (
                \(ready(others, far))
                limit $4 - (select count(*) from near)
            ), chosen as (
                select *, true as is_near from near union all select *, false from far
            ), starting as (
                update job set status = 'processing', started_at = now()
                where id in (
                    select locked.id from (select distinct job from chosen where status = 'pending') as begun
                    cross join lateral (
                        -- `is true` keeps the planner from walking over all pending jobs, which it takes for few.
                        select id from job where id = begun.job and (status = 'pending') is true
                        for no key update skip locked) as locked)
                returning id
            ), claimed as (
                update stage set state = 'running', epoch = epoch + 1, attempts = attempts + 1,
                    -- A node of the release before that retries a stage sets nothing but its attempts to 0.
                    crashes = least(crashes, attempts),
                    holder = $1, holder_epoch = $2, failure = null, started_at = now(), ended_at = null
                from chosen
                where stage.job = chosen.job and stage.name = chosen.name and stage.index = chosen.index
                    -- What runs is found through jobs under way, so a job that could not be marked has to wait.
                    and (chosen.status = 'processing' or chosen.job in (select id from starting))
                returning stage.job, stage.name, stage.index, stage.epoch, stage.attempts, stage.crashes, chosen.rank,
                    chosen.is_near
            )
            select claimed.*, starting.id is not null as starts_job, ms_of(now()) as at
            from claimed left join starting on starting.id = claimed.job
            """)
    }

    /// What other regions have not begun though they had time to, or cannot begin. What was lost with a node has waited
    /// for its death to be noticed, and is left to nobody.
    private static let others = """
        open.region <> $3 and not_before > (select ripe from moment)
            and (not_before <= (select left_to_home from moment) or crashes > 0
                or open.region not in (select region from homes))
        """

    private static func ready(_ place: String, _ among: String) -> String {
        """
        select open.id as job, open.rank, open.status, waiting.name, waiting.index
            from (
                select id, rank, status, region from job
                where status in ('pending', 'processing') and not held and rank >= $7
                    and ($6 or priority <> 'batch') and exists (select from life) \(among)
                order by rank, id
            ) as open cross join lateral (
                select name, index from stage
                where job = open.id and state = 'ready' and not_before <= now() and (\(place))
                    and (avoided is distinct from $1 or avoided_until <= now())
                order by position, index for no key update skip locked
            ) as waiting
        """
    }
}
