import ClipModel
import Logging
import PostgresStore
import Store
import Synchronization
import TestSupport
import Testing

/// Which adapter the conformance suite runs on.
enum Adapter: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory, postgres
    var testDescription: String { rawValue }
}

/// A store with nothing in it, time that passes on request, and short ways to put things into it.
struct World: Sendable {
    let store: any Store
    private let passing: @Sendable (Double) async throws -> Void
    private let numbers = Numbers()

    static func run(_ adapter: Adapter, _ body: (World) async throws -> Void) async throws {
        switch adapter {
        case .memory:
            let time = ManualTime()
            let store = InMemoryStore(now: { time.now })
            try await body(World(store: store, passing: { time.pass($0) }))
            store.shutdown()
        case .postgres:
            let server = try await PostgresServer.shared()
            let database = try await server.makeDatabase()
            let store = PostgresStore(.patient(database), logger: .quiet)
            try await store.migrate()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await store.run() }
                try await body(World(store: store, passing: { try await server.age(database, bySeconds: $0) }))
                group.cancelAll()
            }
            await store.shutdown()
        }
    }

    init(store: any Store, passing: @escaping @Sendable (Double) async throws -> Void = { _ in }) {
        self.store = store
        self.passing = passing
    }

    /// Lets time pass: everything stored becomes older.
    func pass(seconds: Double) async throws { try await passing(seconds) }

    // MARK: Things

    func newUploadID() -> UploadID { numbers.identifier() }
    func newJobID() -> JobID { numbers.identifier() }

    func upload(createdAt: Timestamp = .start, transcript: SidecarTranscript? = nil) async throws -> Upload {
        let id = newUploadID()
        let upload = Upload(
            id: id, fileName: "talk ‘1’.mp4", bytes: 12, sha256: String(repeating: "ab", count: 32),
            blob: .named("uploads/\(id)"), transcript: transcript, createdAt: createdAt)
        try await store.insert(upload)
        return upload
    }

    func draft(
        _ upload: UploadID, stages: [StageKey] = [StageKey(.scan)], region: Region = .eu,
        idempotency: JobDraft.Idempotency? = nil
    ) -> JobDraft {
        JobDraft(
            id: newJobID(), upload: upload, region: region, tenant: "ana", options: JobOptions(), stages: stages,
            idempotency: idempotency)
    }

    func job(
        stages: [StageKey] = [StageKey(.scan)], region: Region = .eu, upload: UploadID? = nil
    ) async throws -> Job {
        var chosen = upload
        if chosen == nil { chosen = try await self.upload().id }
        guard let chosen, case .created(let job) = try await store.submit(draft(chosen, stages: stages, region: region))
        else { throw Surprise("the job was not created") }
        return job
    }

    func node(_ name: String = "one", region: Region = .eu, leaseSeconds: Int = 600) async throws -> NodeLife {
        try await store.register(
            NodeDraft(
                id: .named(name), region: region, http: "http://\(name)", version: "1", threads: 2,
                leaseSeconds: leaseSeconds))
    }

    func claimOne(_ life: NodeLife) async throws -> StageLease {
        guard let lease = try await store.claim(1, for: life).first else { throw Surprise("nothing to claim") }
        return lease
    }

    func result(_ body: String = "{}", blobs: [String] = [], cacheKey: String? = nil) -> StageResult {
        StageResult(id: numbers.identifier(), body: body, blobs: blobs.map { .named($0) }, cacheKey: cacheKey)
    }

    func complete(
        _ lease: StageLease, _ outcome: StageOutcome, advance: @escaping Advance = { _ in JobAdvance() }
    ) async throws -> CompleteOutcome {
        try await store.complete(lease, with: outcome, advance: advance)
    }

    /// Ends the attempt, and its job with it: in an error when it failed, as `ready` when not.
    func end(_ lease: StageLease, _ outcome: StageOutcome) async throws {
        _ = try await complete(lease, outcome) { snapshot in
            var advance = JobAdvance()
            advance.status = .ready
            if case .failed(let failure) = outcome {
                advance.status = .error
                advance.failure = JobFailure(stage: snapshot.changed, failure: failure)
            }
            return advance
        }
    }

    func stage(_ job: JobID, _ key: StageKey) async throws -> Stage {
        guard let stage = try await store.stages(of: job).first(where: { $0.key == key }) else {
            throw Surprise("\(job) has no stage \(key)")
        }
        return stage
    }

    func job(_ id: JobID) async throws -> Job {
        guard let job = try await store.job(id) else { throw Surprise("there is no \(id)") }
        return job
    }

    /// The job of a world that has one.
    func onlyJob() async throws -> JobID {
        guard let job = try await store.jobs(before: nil, limit: 2).first else { throw Surprise("there is no job") }
        return job.id
    }

    func kinds(_ job: JobID) async throws -> [Event.Kind] {
        try await store.events(of: job, after: 0, limit: 1000).map(\.kind)
    }
}

