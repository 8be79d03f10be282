import ArgumentParser
import Foundation
import HTTPGateway

/// Looking once, or again and again.
struct Watching: ParsableArguments {
    @Flag(help: "Look again and again until interrupted.")
    var watch = false

    @Flag(help: "Look again and again until the cluster is healthy.")
    var exitWhenHealthy = false

    @Option(help: "Seconds between two looks.")
    var interval = 2.0

    @Option(help: "With --exit-when-healthy: give up after so many seconds, with exit code 10.")
    var timeout: Double?

    @Option(help: "Count it as unhealthy when fewer nodes are alive.")
    var nodes: Int?

    @Flag(help: "JSON on standard output; one line for each look.")
    var json = false

    func validate() throws {
        guard interval >= 0.1 else { throw ValidationError("--interval must be at least 0.1") }
        guard timeout.map({ $0 > 0 }) ?? true else { throw ValidationError("--timeout must be above 0") }
        guard timeout == nil || exitWhenHealthy else { throw ValidationError("--timeout needs --exit-when-healthy") }
        guard nodes.map({ $0 > 0 }) ?? true else { throw ValidationError("--nodes must be above 0") }
    }

    /// Looks as often as was asked for and shows what it sees. Answers with what was seen last.
    func follow(
        _ client: AdminClient, clock: any Clock<Duration> = ContinuousClock(), show: (ClusterReport) throws -> String
    ) async throws -> ClusterHealth {
        var waited = 0.0
        while true {
            let isLast = !watch && !exitWhenHealthy
            do {
                let report = try await client.get("/admin/v1/cluster", as: ClusterReport.self)
                let health = judged(report)
                display(try show(report.with(health)))
                if isLast || (exitWhenHealthy && health.isHealthy) { return health }
                if let timeout, waited >= timeout { return health }
            } catch let error as AdminError {
                // Whoever waits for a cluster to come up, or watches one, goes on.
                guard !isLast, !error.isRefusal else { throw error }
                if let timeout, waited >= timeout { throw error }
                Terminal.complain("tijera cluster: \(error.description)")
            }
            try await clock.sleep(for: .seconds(interval))
            waited += interval
        }
    }

    private func judged(_ report: ClusterReport) -> ClusterHealth {
        let alive = report.nodes.count { $0.state == .alive }
        guard let nodes, alive < nodes else { return report.health }
        let missing = ClusterHealth.Finding("too_few_nodes", "\(alive) nodes are alive, expected are \(nodes).")
        return ClusterHealth(isHealthy: false, reasons: [missing] + report.health.reasons, notes: report.health.notes)
    }

    private func display(_ text: String) {
        // A terminal is redrawn; a file or a pipe gets one look after the other.
        let redraws = !json && (watch || exitWhenHealthy) && isatty(STDOUT_FILENO) == 1
        Terminal.say((redraws ? "\u{1b}[H\u{1b}[2J" : "") + text)
    }
}

extension ClusterCommand {
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The nodes with state, load, share of the keys, round trip, certificate and view.",
            discussion: "Exits 0 whatever it sees, or 10 when --exit-when-healthy gave up.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var watching: Watching

        func run() async throws {
            let client = try connection.open()
            try await ClusterCommand.reporting {
                let health = try await watching.follow(client) { report in
                    watching.json ? try ClusterText.json(report) : ClusterText.status(report)
                }
                if watching.exitWhenHealthy, !health.isHealthy { throw Exit.unhealthy }
            }
        }
    }

    struct Health: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Whether somebody should look. Exits 0, or 10 with the reasons.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var watching: Watching

        func run() async throws {
            let client = try connection.open()
            try await ClusterCommand.reporting {
                let health = try await watching.follow(client) { report in
                    watching.json ? try ClusterText.json(report.health) : ClusterText.health(report.health)
                }
                if !health.isHealthy { throw Exit.unhealthy }
            }
        }
    }
}
