import ArgumentParser
import ClipModel
import HTTPGateway

/// `tijera keys create|list|revoke`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "API keys: by them clients are known by name, wherever they come from.",
        discussion: """
            A client may have several keys: create the next one, hand it out, revoke the last. `tijera clients set \
            key:NAME` grants it terms.

            Exit codes: 0 done; 2 the node refused; 3 no node can be reached, or none reaches the database; 64 \
            wrong usage.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key for a client and shows it, once.",
            discussion: """
                Nodes keep a digest only: a key that is lost is revoked, and another made. When no answer comes, list \
                the keys: one that was made all the same is known to nobody, and can be revoked.
                """)
        @OptionGroup var connection: AdminConnection

        @Argument(help: "The client: 1 to 64 of a-z, 0-9, '.', '_' and '-'.")
        var client: String

        @Option(help: "Where it is used, for whoever lists keys later.")
        var note: String?

        @Option(help: "After so many days it opens nothing any more. Otherwise it is good until it is revoked.")
        var expiresDays: Int?

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            let query: [(name: String, value: String?)] = [
                ("client", client), ("note", note), ("expiresInDays", expiresDays.map { "\($0)" }),
            ]
            try await JobsCommand.ask(
                connection, json: json, { try await $0.post("/admin/v1/keys", query, as: CreatedKey.self) },
                show: { created in
                    let end = created.key.expiresAt.map { "until \($0)" } ?? "until it is revoked"
                    return "\(created.secret)\n\(created.key.id) of \(created.key.client), good \(end). "
                        + "The key is not shown again."
                })
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Keys, newest first.")
        @OptionGroup var connection: AdminConnection
        @OptionGroup var page: PageChoice

        @Argument(help: "Keys of this client only.")
        var client: String?

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: page.json,
                { try await $0.get("/admin/v1/keys", page.query(("client", client)), as: OperatorKeyPage.self) },
                show: Self.text)
        }

        static func text(_ page: OperatorKeyPage) -> String {
            guard !page.keys.isEmpty else { return "no key" }
            var table = TextTable(["KEY", "CLIENT", "STATE", "CREATED", "EXPIRES", "LAST USED", "NOTE"])
            for key in page.keys {
                table.add([
                    key.id.rawValue, key.client.rawValue, "\(key.state)", key.createdAt.rawValue,
                    key.expiresAt?.rawValue ?? "-", key.lastUsedAt?.rawValue ?? "-", key.note ?? "-",
                ])
            }
            return table.rendered + (page.nextCursor.map { "\nmore with --cursor \($0)" } ?? "")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a key back. Every node refuses it within 15 seconds.",
            discussion: "While the database is away, nodes that knew the key go on with it for at most 10 minutes.")
        @OptionGroup var connection: AdminConnection

        @Argument(help: "The id of the key, as lists show it.")
        var id: String

        @Flag(help: "JSON on standard output.")
        var json = false

        func run() async throws {
            try await JobsCommand.ask(
                connection, json: json,
                { try await $0.post("/admin/v1/keys/revoke", [("id", id)], as: OperatorKey.self) },
                show: { "\($0.id) of \($0.client): revoked \($0.revokedAt.map { "at \($0)" } ?? "")" })
        }
    }
}
