import ClipModel
import Store

/// Appends events, reads them, and announces that there are some.
enum EventTable {
    /// Taken last and held to the end of the transaction: whoever waits for it holds nothing it needs.
    private static let latch = Statement(
        "latch_events",
        """
        select pg_advisory_xact_lock(latch) from (
            select distinct hashtextextended(job, 0) as latch from unnest($1::text[]) as job order by latch) as latches
        """)
    private static let append = Statement(
        "append_events",
        """
        insert into event (job, at, kind, stage_name, stage_index, node, clip_ordinal, failure, effort)
        select job, time_of(at), kind, stage_name, stage_index, node, clip_ordinal, failure, effort
        from \(EventRow.rowsInOrder)
        order by place
        """)
    private static let notify = Statement(
        "announce", "select pg_notify('\(Announcement.channel)', payload) from unnest($1::text[]) as payload")
    /// The time of the job bounds the days that are searched.
    static let after = Statement(
        "events",
        """
        select id, job, ms_of(at) as at, kind, stage_name, stage_index, node, clip_ordinal, failure, effort
        from event where job = $1 and id > $2
            and at >= (select created_at - interval '1 minute' from job where id = $1)
        order by id limit $3
        """)

    static func enqueue(_ rows: [EventRow], on connection: inout PostgresConnection) {
        guard !rows.isEmpty else { return }
        connection.enqueue(latch.with(Set(rows.map(\.job)).sorted()))
        connection.enqueue(append.with(rows: rows))
    }

    static func announce(_ signals: some Collection<StoreSignal>, on connection: inout PostgresConnection) {
        let payloads = Announcement.payloads(of: signals)
        if !payloads.isEmpty { connection.enqueue(notify.with(payloads)) }
    }

    /// Nil for a kind or a stage of a newer release, which may write while this one still reads.
    static func event(_ row: Row) throws -> Event? {
        guard let kind = Event.Kind(rawValue: try row.text("kind")) else { return nil }
        let job = try row.read("job", JobID.init)
        let spelled = try row.optional("stage_name")
        let name = spelled.flatMap(StageName.init)
        guard (name == nil) == (spelled == nil) else { return nil }
        let ordinal = try row.readIfPresent("clip_ordinal") { Int($0) }
        return Event(
            id: try row.int64("id"), job: job, at: try row.time("at"), kind: kind,
            stage: try name.map { StageKey($0, try row.int("stage_index")) },
            node: try row.readIfPresent("node", NodeID.init), clip: ordinal.map { ClipID(job: job, ordinal: $0) },
            failure: try row.jsonIfPresent("failure"), effort: try row.jsonIfPresent("effort"))
    }
}

struct EventRow: ColumnRow {
    let job: String
    private let draft: JobRecord.EventDraft
    private let at: Timestamp

    init(_ draft: JobRecord.EventDraft, job: JobID, at now: Timestamp) {
        self.job = job.rawValue
        self.draft = draft
        at = now
    }

    static let columns: KeyValuePairs = [
        "job": "text", "at": "bigint", "kind": "text", "stage_name": "text", "stage_index": "integer", "node": "text",
        "clip_ordinal": "integer", "failure": "jsonb", "effort": "jsonb",
    ]

    func write(to columns: inout Columns) {
        columns.add(job)
        columns.add(at)
        columns.add(draft.kind.rawValue)
        columns.add(draft.stage?.name.rawValue)
        columns.add(draft.stage?.index)
        columns.add(draft.node?.rawValue)
        columns.add(draft.clip?.ordinal)
        columns.add(json: draft.failure)
        columns.add(json: draft.effort)
    }
}
