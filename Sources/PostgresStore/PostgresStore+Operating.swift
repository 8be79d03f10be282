package import ClipModel
package import Store

/// What operators ask.
extension PostgresStore {
    package func requeue(_ key: StageKey, of id: JobID) async throws -> RequeueOutcome {
        try await database.write { [self] connection, _ in
            guard let loaded = try JobTables.load(id, on: &connection, cache: cache, lockingStages: true) else {
                return .rollBack(.noSuchJob)
            }
            var record = loaded
            guard let state = record.stages[key]?.stage.state else { return .rollBack(.noSuchStage) }
            guard record.requeue(key) else { return .rollBack(.notPossible(record.job, state)) }
            if loaded.job.status.hasEnded { try catchUp(record.job, on: &connection) }
            JobTables.enqueue([(record: record, before: loaded.stages)], on: &connection)
            return .commit(.changed(record.job))
        }
    }

    package func waits(of job: JobID, awaySeconds: Double) async throws -> JobWaits {
        try await database.read { connection in
            let answers = try connection.queries([
                Self.waits.with(job, awaySeconds), Self.crowds.with(job, awaySeconds),
            ])
            let stages = try answers[0].map { row in
                JobWaits.StageWait(
                    key: StageKey(try row.read("name", StageName.init), try row.int("index")),
                    opensIn: .milliseconds(try row.int64("opens_in_ms")),
                    avoided: try row.readIfPresent("avoided", NodeID.init),
                    avoidedFor: .milliseconds(try row.int64("avoided_for_ms")), isRipe: try row.bool("is_ripe"))
            }
            let crowds = try answers[1].map { row in
                JobWaits.Crowd(
                    region: try row.read("region", Region.init),
                    priority: try row.read("priority") { Job.Priority(rawValue: $0) },
                    stages: try row.int("stages"), ahead: try row.int("ahead"), ripeAhead: try row.int("ripe_ahead"))
            }
            return JobWaits(stages: stages, crowds: crowds)
        }
    }

    private static let waits = Statement(
        "waits_of_job",
        """
        select name, index, greatest(0, ms_of(not_before) - ms_of(now())) as opens_in_ms,
            case when avoided_until > now() then avoided end as avoided,
            coalesce(greatest(0, ms_of(avoided_until) - ms_of(now())), 0) as avoided_for_ms,
            not_before <= now() - $2::float8 * interval '1 second' as is_ripe
        from stage where job = $1 and state = 'ready' order by position, index
        """)
    /// The order is that of `claim`: by the ranks of jobs, inside a region.
    private static let crowds = Statement(
        "crowds",
        """
        with own as (select rank, id from job where id = $1)
        select job.region, job.priority, count(*) as stages,
            count(*) filter (where (job.rank, job.id) < (select rank, id from own)) as ahead,
            count(*) filter (
                where (job.rank, job.id) < (select rank, id from own)
                    and not_before <= now() - $2::float8 * interval '1 second') as ripe_ahead
        from job join stage on stage.job = job.id
        where job.status in ('pending', 'processing') and not job.held and state = 'ready' and not_before <= now()
        group by job.region, job.priority order by job.region collate "C", job.priority collate "C"
        """)
}
