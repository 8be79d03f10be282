import ArgumentParser
import HTTPGateway
import Placement

extension ClusterCommand {
    struct Ring: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Which node owns which key, and why.", subcommands: [Explain.self, Diff.self])

        struct Explain: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Why a key is where it is, with every number that decided it.")
            @OptionGroup var connection: AdminConnection

            @Argument(help: "The key: the id of a job, the address or API key of a client.")
            var key: String

            @Option(help: "Kind of the actor that is placed by the key.")
            var kind: String?

            @Option(help: "The key's home region. Without it the whole cluster is one pool.")
            var home: String?

            @Flag(help: "JSON on standard output.")
            var json = false

            func run() async throws {
                let client = try connection.open()
                try await ClusterCommand.reporting {
                    let explanation = try await client.get(
                        "/admin/v1/ring/explain", [("key", key), ("kind", kind), ("home", home)],
                        as: PlacementExplanation.self)
                    Terminal.say(json ? try ClusterText.json(explanation) : ClusterText.explanation(explanation))
                }
            }
        }

        struct Diff: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Which part of the keys would move, and from whom to whom.")
            @OptionGroup var connection: AdminConnection

            @Option(help: "The node to think away.")
            var without: String

            @Flag(help: "JSON on standard output.")
            var json = false

            func run() async throws {
                let client = try connection.open()
                try await ClusterCommand.reporting {
                    let difference = try await client.get(
                        "/admin/v1/ring/diff", [("without", without)], as: PlacementDifference.self)
                    Terminal.say(json ? try ClusterText.json(difference) : ClusterText.difference(difference))
                }
            }
        }
    }
}
