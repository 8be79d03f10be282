import ClipModel
import Foundation
import Media

/// Things to listen to, made by hand.
enum SpeechSamples {
    /// Sound in the given stretches and room noise elsewhere.
    static func activity(_ sounds: [ClosedRange<Double>], seconds: Double, start: Double = 0) -> SpeechActivity {
        let frames = Int((seconds / SpeechActivity.frameSeconds).rounded())
        let levels = (0..<frames).map { frame -> Float in
            let time = start + (Double(frame) + 0.5) * SpeechActivity.frameSeconds
            return sounds.contains { $0.contains(time) } ? -20 : -65
        }
        return SpeechActivity(levels: levels, start: start)
    }

    static func word(_ text: String, _ start: Double, _ end: Double, _ probability: Double = 0.9) -> Word {
        Word(text: text, start: start, end: end, probability: probability)
    }

    /// `count` words of 0.4 s, one after the other.
    static func speech(_ count: Int, from start: Double = 0, probability: Double = 0.9) -> [Word] {
        (0..<count).map { index in
            let time = start + 0.4 * Double(index)
            return word("word\(index)", time, time + 0.4, probability)
        }
    }

    static func token(_ text: String, _ end: Double?, _ probability: Double = 0.9) -> SpokenToken {
        SpokenToken(bytes: Array(text.utf8), probability: probability, end: end)
    }

    /// A WAV file. `extra`: chunks between format and samples; `claimed`: what the header says of the samples' length.
    static func wave(
        _ samples: [Int16], rate: UInt32 = 16_000, channels: UInt8 = 1, extra: [UInt8] = [], claimed: UInt32? = nil
    ) -> [UInt8] {
        func four(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let body = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let format = Array("fmt ".utf8) + four(16) + [1, 0, channels, 0] + four(rate) + four(rate * 2) + [2, 0, 16, 0]
        let sound = Array("data".utf8) + four(claimed ?? UInt32(body.count)) + body
        return Array("RIFF".utf8) + four(UInt32.max) + Array("WAVE".utf8) + format + extra + sound
    }

    /// Runs `body` with a directory that is gone afterwards.
    static func withDirectory<R>(_ body: (URL) async throws -> R) async throws -> R {
        let directory = FileManager.default.temporaryDirectory.appending(path: "speech-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory)
    }
}