/// Something that a test takes for granted did not happen.
struct Surprise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Identifiers that rise, without a clock.
final class Numbers: Sendable {
    private let last = Mutex<Int64>(0)

    func identifier<Kind>() -> Identifier<Kind> {
        let number = last.withLock { last in
            last += 1
            return last
        }
        var random = SystemRandomNumberGenerator()
        return Identifier(at: Timestamp.start.advanced(bySeconds: Double(number)), using: &random)
    }
}

final class ManualTime: Sendable {
    private let state = Mutex(Timestamp.start)
    var now: Timestamp { state.withLock { $0 } }
    func pass(_ seconds: Double) { state.withLock { $0 = $0.advanced(bySeconds: seconds) } }
}

extension PostgresServer {
    /// Database time cannot be set, so the past is moved instead.
    func age(_ database: String, bySeconds seconds: Double) async throws {
        let interval = "interval '\(seconds) seconds'"
        try await execute(
            """
            update node set seen_at = seen_at - \(interval), started_at = started_at - \(interval);
            update stage set opened_at = opened_at - \(interval), not_before = not_before - \(interval),
                started_at = started_at - \(interval), ended_at = ended_at - \(interval),
                avoided_until = avoided_until - \(interval);
            update job set created_at = created_at - \(interval), started_at = started_at - \(interval),
                ended_at = ended_at - \(interval);
            update tenant_usage
                set month = date_trunc('month', (month + (age.now - date_trunc('month', age.now))) - \(interval))::date
                from (select now() at time zone 'UTC' as now) as age;
            update usage_entry
                set month = date_trunc('month', (month + (age.now - date_trunc('month', age.now))) - \(interval))::date
                from (select now() at time zone 'UTC' as now) as age;
            update idempotency set expires_at = expires_at - \(interval);
            update idempotent_reply set expires_at = expires_at - \(interval);
            update upload set created_at = created_at - \(interval);
            update upload_session set expires_at = expires_at - \(interval), held_until = held_until - \(interval);
            update quarantine set found_at = found_at - \(interval), emptied_at = emptied_at - \(interval);
            update api_key set created_at = created_at - \(interval), expires_at = expires_at - \(interval),
                revoked_at = revoked_at - \(interval), last_used_at = last_used_at - \(interval);
            update link_key set created_at = created_at - \(interval), retired_at = retired_at - \(interval);
            """, on: database)
    }
}

extension PostgresConfiguration {
    /// For tests that are not about waiting: everything else runs at the same time, on whatever machine there is.
    static func patient(_ database: String) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(connection: database)
        configuration.waitSecondsMax = 90
        configuration.statementSecondsMax = 60
        configuration.silenceSecondsMax = 75
        return configuration
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension Timestamp {
    static var start: Timestamp { Timestamp(millisecondsSinceEpoch: 1_700_000_000_000) }
}

extension Region {
    static var eu: Region { .named("eu") }
    static var us: Region { .named("us") }
    static func named(_ name: String) -> Region { required(Region(name), name) }
}

extension NodeID { static func named(_ name: String) -> NodeID { required(NodeID(name), name) } }
extension BlobName { static func named(_ name: String) -> BlobName { required(BlobName(name), name) } }

private func required<Value>(_ value: Value?, _ text: String) -> Value {
    guard let value else { preconditionFailure("\(text) is not a \(Value.self)") }
    return value
}

extension Failure {
    static func test(_ class: Failure.Class, _ code: String = "broken") -> Failure {
        Failure(`class`, code: code, reason: "It broke.", hint: "Mend it.")
    }
}
