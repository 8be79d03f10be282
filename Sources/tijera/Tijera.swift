import ArgumentParser

@main
struct Tijera: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tijera",
        abstract: "Turns long videos into short vertical clips, on a cluster where every node is equal.",
        subcommands: [
            ClipCommand.self, NodeCommand.self, ClusterCommand.self, JobsCommand.self, ClientsCommand.self,
            PlansCommand.self, KeysCommand.self, LinksCommand.self, BlobsCommand.self, ConfigCommand.self,
            BenchCommand.self, SpeechWorkerCommand.self,
        ]
    )
}
