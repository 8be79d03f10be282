import ClipModel
import Store

/// Reads `JobRecord`: one job with everything that belongs to it. `JobTables+write` writes it.
enum JobTables {
    static let jobColumns = """
        job.id, job.upload, job.region, job.tenant, job.options, job.priority, job.status, job.held,
        job.failure, job.notes, ms_of(job.created_at) as created_at, ms_of(job.started_at) as started_at,
        ms_of(job.ended_at) as ended_at
        """
    private static let stageColumns = """
        job, name, index, state, epoch, attempts, holder, holder_epoch, result, reused, failure,
        ms_of(opened_at) as opened_at, ms_of(not_before) as not_before, ms_of(started_at) as started_at,
        ms_of(ended_at) as ended_at, settled_epoch, settled, avoided, ms_of(avoided_until) as avoided_until
        """
    private static let clipColumns = """
        job, ordinal, state, range_start, range_end, title, score, reason, signals, files, figures, failure
        """

    static let one = Statement("job", "select \(jobColumns) from job where id = $1")
    static let page = Statement(
        "jobs",
        """
        select \(jobColumns) from job
        where ($1::text is null or id < $1) and ($3::text is null or status = $3)
            and ($4::text is null or tenant = $4) and ($5::text is null or failure->'failure'->>'code' = $5)
        order by id desc limit $2
        """)
    static let underWay = Statement(
        "jobs_under_way",
        "select id, region from job where status = 'processing' and ($1::text is null or id > $1) order by id limit $2")
    static let clips = Statement("clips", "select \(clipColumns) from clip where job = $1 order by ordinal")
    static let clip = Statement("clip", "select \(clipColumns) from clip where job = $1 and ordinal = $2")
    private static let stages = Statement("stages", "select \(stageColumns) from stage where job = $1")
    private static let lock = Statement(
        "lock_job",
        """
        select \(jobColumns), \(UploadTable.prefixedColumns) from job join upload on upload.id = job.upload
        where job.id = $1 for no key update of job
        """)
    private static let now = Statement("now", "select ms_of(clock_timestamp()) as now")
    private static let lockStages = Statement(
        "lock_stages", "select 1 from stage where job = $1 order by position, index for no key update")

    /// A job as it was loaded, and what `alongside` answered.
    struct Loaded {
        var record: JobRecord
        let alongside: [Rows]
    }

    /// Locks the job and loads it; nil when there is none. The statements `alongside` run under the same lock, in the
    /// same round trip.
    ///
    /// With `lockingStages` nobody can claim its stages meanwhile. Without, a claim that comes between turns the write
    /// into a conflict, which is the cheaper way as long as it is rare.
    static func load(
        _ id: JobID, on connection: inout PostgresConnection, cache: ResultCache, lockingStages: Bool,
        alongside: [Call] = []
    ) throws -> Loaded? {
        let locks = [lock.with(id)] + (lockingStages ? [lockStages.with(id)] : [])
        // Read after the lock was won, so that what others committed while we waited is seen, and no time is older.
        let answers = try connection.queries(locks + alongside + [now.with(), stages.with(id), clips.with(id)])
        let rest = answers.dropFirst(locks.count + alongside.count).map(\.self)
        guard let row = answers[0].first, let now = try rest[0].first?.time("now") else { return nil }
        let record = JobRecord(
            job: try job(row), upload: try UploadTable.upload(row, prefix: "upload_"),
            stages: try records(rest[1], on: &connection, cache: cache), clips: try rest[2].map(clip(_:)), now: now)
        return Loaded(record: record, alongside: Array(answers.dropFirst(locks.count).prefix(alongside.count)))
    }

    /// Every stage of a job, in no order.
    static func stages(
        of id: JobID, on connection: inout PostgresConnection, cache: ResultCache
    ) throws -> [StageRecord] {
        try records(try connection.query(stages.with(id)), on: &connection, cache: cache)
    }

    static func job(_ row: Row) throws -> Job {
        Job(
            id: try row.read("id", JobID.init), upload: try row.read("upload", UploadID.init),
            region: try row.read("region", Region.init), tenant: try row.text("tenant"),
            options: try row.json("options"), priority: try row.read("priority") { Job.Priority(rawValue: $0) },
            status: try row.read("status", Job.Status.init), isHeld: try row.bool("held"),
            failure: try row.jsonIfPresent("failure"), notes: try row.json("notes"),
            createdAt: try row.time("created_at"), startedAt: try row.timeIfPresent("started_at"),
            endedAt: try row.timeIfPresent("ended_at"))
    }

    static func clip(_ row: Row) throws -> Clip {
        let (start, end) = (try row.double("range_start"), try row.double("range_end"))
        return Clip(
            id: ClipID(job: try row.read("job", JobID.init), ordinal: try row.int("ordinal")),
            state: try row.read("state", Clip.State.init), range: TimeRange(start: start, end: end),
            title: try row.text("title"), score: try row.double("score"), reason: try row.text("reason"),
            signals: try row.json("signals"), files: try row.jsonIfPresent("files"),
            figures: try row.jsonIfPresent("figures"), failure: try row.jsonIfPresent("failure"))
    }

    private static func records(
        _ rows: Rows, on connection: inout PostgresConnection, cache: ResultCache
    ) throws -> [StageRecord] {
        let wanted = Set(try rows.map { try $0.readIfPresent("result", ResultID.init) }.compactMap(\.self))
        let results = try ResultTable.results(wanted, on: &connection, cache: cache)
        return try rows.map { row in
            var record = try stage(row)
            if let id = try row.readIfPresent("result", ResultID.init) {
                // Only a job that is deleted between two statements loses results: looked at again, it is gone.
                guard let result = results[id] else { throw PostgresFailure(.conflict, "result \(id) was deleted") }
                record.stage.result = result
            }
            return record
        }
    }

    private static func stage(_ row: Row) throws -> StageRecord {
        let key = StageKey(try row.read("name", StageName.init), try row.int("index"))
        let stage = Stage(
            job: try row.read("job", JobID.init), key: key, state: try row.read("state", Stage.State.init),
            epoch: try row.int("epoch"), attempts: try row.int("attempts"),
            holder: try row.readIfPresent("holder", NodeID.init), reused: try row.bool("reused"),
            failure: try row.jsonIfPresent("failure"), openedAt: try row.time("opened_at"),
            notBefore: try row.time("not_before"), startedAt: try row.timeIfPresent("started_at"),
            endedAt: try row.timeIfPresent("ended_at"))
        var record = StageRecord(stage: stage, holderEpoch: try row.readIfPresent("holder_epoch") { Int($0) })
        if let outcome = try row.optional("settled") {
            record.settlement = .init(epoch: try row.int("settled_epoch"), outcome: outcome)
        }
        if let node = try row.readIfPresent("avoided", NodeID.init) {
            record.avoidance = .init(node: node, until: try row.time("avoided_until"))
        }
        return record
    }
}
