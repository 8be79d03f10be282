import ClipModel
import Foundation
import Media
import Testing

@Suite struct TranscriptMergeTests {
    private func chunk(_ words: [Word], _ language: String = "es", _ probability: Double = 1) -> TranscribedChunk {
        TranscribedChunk(words: words, language: language, languageProbability: probability, retriedWindows: 0)
    }

    @Test func `chunks are put in order whatever order they came in`() {
        let merged = TranscriptMerge.merge([
            chunk([SpeechSamples.word("dos", 10, 11)]), chunk([]), chunk([SpeechSamples.word("uno", 1, 2)]),
        ])
        #expect(merged.words.map(\.text) == ["uno", "dos"])
    }

    @Test func `a word that both sides of a border heard is there once`() {
        let merged = TranscriptMerge.merge([
            chunk([SpeechSamples.word("muy", 9, 9.5), SpeechSamples.word("bien", 9.6, 10.1)]),
            chunk([SpeechSamples.word("Bien,", 9.8, 10.2), SpeechSamples.word("bien", 10.6, 11)]),
        ])
        #expect(merged.words.map(\.text) == ["muy", "bien", "bien"])
    }

    @Test func `words do not overlap`() {
        let merged = TranscriptMerge.merge([
            chunk([SpeechSamples.word("uno", 1, 3)]), chunk([SpeechSamples.word("dos", 2, 4)]),
        ])
        #expect(merged.words[0].end == 2)
    }

    @Test func `the language is that of most words`() {
        let many = chunk(SpeechSamples.speech(20), "es", 0.9)
        let few = chunk(SpeechSamples.speech(5, from: 100), "en", 0.99)
        #expect(TranscriptMerge.merge([few, many]).language == "es")
        #expect(TranscriptMerge.merge([chunk([], "und", 0)]).language == "und")
        #expect(TranscriptMerge.merge([]) == Transcript(language: "und", words: []))
    }

    @Test func `the words of a sidecar transcript are those of the chunk`() async throws {
        try await SpeechSamples.withDirectory { directory in
            let file = directory.appending(path: "words.srt")
            let text = "1\n00:00:01,000 --> 00:00:02,000\nhola amigos\n\n2\n00:01:00,000 --> 00:01:02,000\nadiós\n"
            try Data(text.utf8).write(to: file)
            let request = TranscriptionRequest(
                pcmPath: "", chunk: TimeRange(start: 0, end: 30), sidecarPath: file.path, sidecarFormat: .srt)
            let chunk = try await SidecarTranscriber().transcribe(request, threads: 1) { _ in }
            #expect(chunk.words.map(\.text) == ["hola", "amigos"])
        }
    }

    @Test func `a sidecar that cannot be read is refused`() async throws {
        var request = TranscriptionRequest(
            pcmPath: "", chunk: TimeRange(start: 0, end: 30), sidecarPath: "/nonexistent", sidecarFormat: .srt)
        await #expect(throws: MediaError.self) {
            try await SidecarTranscriber().transcribe(request, threads: 1) { _ in }
        }
        try await SpeechSamples.withDirectory { directory in
            let file = directory.appending(path: "words.srt")
            try Data("{".utf8).write(to: file)
            request.sidecarPath = file.path
            request.sidecarFormat = .json
            await #expect { _ = try await SidecarTranscriber().transcribe(request, threads: 1) { _ in } } throws: {
                ($0 as? MediaError)?.code == .transcriptUnreadable
            }
            await #expect {
                _ = try await SidecarTranscriber(bytesMax: 0).transcribe(request, threads: 1) { _ in }
            } throws: {
                ($0 as? MediaError)?.code == .transcriptTooLarge
            }
        }
    }

    @Test(arguments: [
        ("ggml-base.bin", 51865, 6, 6, "base", false), ("ggml-base.en.bin", 51864, 6, 6, "base", true),
        ("ggml-tiny.bin", 51865, 4, 4, "tiny", false), ("ggml-small.en.bin", 51864, 12, 12, "small", true),
        ("ggml-medium.bin", 51865, 24, 24, "medium", false), ("ggml-large-v1.bin", 51865, 32, 32, "largeV1", false),
        ("ggml-large-v2.bin", 51865, 32, 32, "largeV2", false), ("ggml-large-v3.bin", 51866, 32, 32, "largeV3", false),
        ("ggml-large-v3-turbo.bin", 51866, 32, 4, "largeV3Turbo", false),
        ("ggml-distil.bin", 51865, 32, 2, "other", false),
    ])
    func `attention heads follow the dimensions of the model`(
        name: String, vocabulary: Int, audioLayers: Int, textLayers: Int, family: String, isEnglish: Bool
    ) throws {
        let fields = [0x6767_6d6c, vocabulary, 1500, 512, 8, audioLayers, 448, 512, 8, textLayers, 80, 1]
        let header = fields.flatMap { field in (0..<4).map { UInt8(truncatingIfNeeded: field >> (8 * $0)) } }
        let heads = try #require(AlignmentHeads(header: header, fileName: name))
        #expect(heads.family.rawValue == family && heads.isEnglishOnly == isEnglish)
        #expect(AlignmentHeads(header: Array(header.dropLast()), fileName: name) == nil)
        #expect(AlignmentHeads(header: [0] + header.dropFirst(), fileName: name) == nil)
    }

    @Test func `a language is detected once for a sample, and never when the client named it`() throws {
        var memory = LanguageMemory()
        var request = TranscriptionRequest(
            pcmPath: "/a.wav", chunk: TimeRange(start: 0, end: 60), languageSample: TimeRange(start: 5, end: 65))
        var heard: [TimeRange] = []
        for _ in 0..<3 {
            let found = try memory.language(of: request, fallbackSample: TimeRange(start: 0, end: 1)) { range in
                heard.append(range)
                return ("es", 0.8)
            }
            #expect(found == LanguageMemory.Language(code: "es", probability: 0.8))
        }
        #expect(heard == [TimeRange(start: 5, end: 35)])
        request.language = "pt"
        let named = try memory.language(of: request, fallbackSample: TimeRange(start: 0, end: 1)) { _ in ("xx", 0) }
        #expect(named == LanguageMemory.Language(code: "pt", probability: 1))
    }
}
