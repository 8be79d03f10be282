import ClipModel
package import Store

/// Effects that are counted once each, through the outbox. What clients used is added up beside.
extension PostgresStore {
    /// Bounds how long the sums of the busiest clients are locked.
    private static let entriesPerRound = 10_000

    package func countEffects(limit: Int) async throws -> Int {
        // A round trip that finds nothing locks nothing.
        let isNeeded = try await database.read { try $0.query(Outbox.isAny.with()).first?.bool("is_any") }
        guard isNeeded == true, limit > 0 else { return 0 }
        return try await database.write { connection, _ in
            let taken = try connection.queries([Outbox.count.with(limit), UsageTable.addUp.with(Self.entriesPerRound)])
                .map { try $0.first?.int("taken") ?? 0 }
            return taken.contains { $0 > 0 } ? .commit(taken[0]) : .rollBack(0)
        }
    }

    package func tally(days: Int) async throws -> [TallyRow] {
        try await database.read { connection in
            try connection.query(Outbox.tally.with(max(1, days))).map { row in
                TallyRow(
                    day: try row.text("day"), region: try row.read("region", Region.init),
                    name: try row.text("name"), count: try row.int("count"))
            }
        }
    }
}

/// What is to happen once for each published effect, from when it is published until it is done.
enum Outbox {
    private static let append = Statement(
        "append_to_outbox",
        """
        insert into outbox (consumer, job, effect, at)
        select 'tally', job, effect, time_of(at) from \(Row.rows)
        """)
    static let isAny = Statement(
        "is_any_effect",
        "select exists (select from outbox where consumer = 'tally') or \(UsageTable.isAnyEntry) as is_any")
    /// Taken away and counted in one statement. Nodes that do so at one time take different rows, and lock what they
    /// add to in one order.
    static let count = Statement(
        "count_effects",
        """
        with taken as (
            delete from outbox where id in (
                select id from outbox where consumer = 'tally' order by id limit $1 for update skip locked)
            returning effect, at
        ), sums as (
            select (at at time zone 'UTC')::date as day, effect->>'region' as region, one.key as name,
                sum(one.value::bigint)::bigint as count
            from taken, jsonb_each_text(effect->'counts') as one group by 1, 2, 3
        ), added as (
            insert into tally (day, region, name, count)
            select day, region, name, count from sums order by day, region, name
            on conflict (day, region, name) do update set count = tally.count + excluded.count
        )
        select count(*) as taken from taken
        """)
    static let tally = Statement(
        "tally",
        """
        select day::text as day, region, name, count from tally
        where day > (now() at time zone 'UTC')::date - $1::integer order by day, region collate "C", name
        """)

    private struct Row: ColumnRow {
        let job: JobID, effect: JobEffect, at: Timestamp

        static let columns: KeyValuePairs = ["job": "text", "effect": "jsonb", "at": "bigint"]

        func write(to columns: inout Columns) {
            columns.add(job.rawValue)
            columns.add(json: effect)
            columns.add(at)
        }
    }

    static func enqueue(_ records: [JobRecord], on connection: inout PostgresConnection) {
        let rows = records.compactMap { record in
            record.effect.map { Row(job: record.job.id, effect: $0, at: record.now) }
        }
        if !rows.isEmpty { connection.enqueue(append.with(rows: rows)) }
    }
}
