import ClipModel
import Jobs
import Logging
import PostgresStore
import Store
import Synchronization

/// Runs empty stages through the real path: submit, claim, complete with the pipeline's own advance, on PostgreSQL.
///
/// What is measured is the queue alone: no tools, no HTTP, no coordination between the claimers but the database. Each
/// claimer is a node with connections of its own; a store that fails is asked again, as a worker does.
package struct QueueBenchmark: Sendable {
    package struct Figures: Sendable, Codable {
        package var stages = 0
        /// From the first submit to the last completion.
        package var seconds = 0.0
        package var stagesPerSecond = 0.0
        /// Of one claim, whatever it brought.
        package var claimMillisecondsMedian = 0.0
        package var claimMillisecondsP99 = 0.0
        /// With `seconds`: completions in each tick, and the time of day at which the first tick began.
        package var tickMilliseconds: Int?
        package var startedAtMilliseconds: Int64?
        package var ticks: [Int]?
    }

    /// What the claimers count together.
    private final class Tally: Sendable {
        let waits = Mutex<[Double]>([])
        let done = Atomic<Int>(0)
        let submitted = Atomic<Int>(0)
        let isOver = Atomic(false)
    }

    private static let tick = Duration.milliseconds(100)
    private static let clients = 8

    private let connection: String
    private let nodes: Int
    private let batch: Int
    private let jobs: Int
    private let seconds: Double?
    private let clock = ContinuousClock()
    private let chance = Chance.system()

    /// - Parameters:
    ///   - batch: stages that a node asks for with one claim, and works on at the same time.
    ///   - jobs: how many there are; with `seconds`, how many are kept under way for that long.
    package init(store: String, nodes: Int, batch: Int, jobs: Int, seconds: Double? = nil) {
        connection = store
        self.nodes = nodes
        self.batch = batch
        self.jobs = jobs
        self.seconds = seconds
    }

    package func run() async throws -> Figures {
        let stores = (0...nodes).map { _ in store() }
        try await stores[0].migrate()
        let video = try await EmptyVideo(in: stores[0], chance: chance)
        let tally = Tally()
        let startedAt = systemWallTime()
        let started = clock.now
        let ticks = try await withThrowingTaskGroup(of: [Int].self) { group in
            for number in 1...nodes {
                group.addTask {
                    try await work(as: number, on: stores[number], video, tally)
                    return []
                }
            }
            // Two, so that submitting is not what is waited for.
            for _ in 0..<2 {
                group.addTask {
                    try await submit(to: stores[0], video, tally)
                    return []
                }
            }
            if let seconds { group.addTask { try await count(for: seconds, tally) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        var figures = Figures()
        figures.stages = tally.done.load(ordering: .relaxed)
        figures.seconds = rounded(started.duration(to: clock.now) / .seconds(1))
        figures.stagesPerSecond = rounded(Double(figures.stages) / max(figures.seconds, 0.001))
        let waits = tally.waits.withLock { $0.sorted() }
        figures.claimMillisecondsMedian = rounded(waits.isEmpty ? 0 : waits[waits.count / 2])
        figures.claimMillisecondsP99 = rounded(waits.isEmpty ? 0 : waits[waits.count * 99 / 100])
        if seconds != nil {
            figures.tickMilliseconds = Int(Self.tick / .milliseconds(1))
            figures.startedAtMilliseconds = startedAt.millisecondsSinceEpoch
            figures.ticks = ticks
        }
        for store in stores { await store.shutdown() }
        return figures
    }

    private func store() -> PostgresStore {
        PostgresStore(
            PostgresConfiguration(connection: connection),
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
    }

    private func submit(to store: PostgresStore, _ video: EmptyVideo, _ tally: Tally) async throws {
        while !tally.isOver.load(ordering: .relaxed) {
            let ahead = tally.submitted.load(ordering: .relaxed)
            if seconds == nil {
                guard ahead < jobs else { return }
            } else if ahead - tally.done.load(ordering: .relaxed) / EmptyVideo.stages >= jobs {
                try await clock.sleep(for: .milliseconds(2))
                continue
            }
            let number = tally.submitted.wrappingAdd(1, ordering: .relaxed).newValue
            // Of several clients: those of one queue behind each other when they submit.
            let client = "bench-\(number % Self.clients)"
            _ = try await patiently(tally) { try await video.submit(to: store, as: client) }
        }
    }

    /// Claims and completes until every job has gone through all of its empty stages, or the time is over.
    private func work(as number: Int, on store: PostgresStore, _ video: EmptyVideo, _ tally: Tally) async throws {
        let life = try await store.register(video.node(number, leaseSeconds: 600))
        while !isOver(tally) {
            let asked = clock.now
            guard let leases = try await patiently(tally, { try await store.claim(batch, for: life) }) else { break }
            tally.waits.withLock { $0.append(asked.duration(to: clock.now) / .milliseconds(1)) }
            if leases.isEmpty {
                try await clock.sleep(for: .milliseconds(2))
                continue
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lease in leases {
                    group.addTask { try await complete(lease, on: store, video, tally) }
                }
                try await group.waitForAll()
            }
        }
        try await store.leave(life)
    }

    private func complete(
        _ lease: StageLease, on store: PostgresStore, _ video: EmptyVideo, _ tally: Tally
    ) async throws {
        let (schedule, fraction) = (Schedule(), chance.fraction())
        let outcome = StageOutcome.produced(video.result(of: lease))
        let answer = try await patiently(tally) {
            try await store.complete(lease, with: outcome) { schedule.advance($0, chance: fraction) }
        }
        if case .published = answer { tally.done.add(1, ordering: .relaxed) }
    }

    private func isOver(_ tally: Tally) -> Bool {
        if seconds == nil { return tally.done.load(ordering: .relaxed) >= jobs * EmptyVideo.stages }
        return tally.isOver.load(ordering: .relaxed)
    }

    /// Asks again while the store is away; nil when time was over before it came back.
    private func patiently<Answer>(_ tally: Tally, _ body: () async throws -> Answer) async throws -> Answer? {
        var failures = 0
        while true {
            do { return try await body() } catch let error as StoreError {
                guard error.code != .refused, error.code != .corrupt, seconds != nil else { throw error }
                guard !isOver(tally) else { return nil }
                failures += 1
                let ceiling = min(2.0, 0.1 * Double(1 << min(failures, 10)))
                try await clock.sleep(for: .seconds(ceiling * (0.5 + chance.fraction() / 2)))
            }
        }
    }

    private func count(for seconds: Double, _ tally: Tally) async throws -> [Int] {
        var ticks: [Int] = []
        var before = 0
        let started = clock.now
        for number in 1...max(1, Int(Duration.seconds(seconds) / Self.tick)) {
            try await clock.sleep(until: started + Self.tick * number, tolerance: .zero)
            let done = tally.done.load(ordering: .relaxed)
            ticks.append(done - before)
            before = done
        }
        tally.isOver.store(true, ordering: .relaxed)
        return ticks
    }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
