import ArgumentParser

/// `tijera cluster status|health|cordon|uncordon|drain|decommission|ring`
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "The operator's view of the nodes, and orders to them.",
        discussion: """
            Any node may be asked: it answers from its own memory and never asks another. Without --server the nodes \
            of the cluster that cluster/up started here are asked, with its token.

            Exit codes: 0 done, healthy or safe; 2 the node refused; 3 no node can be reached; 10 unhealthy or not \
            safe, with the reasons; 64 wrong usage.
            """,
        subcommands: [
            Status.self, Health.self, Cordon.self, Uncordon.self, Drain.self, Decommission.self, Ring.self,
        ])

    /// What a script branches on.
    enum Exit {
        static let refused = ExitCode(2)
        static let unreachable = ExitCode(3)
        static let unhealthy = ExitCode(10)
    }

    /// Runs `body`; what goes wrong with the asking is told on standard error and ends with its own code.
    static func reporting(_ command: String = "cluster", _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as AdminError {
            Terminal.complain("tijera \(command): \(error.description)")
            throw error.isRefusal ? Exit.refused : Exit.unreachable
        }
    }
}
