import ClipModel
import Jobs
import Logging
import PostgresStore
import Stages
import Store
import Synchronization

/// Runs empty stages through the real claim and completion statements, from several nodes at once.
///
/// What is measured is the queue alone: no tools, no HTTP, no coordination between the claimers but PostgreSQL.
package struct ClaimBenchmark: Sendable {
    package struct Figures: Sendable {
        package let stages: Int
        package let seconds: Double
        package let claimMillisecondsMedian: Double
        package let claimMillisecondsP99: Double

        package var json: String {
            """
            {"stages": \(stages), "seconds": \(rounded(seconds)), \
            "stagesPerSecond": \(rounded(Double(stages) / max(seconds, 0.001))), \
            "claimMillisecondsMedian": \(rounded(claimMillisecondsMedian)), \
            "claimMillisecondsP99": \(rounded(claimMillisecondsP99))}
            """
        }

        private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
    }

    /// What the claimers count together.
    private final class Tally: Sendable {
        let waits = Mutex<[Double]>([])
        let done = Atomic<Int>(0)
    }

    private let store: String
    private let nodes: Int
    private let jobs: Int

    package init(store: String, nodes: Int, jobs: Int) {
        self.store = store
        self.nodes = nodes
        self.jobs = jobs
    }

    package func run() async throws -> Figures {
        var configuration = PostgresConfiguration(connection: store)
        configuration.connectionsMax = nodes + 2
        let store = PostgresStore(configuration, logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        try await store.migrate()
        if let other = try await store.nodes().first(where: \.isAlive) {
            await store.shutdown()
            throw ConfigurationError([
                "--store: node \(other.id) works on this database and would take the empty stages for its own; "
                    + "give the benchmark a database of its own"
            ])
        }
        let chance = Chance.system()
        let ids = try await submitJobs(to: store, chance: chance)
        let clock = ContinuousClock()
        let tally = Tally()
        let started = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<nodes {
                group.addTask {
                    try await work(as: number, store: store, chance: chance, clock: clock, tally: tally)
                }
            }
            try await group.waitForAll()
        }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        for id in ids { _ = try await store.delete(id) }
        await store.shutdown()
        let sorted = tally.waits.withLock { $0.sorted() }
        return Figures(
            stages: tally.done.load(ordering: .relaxed), seconds: seconds,
            claimMillisecondsMedian: sorted[sorted.count / 2],
            claimMillisecondsP99: sorted[sorted.count * 99 / 100])
    }

    private func submitJobs(to store: PostgresStore, chance: Chance) async throws -> [JobID] {
        var ids: [JobID] = []
        for _ in 0..<jobs {
            let now = systemWallTime()
            let upload = chance.draw { UploadID(at: now, using: &$0) }
            try await store.insert(
                Upload(
                    id: upload, fileName: "bench", bytes: 1, sha256: String(repeating: "0", count: 64),
                    blob: BlobName("bench/\(upload.ulid)")!, createdAt: now))
            let id = chance.draw { JobID(at: now, using: &$0) }
            _ = try await store.submit(
                JobDraft(
                    id: id, upload: upload, region: Region("bench")!, tenant: "bench", options: JobOptions(),
                    stages: Pipeline.firstStages))
            ids.append(id)
        }
        return ids
    }

    /// Claims and completes until every job has gone through its three empty stages.
    private func work(
        as number: Int, store: PostgresStore, chance: Chance, clock: ContinuousClock, tally: Tally
    ) async throws {
        let life = try await store.register(
            NodeDraft(
                id: NodeID("bench-\(number)")!, region: Region("bench")!, http: "", version: tijeraVersion, threads: 1,
                leaseSeconds: 300))
        while tally.done.load(ordering: .relaxed) < jobs * Self.chain.count {
            let asked = clock.now
            let leases = try await store.claim(1, for: life)
            for lease in leases {
                tally.waits.withLock { $0.append(asked.duration(to: clock.now) / .milliseconds(1)) }
                let id = chance.draw { ResultID(at: systemWallTime(), using: &$0) }
                let result = StageResult(id: id, body: "{}", blobs: [], cacheKey: nil)
                _ = try await store.complete(lease, with: .produced(result), advance: Self.advance)
                tally.done.add(1, ordering: .relaxed)
            }
        }
        try await store.leave(life)
    }

    private static let chain: [StageName] = [.scan, .probe, .publish]

    private static let advance: Advance = { snapshot in
        var advance = JobAdvance()
        guard let position = chain.firstIndex(of: snapshot.changed.name) else { return advance }
        if position + 1 < chain.count {
            advance.open = [StageKey(chain[position + 1])]
        } else {
            advance.status = .ready
        }
        return advance
    }
}
