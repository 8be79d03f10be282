import ArgumentParser
import Foundation
import Node

/// `tijera bench claim`
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures parts of the system on this machine.", subcommands: [Claim.self])

    struct Claim: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How many empty stages a second go through claim and completion in PostgreSQL.",
            discussion: "Writes jobs into the database and deletes them again: give it a database of its own.")

        @Option(help: "PostgreSQL to measure, as a libpq connection string.")
        var store: String

        @Option(help: "Nodes that claim at the same time.")
        var nodes = 3

        @Option(help: "Jobs to run through.")
        var jobs = 200

        func run() async throws {
            Terminal.say(try await ClaimBenchmark(store: store, nodes: nodes, jobs: jobs).run().json)
        }

        func validate() throws {
            guard (1...64).contains(nodes) else { throw ValidationError("--nodes must be between 1 and 64") }
            guard (1...100_000).contains(jobs) else { throw ValidationError("--jobs must be between 1 and 100000") }
        }
    }
}
