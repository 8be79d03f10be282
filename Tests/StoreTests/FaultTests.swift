import ClipModel
import PostgresStore
import Store
import Synchronization
import TestSupport
import Testing

/// What breaks between us and the server. Each test has a server of its own, because it breaks it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FaultTests {
    fileprivate struct Bench: Sendable {
        let server: PostgresServer
        let database: String
        let store: PostgresStore
        var world: World { World(store: store) }
    }

    /// Attempts for as long as a server takes to come back on a busy machine: a worker that gave up would leave its
    /// stages to the end of a long lease.
    private static let patience = 100

    private func withBench(
        _ adjust: (inout PostgresConfiguration) -> Void = { _ in }, _ body: (Bench) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.launch()
        let database = try await server.makeDatabase()
        // A statement is held by a test while it starts several programs beside it.
        var configuration = PostgresConfiguration.patient(database)
        adjust(&configuration)
        let store = PostgresStore(configuration, logger: .quiet)
        try await store.migrate()
        try await body(Bench(server: server, database: database, store: store))
        await store.shutdown()
        await server.stop()
    }

    /// Claims and ends stages until `count` of them are done.
    private static func work(_ world: World, as life: NodeLife, until done: Shared, _ count: Int) async throws {
        while done.count.withLock({ $0 }) < count {
            _ = try await world.store.heartbeat(life, running: [])
            for lease in try await world.store.claim(2, for: life) {
                let outcome = try await world.complete(lease, .produced(world.result(blobs: ["b"])))
                #expect(outcome == .published(orphans: []))
                done.count.withLock { $0 += 1 }
            }
        }
    }

    private static func expectEachStageDoneOnce(_ world: World, _ jobs: [JobID], perJob: Int) async throws {
        for job in jobs {
            let stages = try await world.store.stages(of: job)
            #expect(stages.count == perJob && stages.allSatisfy { $0.state == .done && $0.result != nil })
            let done = try await world.store.events(of: job, after: 0, limit: 1000).filter { $0.kind == .stageDone }
            #expect(Set(done.compactMap(\.stage)).count == perJob && done.count == perJob)
        }
    }

    /// Runs eight workers over a hundred and sixty stages, and `disturb` beside them until they are done.
    private func storm(_ bench: Bench, _ disturb: @escaping @Sendable (_ round: Int) async throws -> Void) async throws
    {
        let world = bench.world
        var jobs: [JobID] = []
        for _ in 0..<8 { jobs.append(try await world.job(stages: (0..<20).map { StageKey(.render, $0) }).id) }
        let done = Shared()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                let life = try await world.node("n\(number)", leaseSeconds: 600)
                group.addTask { try await Self.work(world, as: life, until: done, 160) }
            }
            group.addTask {
                var round = 0
                while done.count.withLock({ $0 }) < 160, !Task.isCancelled {
                    // Statements from outside keep time: each takes as long as a process takes to start.
                    for _ in 0..<8 { try await bench.server.execute("select 1") }
                    try await disturb(round)
                    round += 1
                }
            }
            try await group.waitForAll()
        }
        try await Self.expectEachStageDoneOnce(world, jobs, perJob: 20)
    }

    private final class Shared: Sendable { let count = Mutex(0) }

    @Test func `eight workers go on while all connections are broken again and again`() async throws {
        try await withBench {
            $0.attemptsMax = Self.patience
        } _: { bench in
            try await storm(bench) { _ in try await bench.server.terminateBackends(of: bench.database) }
        }
    }

    @Test func `work goes on after the server was killed and started again`() async throws {
        try await withBench {
            $0.attemptsMax = Self.patience
        } _: { bench in
            try await storm(bench) { round in
                if round < 3 { try await bench.server.restartImmediately() }
            }
        }
    }

    @Test func `a server that stays away is reported, and served again when it is back`() async throws {
        try await withBench {
            $0.attemptsMax = 3
        } _: { bench in
            let upload = try await bench.world.upload()
            await bench.server.halt()
            await #expect { _ = try await bench.store.upload(upload.id) } throws: { isError($0, .unavailable) }
            await #expect { try await bench.store.ping() } throws: { isError($0, .unavailable) }
            try await bench.server.start()
            #expect(try await bench.store.upload(upload.id) == upload)
        }
    }

    @Test func `a commit whose answer was lost is looked up, not repeated`() async throws {
        try await withBench { bench in
            let world = bench.world
            let job = try await world.job()
            let life = try await world.node(leaseSeconds: 600)
            // A standby that never answers holds a commit between "durable" and "acknowledged".
            try await bench.server.execute("alter system set synchronous_standby_names = 'nobody'")
            try await bench.server.execute("select pg_reload_conf()")
            // Commits wait as soon as the checkpointer has read the setting, which it does before it does this.
            try await bench.server.execute("checkpoint")
            func losingTheAnswer<Value: Sendable>(
                _ body: @escaping @Sendable () async throws -> Value
            ) async throws -> Value {
                async let answer = body()
                try await bench.server.awaitRow("wait_event = 'SyncRep'", on: bench.database)
                #expect(try await bench.server.terminateBackends(of: bench.database) > 0)
                return try await answer
            }
            // Repeated, the claim would find nothing left and the lease would be nobody's.
            let leases = try await losingTheAnswer { try await world.store.claim(1, for: life) }
            let lease = try #require(leases.first)
            #expect(lease.epoch == 1)
            let runs = Shared()
            let outcome = try await losingTheAnswer {
                try await world.complete(lease, .produced(world.result(cacheKey: "key"))) { _ in
                    runs.count.withLock { $0 += 1 }
                    return JobAdvance()
                }
            }
            #expect(outcome == .published(orphans: []))
            #expect(runs.count.withLock { $0 } == 1)
            #expect(try await world.stage(job.id, lease.key).state == .done)
            #expect(try await world.kinds(job.id).count(where: { $0 == .stageDone }) == 1)
        }
    }

    @Test func `a commit that cannot be looked up, because the server crashed, takes effect once`() async throws {
        try await withBench { bench in
            let world = bench.world
            let upload = try await world.upload()
            let draft = world.draft(upload.id)
            try await bench.server.execute("alter system set synchronous_standby_names = 'nobody'")
            try await bench.server.execute("select pg_reload_conf()")
            try await bench.server.execute("checkpoint")
            async let submitted = world.store.submit(draft)
            try await bench.server.awaitRow("wait_event = 'SyncRep'", on: bench.database)
            try await bench.server.execute("alter system reset synchronous_standby_names")
            // Durable, not acknowledged: and after the crash its number is nobody's or another's.
            try await bench.server.restartImmediately()
            guard case .created(let job) = try await submitted else {
                Issue.record("the job was not created")
                return
            }
            #expect(job.id == draft.id)
            #expect(try await world.store.jobs(before: nil, limit: 10).map(\.id) == [draft.id])
            #expect(try await world.kinds(job.id).count(where: { $0 == .jobCreated }) == 1)
            #expect(try await world.stage(job.id, StageKey(.scan)).state == .ready)
        }
    }

    /// A crash swallows the transaction, and its number goes to another one, which is committed.
    @Test func `a claim that a crash swallowed is not taken for whoever got its number`() async throws {
        try await withBench {
            // So that the connection that migrates, the first there is, is also the one that claims.
            $0.connectionsMax = 1
            $0.attemptsMax = Self.patience
        } _: { bench in
            let (world, server) = (bench.world, bench.server)
            let job = try await world.job()
            let life = try await world.node()
            let name = try await server.execute("select current_database()", on: bench.database)
            // Checked at commit, the constraint holds it before it is durable, and nobody else writes it out.
            try await server.execute("alter system set wal_writer_delay = '10s'")
            try await server.execute("select pg_reload_conf()")
            try await server.execute(
                """
                create table fuse (started_at timestamptz); insert into fuse values (pg_postmaster_start_time());
                create function hold() returns trigger language plpgsql as $$
                begin
                    if (select started_at from fuse) = pg_postmaster_start_time() then perform pg_sleep(60); end if;
                    return null;
                end $$;
                create constraint trigger hold after update on stage deferrable initially deferred
                    for each row execute function hold();
                """, on: bench.database)
            try await server.execute("alter database \(name) allow_connections false")
            async let claimed = world.store.claim(1, for: life)
            try await server.awaitRow("wait_event = 'PgSleep'")
            let xid = try await server.execute(
                "select backend_xid from pg_stat_activity where wait_event = 'PgSleep'")
            try await server.restartImmediately()
            for _ in 0..<8 { try await server.execute("select pg_current_xact_id()") }
            #expect(try await server.execute("select pg_xact_status('\(xid)'::xid8)") == "committed")
            try await server.execute("alter database \(name) allow_connections true")
            let lease = try #require(try await claimed.first)
            #expect(try await world.stage(job.id, lease.key).state == .running)
            #expect(try await world.complete(lease, .produced(world.result())) == .published(orphans: []))
        }
    }

    @Test func `a commit that did not happen is repeated`() async throws {
        try await withBench { bench in
            let world = bench.world
            let job = try await world.job()
            let lease = try await world.claimOne(try await world.node())
            // A constraint that is checked at commit holds it before it is durable.
            try await bench.server.execute(
                """
                create table fuse (is_armed boolean); insert into fuse values (true);
                create function hold() returns trigger language plpgsql as $$
                begin
                    if (select is_armed from fuse) then perform pg_sleep(60); end if;
                    return null;
                end $$;
                create constraint trigger hold after update on stage deferrable initially deferred
                    for each row execute function hold();
                """, on: bench.database)
            let runs = Shared()
            async let outcome = world.complete(lease, .produced(world.result(cacheKey: "key"))) { _ in
                runs.count.withLock { $0 += 1 }
                return JobAdvance()
            }
            try await bench.server.awaitRow("wait_event = 'PgSleep'", on: bench.database)
            try await bench.server.execute("update fuse set is_armed = false", on: bench.database)
            #expect(try await bench.server.terminateBackends(of: bench.database) > 0)
            #expect(try await outcome == .published(orphans: []))
            #expect(runs.count.withLock { $0 } == 2)
            #expect(try await world.kinds(job.id).count(where: { $0 == .stageDone }) == 1)
        }
    }

    @Test func `the listener comes back and says that anything may have happened`() async throws {
        try await withBench { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await bench.store.run() }
                var signals = bench.store.signals().makeAsyncIterator()
                #expect(await signals.next() == .resynchronise)
                try await bench.server.restartImmediately()
                #expect(await signals.next() == .resynchronise)
                let job = try await bench.world.job()
                let heard = [await signals.next(), await signals.next()]
                #expect(heard.contains(.job(job.id)) && heard.contains(.work))
                group.cancelAll()
            }
        }
    }

    @Test func `nobody waits for a connection longer than the pool allows`() async throws {
        try await withBench {
            $0.connectionsMax = 1
            $0.waitSecondsMax = 0.2
        } _: { bench in
            let world = bench.world
            let job = try await world.job()
            try await bench.holding("lock table job in access exclusive mode") {
                async let first = bench.store.job(job.id)
                try await bench.server.awaitRow("wait_event_type = 'Lock'", on: bench.database)
                await #expect { _ = try await bench.store.nodes() } throws: { isError($0, .poolExhausted) }
                try await bench.server.terminateHolder(on: bench.database)
                #expect(try await first?.id == job.id)
            }
            #expect(try await bench.store.nodes().isEmpty)
        }
    }

    @Test func `more callers than may wait are refused at once`() async throws {
        try await withBench {
            $0.connectionsMax = 1
            $0.waitersMax = 0
            $0.waitSecondsMax = 3600
        } _: { bench in
            let job = try await bench.world.job()
            try await bench.holding("lock table job in access exclusive mode") {
                async let first = bench.store.job(job.id)
                try await bench.server.awaitRow("wait_event_type = 'Lock'", on: bench.database)
                await #expect { _ = try await bench.store.nodes() } throws: { isError($0, .poolExhausted) }
                try await bench.server.terminateHolder(on: bench.database)
                #expect(try await first?.id == job.id)
            }
        }
    }

    @Test func `a caller that is cancelled while it waits leaves the pool whole`() async throws {
        try await withBench {
            $0.connectionsMax = 1
            $0.waitSecondsMax = 3600
        } _: { bench in
            let job = try await bench.world.job()
            try await bench.holding("lock table job in access exclusive mode") {
                async let first = bench.store.job(job.id)
                try await bench.server.awaitRow("wait_event_type = 'Lock'", on: bench.database)
                await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<10 { group.addTask { try await bench.store.nodes().count } }
                    group.cancelAll()
                    for _ in 0..<10 {
                        let result = await group.nextResult()
                        #expect(throws: CancellationError.self) { try result?.get() }
                    }
                }
                try await bench.server.terminateHolder(on: bench.database)
                #expect(try await first?.id == job.id)
            }
            #expect(try await bench.store.nodes().isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a statement that takes too long is given up`() async throws {
        try await withBench { bench in
            let job = try await bench.world.job()
            var hasty = PostgresConfiguration(connection: bench.database)
            hasty.statementSecondsMax = 0.2
            let store = PostgresStore(hasty, logger: .quiet)
            try await bench.holding("lock table job in access exclusive mode") {
                await #expect { _ = try await store.job(job.id) } throws: { isError($0, .timedOut) }
                await #expect { _ = try await store.cancel(job.id) } throws: { isError($0, .timedOut) }
                try await bench.server.terminateHolder(on: bench.database)
            }
            // On a busy machine any statement may take that long; its lanes must serve again all the same.
            var found: Job?
            while found == nil { found = try? await store.job(job.id) }
            #expect(found == job)
            await store.shutdown()
        }
    }

    @Test func `a standby is not taken for a database that can be written`() async throws {
        try await withBench { bench in
            try await bench.store.ping()
            try await bench.server.execute("alter system set default_transaction_read_only = on")
            try await bench.server.execute("select pg_reload_conf()")
            try await bench.server.terminateBackends(of: bench.database)
            await #expect { try await bench.store.ping() } throws: { isError($0, .unavailable) }
        }
    }

    @Test func `text with a zero character is stored without it`() async throws {
        try await withBench { bench in
            let world = bench.world
            let job = try await world.job()
            let lease = try await world.claimOne(try await world.node())
            let failure = Failure(.poison, code: "zero", reason: "a\0b \\u0000 \"", hint: "")
            _ = try await world.complete(lease, .failed(failure))
            let stored = try await world.stage(job.id, lease.key).failure
            #expect(stored?.reason == "a\u{FFFD}b \\u0000 \"")
            _ = try await world.job()
            let second = try await world.claimOne(try await world.node("two"))
            _ = try await world.complete(second, .produced(world.result("a\0b", cacheKey: "k\0")))
            let body = "select body from result where cache_key = 'k\u{FFFD}'"
            #expect(try await bench.server.execute(body, on: bench.database) == "a\u{FFFD}b")
        }
    }
}

private func isError(_ error: any Error, _ code: StoreError.Code) -> Bool { (error as? StoreError)?.code == code }

extension FaultTests.Bench {
    /// Keeps a lock in a session of its own while `body` runs; `terminateHolder` lets go of it.
    fileprivate func holding(_ statement: String, _ body: () async throws -> Void) async throws {
        let (server, database) = (server, database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Ends by being terminated, which psql reports as a failure.
                _ = try? await server.execute("begin; \(statement); select pg_sleep(60) /* holder */", on: database)
            }
            try await server.awaitRow("query like '%/* holder */%' and wait_event = 'PgSleep'", on: database)
            try await body()
            try await group.waitForAll()
        }
    }
}

extension PostgresServer {
    /// Asks until some other session is in the state that `condition` describes.
    fileprivate func awaitRow(_ condition: String, on database: String? = nil) async throws {
        let sql = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and \(condition)"
        for _ in 0..<1000 {
            if try await execute(sql, on: database) != "0" { return }
        }
        throw Surprise("no session came to: \(condition)")
    }

    fileprivate func terminateHolder(on database: String) async throws {
        try await execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where pid <> pg_backend_pid() and query like '%/* holder */%'
            """, on: database)
    }
}
