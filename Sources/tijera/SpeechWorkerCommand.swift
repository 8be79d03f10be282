import ArgumentParser
import Media

/// `tijera speech-worker --model PATH`: started by nodes, never by people.
struct SpeechWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speech-worker", abstract: "Recognises speech for a node over standard input and output.",
        shouldDisplay: false)

    @Option(help: "whisper.cpp model file.")
    var model: String

    func run() async throws {
        let code = SpeechWorker.main(arguments: ["--model", model])
        if code != 0 { throw ExitCode(code) }
    }
}
