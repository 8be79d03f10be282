import ClipModel
import Store

/// Reads `JobRecord`: one job with everything that belongs to it. `JobTables+write` writes it.
enum JobTables {
    static let jobColumns = """
        job.id, job.upload, job.region, job.tenant, job.options, job.priority, job.status, job.held,
        job.failure, job.notes, ms_of(job.created_at) as created_at, ms_of(job.started_at) as started_at,
        ms_of(job.ended_at) as ended_at, job.rested_ms
        """
    private static let stageColumns = """
        job, name, index, state, epoch, attempts, crashes, holder, holder_epoch, result, reused, failure,
        ms_of(opened_at) as opened_at, ms_of(not_before) as not_before, ms_of(started_at) as started_at,
        ms_of(ended_at) as ended_at, settled_epoch, settled, avoided, ms_of(avoided_until) as avoided_until
        """
    private static let clipColumns = """
        job, ordinal, state, range_start, range_end, title, score, reason, signals, files, figures, failure, revision
        """

    static let one = Statement("job", "select \(jobColumns) from job where id = $1")
    static let page = Statement(
        "jobs",
        """
        select \(jobColumns) from job
        where ($1::text is null or id < $1) and ($3::text is null or status = $3)
            and ($4::text is null or tenant = $4)
        order by id desc limit $2
        """)
    static let underWay = Statement(
        "jobs_under_way",
        "select id, region from job where status = 'processing' and ($1::text is null or id > $1) order by id limit $2")
    static let clips = Statement(
        "clips", "select \(clipColumns) from clip where job = any($1::text[]) order by job, ordinal")
    static let clip = Statement("clip", "select \(clipColumns) from clip where job = $1 and ordinal = $2")
    static let revisions = Statement(
        "revisions",
        "select job, facts, has_captions, has_scenes from revision where job = any($1::text[]) order by job, slot")
    static let edits = Statement("edits", "select body -> 'edits' as edits from revision where id = $1")
    private static let stages = Statement(
        "stages", "select \(stageColumns) from stage where job = any($1::text[])")
    /// In the order of their ids, so that those who lock several never wait in a circle.
    private static let lock = Statement(
        "lock_jobs",
        """
        select \(jobColumns), \(UploadTable.prefixedColumns) from job join upload on upload.id = job.upload
        where job.id = any($1::text[]) order by job.id for no key update of job
        """)
    private static let now = Statement("now", "select ms_of(clock_timestamp()) as now")
    private static let lockStages = Statement(
        "lock_stages",
        "select 1 from stage where job = any($1::text[]) order by job, position, index for no key update")

    /// Locks the jobs and loads them; those that do not exist are missing from the answer.
    ///
    /// With `lockingStages` nobody can claim its stages meanwhile. Without, a claim that comes between turns the write
    /// into a conflict, which is the cheaper way as long as it is rare.
    static func load(
        _ ids: Set<JobID>, on connection: inout PostgresConnection, cache: ResultCache, lockingStages: Bool
    ) throws -> [JobID: JobRecord] {
        let ids = ids.sorted()
        let locks = [lock.with(ids)] + (lockingStages ? [lockStages.with(ids)] : [])
        // Read after the locks were won, so that what others committed while we waited is seen, and no time is older.
        let reads = [now.with(), stages.with(ids), clips.with(ids), revisions.with(ids)]
        let answers = try connection.queries(locks + reads)
        let rest = Array(answers.dropFirst(locks.count))
        guard !answers[0].isEmpty, let now = try rest[0].first?.time("now") else { return [:] }
        let stages = Dictionary(
            grouping: try records(rest[1], on: &connection, cache: cache), by: \.stage.job)
        let clips = Dictionary(grouping: try rest[2].map(clip(_:)), by: \.id.job)
        let revisions = Dictionary(
            grouping: try rest[3].map { (try $0.read("job", JobID.init), try revision($0)) }, by: \.0)
        let loaded = try answers[0].map { row in
            let found = try job(row)
            return JobRecord(
                job: found, upload: try UploadTable.upload(row, prefix: "upload_"), stages: stages[found.id] ?? [],
                clips: clips[found.id] ?? [], revisions: (revisions[found.id] ?? []).map(\.1), now: now)
        }
        return Dictionary(uniqueKeysWithValues: loaded.map { ($0.job.id, $0) })
    }

    /// One job; nil when there is none.
    static func load(
        _ id: JobID, on connection: inout PostgresConnection, cache: ResultCache, lockingStages: Bool
    ) throws -> JobRecord? {
        try load([id], on: &connection, cache: cache, lockingStages: lockingStages)[id]
    }

    /// Every stage of a job, in no order.
    static func stages(
        of id: JobID, on connection: inout PostgresConnection, cache: ResultCache
    ) throws -> [StageRecord] {
        try records(try connection.query(stages.with([id])), on: &connection, cache: cache)
    }

    private static let known = Memo()

    static func job(_ row: Row) throws -> Job {
        Job(
            id: try row.read("id", JobID.init), upload: try row.read("upload", UploadID.init),
            region: try row.read("region", Region.init), tenant: try row.text("tenant"),
            options: try row.json("options", known: known),
            priority: try row.read("priority") { Job.Priority(rawValue: $0) },
            status: try row.read("status", Job.Status.init), isHeld: try row.bool("held"),
            failure: try row.jsonIfPresent("failure"), notes: try row.json("notes", known: known),
            createdAt: try row.time("created_at"), startedAt: try row.timeIfPresent("started_at"),
            endedAt: try row.timeIfPresent("ended_at"), restedMilliseconds: try row.int64("rested_ms"))
    }

    static func clip(_ row: Row) throws -> Clip {
        let (start, end) = (try row.double("range_start"), try row.double("range_end"))
        return Clip(
            id: ClipID(job: try row.read("job", JobID.init), ordinal: try row.int("ordinal")),
            state: try row.read("state", Clip.State.init), range: TimeRange(start: start, end: end),
            title: try row.text("title"), score: try row.double("score"), reason: try row.text("reason"),
            signals: try row.json("signals"), files: try row.jsonIfPresent("files"),
            figures: try row.jsonIfPresent("figures"), failure: try row.jsonIfPresent("failure"),
            revision: try row.jsonIfPresent("revision"))
    }

    static func revision(_ row: Row) throws -> Revision {
        let body: RevisionBody = try row.json("facts")
        return Revision(
            id: body.id, slot: body.slot, clip: body.clip, number: body.number, range: body.range, title: body.title,
            options: body.options, hasCaptions: try row.bool("has_captions"), hasScenes: try row.bool("has_scenes"),
            createdAt: body.createdAt)
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
            epoch: try row.int("epoch"), attempts: try row.int("attempts"), crashes: try row.int("crashes"),
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

/// A revision as it is kept; read without its edits, which the server leaves out of `facts`.
struct RevisionBody: Codable {
    let id: RevisionID, slot: Int, clip: Int, number: Int
    let range: TimeRange, title: String?, options: JobOptions, edits: ClipEdits?, createdAt: Timestamp

    init(_ revision: Revision, edits: ClipEdits) {
        id = revision.id
        slot = revision.slot
        clip = revision.clip
        number = revision.number
        range = revision.range
        title = revision.title
        options = revision.options
        self.edits = edits
        createdAt = revision.createdAt
    }
}
