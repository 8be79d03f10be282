import ArgumentParser
import HTTPGateway

/// `tijera plans list|set|remove`
struct PlansCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plans", abstract: "How many minutes of video a month clients may have, by the name of a plan.",
        discussion: """
            tijera clients set CLIENT --plan NAME gives a client a plan; minutes of its own stand over it.

            Exit codes: 0 done; 2 the node refused; 3 no node can be reached, or none reaches the database; 64 \
            wrong usage.
            """,
        subcommands: [List.self, Set.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All plans.")
        @OptionGroup var connection: AdminConnection

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: json, { try await $0.get("/admin/v1/plans", [], as: OperatorPlanList.self) },
                show: Self.text)
        }

        static func text(_ list: OperatorPlanList) -> String {
            guard !list.plans.isEmpty else { return "no plan" }
            var table = TextTable(["PLAN", "MINUTES A MONTH"])
            for plan in list.plans { table.add([plan.name, plan.minutesMax.map(String.init) ?? "no limit"]) }
            return table.rendered
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a plan, or changes it for all who have it.",
            discussion: "Without --minutes-max it has no limit. Safe to repeat.")
        @OptionGroup var connection: AdminConnection

        @Argument(help: "Its name: 1 to 64 of a-z, 0-9, '.', '_' and '-'.")
        var name: String

        @Option(help: "Minutes of video in a calendar month.")
        var minutesMax: Int?

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            let query: [(name: String, value: String?)] = [
                ("name", name), ("minutesMax", minutesMax.map { "\($0)" }),
            ]
            try await JobsCommand.ask(
                connection, json: json, { try await $0.post("/admin/v1/plans", query, as: OperatorPlan.self) },
                show: { "\($0.name): " + ($0.minutesMax.map { "\($0) minutes a month" } ?? "no limit") })
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a plan that no client has.")
        @OptionGroup var connection: AdminConnection

        @Argument(help: "Its name.")
        var name: String

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: json,
                { try await $0.post("/admin/v1/plans/remove", [("name", name)], as: OperatorPlan.self) },
                show: { "\($0.name) is removed" })
        }
    }
}
