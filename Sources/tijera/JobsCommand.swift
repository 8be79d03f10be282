import ArgumentParser
import ClipModel
import HTTPGateway
import Jobs

/// `tijera jobs list|show|why|cancel|retry|requeue|rerender|dead-letters`
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "The operator's view of the jobs of all clients, and orders to them.",
        discussion: """
            Any node may be asked. Without --server the nodes of the cluster that cluster/up started here are asked, \
            with its token.

            Exit codes: 0 done; 2 the node refused; 3 no node can be reached, or none reaches the database; 10 (why) \
            the job waits until somebody does something; 64 wrong usage.
            """,
        subcommands: [
            List.self, Show.self, Why.self, Cancel.self, Retry.self, Requeue.self, Rerender.self, DeadLetters.self,
            Tally.self,
        ])

    /// Asks, and prints the answer for people or for programs.
    @discardableResult
    static func ask<Answer: Codable>(
        _ connection: AdminConnection, json: Bool, _ question: (AdminClient) async throws -> Answer,
        show: (Answer) -> String
    ) async throws -> Answer? {
        let client = try connection.open()
        var answer: Answer?
        try await ClusterCommand.reporting("jobs") {
            let given = try await question(client)
            Terminal.say(json ? try ClusterText.json(given) : show(given))
            answer = given
        }
        return answer
    }
}

/// Which job, and how to print.
struct JobChoice: ParsableArguments {
    @Argument(help: "Id of the job.")
    var job: String

    @Flag(help: "JSON on standard output.")
    var json = false

    var path: String { "/admin/v1/jobs/\(AdminClient.escaped(job))" }
}

/// Which page of a list, and how to print.
struct PageChoice: ParsableArguments {
    @Option(help: "How many at most.")
    var limit: Int?

    @Option(help: "Where the page before ended.")
    var cursor: String?

    @Flag(help: "JSON on standard output.")
    var json = false

    func query(_ more: (name: String, value: String?)...) -> [(name: String, value: String?)] {
        more + [("limit", limit.map { "\($0)" }), ("cursor", cursor)]
    }
}

extension JobsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Jobs, newest first.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var page: PageChoice

        @Option(help: "Jobs of this client only.")
        var tenant: String?

        @Option(help: "pending, processing, ready, error or cancelled.")
        var status: String?

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: page.json,
                {
                    try await $0.get(
                        "/admin/v1/jobs", page.query(("status", status), ("tenant", tenant)), as: OperatorJobPage.self)
                },
                show: JobsText.page)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One job with the waterfall of its stages: who ran what, how often, how long it waited and ran.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var choice: JobChoice

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: choice.json, { try await $0.get(choice.path, as: OperatorJobDetail.self) },
                show: JobsText.detail)
        }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Why a job waits: the true reason, its place in the queue, and what to do.",
            discussion: "Exits 0, or 10 when the job waits until somebody does something.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var choice: JobChoice

        func run() async throws {
            let answer = try await JobsCommand.ask(
                connection, json: choice.json, { try await $0.get(choice.path + "/why", as: JobExplanation.self) },
                show: JobsText.explanation)
            if answer?.needsOperator == true { throw ClusterCommand.Exit.unhealthy }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a job and everything of it that runs.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var choice: JobChoice

        func run() async throws { try await JobsCommand.order(choice.path + "/cancel", connection, choice.json) }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a job that ended in an error begin again where it failed.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var choice: JobChoice

        func run() async throws { try await JobsCommand.order(choice.path + "/retry", connection, choice.json) }
    }

    struct Requeue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes one stage ready at once, with a fresh count of attempts.",
            discussion: """
                A stage that failed is tried again, one that waits for a retry waits no longer, and one that runs is \
                taken from its node. In a job that is ready without a clip, requeueing the stage that failed makes the \
                clip again.
                """)
        @OptionGroup var connection: AdminConnection
        @OptionGroup var choice: JobChoice

        @Argument(help: "The stage as show and why name it: probe, render[2].")
        var stage: String

        func run() async throws {
            guard let match = try /([a-z]+)(?:\[([0-9]+)\])?/.wholeMatch(in: stage) else {
                throw ValidationError("\(stage) is no stage; they are named like probe or render[2]")
            }
            try await JobsCommand.order(
                choice.path + "/stages/\(match.1)/\(match.2 ?? "0")/requeue", connection, choice.json)
        }
    }

    private static func order(_ path: String, _ connection: AdminConnection, _ json: Bool) async throws {
        try await ask(
            connection, json: json, { try await $0.post(path, as: OperatorJob.self) },
            show: { "\($0.id) is \($0.status.rawValue)" })
    }

    struct DeadLetters: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dead-letters",
            abstract: "Jobs that ended in an error, and clips that jobs were published without, with the reason.",
            subcommands: [List.self, Requeue.self], defaultSubcommand: List.self)

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Newest first.")
            @OptionGroup var connection: AdminConnection
            @OptionGroup var page: PageChoice

            @Option(help: "Jobs of this client only.")
            var tenant: String?

            @Option(help: "Those that failed with this code only.")
            var code: String?

            func run() async throws {
                try await JobsCommand.ask(
                    connection, json: page.json,
                    {
                        try await $0.get(
                            "/admin/v1/dead-letters", page.query(("code", code), ("tenant", tenant)),
                            as: OperatorJobPage.self)
                    },
                    show: JobsText.deadLetters)
            }
        }

        struct Requeue: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Lets them begin again where they failed, newest first.",
                discussion: """
                    One transaction for each. Of one job five clips are made again at a time. Safe to repeat: what \
                    begins again is no dead letter any more.
                    """)
            @OptionGroup var connection: AdminConnection

            @Option(help: "Those that failed with this code only.")
            var code: String?

            @Option(help: "Jobs of this client only.")
            var tenant: String?

            @Option(help: "How many at most.")
            var limit: Int?

            @Flag(help: "Show which ones, and touch nothing.")
            var dryRun = false

            @Flag(help: "JSON on standard output.")
            var json = false

            func run() async throws {
                let query: [(name: String, value: String?)] = [
                    ("code", code), ("tenant", tenant), ("limit", limit.map { "\($0)" }), ("dryRun", "\(dryRun)"),
                ]
                try await JobsCommand.ask(
                    connection, json: json,
                    { try await $0.post("/admin/v1/dead-letters/requeue", query, as: JobService.Requeued.self) },
                    show: JobsText.requeued)
            }
        }
    }
}
