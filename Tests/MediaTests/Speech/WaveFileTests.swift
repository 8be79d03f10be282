import ClipModel
import Foundation
import Media
import Testing

@Suite struct WaveFileTests {
    private func read<R>(_ bytes: [UInt8], _ body: (borrowing WaveFile) throws -> R) async throws -> R {
        try await SpeechSamples.withDirectory { directory in
            let file = directory.appending(path: "sound.wav")
            try Data(bytes).write(to: file)
            return try body(try WaveFile(path: file.path))
        }
    }

    @Test func `samples of a range are read, and nothing outside the file`() async throws {
        let samples = (0..<32_000).map { Int16($0 % 1000) }
        try await read(SpeechSamples.wave(samples)) { sound in
            #expect(sound.durationSeconds == 2)
            let part = try sound.samples(in: TimeRange(start: 0.5, end: 0.501))
            #expect(part == samples[8000..<8016].map { Float($0) / 32768 })
            #expect(try sound.samples(in: TimeRange(start: 1.9, end: 9)).count == 1600)
            #expect(try sound.samples(in: TimeRange(start: 5, end: 9)).isEmpty)
        }
    }

    @Test func `chunks before the samples are stepped over, odd lengths included`() async throws {
        let extra = Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0]
        try await read(SpeechSamples.wave([1, -2, 3], extra: extra)) { sound in
            #expect(sound.sampleCount == 3)
            let samples = try sound.samples(in: TimeRange(start: 0, end: 1))
            #expect(samples[1] == Float(-2) / 32768)
        }
    }

    @Test(arguments: [0, UInt32.max, 1_000_000])
    func `a length that is unknown or too large means up to the end of the file`(claimed: UInt32) async throws {
        try await read(SpeechSamples.wave([1, 2, 3, 4], claimed: claimed)) { #expect($0.sampleCount == 4) }
    }

    @Test(arguments: [
        SpeechSamples.wave([1], rate: 44_100), SpeechSamples.wave([1], channels: 2), Array("not a wave file".utf8),
        [], Array(SpeechSamples.wave([1]).prefix(30)),
    ])
    func `what is not 16 kHz mono is refused`(bytes: [UInt8]) async throws {
        await #expect(throws: MediaError.self) { try await read(bytes) { _ in } }
    }

    @Test func `a missing file says so`() {
        #expect { _ = try WaveFile(path: "/nonexistent/sound.wav").sampleCount } throws: {
            ($0 as? MediaError)?.code == .fileUnreadable
        }
    }
}
