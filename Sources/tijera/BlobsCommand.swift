import ArgumentParser
import Foundation
import Jobs
import Node

/// `tijera blobs check`
struct BlobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blobs", abstract: "Looks after uploads and clips at rest.", subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compares what the database names with what the blob store has.",
            discussion: """
                Reads a node's configuration and asks its database and its store directly; nodes may run meanwhile. \
                Missing: named and not there. Wrong size: not as large as the database says. Orphaned: named by \
                nobody, which costs only room until a node sweeps it away. Nothing is changed.

                Exit codes: 0 nothing is missing or of a wrong size; 3 the database or the store cannot be reached; \
                10 something is missing or of a wrong size; 64 wrong usage; 78 wrong configuration.
                """)

        @OptionGroup var source: ConfigurationSource

        @Flag(help: "JSON on standard output, in one line.")
        var json = false

        @Option(help: "Younger blobs that nobody names may belong to work under way and are not told, in seconds.")
        var orphanSeconds = 3600.0

        func validate() throws {
            guard orphanSeconds >= 0 else { throw ValidationError("--orphan-seconds must be 0 or more") }
        }

        func run() async throws {
            let configuration = try source.orExit { () throws(ConfigurationError) in try source.load() }
            let report: BlobCheck.Report
            do {
                report = try await BlobCheckProgram(configuration).run(orphanSeconds: orphanSeconds)
            } catch {
                Terminal.complain("tijera blobs: \(error)")
                throw ClusterCommand.Exit.unreachable
            }
            Terminal.say(json ? try ClusterText.json(report) : Self.text(report))
            if !report.isHealthy { throw ClusterCommand.Exit.unhealthy }
        }

        static func text(_ report: BlobCheck.Report) -> String {
            var lines = report.findings.map { finding in
                let sizes = [
                    finding.expectedBytes.map { "expected \($0) bytes" }, finding.storedBytes.map { "has \($0) bytes" },
                ]
                let facts = sizes.compactMap(\.self).joined(separator: ", ")
                return "  \(finding.kind.rawValue): \(finding.name)" + (facts.isEmpty ? "" : " (\(facts))")
            }
            if report.findingsLeftOut > 0 { lines.append("  and \(report.findingsLeftOut) more") }
            let counts =
                "\(report.namedBlobs) blobs are named, \(report.storedBlobs) are stored (\(report.storedBytes) bytes): "
                + "\(report.missing) missing, \(report.wrongSize) of a wrong size, \(report.orphaned) orphaned "
                + "(\(report.orphanedBytes) bytes)"
            return ([report.isHealthy ? "healthy" : "unhealthy", counts] + lines).joined(separator: "\n")
        }
    }
}
