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
        let store = PostgresStore(.patient(database), logger: .quiet)
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
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        let world = World(store: store)
        let job = try await world.job(stages: [StageKey(.publish)])
        let lease = try await world.claimOne(try await world.node())
        try await world.end(lease, .produced(world.result()))
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

    /// As a release says that knew fewer options, and as one does that did not say.
    @Test func `nothing is taken in that a living node could not carry out`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        let world = World(store: store)
        let upload = try await world.upload().id
        for name in ["one", "two"] { _ = try await world.node(name) }
        func submit(_ change: (inout JobOptions) -> Void) async throws -> SubmitOutcome {
            var options = JobOptions()
            change(&options)
            return try await store.submit(
                JobDraft(
                    id: world.newJobID(), upload: upload, region: .eu, tenant: "ana", options: options,
                    stages: [StageKey(.publish)]))
        }
        func isTaken(_ outcome: SubmitOutcome) -> Bool { if case .created = outcome { true } else { false } }
        try await server.execute(
            "update node set options = '{captionStyle,captionStyle=classic,aspect}' where id = 'two'", on: database)
        #expect(try await submit { $0.captionStyle = .neon } == .olderNodes)
        #expect(try await submit { $0.aspect = .square } == .olderNodes)
        #expect(try await submit { $0.denoise = true } == .olderNodes)
        #expect(try await server.execute("select count(*) from job", on: database) == "0")
        // What every release has from the beginning needs nothing.
        #expect(isTaken(try await submit { $0.clipCount = 5 }))
        try await server.execute("update node set options = null where id = 'two'", on: database)
        #expect(isTaken(try await submit { $0.captionStyle = .boxed }))
        #expect(try await submit { $0.captionStyle = .neon } == .olderNodes)
        // The same for a revision, whose job may be older than the node.
        let lease = try await world.claimOne(try await world.node())
        try await world.end(lease, .produced(world.result()))
        var options = JobOptions()
        options.watermark = "me"
        let draft = RevisionDraft(
            id: Numbers().identifier(), job: lease.job, clip: nil, range: TimeRange(start: 0, end: 9), options: options)
        try await server.execute("update node set options = '{}' where id = 'two'", on: database)
        #expect(try await store.revise(draft, advance: { _ in JobAdvance() }) == .olderNodes)
        // It was restarted as this release.
        _ = try await world.node("two")
        guard case .taken = try await store.revise(draft, advance: { _ in JobAdvance() }) else {
            throw Surprise("not taken")
        }
        await store.shutdown()
    }

    /// A node of the release before opens one stage, and retries another that nodes had died under.
    @Test func `what is opened or retried by a node that does not count deaths has none`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        let world = World(store: store)
        let job = try await world.job().id
        try await server.execute(
            """
            insert into stage (job, name, index, position, region, state, epoch, attempts, reused, opened_at,
                not_before, rank, batch)
            select job, 'probe', 0, 1, region, 'ready', 0, 0, false, opened_at, not_before, rank, batch from stage
            """, on: database)
        try await server.execute("update stage set attempts = 0, crashes = 6 where name = 'scan'", on: database)
        let life = try await world.node()
        for key in [StageKey(.scan), StageKey(.probe)] {
            let lease = try await world.claimOne(life)
            #expect(lease.key == key && lease.attempts == 1 && lease.crashes == 0)
            #expect(try await world.stage(job, key).crashes == 0)
        }
        await store.shutdown()
    }

    /// What a node leaves behind that ends a job and knows no revisions.
    @Test func `upkeep gives up a revision of a job that has ended without it`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        let world = World(store: store)
        let life = try await world.node()
        let files = ClipFiles(video: .named("jobs/clip"), videoBytes: 1, videoSHA256: "aa")
        var jobs: [JobID] = []
        for _ in 0..<2 {
            let job = try await world.job(stages: [StageKey(.publish)]).id
            jobs.append(job)
            let lease = try await world.claimOne(life)
            let isSecond = jobs.count == 2
            _ = try await world.complete(lease, .produced(world.result())) { _ in
                var advance = JobAdvance()
                advance.clips = (0..<2).map { ordinal in
                    Clip(
                        id: ClipID(job: job, ordinal: ordinal), state: ordinal == 0 ? .ready : .planned,
                        range: TimeRange(start: 0, end: 9), title: "t", score: 1, reason: "r", signals: [:],
                        files: ordinal == 0 ? files : nil, revision: ClipRevision(number: 1 - ordinal, pending: 2))
                }
                // The second goes on; the first is ended below by somebody who does not look at its clips.
                if isSecond { advance.open = [StageKey(.reframe, 2)] }
                return advance
            }
        }
        try await server.execute(
            "update job set status = 'ready', ended_at = now() where id = '\(jobs[0])'", on: database)
        try await store.upkeep()
        let left = try await store.clips(of: jobs[0])
        #expect(left.allSatisfy { $0.revision?.pending == nil && $0.revision?.failure == Revision.stopped })
        #expect(left.map(\.state) == [.ready, .error] && left.map(\.failure) == [nil, Revision.stopped])
        #expect(left.map(\.revision?.number) == [1, 0])
        #expect(try await store.clips(of: jobs[1]).allSatisfy { $0.revision?.pending == 2 })
        await store.shutdown()
    }

    @Test func `revisions of release 19 keep their words, and the days before them are no work`() async throws {
        let (server, database) = try await database(at: 19)
        let job = "job_01hzzzzzzzzzzzzzzzzzzzzzzz"
        func body(_ number: Int, _ edits: String) -> String {
            """
            {"id": "revision_01hzzzzzzzzzzzzzzzzzzzzzz\(number)", "slot": \(number + 1), "clip": 0,
                "number": \(number + 1), "range": {"start": 1, "end": 9.5}, "options": {"aspect": "1:1"},
                "edits": \(edits), "createdAt": "2026-03-01T12:00:00.000Z"}
            """
        }
        let words = #"{"captions": [{"start": 2, "end": 3, "text": "¡Sí, 'así'!"}]}"#
        func insert(_ number: Int, _ edits: String) -> String {
            """
            insert into revision (id, job, slot, body) values ('revision_01hzzzzzzzzzzzzzzzzzzzzzz\(number)', '\(job)',
                \(number + 1), $tijera$\(body(number, edits))$tijera$);
            """
        }
        try await server.execute(
            """
            insert into upload (id, file_name, bytes, sha256, blob, created_at)
                values ('u', 'v.mp4', 1, repeat('a', 64), 'uploads/u', now());
            insert into job (id, upload, region, tenant, options, status, notes, created_at, started_at, ended_at)
                values ('\(job)', 'u', 'eu', 'ana', '{}', 'ready', '[]', now(), now(), now());
            \(insert(1, words))
            insert into event (job, at, kind)
            select '\(job)', now() - interval '1 hour' + seconds * interval '1 second', kind from (values
                (0, 'job.created'), (10, 'job.ready'), (110, 'job.revised'), (115, 'job.revised'), (130, 'job.ready'),
                (140, 'job.revised'), (150, 'job.ready')
            ) as new(seconds, kind) order by seconds;
            """, on: database)
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        #expect(try await server.execute("select rested_ms from job", on: database) == "110000")
        // A node of that release still writes as it did.
        try await server.execute(insert(2, #"{"scenes": []}"#), on: database)
        try await server.execute(insert(3, "{}"), on: database)
        let revisions = try await store.revisions(of: try #require(JobID(job)))
        #expect(revisions.map(\.slot) == [2, 3, 4] && revisions.map(\.number) == [2, 3, 4])
        #expect(revisions.map(\.hasCaptions) == [true, false, false])
        #expect(revisions.map(\.hasScenes) == [false, true, false])
        #expect(revisions.allSatisfy { $0.options.aspect == .square && $0.range == TimeRange(start: 1, end: 9.5) })
        #expect(try await store.edits(of: revisions[0].id)?.captions?.map(\.text) == ["¡Sí, 'así'!"])
        #expect(try await store.edits(of: revisions[1].id) == ClipEdits(scenes: []))
        // What every look at the job reads does not hold them, and a node of that release reads them where they were.
        let kept = "select (facts ? 'edits')::text || ' ' || (body ? 'edits')::text from revision where slot = 2"
        #expect(try await server.execute(kept, on: database) == "false true")
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
        let store = PostgresStore(.patient(database), logger: .quiet)
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
