import ClipModel
import Foundation
import PostgresStore
import Store
import TestSupport
import Testing

/// Migrations that change what is already there, on a database with something in it.
@Suite struct UpgradeTests {
    /// A database as a release left it whose newest migration was `version`, made from the files themselves.
    private func database(at version: Int) async throws -> (PostgresServer, String) {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/PostgresStore/Migrations").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().prefix(version)
        try #require(files.count == version)
        try await server.execute(
            """
            create table schema_migration (version integer primary key, name text not null, sha256 text not null,
                applied_at timestamptz not null default now())
            """, on: database)
        for (place, file) in files.enumerated() {
            let sql = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            try await server.execute(sql, on: database)
            let name = file.dropFirst("m0001_".count).dropLast(".sql".count)
            try await server.execute(
                """
                insert into schema_migration
                values (\(place + 1), '\(name)', encode(sha256(convert_to($tijera$\(sql)$tijera$, 'UTF8')), 'hex'))
                """, on: database)
        }
        return (server, database)
    }

    /// What a node of the release before minutes does beside us: it forgets clients, and takes in jobs.
    @Test func `a node that knows no minutes takes none away`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(PostgresConfiguration(connection: database), logger: .quiet)
        try await store.migrate()
        let world = World(store: store)
        for (client, terms) in [("ana", ClientTerms(minutesMax: 60)), ("bob", ClientTerms()), ("cid", ClientTerms())] {
            _ = try await store.setTerms(of: client, to: terms)
        }
        try await server.execute("delete from tenant where weight = 1 and jobs_max is null", on: database)
        #expect(try await server.execute("select id from tenant", on: database) == "ana")
        // Two jobs of one client: the first was charged, the second taken in by the other release.
        let (first, second) = (try await world.job(), try await world.job())
        let before = try await store.usage(of: first.tenant, minutesMax: nil).seconds
        try await server.execute("update job set is_charged = false where id = '\(second.id)'", on: database)
        let life = try await world.node()
        for _ in 0..<2 {
            let lease = try await world.claimOne(life)
            _ = try await world.complete(lease, .produced(world.result())) { _ in
                var advance = JobAdvance()
                advance.sourceSeconds = 5000
                return advance
            }
        }
        let guessed = ClientUsage.guessedSeconds(of: try #require(try await store.upload(first.upload)))
        let after = try await store.usage(of: first.tenant, minutesMax: nil).seconds
        #expect(first.tenant == second.tenant && abs(after - before - (5000 - guessed)) < 0.001)
        await store.shutdown()
    }

    /// A node of the release before revisions registers without saying that it knows them.
    @Test func `no revision is taken in while a node lives that knows none`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(PostgresConfiguration(connection: database), logger: .quiet)
        try await store.migrate()
        let world = World(store: store)
        let job = try await world.job(stages: [StageKey(.publish)])
        let lease = try await world.claimOne(try await world.node())
        _ = try await world.complete(lease, .produced(world.result())) { _ in
            var advance = JobAdvance()
            advance.status = .ready
            return advance
        }
        _ = try await world.node("two")
        let draft = RevisionDraft(
            id: Numbers().identifier(), job: job.id, clip: nil, range: TimeRange(start: 0, end: 9),
            options: JobOptions())
        try await server.execute("update node set revises = false where id = 'two'", on: database)
        #expect(try await store.revise(draft, advance: { _ in JobAdvance() }) == .olderNodes)
        #expect(try await world.job(job.id).status == .ready)
        // It is gone, or it was restarted as this release.
        try await server.execute("update node set left_at = now() where id = 'two'", on: database)
        guard case .taken = try await store.revise(draft, advance: { _ in JobAdvance() }) else {
            throw Surprise("not taken")
        }
        try await server.execute("update node set revises = false", on: database)
        for name in ["one", "two"] { _ = try await world.node(name) }
        #expect(try await server.execute("select count(*) from node where revises", on: database) == "2")
        await store.shutdown()
    }

    @Test func `stages of release 10 keep their results, and what still runs is found`() async throws {
        let (server, database) = try await database(at: 10)
        try await server.execute(
            """
            insert into upload (id, file_name, bytes, sha256, blob, created_at)
                values ('u', 'v.mp4', 1, repeat('a', 64), 'uploads/u', now());
            insert into result (id, body, blobs) values ('shared', '{}', '{}'), ('own', '{}', '{}');
            insert into job (id, upload, region, tenant, options, status, notes, created_at, ended_at)
            select id, 'u', 'eu', 'ana', '{}', status, '[]', now(), ended_at from (values
                ('ended', 'ready', now()), ('stopped', 'cancelled', now()), ('open', 'processing', null::timestamptz)
            ) as new(id, status, ended_at);
            insert into stage (job, name, index, position, region, state, epoch, attempts, holder, holder_epoch, result,
                reused, opened_at, not_before, started_at)
            select job, name, 0, 0, 'eu', state, 1, 1, 'one', 7, result, false, now(), now(),
                '1999-12-31 23:59:59.999999+00'
            from (values
                ('ended', 'scan', 'done', 'shared'), ('ended', 'probe', 'done', 'shared'),
                ('open', 'scan', 'done', 'own'), ('open', 'probe', 'running', null),
                ('stopped', 'scan', 'running', null)
            ) as new(job, name, state, result);
            """, on: database)
        let store = PostgresStore(PostgresConfiguration(connection: database), logger: .quiet)
        try await store.migrate()
        let kept = "select job || ' ' || result from job_result order by 1"
        #expect(try await server.execute(kept, on: database) == "ended shared\nopen own")
        await #expect(throws: PostgresServer.Trouble.self) {
            try await server.execute("delete from result where id = 'own'", on: database)
        }
        let lingering = "select id from job where lingers"
        #expect(try await server.execute(lingering, on: database) == "stopped")
        // Times are told as before, to the millisecond below.
        let time = "select distinct ms_of(started_at) from stage"
        #expect(try await server.execute(time, on: database) == "946684799999")

        // A stage that ends by a statement of the release before keeps its result too.
        try await server.execute(
            "update stage set state = 'done', result = 'shared' where job = 'open' and name = 'probe'", on: database)
        #expect(try await server.execute(kept, on: database) == "ended shared\nopen own\nopen shared")

        // Upkeep leaves alone what runs, and forgets what does not any more.
        try await store.upkeep()
        #expect(try await server.execute(lingering, on: database) == "stopped")
        try await server.execute("update stage set state = 'cancelled' where job = 'stopped'", on: database)
        try await store.upkeep()
        #expect(try await server.execute(lingering, on: database).isEmpty)
        await store.shutdown()
    }
}
