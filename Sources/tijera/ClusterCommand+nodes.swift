import ArgumentParser
import ClipModel
import HTTPGateway

/// Orders to nodes. They are written down in the database, and a node obeys with its next heartbeat.
extension ClusterCommand {
    struct Cordon: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a node begin nothing new. It finishes what it has and keeps its keys.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var order: NodeOrder

        func run() async throws { try await order.give("cordon", connection) }
    }

    struct Uncordon: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a cordon or a drain back: the node works as before.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var order: NodeOrder

        func run() async throws { try await order.give("uncordon", connection) }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Empties a node: nothing new, its keys go to others, and its stages end or are handed back.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var order: NodeOrder

        @Flag(help: "Return when the node is empty.")
        var wait = false

        func run() async throws {
            try await order.give("drain", connection)
            guard wait else { return }
            let client = try connection.open()
            try await ClusterCommand.reporting { try await ClusterCommand.untilEmpty(order.node, client) }
            Terminal.complain("\(order.node) is empty")
        }
    }

    struct Decommission: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a node out of service: shows what moves, drains it, and waits until it is empty.",
            discussion: """
                Refuses, with exit code 10, while the cluster could not spare the node. With --dry-run it shows the \
                plan and touches nothing. The process itself is yours to stop, by whatever started it.
                """)
        @OptionGroup var connection: AdminConnection
        @OptionGroup var order: NodeOrder

        @Flag(help: "Show what would happen and touch nothing.")
        var dryRun = false

        @Flag(help: "Go on against the objections.")
        var force = false

        func run() async throws {
            let client = try connection.open()
            try await ClusterCommand.reporting {
                let path = "/admin/v1/nodes/\(AdminClient.escaped(order.node))/"
                let plan = try await client.get(path + "decommission", as: DecommissionPlan.self)
                Terminal.say(order.json ? try ClusterText.json(plan) : ClusterText.plan(plan))
                guard plan.isSafe || (force && !dryRun) else { throw Exit.unhealthy }
                guard !dryRun else { return }
                let answer = try await client.post(path + "drain", as: SchedulabilityAnswer.self)
                if answer.isAlive { try await ClusterCommand.untilEmpty(order.node, client) }
                Terminal.complain("\(order.node) is empty; its process may be stopped now")
            }
        }
    }

    /// Waits until a node holds nothing any more: it says that it drains and runs no stage, or it is gone.
    static func untilEmpty(
        _ name: String, _ client: AdminClient, clock: any Clock<Duration> = ContinuousClock()
    ) async throws {
        while true {
            let report = try await client.get("/admin/v1/cluster", as: ClusterReport.self)
            guard let node = report.nodes.first(where: { $0.id == name }) else { return }
            let isGone = node.state == .left || node.state == .dead
            let hasObeyed = node.obeys == true && node.schedulability == .draining
            // What is shown from the database may be old; only what it says now counts.
            if report.database.state == .ok, isGone || (hasObeyed && node.load?.stages == 0) { return }
            if let stages = node.load?.stages, Terminal.isInteractive {
                Terminal.redraw("\(name): \(stages) stages left")
            }
            try await clock.sleep(for: .seconds(1))
        }
    }
}

/// Which node an order is for.
struct NodeOrder: ParsableArguments {
    @Argument(help: "Name of the node.")
    var node: String

    @Flag(help: "JSON on standard output.")
    var json = false

    func give(_ verb: String, _ connection: AdminConnection) async throws {
        let client = try connection.open()
        try await ClusterCommand.reporting {
            let answer = try await client.post(
                "/admin/v1/nodes/\(AdminClient.escaped(node))/\(verb)", as: SchedulabilityAnswer.self)
            Terminal.say(json ? try ClusterText.json(answer) : ClusterText.order(answer))
        }
    }
}
