package import ClipModel
package import Store

/// What waits, and the opening of what was put off.
extension PostgresStore {
    package func queues() async throws -> QueueReading {
        let rows = try await database.read { connection in
            try connection.query(
                Self.queues.with(StoreLimits.effortJobs, QueueReading.effortGuess))
        }
        let regions = try storeErrors {
            try rows.map { row in
                QueueReading.RegionQueue(
                    region: try row.read("region", Region.init), openSeconds: try row.double("open_seconds"),
                    deferredSeconds: try row.double("deferred_seconds"), readyStages: try row.int("ready_stages"),
                    deferredJobs: try row.int("deferred_jobs"),
                    oldestWaitSeconds: try row.double("oldest_wait_seconds"),
                    threads: try row.int("threads"))
            }
        }
        let effort = try storeErrors { try rows.first?.double("effort") }
        return QueueReading(regions: regions, effort: effort ?? QueueReading.effortGuess)
    }

    package func openDeferred(in region: Region, costSeconds: Double) async throws -> Int {
        let open = Self.openDeferred.with(region, costSeconds)
        return try await database.write { connection, _ in
            let opened = Set(try connection.query(open).map { try $0.text("job") }).count
            guard opened > 0 else { return .rollBack(0) }
            EventTable.announce([.work], on: &connection)
            return .commit(opened)
        }
    }

    /// As `FairShare.estimate` has it.
    private static func cost(of job: String) -> String {
        """
        (greatest(\(FairShare.secondsMin), upload.bytes / \(FairShare.bytesPerSecond)::float8
            * case when upload.transcript is null then 1 else \(FairShare.shareWithoutRecognition) end)
            + coalesce((\(job).options->>'clipCount')::int, \(JobOptions().clipCount)) * \(FairShare.secondsPerClip)
            )::float8
        """
    }

    /// Stages of a revision are those of a clip or of publishing, under its slot. They are no part of what the job cost
    /// itself.
    private static let isOfRevision = """
        (stage.name in (\(namesOfRevisions)) and exists (
            select from revision where revision.job = stage.job and revision.slot = stage.index))
        """
    private static let namesOfRevisions = StageName.allCases.filter(\.isOfRevisions).map { "'\($0.rawValue)'" }
        .joined(separator: ", ")

    /// Looks at open jobs and their stages, and at a few jobs that ended; never at all stages there are.
    private static let queues = Statement(
        "queues",
        """
        with effort as materialized (
            select coalesce(sum(spent) / nullif(sum(cost), 0), $2::float8) as value
            from (
                select \(cost(of: "recent")) as cost, (
                        select coalesce(sum(extract(epoch from ended_at - started_at)), 0) from stage
                        where stage.job = recent.id and not reused and started_at is not null and ended_at is not null
                            and not \(isOfRevision)
                    )::float8 as spent
                from (
                    select id, upload, options from job where status = 'ready' order by ended_at desc limit $1
                ) as recent
                join upload on upload.id = recent.upload
            ) as ended
        ), live as (
            select stage.job, case when state = 'ready' then not_before end as not_before, state = 'ready' as is_ready,
                case when \(isOfRevision) then stage.index end as slot
            from job join stage on stage.job = job.id
            where job.status in ('pending', 'processing') and not job.held and state in ('ready', 'running')
        ), open as (
            select job, count(*) filter (where not_before <= now()) as ready_stages,
                bool_and(is_ready and not_before > now()) as waits, min(not_before) as oldest,
                array_agg(distinct slot) filter (where slot is not null) as slots
            from live group by job
        ), work as (
            select job.region, open.ready_stages, job.status = 'pending' and open.waits as is_deferred, open.oldest,
                greatest(0, effort.value * case when open.slots is null then \(cost(of: "job"))
                    else cardinality(open.slots) * \(FairShare.secondsPerClip) end
                    - case when job.status = 'pending' then 0 else (
                        select coalesce(sum(extract(epoch from coalesce(ended_at, now()) - started_at)), 0)::float8
                        from stage where stage.job = job.id and not reused and started_at is not null
                            and (open.slots is null or \(isOfRevision) and stage.index = any(open.slots))) end
                ) as seconds
            from open join job on job.id = open.job join upload on upload.id = job.upload cross join effort
        ), waiting as (
            select region, coalesce(sum(seconds) filter (where not is_deferred), 0) as open_seconds,
                coalesce(sum(seconds) filter (where is_deferred), 0) as deferred_seconds,
                sum(ready_stages) as ready_stages, count(*) filter (where is_deferred) as deferred_jobs,
                coalesce(max(extract(epoch from now() - oldest)) filter (where oldest <= now()), 0) as oldest_wait
            from work group by region
        ), doing as (
            select region, sum(threads) as threads from node
            where left_at is null and seen_at + lease_seconds * interval '1 second' > now()
                and schedulability = 'schedulable'
            group by region
        )
        select coalesce(waiting.region, doing.region) as region, coalesce(open_seconds, 0) as open_seconds,
            coalesce(deferred_seconds, 0) as deferred_seconds, coalesce(ready_stages, 0) as ready_stages,
            coalesce(deferred_jobs, 0) as deferred_jobs, coalesce(oldest_wait, 0) as oldest_wait_seconds,
            coalesce(threads, 0) as threads, effort.value as effort
        from waiting full join doing on doing.region = waiting.region cross join effort
        order by coalesce(waiting.region, doing.region) collate "C"
        """)

    /// Locks in the order of the keys, as all do. A stage that somebody else opened or claimed meanwhile is left out.
    private static let openDeferred = Statement(
        "open_deferred",
        """
        with deferred as (
            select job.id, \(cost(of: "job")) as cost, job.rank
            from job join upload on upload.id = job.upload
            where job.status = 'pending' and job.region = $1
                and exists (select from stage where stage.job = job.id)
                and not exists (
                    select from stage where stage.job = job.id and (state <> 'ready' or not_before <= now()))
        ), chosen as (
            select id from (
                select id, rank, sum(cost) over (order by rank, id) - cost as before from deferred) as queue
            where before < $2::float8 or rank < (
                select rank from job
                where status in ('pending', 'processing') and not held and region = $1 and exists (
                    select from stage where stage.job = job.id and state = 'ready' and not_before <= now())
                order by rank desc limit 1)
        ), locked as materialized (
            select stage.job, stage.name, stage.index from stage join chosen on chosen.id = stage.job
            where stage.state = 'ready' and stage.not_before > now()
            order by stage.job, stage.position, stage.index for no key update of stage
        )
        update stage set not_before = now() from locked
        where stage.job = locked.job and stage.name = locked.name and stage.index = locked.index
        returning stage.job
        """)
}
