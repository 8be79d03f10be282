import ClipModel
import Store

/// Writes what changed in `JobRecord`s, in one pipeline that the commit ends.
extension JobTables {
    static let insertJob = Statement(
        "insert_job",
        """
        insert into job (
            id, upload, region, tenant, options, status, notes, created_at, rank, priority, held, is_charged)
        values ($1, $2, $3, $4, $5::jsonb, $6, $7::jsonb, time_of($8), $9, $10, $11, true)
        """)
    private static let updateJob = Statement(
        "update_job",
        """
        update job set status = $2, failure = $3::jsonb, notes = $4::jsonb, started_at = time_of($5),
            ended_at = time_of($6), held = $7, rested_ms = $8,
            lingers = $6 is not null and exists (select from stage where stage.job = $1 and stage.state = 'running')
        where id = $1
        """)
    private static let stageFields = """
        job text, name text, index integer, position smallint, state text, epoch integer, attempts integer, holder text,
        holder_epoch integer, result text, reused boolean, failure jsonb, opened_at bigint, not_before bigint,
        started_at bigint, ended_at bigint, settled_epoch integer, settled text, avoided text, avoided_until bigint,
        from_state text, from_epoch integer
        """
    private static let insertStages = Statement(
        "insert_stages",
        """
        insert into stage (
            job, name, index, position, region, state, epoch, attempts, reused, opened_at, not_before, rank, batch)
        select new.job, name, index, position, job.region, state, epoch, attempts, reused, time_of(opened_at),
            time_of(not_before), job.rank, job.priority = 'batch'
        from jsonb_to_recordset($1::jsonb) as new(\(stageFields)) join job on job.id = new.job
        where job.id = any($2::text[])
        """)
    /// The fence: a stage that was claimed, freed or ended since it was read makes the whole transaction a conflict.
    /// The jobs are named once more, here and above, so that no plan joins all the stages there are with the new ones.
    private static let updateStages = Statement(
        "update_stages",
        """
        with changed as (
            update stage set state = new.state, epoch = new.epoch, attempts = new.attempts, holder = new.holder,
                holder_epoch = new.holder_epoch, result = new.result, reused = new.reused, failure = new.failure,
                not_before = time_of(new.not_before), started_at = time_of(new.started_at),
                ended_at = time_of(new.ended_at), settled_epoch = new.settled_epoch, settled = new.settled,
                avoided = new.avoided, avoided_until = time_of(new.avoided_until)
            from jsonb_to_recordset($1::jsonb) as new(\(stageFields))
            where stage.job = new.job and stage.name = new.name and stage.index = new.index
                and stage.state = new.from_state and stage.epoch = new.from_epoch
                and stage.job = any($3::text[])
            returning 1
        )
        select expect_rows((select count(*) from changed), $2::bigint)
        """)
    private static let writeClips = Statement(
        "write_clips",
        """
        insert into clip (
            job, ordinal, state, range_start, range_end, title, score, reason, signals, files, figures, failure,
            revision)
        select job, ordinal, state, range_start, range_end, title, score, reason, signals, files, figures, failure,
            revision
        from jsonb_to_recordset($1::jsonb) as new(
            job text, ordinal integer, state text, range_start float8, range_end float8, title text, score float8,
            reason text, signals jsonb, files jsonb, figures jsonb, failure jsonb, revision jsonb)
        on conflict (job, ordinal) do update set state = excluded.state, range_start = excluded.range_start,
            range_end = excluded.range_end, title = excluded.title, score = excluded.score, reason = excluded.reason,
            signals = excluded.signals, files = excluded.files, figures = excluded.figures, failure = excluded.failure,
            revision = excluded.revision
        """)
    private static let insertRevision = Statement(
        "insert_revision", "insert into revision (id, job, slot, body) values ($1, $2, $3, $4::jsonb)")

    /// Opens the first stages of jobs that have none.
    static func enqueueFirst(
        _ keys: [StageKey], of jobs: [(job: Job, at: Timestamp)], on connection: inout PostgresConnection
    ) {
        let rows = jobs.flatMap { job, at in
            keys.map { key in
                StageRow(StageRecord(stage: Stage(job: job.id, key: key, openedAt: at, notBefore: at)), before: nil)
            }
        }
        if !rows.isEmpty { connection.enqueue(insertStages.with(JSON(rows), jobs.map(\.job.id))) }
    }

    /// A job, and its stages as they were loaded.
    typealias Change = (record: JobRecord, before: [StageKey: StageRecord])

    private static func charging(_ change: Change) -> (String, Timestamp) {
        (change.record.job.tenant, change.record.job.createdAt)
    }

