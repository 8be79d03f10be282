import ClipModel
import Foundation
import Logging
import Media
import TestSupport
import Testing

/// With the real model. `cluster/test` sets the two variables, and then these must pass; elsewhere (a quick
/// `swift test` on a machine that has no model) they are skipped, and say so.
private let modelPath = ProcessInfo.processInfo.environment["TIJERA_WHISPER_MODEL"]
private let executablePath = ProcessInfo.processInfo.environment["TIJERA_EXECUTABLE"]

@Suite(.timeLimit(.minutes(5)), .serialized) struct SpeechRecognitionTests {
    /// espeak-ng's voice as the pipeline would hand it on.
    private func speak(_ text: String, voice: String, to file: URL, silenceBefore seconds: Double = 0) throws {
        let delay = "adelay=\(Int(seconds * 1000))"
        try Child.run(
            "sh",
            [
                "-c",
                #"espeak-ng -v "$1" -s 150 --stdout "$2" | "#
                    + #"ffmpeg -v error -y -i pipe:0 -af "$3" -ar 16000 -ac 1 -c:a pcm_s16le "$4""#,
                "sh", voice, text, delay, file.path,
            ])
    }

    private func plain(_ words: [Word]) -> [String] {
        words.map { $0.text.lowercased().filter(\.isLetter) }
    }

    private let spanish = "Hoy vamos a hablar de la constancia. La gente no compra productos, compra soluciones."

    @Test(.enabled(if: modelPath != nil, "set TIJERA_WHISPER_MODEL to a ggml model"))
    func `speech becomes words with times, in the language that is spoken`() async throws {
        let model = try WhisperModel(path: try #require(modelPath))
        try await SpeechSamples.withDirectory { directory in
            let file = directory.appending(path: "speech.wav")
            try speak(spanish, voice: "es", to: file, silenceBefore: 3)
            let sound = try WaveFile(path: file.path)
            let end = sound.durationSeconds
            var languages = LanguageMemory()
            let chunk = try ChunkRecogniser().transcribe(
                TranscriptionRequest(pcmPath: file.path, chunk: TimeRange(start: 0, end: end)), threads: 1,
                model: model, languages: &languages, interruption: .never, progress: { _ in })
            #expect(chunk.language == "es" && chunk.languageProbability > 0.5)
            let words = plain(chunk.words)
            for expected in ["hoy", "hablar", "constancia", "gente", "compra"] {
                #expect(words.contains(expected), "\(words)")
            }
            let first = try #require(chunk.words.first)
            #expect(abs(first.start - 3) < 0.3, "the first word starts at \(first.start)")
            for (one, next) in zip(chunk.words, chunk.words.dropFirst()) { #expect(one.end <= next.start + 0.001) }
            #expect(chunk.words.allSatisfy { $0.end <= end && $0.probability > 0 && $0.probability <= 1 })
        }
    }

    @Test(.enabled(if: modelPath != nil, "set TIJERA_WHISPER_MODEL to a ggml model"))
    func `silence and noise become nothing`() async throws {
        let model = try WhisperModel(path: try #require(modelPath))
        try await SpeechSamples.withDirectory { directory in
            var noise = SplitMix(state: 7)
            let hiss = (0..<16_000 * 12).map { _ in Int16(truncatingIfNeeded: Int(noise.next() % 4000) - 2000) }
            for samples in [[Int16](repeating: 0, count: 16_000 * 40), hiss] {
                let file = directory.appending(path: "sound.wav")
                try Data(SpeechSamples.wave(samples)).write(to: file)
                var languages = LanguageMemory()
                let chunk = try ChunkRecogniser().transcribe(
                    TranscriptionRequest(pcmPath: file.path, chunk: TimeRange(start: 0, end: 40)), threads: 1,
                    model: model, languages: &languages, interruption: .never, progress: { _ in })
                #expect(chunk.words.isEmpty, "\(chunk.words.map(\.text))")
            }
        }
    }

    @Test(.enabled(if: modelPath != nil && executablePath != nil, "set TIJERA_WHISPER_MODEL and TIJERA_EXECUTABLE"))
    func `a worker that is killed in the middle costs time, not words`() async throws {
        try await SpeechSamples.withDirectory { directory in
            let file = directory.appending(path: "speech.wav")
            try speak(Array(repeating: spanish, count: 5).joined(separator: " "), voice: "es", to: file)
            try await withPool { pool in
                let end = try WaveFile(path: file.path).durationSeconds
                let request = TranscriptionRequest(
                    pcmPath: file.path, chunk: TimeRange(start: 0, end: end), language: "es")
                let (signs, sign) = AsyncStream<Double>.makeStream(bufferingPolicy: .bufferingNewest(1))
                async let chunk = pool.transcribe(request, threads: 1) { sign.yield($0) }
                for await _ in signs { break }
                for worker in workers(reading: try #require(modelPath)) { kill(worker, SIGKILL) }
                #expect(plain(try await chunk.words).filter { $0 == "constancia" }.count >= 3)
            }
        }
    }

    @Test(.enabled(if: modelPath != nil && executablePath != nil, "set TIJERA_WHISPER_MODEL and TIJERA_EXECUTABLE"))
    func `a cancelled recognition stops within seconds and leaves no worker behind`() async throws {
        try await SpeechSamples.withDirectory { directory in
            let file = directory.appending(path: "speech.wav")
            try speak(Array(repeating: spanish, count: 8).joined(separator: " "), voice: "es", to: file)
            try await withPool { pool in
                let request = TranscriptionRequest(
                    pcmPath: file.path, chunk: TimeRange(start: 0, end: 40), language: "es")
                let (signs, sign) = AsyncStream<Double>.makeStream(bufferingPolicy: .bufferingNewest(1))
                let clock = ContinuousClock()
                let stopped = await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        await #expect(throws: MediaError(.cancelled)) {
                            try await pool.transcribe(request, threads: 1) { sign.yield($0) }
                        }
                    }
                    for await _ in signs { break }
                    let start = clock.now
                    group.cancelAll()
                    await group.waitForAll()
                    return clock.now - start
                }
                // A second is the rule; the others are for a machine that is slow, and busy with other tests.
                #expect(stopped < .seconds(4))
            }
            #expect(workers(reading: try #require(modelPath)).isEmpty)
        }
    }

    private func withPool(_ body: (SpeechPool) async throws -> Void) async throws {
        let pool = SpeechPool(
            configuration: SpeechConfiguration(
                executablePath: try #require(executablePath), modelPath: try #require(modelPath)),
            clock: ContinuousClock(), logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            try await body(pool)
            group.cancelAll()
        }
    }

    /// Our own children that were started with this model.
    private func workers(reading model: String) -> [Int32] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap { Int32($0) }.filter { process in
            let command = (try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))) ?? Data()
            let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            let parts = String(decoding: command, as: UTF8.self).split(separator: "\0")
            return parts.contains("speech-worker") && parts.contains(Substring(model))
                && status.contains("PPid:\t\(getpid())\n")
        }
    }
}
