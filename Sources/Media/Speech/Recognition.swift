import CWhisper

/// A piece of text as the model speaks it: a word, a part of one, or a part of a character.
package struct SpokenToken: Hashable, Sendable {
    package var bytes: [UInt8]
    /// 0 to 1.
    package var probability: Double
    /// When the model's attention left this token for the next one; nil when that was not measured. The start of a
    /// token is the end of the one before.
    package var end: Double?

    package init(bytes: [UInt8], probability: Double, end: Double?) {
        self.bytes = bytes
        self.probability = probability
        self.end = end
    }
}

/// What the model made of one window.
package struct Recognition: Hashable, Sendable {
    package var tokens: [SpokenToken]
    /// How sure the model was, before it wrote anything, that nobody speaks.
    package var noSpeechProbability: Double

    package init(tokens: [SpokenToken], noSpeechProbability: Double) {
        self.tokens = tokens
        self.noSpeechProbability = noSpeechProbability
    }
}

/// How the model is asked to write.
///
/// Timestamps are switched off: a window ends at a pause that we chose, so the model never has to say where it stopped,
/// decodes fewer tokens and cannot skip the rest of a window by claiming that it ended early. Its own fallback over
/// temperatures is off too: `WindowVerdict` decides what a second try is worth, and how many there are.
package struct DecodingSettings: Hashable, Sendable {
    /// 1 is greedy.
    package var beams: Int
    package var temperature: Double
    /// Text that the model believes was said before.
    package var prompt: String?
    /// How much of the encoder's 30 s are computed; nil for all.
    package var audioSeconds: Double?

    package init(beams: Int = 1, temperature: Double = 0, prompt: String? = nil, audioSeconds: Double? = nil) {
        self.beams = beams
        self.temperature = temperature
        self.prompt = prompt
        self.audioSeconds = audioSeconds
    }

    /// In the form that crosses to C, but for what the model adds.
    var plain: tijera_whisper_settings {
        // The encoder makes 50 frames a second, 1500 in all.
        let frames = audioSeconds.map { Int32(min(1500, max(64, ($0 * 50).rounded(.up)))) } ?? 0
        return tijera_whisper_settings(
            threads: 1, beams: Int32(beams), temperature: Float(temperature), audio_frames: frames,
            spectrogram_only: false)
    }
}