    /// Enqueues the writes, those of all jobs together.
    static func enqueue(_ changes: [Change], on connection: inout PostgresConnection) {
        var new: [StageRow] = []
        var old: [StageRow] = []
        var clips: [ClipRow] = []
        var events: [EventRow] = []
        var updates: [Call] = []
        var corrections: [Call] = []
        var usages: [Call] = []
        // Clients' rows are locked in the order of their names, then those of their usage, by month.
        for (record, before) in changes.sorted(by: { Self.charging($0) < Self.charging($1) }) {
            let job = record.job
            if record.jobChanged {
                updates.append(
                    updateJob.with(
                        job.id, job.status.rawValue, job.failure.map { JSON($0) }, JSON(job.notes), job.startedAt,
                        job.endedAt, job.isHeld, job.restedMilliseconds))
            }
            if let correction = record.costCorrection {
                corrections.append(TenantTable.correct.with(job.tenant, correction, job.priority == .batch))
            }
            if let correction = record.usageCorrection {
                usages.append(UsageTable.correct(correction, by: job))
            }
            for stage in record.orderedStages where record.changedStages.contains(stage.stage.key) {
                let earlier = before[stage.stage.key]
                if earlier == nil {
                    new.append(StageRow(stage, before: nil))
                } else {
                    old.append(StageRow(stage, before: earlier))
                }
            }
            clips += record.orderedClips.filter { record.changedClips.contains($0.id) }.map(ClipRow.init)
            events += record.events.map { EventRow($0, job: job.id, at: record.now) }
        }
        for (record, _) in changes {
            for (revision, edits) in record.newRevisions {
                let body = JSON(RevisionBody(revision, edits: edits))
                connection.enqueue(insertRevision.with(revision.id, record.job.id, revision.slot, body))
            }
        }
        let jobs = changes.map(\.record.job.id)
        if !new.isEmpty { connection.enqueue(insertStages.with(JSON(new), jobs)) }
        if !old.isEmpty { connection.enqueue(updateStages.with(JSON(old), old.count, jobs)) }
        // After the stages: whether some of them still run is read from there.
        for update in updates { connection.enqueue(update) }
        if !clips.isEmpty { connection.enqueue(writeClips.with(JSON(clips))) }
        // Late: whoever of these clients submits waits for as long as we hold their rows.
        for correction in corrections + usages { connection.enqueue(correction) }
        Outbox.enqueue(changes.map(\.record), on: &connection)
        EventTable.enqueue(events, on: &connection)
        EventTable.announce(Set(changes.flatMap { $0.record.signals }), on: &connection)
    }
}

/// A stage as `jsonb_to_recordset` reads it.
private struct StageRow: Encodable {
    let job: String, name: String, index: Int, position: Int, state: String, epoch: Int, attempts: Int
    let holder: String?, holder_epoch: Int?, result: String?, reused: Bool, failure: Failure?
    let opened_at: Int64, not_before: Int64, started_at: Int64?, ended_at: Int64?
    let settled_epoch: Int?, settled: String?, avoided: String?, avoided_until: Int64?
    /// As it was read: what the fence compares.
    let from_state: String?, from_epoch: Int?

    init(_ record: StageRecord, before: StageRecord?) {
        let stage = record.stage
        job = stage.job.rawValue
        name = stage.key.name.rawValue
        index = stage.key.index
        position = StageName.allCases.firstIndex(of: stage.key.name) ?? 0
        state = stage.state.rawValue
        epoch = stage.epoch
        attempts = stage.attempts
        holder = stage.holder?.rawValue
        holder_epoch = record.holderEpoch
        result = stage.result?.id.rawValue
        reused = stage.reused
        failure = stage.failure
        opened_at = stage.openedAt.millisecondsSinceEpoch
        not_before = stage.notBefore.millisecondsSinceEpoch
        started_at = stage.startedAt?.millisecondsSinceEpoch
        ended_at = stage.endedAt?.millisecondsSinceEpoch
        settled_epoch = record.settlement?.epoch
        settled = record.settlement?.outcome
        avoided = record.avoidance?.node.rawValue
        avoided_until = record.avoidance?.until.millisecondsSinceEpoch
        from_state = before?.stage.state.rawValue
        from_epoch = before?.stage.epoch
    }
}

/// A clip as `jsonb_to_recordset` reads it.
private struct ClipRow: Encodable {
    let job: String, ordinal: Int, state: String, range_start: Double, range_end: Double, title: String, score: Double
    let reason: String, signals: [String: Double], files: ClipFiles?, figures: ClipFigures?, failure: Failure?
    let revision: ClipRevision?

    init(_ clip: Clip) {
        job = clip.id.job.rawValue
        ordinal = clip.id.ordinal
        state = clip.state.rawValue
        range_start = clip.range.start
        range_end = clip.range.end
        title = clip.title
        score = clip.score
        reason = clip.reason
        signals = clip.signals
        files = clip.files
        figures = clip.figures
        failure = clip.failure
        revision = clip.revision
    }
}
