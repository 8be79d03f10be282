import CWhisper
import Foundation

/// A loaded Whisper model: the only owner of the C handle, which it frees.
///
/// Not thread-safe, as whisper.cpp is not: one model, one thread that calls it. In the product that is the main thread
/// of a speech worker.
@safe
package struct WhisperModel: ~Copyable {
    private let handle: OpaquePointer
    package let alignment: AlignmentHeads

    /// Loads the weights: about 0.3 s for base, seconds for large.
    package init(path: String) throws(MediaError) {
        let alignment = try AlignmentHeads(modelAt: path)
        // Sound: the string outlives the call, and the handle is checked before it is kept.
        guard let loaded = unsafe tijera_whisper_load(path, alignment.preset, alignment.topLayers) else {
            throw MediaError(.speechModelBroken, "whisper.cpp could not load the model")
        }
        self.alignment = alignment
        unsafe handle = loaded
    }

    deinit {
        // Sound: ours alone, and freed nowhere else.
        unsafe whisper_free(handle)
    }

    /// Passes what whisper.cpp and ggml would print to `sink` instead of standard error, for the whole process.
    package static func silenceLogs() {
        // Sound: the callback captures nothing and lives as long as the program.
        unsafe whisper_log_set({ _, _, _ in }, nil)
    }

    package var isMultilingual: Bool {
        // Sound: the handle is alive as long as `self`.
        unsafe whisper_is_multilingual(handle) != 0
    }

    /// Whether whisper.cpp knows a language by this code.
    package static func knows(language: String) -> Bool {
        // Sound: reads a static table.
        unsafe whisper_lang_id(language) >= 0
    }

    /// The language that is most likely spoken in `samples` (at most 30 s count), and how likely it is.
    package func detectLanguage(
        _ samples: [Float], threads: Int, interruption: Interruption
    ) throws(MediaError) -> (code: String, probability: Double) {
        guard isMultilingual else { return ("en", 1) }
        // A run that stops before the encoder: it turns the samples into a spectrogram and puts the audio context back
        // to its full length, which an earlier window may have shortened and detection would inherit.
        try run(samples, DecodingSettings(), language: "en", threads: threads, interruption: interruption, dry: true)
        var probabilities = [Float](repeating: 0, count: Int(whisper_lang_max_id()) + 1)
        // Sound: the array has the length that the header asks for.
        let best = unsafe whisper_lang_auto_detect(handle, 0, Int32(threads), &probabilities)
        guard best >= 0, let name = unsafe whisper_lang_str(best) else {
            throw MediaError(.speechFailed, "language detection answered \(best)")
        }
        // Sound: a static string of whisper.cpp.
        return (unsafe String(cString: name), Double(probabilities[Int(best)]))
    }

    /// What is said in `samples`, which must fit one window (30 s). Times are seconds from their start.
    package func recognise(
        _ samples: [Float], _ settings: DecodingSettings, language: String, threads: Int, interruption: Interruption
    ) throws(MediaError) -> Recognition {
        try run(samples, settings, language: language, threads: threads, interruption: interruption, dry: false)
        var recognition = Recognition(tokens: [], noSpeechProbability: 0)
        // Sound, here and below: the handle is alive, and indices stay below the counts that it just gave.
        let firstSpecial = unsafe whisper_token_eot(handle)
        let segments = unsafe whisper_full_n_segments(handle)
        for segment in 0..<segments {
            let silence = unsafe whisper_full_get_segment_no_speech_prob(handle, segment)
            recognition.noSpeechProbability = max(recognition.noSpeechProbability, Double(silence))
            let count = unsafe whisper_full_n_tokens(handle, segment)
            for index in 0..<count {
                let facts = unsafe whisper_full_get_token_data(handle, segment, index)
                // End of text, language, task and timestamps all have numbers above the words.
                guard facts.id < firstSpecial, let text = unsafe whisper_full_get_token_text(handle, segment, index)
                else { continue }
                recognition.tokens.append(
                    SpokenToken(
                        // As bytes: one character may be spread over several tokens.
                        bytes: unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text))),
                        probability: Double(facts.p), end: facts.t_dtw >= 0 ? Double(facts.t_dtw) / 100 : nil))
            }
        }
        return recognition
    }

    private func run(
        _ samples: [Float], _ settings: DecodingSettings, language: String, threads: Int, interruption: Interruption,
        dry: Bool
    ) throws(MediaError) {
        var plain = settings.plain
        plain.threads = Int32(threads)
        plain.spectrogram_only = dry
        let box = InterruptionBox(interruption)
        // Sound: the call returns before this statement ends, so box, strings and samples outlive what it was given.
        let status = withExtendedLifetime(box) {
            unsafe samples.withUnsafeBufferPointer {
                unsafe tijera_whisper_run(
                    handle, plain, language, settings.prompt, $0.baseAddress, Int32($0.count),
                    { unsafe InterruptionBox.of($0).interruption.isWanted() },
                    Unmanaged.passUnretained(box).toOpaque())
            }
        }
        if interruption.isWanted() { throw MediaError(.cancelled) }
        guard status == 0 else { throw MediaError(.speechFailed, "whisper_full answered \(status)") }
    }
}

/// Asked by the recogniser between two steps of its computation whether it should stop.
package struct Interruption {
    package let isWanted: () -> Bool

    package init(isWanted: @escaping () -> Bool) { self.isWanted = isWanted }

    package static var never: Interruption { Interruption { false } }
}

/// Gives the closure an address that C can carry.
private final class InterruptionBox {
    let interruption: Interruption

    init(_ interruption: Interruption) { self.interruption = interruption }

    static func of(_ pointer: UnsafeMutableRawPointer?) -> InterruptionBox {
        // Sound: the only pointer that is ever passed is made by `run`, which keeps the box alive.
        unsafe Unmanaged<InterruptionBox>.fromOpaque(pointer!).takeUnretainedValue()
    }
}
