import ArgumentParser
import HTTPGateway

/// `tijera links rotate`
struct LinksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "links", abstract: "The key with which links to downloads are signed.",
        discussion: """
            Any node may be asked. Without --server the nodes of the cluster that cluster/up started here are asked, \
            with its token.

            Exit codes: 0 done; 2 the node refused; 3 no node can be reached, or none reaches the database; 64 \
            wrong usage.
            """,
        subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a new key sign, at all nodes.",
            discussion: "Links that older keys signed are good until they end, a week at most; with --now they end.")
        @OptionGroup var connection: AdminConnection

        @Flag(help: "Revoke every link that was given out so far, within ten seconds everywhere.")
        var now = false

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: json,
                { try await $0.post("/admin/v1/links/rotate", [("now", now ? "true" : nil)], as: LinkRotation.self) },
                show: Self.text)
        }

        static func text(_ rotation: LinkRotation) -> String {
            let older = rotation.older.map { "  links of \($0.key) are good until \($0.acceptedUntil) at most" }
            let rest = older.isEmpty ? ["  no older link is good"] : older
            return (["key \(rotation.key) signs links from now on"] + rest).joined(separator: "\n")
        }
    }
}
