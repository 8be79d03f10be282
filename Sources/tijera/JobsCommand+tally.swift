import ArgumentParser
import ClipModel
import HTTPGateway
import Store

extension JobsCommand {
    /// `tijera jobs tally`
    struct Tally: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How the jobs of the last days ended, over all nodes, each end counted once.")
        @OptionGroup var connection: AdminConnection

        @Option(help: "How many days back, today included (UTC).")
        var days: Int?

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: json,
                { try await $0.get("/admin/v1/tally", [("days", days.map { "\($0)" })], as: TallyAnswer.self) },
                show: Self.text)
        }

        static func text(_ answer: TallyAnswer) -> String {
            guard !answer.rows.isEmpty else { return "no job has ended in \(answer.days) days" }
            var table = TextTable(["DAY", "REGION", "WHAT", "COUNT"])
            for row in answer.rows { table.add([row.day, row.region.rawValue, row.name, "\(row.count)"]) }
            return table.rendered
        }
    }
}
