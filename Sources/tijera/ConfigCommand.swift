import ArgumentParser
import Foundation
import Node

/// `tijera config check|print`
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks a configuration, or shows it whole.",
        subcommands: [Check.self, Print.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuses unknown keys and wrong values, each with its line. Exits 0 or 78.")
        @OptionGroup var source: ConfigurationSource

        func run() async throws {
            _ = try source.orExit { () throws(ConfigurationError) in try source.load() }
            Terminal.say("the configuration can be used")
        }
    }

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every key with its value, meaning, unit, and where the value came from. Secrets are hidden.")
        @OptionGroup var source: ConfigurationSource

        @Flag(help: "The keys as a Markdown table, as in docs/configuration.md.")
        var markdown = false

        func run() async throws {
            guard !markdown else { return Terminal.say(Setting.markdown) }
            let values = try source.orExit { () throws(ConfigurationError) in
                try ConfigurationValues(
                    path: source.config, environment: ProcessInfo.processInfo.environment, overrides: source.overrides)
            }
            Terminal.say(values.rendered())
        }
    }
}
