import ArgumentParser
import Foundation
import Node

/// What runs empty stages through PostgreSQL.
extension BenchCommand {
    struct Queue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How many empty stages a second go from submit through claim to completion in PostgreSQL.",
            discussion: "Writes jobs into the database and leaves them there: give it a database of its own.")

        @Option(help: "PostgreSQL to measure, as a libpq connection string.")
        var store: String

        @Option(help: "Nodes that claim at the same time.")
        var nodes = 3

        @Option(help: "Stages that a node asks for with one claim and completes at the same time.")
        var batch = 16

        @Option(help: "Jobs of twelve stages; with --seconds, how many are kept under way.")
        var jobs = 200

        @Option(help: "Go on for that long, through failures of the database, and tell the completions of each tick.")
        var seconds: Double?

        func run() async throws {
            let figures = try await QueueBenchmark(
                store: store, nodes: nodes, batch: batch, jobs: jobs, seconds: seconds
            ).run()
            Terminal.say(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        }

        func validate() throws {
            guard (1...64).contains(nodes) else { throw ValidationError("--nodes must be between 1 and 64") }
            guard (1...64).contains(batch) else { throw ValidationError("--batch must be between 1 and 64") }
            guard (1...100_000).contains(jobs) else { throw ValidationError("--jobs must be between 1 and 100000") }
            guard seconds.map({ (1...3600).contains($0) }) ?? true else {
                throw ValidationError("--seconds must be between 1 and 3600")
            }
        }
    }

    struct Workers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How long a client's jobs take with real workers whose stages do nothing for a fixed time.",
            discussion: "Writes jobs into the database and leaves them there: give it a database of its own.")

        @Option(help: "PostgreSQL to measure, as a libpq connection string.")
        var store: String

        @Option(help: "Nodes that work.")
        var nodes = 3

        @Option(help: "Stages that a node works on at the same time.")
        var threads = 1

        @Option(help: "How long a stage takes, in milliseconds.")
        var stage = 100

        @Option(help: "Jobs of the client that is measured, one after the other.")
        var jobs = 20

        @Option(help: "Jobs of another client, kept under way all the time.")
        var noise = 0

        func run() async throws {
            let figures = try await WorkerBenchmark(
                store: store, nodes: nodes, threads: threads, stageMilliseconds: stage, jobs: jobs, noisyJobs: noise
            ).run()
            Terminal.say(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        }

        func validate() throws {
            guard (1...64).contains(nodes) else { throw ValidationError("--nodes must be between 1 and 64") }
            guard (1...64).contains(threads) else { throw ValidationError("--threads must be between 1 and 64") }
            guard (1...60_000).contains(stage) else { throw ValidationError("--stage must be between 1 and 60000") }
            guard (1...10_000).contains(jobs) else { throw ValidationError("--jobs must be between 1 and 10000") }
            guard (0...1000).contains(noise) else { throw ValidationError("--noise must be between 0 and 1000") }
        }
    }
}
