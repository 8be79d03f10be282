import ArgumentParser
import Node

/// `tijera node --config FILE`
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Runs a node until it is told to stop.",
        discussion:
            "SIGTERM and SIGINT stop it gracefully: running stages get node.drainSeconds to finish, then go back.")

    @OptionGroup var source: ConfigurationSource

    func run() async throws {
        let configuration = try source.orExit { () throws(ConfigurationError) in try source.load() }
        try await NodeProgram(configuration).run()
    }
}

/// Where the configuration comes from, on every command that needs it.
struct ConfigurationSource: ParsableArguments {
    @Option(help: "YAML file; the environment (TIJERA_...) and --set go over it.")
    var config: String?

    @Option(
        name: .customLong("set"), help: "One key with its value, as section.name=value. May be given more than once.")
    var overrides: [String] = []

    func load() throws(ConfigurationError) -> NodeConfiguration {
        try NodeConfiguration(path: config, overrides: overrides)
    }

    /// A bad configuration is told in full and ends with 78 (EX_CONFIG of sysexits.h), so that a supervisor can tell it
    /// from a crash.
    func orExit<Value>(_ body: () throws(ConfigurationError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            Terminal.complain("tijera: \(error)")
            throw ExitCode(78)
        }
    }
}
