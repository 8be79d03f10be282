package import Logging
package import Store
import Synchronization

/// The store on PostgreSQL 15 or newer. Several nodes share one database and coordinate through nothing else.
///
/// `migrate()` comes first; `run()` is a service beside everything else, without which no signals arrive; `shutdown()`
/// comes last.
package final class PostgresStore: Store {
    let database: Database
    let cache: ResultCache
    let reports: ReportGroup
    let floor = Mutex(ClaimFloor())
    /// Since this store was made.
    let age: @Sendable () -> Duration
    private let fan = SignalFan()
    private let logger: Logger

    /// Connects when first used.
    package init(
        _ configuration: PostgresConfiguration, clock: any Clock<Duration> = ContinuousClock(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(), logger: Logger
    ) {
        let database = Database(configuration, clock: clock, random: random, logger: logger)
        let cache = ResultCache(bytesMax: configuration.resultCacheBytesMax)
        self.database = database
        self.cache = cache
        reports = ReportGroup { try await Self.write($0, to: database, cache: cache) }
        self.logger = logger
        age = Self.age(on: clock)
    }

    private static func age<Source: Clock>(on clock: Source) -> @Sendable () -> Duration
    where Source.Duration == Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }

    /// Brings the schema to what this binary knows; waits for another node that is at it. Refuses a newer schema, and
    /// one whose migrations were not ours.
    package func migrate() async throws {
        let migrator = Migrator(
            migrations: Migration.all, secondsMax: database.configuration.migrationSecondsMax)
        let applied = try await database.read { try migrator.run(on: &$0) }
        for name in applied { logger.notice("migration applied", metadata: ["migration": "\(name)"]) }
    }

    /// Listens for what other nodes and this one announce. Returns when cancelled.
    package func run() async { await Listener(database: database, fan: fan, logger: logger).run() }

    /// Ends the streams of signals and closes the connections. Callers that still use the store reopen them.
    package func shutdown() async {
        fan.close()
        await database.close()
    }

    package func signals() -> AsyncStream<StoreSignal> { fan.subscribe() }

    package func ping() async throws {
        let mode = try await database.read(attemptsMax: 2) { connection in
            try connection.query(Self.mode.with()).first?.text("mode")
        }
        guard mode == "off" else {
            throw StoreError(.unavailable, "the database answers but takes no writes: is it a standby?")
        }
    }

    package func upkeep() async throws {
        // Two transactions: dropping waits for every reader of events, and may give up, without undoing the rest.
        for steps in [Self.makingRoom, Self.dropping] {
            try await database.write { connection, _ in
                let isFree = try connection.query(Self.tryUpkeep.with()).first?.bool("is_free") ?? false
                guard isFree else { return .rollBack(()) }
                for statement in steps { connection.enqueue(statement) }
                return .commit(())
            }
        }
    }

    private static let mode = Statement("mode", "select current_setting('transaction_read_only') as mode")
    private static let tryUpkeep = Statement(
        unprepared: """
            select pg_try_advisory_xact_lock(\(Migrator.lockSpace), \(Migrator.upkeepLock)) as is_free
            """)
    private static let makingRoom = [
        Statement(unprepared: "delete from idempotency where expires_at <= now()").with(),
        Statement(
            unprepared: """
                delete from node where seen_at < now() - \(StoreLimits.nodeDays) * interval '1 day'
                    and id not in (
                        select stage.holder from job join stage on stage.job = job.id where \(runs))
                """
        ).with(),
        TenantTable.forget.with(),
        UsageTable.forget.with(),
        Statement(
            unprepared: """
                update job set lingers = false
                where lingers and not exists (
                    select from stage where stage.job = job.id and stage.state = 'running')
                """
        ).with(),
        stopForgotten,
        QuarantineTable.forget.with(),
        LinkKeyTable.forget.with(),
        ReplyTable.forget.with(),
        Statement(unprepared: "select make_event_partitions(\(StoreLimits.eventDaysAhead))").with(),
    ]
    private static let dropping = [
        // Whoever comes after us in the queue for the table waits as long as we do.
        Statement(unprepared: "set local lock_timeout = '1s'").with(),
        Statement(
            unprepared: """
                select drop_event_partitions(now() - \(StoreLimits.eventDays) * interval '1 day')
                """
        ).with(),
    ]
}
