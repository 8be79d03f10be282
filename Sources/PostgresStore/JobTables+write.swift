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
    private static let insertStages = Statement(
        "insert_stages",
        """
        insert into stage (
            job, name, index, position, region, state, epoch, attempts, crashes, reused, opened_at, not_before, rank,
            batch)
        select new.job, name, index, position, job.region, state, epoch, attempts, crashes, reused, time_of(opened_at),
            time_of(not_before), job.rank, job.priority = 'batch'
        from \(StageRow.rows) join job on job.id = new.job
        where job.id = any(\(StageRow.parameter())::text[])
        """)
    /// The fence: a stage that was claimed, freed or ended since it was read makes the whole transaction a conflict.
    /// The jobs are named once more, here and above, so that no plan joins all the stages there are with the new ones.
    private static let updateStages = Statement(
        "update_stages",
        """
        with changed as (
            update stage set state = new.state, epoch = new.epoch, attempts = new.attempts, crashes = new.crashes,
                holder = new.holder, holder_epoch = new.holder_epoch, result = new.result, reused = new.reused,
                failure = new.failure, not_before = time_of(new.not_before), started_at = time_of(new.started_at),
                ended_at = time_of(new.ended_at), settled_epoch = new.settled_epoch, settled = new.settled,
                avoided = new.avoided, avoided_until = time_of(new.avoided_until)
            from \(StageRow.rows)
            where stage.job = new.job and stage.name = new.name and stage.index = new.index
                and stage.state = new.from_state and stage.epoch = new.from_epoch
                and stage.job = any(\(StageRow.parameter(after: 1))::text[])
            returning 1
        )
        select expect_rows((select count(*) from changed), \(StageRow.parameter())::bigint)
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
                StageRow(record: StageRecord(stage: Stage(job: job.id, key: key, openedAt: at, notBefore: at)))
            }
        }
        if !rows.isEmpty { connection.enqueue(insertStages.with(rows: rows, jobs.map(\.job.id))) }
    }

    /// A job, and its stages as they were loaded.
    typealias Change = (record: JobRecord, before: [StageKey: StageRecord])

    /// Enqueues the writes, those of all jobs together.
    static func enqueue(_ changes: [Change], on connection: inout PostgresConnection) {
        var new: [StageRow] = []
        var old: [StageRow] = []
        var clips: [ClipRow] = []
        var events: [EventRow] = []
        var updates: [Call] = []
        var corrections: [Call] = []
        // Clients' rows are locked in the order of their names.
        for (record, before) in changes.sorted(by: { $0.record.job.tenant < $1.record.job.tenant }) {
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
                connection.enqueue(UsageTable.correct(correction, by: job))
            }
            for stage in record.orderedStages where record.changedStages.contains(stage.stage.key) {
                if let earlier = before[stage.stage.key] {
                    old.append(StageRow(record: stage, before: earlier))
                } else {
                    new.append(StageRow(record: stage))
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
        if !new.isEmpty { connection.enqueue(insertStages.with(rows: new, jobs)) }
        if !old.isEmpty { connection.enqueue(updateStages.with(rows: old, old.count, jobs)) }
        // After the stages: whether some of them still run is read from there.
        for update in updates { connection.enqueue(update) }
        if !clips.isEmpty { connection.enqueue(writeClips.with(JSON(clips))) }
        // Late: whoever of these clients submits waits for as long as we hold their rows.
        for correction in corrections { connection.enqueue(correction) }
        Outbox.enqueue(changes.map(\.record), on: &connection)
        EventTable.enqueue(events, on: &connection)
        EventTable.announce(Set(changes.flatMap { $0.record.signals }), on: &connection)
    }
}

private struct StageRow: ColumnRow {
    let record: StageRecord
    /// As it was read: what the fence compares.
    var before: StageRecord?

    static let columns: KeyValuePairs = [
        "job": "text", "name": "text", "index": "integer", "position": "smallint", "state": "text", "epoch": "integer",
        "attempts": "integer", "crashes": "integer", "holder": "text", "holder_epoch": "integer", "result": "text",
        "reused": "boolean", "failure": "jsonb", "opened_at": "bigint", "not_before": "bigint",
        "started_at": "bigint", "ended_at": "bigint", "settled_epoch": "integer", "settled": "text",
        "avoided": "text", "avoided_until": "bigint", "from_state": "text", "from_epoch": "integer",
    ]

    func write(to columns: inout Columns) {
        let stage = record.stage
        columns.add(stage.job.rawValue)
        columns.add(stage.key.name.rawValue)
        columns.add(stage.key.index)
        columns.add(StageName.allCases.firstIndex(of: stage.key.name) ?? 0)
        columns.add(stage.state.rawValue)
        columns.add(stage.epoch)
        columns.add(stage.attempts)
        columns.add(stage.crashes)
        columns.add(stage.holder?.rawValue)
        columns.add(record.holderEpoch)
        columns.add(stage.result?.id.rawValue)
        columns.add(stage.reused)
        columns.add(json: stage.failure)
        columns.add(stage.openedAt)
        columns.add(stage.notBefore)
        columns.add(stage.startedAt)
        columns.add(stage.endedAt)
        columns.add(record.settlement?.epoch)
        columns.add(record.settlement?.outcome)
        columns.add(record.avoidance?.node.rawValue)
        columns.add(record.avoidance?.until)
        columns.add(before?.stage.state.rawValue)
        columns.add(before?.stage.epoch)
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
