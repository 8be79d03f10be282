import ArgumentParser
import HTTPGateway

/// `tijera clients list|set`
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "Who has how much in the house, and what each may have.",
        discussion: """
            A client is key:NAME by its API key, else an address. Clients share the cluster by weight; one that asks \
            for much queues behind itself.

            Exit codes: 0 done; 2 the node refused; 3 no node can be reached, or none reaches the database; 64 \
            wrong usage.
            """,
        subcommands: [List.self, Set.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Clients with jobs under way, with minutes used this month, or with terms of their own.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var page: PageChoice

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: page.json,
                { try await $0.get("/admin/v1/clients", page.query(), as: OperatorClientPage.self) },
                show: Self.text)
        }

        static func text(_ page: OperatorClientPage) -> String {
            guard !page.clients.isEmpty else { return "no client" }
            var table = TextTable([
                "CLIENT", "WEIGHT", "JOBS AT MOST", "UNDER WAY", "HELD", "QUEUES BEHIND ITSELF", "PLAN", "MINUTES",
                "OF",
            ])
            for client in page.clients {
                table.add([
                    client.client, "\(client.weight)", client.jobsMax.map(String.init) ?? "-", "\(client.underWay)",
                    "\(client.held)", Terminal.duration(client.aheadSeconds) + " of video",
                    client.plan ?? "-", "\(client.minutesUsed)", client.minutesMax.map(String.init) ?? "-",
                ])
            }
            return table.rendered + (page.nextCursor.map { "\nmore with --cursor \($0)" } ?? "")
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Grants a client a weight, a number of jobs under way, and minutes of video.",
            discussion: "What is left out goes back to what everybody gets. Safe to repeat.")
        @OptionGroup var connection: AdminConnection

        @Argument(help: "The client, as jobs and lists name it.")
        var client: String

        @Option(help: "Its share while others wait too, as a multiple of theirs: 0.01 to 100.")
        var weight: Double?

        @Option(help: "Jobs that may be under way at once; further ones wait.")
        var jobsMax: Int?

        @Option(help: "The name of its plan: tijera plans list.")
        var plan: String?

        @Option(help: "Minutes of video in a calendar month, instead of those of its plan.")
        var minutesMax: Int?

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            let query: [(name: String, value: String?)] = [
                ("client", client), ("weight", weight.map { "\($0)" }), ("jobsMax", jobsMax.map { "\($0)" }),
                ("plan", plan), ("minutesMax", minutesMax.map { "\($0)" }),
            ]
            try await JobsCommand.ask(
                connection, json: json, { try await $0.post("/admin/v1/clients/terms", query, as: OperatorTerms.self) },
                show: Self.text)
        }

        static func text(_ terms: OperatorTerms) -> String {
            let jobs = terms.jobsMax.map { "at most \($0) jobs under way" } ?? "jobs under way as everybody"
            let minutes = terms.minutesMax.map { "\($0) minutes a month" }
            let plan = terms.plan.map { "plan \($0)" }
            let video = [plan, minutes].compactMap(\.self).joined(separator: ", ")
            return "\(terms.client): weight \(terms.weight), \(jobs), "
                + (video.isEmpty ? "minutes of video as everybody" : video)
        }
    }
}
