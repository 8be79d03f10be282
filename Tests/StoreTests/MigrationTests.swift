import PostgresStore
import Store
import TestSupport
import Testing

@Suite struct MigrationTests {
    private func world() async throws -> (server: PostgresServer, database: String, store: PostgresStore) {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        return (server, database, PostgresStore(.patient(database), logger: .quiet))
    }

    @Test func `three nodes that start at once agree on one schema`() async throws {
        let (server, database, _) = try await world()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let store = PostgresStore(.patient(database), logger: .quiet)
                    try await store.migrate()
                    try await store.migrate()
                    await store.shutdown()
                }
            }
            try await group.waitForAll()
        }
        let names = [
            "jobs", "members", "limiter", "shares", "server_life", "clients", "effort", "overload", "bounds", "outbox",
            "hot_stages", "upload_sessions", "quarantine", "api_keys", "link_keys", "quotas", "idempotency",
            "mixed_releases", "revisions", "rounds", "usage_entries", "crashes", "missing_clips",
        ]
        let expected = names.enumerated().map { "\($0.offset + 1)|\($0.element)" }.joined(separator: "\n")
        #expect(
            try await server.execute("select version, name from schema_migration order by version", on: database)
                == expected)
    }

    @Test func `a migration that was changed after it landed is refused`() async throws {
        let (server, database, store) = try await world()
        try await store.migrate()
        try await server.execute("update schema_migration set sha256 = repeat('0', 64)", on: database)
        await #expect { try await store.migrate() } throws: { error in
            (error as? StoreError)?.code == .refused && "\(error)".contains("migration 1 (jobs) was changed")
        }
        await store.shutdown()
    }

    @Test func `a newer schema is refused with what to do`() async throws {
        let (server, database, store) = try await world()
        try await store.migrate()
        try await server.execute("insert into schema_migration values (99, 'later', repeat('0', 64))", on: database)
        await #expect { try await store.migrate() } throws: { error in
            (error as? StoreError)?.code == .refused && "\(error)".contains("start a newer tijera")
        }
        await store.shutdown()
    }

    @Test func `a migration that fails leaves nothing behind`() async throws {
        let (server, database, store) = try await world()
        // In the way of the last thing the migration makes.
        try await server.execute(
            "create function drop_event_partitions(timestamptz) returns void language sql as ''", on: database)
        await #expect(throws: StoreError.self) { try await store.migrate() }
        let tables = "select count(*) from pg_tables where schemaname = 'public'"
        #expect(try await server.execute(tables, on: database) == "0")
        try await server.execute("drop function drop_event_partitions", on: database)
        try await store.migrate()
        await store.shutdown()
    }

    @Test func `upkeep makes room for a week, empties the net and drops what is old`() async throws {
        let (server, database, store) = try await world()
        try await store.migrate()
        // As if upkeep had not run for long: no partition for today, and one from last year.
        try await server.execute(
            """
            do $$ declare name text; begin
                for name in select relname from pg_class where relname ~ '^event_[0-9]{8}$' and relkind = 'r' loop
                    execute 'drop table ' || name;
                end loop;
            end $$;
            create table event_20200101 partition of event
                for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00');
            insert into event (job, at, kind) values ('j', '2020-01-01 12:00+00', 'job.created'),
                ('j', '2020-05-05 12:00+00', 'job.created'), ('j', now(), 'job.ready');
            """, on: database)
        try await store.upkeep()
        #expect(try await server.execute("select kind from event", on: database) == "job.ready")
        #expect(try await server.execute("select count(*) from event_default", on: database) == "0")
        let partitions = "select count(*) from pg_inherits where inhparent = 'event'::regclass"
        #expect(try await server.execute(partitions, on: database) == "\(StoreLimits.eventDaysAhead + 2)")
        await store.shutdown()
    }

    @Test func `a published result can never be changed, not even by hand`() async throws {
        let (server, database, store) = try await world()
        try await store.migrate()
        try await server.execute("insert into result (id, body, blobs) values ('r', '{}', '{}')", on: database)
        await #expect(throws: PostgresServer.Trouble.self) {
            try await server.execute("update result set body = '[]'", on: database)
        }
        await store.shutdown()
    }
}
