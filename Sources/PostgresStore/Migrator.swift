import Store

/// One step of the schema. Never changed once it landed: servers remember its digest.
struct Migration: Sendable {
    let version: Int
    let name: String
    let sql: String

    init(_ version: Int, _ name: String, _ bytes: [UInt8]) {
        self.version = version
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }

    /// Every step, in order and without a gap.
    static let all = [
        Migration(1, "jobs", PackageResources.m0001_jobs_sql),
        Migration(2, "members", PackageResources.m0002_members_sql),
        Migration(3, "limiter", PackageResources.m0003_limiter_sql),
        Migration(4, "shares", PackageResources.m0004_shares_sql),
        Migration(5, "server_life", PackageResources.m0005_server_life_sql),
        Migration(6, "clients", PackageResources.m0006_clients_sql),
        Migration(7, "effort", PackageResources.m0007_effort_sql),
        Migration(8, "overload", PackageResources.m0008_overload_sql),
        Migration(9, "bounds", PackageResources.m0009_bounds_sql),
        Migration(10, "outbox", PackageResources.m0010_outbox_sql),
        Migration(11, "hot_stages", PackageResources.m0011_hot_stages_sql),
        Migration(12, "upload_sessions", PackageResources.m0012_upload_sessions_sql),
        Migration(13, "quarantine", PackageResources.m0013_quarantine_sql),
        Migration(14, "api_keys", PackageResources.m0014_api_keys_sql),
        Migration(15, "link_keys", PackageResources.m0015_link_keys_sql),
        Migration(16, "quotas", PackageResources.m0016_quotas_sql),
        Migration(17, "idempotency", PackageResources.m0017_idempotency_sql),
        Migration(18, "mixed_releases", PackageResources.m0018_mixed_releases_sql),
        Migration(19, "revisions", PackageResources.m0019_revisions_sql),
        Migration(20, "rounds", PackageResources.m0020_rounds_sql),
        Migration(21, "usage_entries", PackageResources.m0021_usage_entries_sql),
        Migration(22, "crashes", PackageResources.m0022_crashes_sql),
        Migration(23, "missing_clips", PackageResources.m0023_missing_clips_sql),
    ]
}

/// Brings the schema to what this binary knows. Any number of nodes may do so at once.
struct Migrator: Sendable {
    /// Of the advisory locks in the space of two integers; the latches of events live in the space of one.
    static let lockSpace = 1_953_065_570
    static let migrationLock = 1
    static let upkeepLock = 2

    private static let ledger = """
        create table if not exists schema_migration (
            version integer primary key, name text not null, sha256 text not null,
            applied_at timestamptz not null default now())
        """
    private static let digest = Statement(
        unprepared: "select encode(sha256(convert_to($1, 'UTF8')), 'hex') as sha256")
    private static let record = Statement(
        unprepared: """
            insert into schema_migration (version, name, sha256)
            values ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))
            """)
    private static let recorded = Statement(
        unprepared: "select version, name, sha256 from schema_migration order by version")

    let migrations: [Migration]
    /// For how long a step may run, and for how long another node's is waited for.
    let secondsMax: Double

    /// Applies what is missing and answers with the names of what it applied. A step and its record are one
    /// transaction, so a node that dies in the middle leaves nothing half done.
    func run(on connection: inout PostgresConnection) throws -> [String] {
        let usualSilence = connection.silenceMilliseconds
        connection.silenceMilliseconds = Int32(secondsMax * 1000)
        defer { connection.silenceMilliseconds = usualSilence }
        let applied = try apply(on: &connection)
        try connection.learnServerLife()
        return applied
    }

    private func apply(on connection: inout PostgresConnection) throws -> [String] {
        try connection.execute(
            """
            begin; set local statement_timeout = \(Int(secondsMax * 1000)); set local lock_timeout = 0;
            set local idle_in_transaction_session_timeout = 0;
            select pg_advisory_xact_lock(\(Self.lockSpace), \(Self.migrationLock)); \(Self.ledger)
            """)
        var applied: [String] = []
        let known = try check(on: &connection)
        for migration in migrations where migration.version > known {
            try connection.execute(migration.sql)
            _ = try connection.query(Self.record.with(migration.version, migration.name, migration.sql))
            applied.append(migration.name)
        }
        try connection.execute("commit")
        return applied
    }

    /// Compares what the server remembers with what we bring. Answers with the latest version it has.
    private func check(on connection: inout PostgresConnection) throws -> Int {
        var latest = 0
        for row in try connection.query(Self.recorded.with()).map({ $0 }) {
            let version = try row.int("version")
            guard let migration = migrations.first(where: { $0.version == version }) else {
                throw StoreError(
                    .refused,
                    "the database has schema version \(version), this binary knows up to \(migrations.count): "
                        + "start a newer tijera, or restore the backup that was made before the upgrade")
            }
            let digest = try connection.query(Self.digest.with(migration.sql)).first?.text("sha256")
            guard try row.text("sha256") == digest else {
                throw StoreError(
                    .refused,
                    "migration \(version) (\(migration.name)) was changed after it was applied to this database: "
                        + "put its file back as it was and add a new migration instead")
            }
            latest = max(latest, version)
        }
        return latest
    }
}
