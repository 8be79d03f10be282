import Blobs
import ClipModel
import Foundation
import Jobs
import Logging
import PostgresStore
import Stages
import Store
import Synchronization

/// Real workers on PostgreSQL whose stages do nothing for a fixed time: how long work waits for a node, and how long a
/// client waits for its clips.
///
/// Each worker has a store, a listening connection and a heartbeat of its own; only the threads of the machine are made
/// up, because an empty stage uses none.
package struct WorkerBenchmark: Sendable {
    package struct Figures: Sendable, Codable {
        /// From submit until the client sees its job ready.
        package var jobMillisecondsMedian = 0.0
        package var jobMillisecondsP95 = 0.0
        package var jobs = 0
        /// Of all stages that were begun while it was measured, those of the noisy client; in percent.
        package var noisePercent = 0.0
        /// Stages that were begun meanwhile, a second.
        package var stagesPerSecond = 0.0
    }

    private struct Member: Sendable {
        let worker: Worker
        let store: PostgresStore
        let scratch: String
    }

    private final class Tally: Sendable {
        let begun = Mutex<[JobID: Int]>([:])
        let isOver = Atomic(false)
    }

    private static let victim = "victim", noise = "noise"

    private let connection: String
    private let nodes: Int
    private let threads: Int
    private let stageMilliseconds: Int
    private let jobs: Int
    private let noisyJobs: Int
    private let clock = ContinuousClock()
    private let chance = Chance.system()
    private let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

    /// - Parameters:
    ///   - jobs: of the client that is measured, one after the other.
    ///   - noisyJobs: of another client, kept under way all the time.
    package init(store: String, nodes: Int, threads: Int, stageMilliseconds: Int, jobs: Int, noisyJobs: Int) {
        connection = store
        self.nodes = nodes
        self.threads = threads
        self.stageMilliseconds = stageMilliseconds
        self.jobs = jobs
        self.noisyJobs = noisyJobs
    }

    package func run() async throws -> Figures {
        let store = PostgresStore(PostgresConfiguration(connection: connection), logger: logger)
        try await store.migrate()
        let video = try await EmptyVideo(in: store, chance: chance)
        let tally = Tally()
        let members = try (1...nodes).map { try member($0, video, tally) }
        let figures = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            for member in members {
                group.addTask { await member.store.run() }
                group.addTask { await member.worker.run() }
            }
            let noisy = try await withThrowingTaskGroup(of: Void.self) { makers in
                for _ in 0..<noisyJobs {
                    makers.addTask { try await keepBusy(store, video, tally) }
                }
                // The noise comes first: it has the cluster when the other client turns up.
                try await clock.sleep(for: .seconds(noisyJobs > 0 ? 3 : 1))
                let figures = try await measure(store, video, tally)
                tally.isOver.store(true, ordering: .relaxed)
                makers.cancelAll()
                return figures
            }
            for member in members { member.worker.drain() }
            group.cancelAll()
            return noisy
        }
        for member in members {
            await member.store.shutdown()
            try? FileManager.default.removeItem(atPath: member.scratch)
        }
        await store.shutdown()
        return figures
    }

    private func member(_ number: Int, _ video: EmptyVideo, _ tally: Tally) throws -> Member {
        let scratch = NSTemporaryDirectory() + "tijera-bench-\(ProcessInfo.processInfo.processIdentifier)-\(number)"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        let store = PostgresStore(PostgresConfiguration(connection: connection), logger: logger)
        let length = Duration.milliseconds(stageMilliseconds)
        let configuration = WorkerConfiguration(gatherDelay: .zero)
        let runner = StageRunner(
            cacheKey: { _ in nil },
            run: { [clock] assignment in
                tally.begun.withLock { $0[assignment.attempt.job, default: 0] += 1 }
                try await clock.sleep(for: length, tolerance: .zero)
                return StageOutput(body: EmptyVideo.body(of: assignment.attempt.key.name), blobs: [])
            })
        let worker = Worker(
            node: video.node(number, threads: threads, leaseSeconds: configuration.leaseSeconds),
            configuration: configuration, store: store, blobs: try BlobDirectory(root: scratch), runner: runner,
            slots: try CPUSlots(directory: scratch + "/slots", machineThreads: threads, budget: threads),
            clock: clock, now: systemWallTime, chance: chance, logger: logger)
        return Member(worker: worker, store: store, scratch: scratch)
    }

    /// One job after the other, as a client that always has something to do.
    private func keepBusy(_ store: PostgresStore, _ video: EmptyVideo, _ tally: Tally) async throws {
        while !tally.isOver.load(ordering: .relaxed), !Task.isCancelled {
            let job = try await video.submit(to: store, as: Self.noise)
            try await waitForEnd(of: job, on: store, every: .milliseconds(50))
        }
    }

    private func measure(_ store: PostgresStore, _ video: EmptyVideo, _ tally: Tally) async throws -> Figures {
        tally.begun.withLock { $0 = [:] }
        let started = clock.now
        var waits: [Double] = []
        var own: Set<JobID> = []
        for _ in 0..<jobs {
            let asked = clock.now
            let job = try await video.submit(to: store, as: Self.victim)
            own.insert(job)
            try await waitForEnd(of: job, on: store, every: .milliseconds(2))
            waits.append(asked.duration(to: clock.now) / .milliseconds(1))
            // It asks for little, and never in step with anything.
            let pause = Double(EmptyVideo.stages * stageMilliseconds) * 6 * chance.fraction()
            try await clock.sleep(for: .milliseconds(pause))
        }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        let begun = tally.begun.withLock { $0 }
        let all = begun.values.reduce(0, +)
        let noise = begun.filter { !own.contains($0.key) }.values.reduce(0, +)
        waits.sort()
        return Figures(
            jobMillisecondsMedian: rounded(waits[waits.count / 2]),
            jobMillisecondsP95: rounded(waits[min(waits.count - 1, waits.count * 95 / 100)]), jobs: waits.count,
            noisePercent: rounded(100 * Double(noise) / Double(max(1, all))),
            stagesPerSecond: rounded(Double(all) / seconds))
    }

    private func waitForEnd(of job: JobID, on store: PostgresStore, every interval: Duration) async throws {
        while let status = try await store.job(job)?.status, !status.hasEnded {
            try await clock.sleep(for: interval)
        }
    }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
