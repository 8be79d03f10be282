import ArgumentParser
import ClipModel
import Foundation
import Media
import Node

/// `tijera bench queue`, `tijera bench workers`, `tijera bench transcribe`, `tijera bench calls`, `tijera bench limits`
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures parts of the system on this machine.",
        subcommands: [Queue.self, Workers.self, Transcribe.self, Calls.self, Limits.self])

    struct Transcribe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Recognises the speech of one 16 kHz mono WAV in one piece, in this process, without a cluster.")

        @Argument(help: "The sound.")
        var sound: String

        @Argument(help: "Threads for the recogniser.")
        var threads: Int

        @Option(help: "whisper.cpp model file.")
        var model: String

        func run() async throws {
            WhisperModel.silenceLogs()
            do {
                let whole = TimeRange(start: 0, end: try WaveFile(path: sound).durationSeconds)
                var languages = LanguageMemory()
                let heard = try ChunkRecogniser().transcribe(
                    TranscriptionRequest(pcmPath: sound, chunk: whole), threads: threads,
                    model: WhisperModel(path: model), languages: &languages, interruption: .never
                ) { _ in }
                Terminal.say(#"{"language": "\#(heard.language)", "words": \#(heard.words.count)}"#)
            } catch {
                Terminal.complain("tijera bench transcribe: \(error.description)")
                throw ExitCode.failure
            }
        }

        func validate() throws {
            guard (1...256).contains(threads) else { throw ValidationError("threads must be between 1 and 256") }
        }
    }

    struct Calls: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Calls and streams between two nodes in this process, over mutual TLS on loopback.")

        @Option(help: "Folder of a cluster's certificates, as cluster/up makes it.")
        var certificates: String

        @Option(help: "Calls under way at the same time.")
        var inFlight = 256

        @Option(help: "How long each kind of call is measured.")
        var seconds = 5.0

        func run() async throws {
            let figures = try await CallBenchmark(
                certificates: certificates, inFlight: inFlight, seconds: seconds
            ).run()
            Terminal.say(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        }

        func validate() throws {
            guard (1...10_000).contains(inFlight) else {
                throw ValidationError("--in-flight must be between 1 and 10000")
            }
            guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds must be between 0.1 and 600") }
        }
    }

    struct Limits: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decisions of the limiters of three nodes in this process, over mutual TLS on loopback.")

        @Option(help: "Folder of a cluster's certificates, as cluster/up makes it, with eu-1, us-1 and eu-2.")
        var certificates: String

        @Option(help: "Callers on each node, each with one check under way.")
        var callers = 256

        @Option(help: "How long each kind of check is measured.")
        var seconds = 5.0

        func run() async throws {
            let figures = try await LimitBenchmark(
                certificates: certificates, callers: callers, seconds: seconds
            ).run()
            Terminal.say(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        }

        func validate() throws {
            guard (1...3000).contains(callers) else { throw ValidationError("--callers must be between 1 and 3000") }
            guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds must be between 0.1 and 600") }
        }
    }
}
