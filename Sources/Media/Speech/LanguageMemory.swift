package import ClipModel

/// Languages that were detected before. All chunks of a job share one sample, and listening to it costs as much as a
/// window of speech: it is done once per worker and job.
package struct LanguageMemory: Hashable, Sendable {
    package struct Language: Hashable, Sendable {
        package var code: String
        package var probability: Double

        package init(code: String, probability: Double) {
            self.code = code
            self.probability = probability
        }
    }

    private struct Sample: Hashable {
        var pcmPath: String
        var range: TimeRange
    }

    private static let entriesMax = 16
    /// The model hears no more than this of a sample.
    private static let sampleSecondsMax = 30.0

    private var entries: [Sample: Language] = [:]
    private var order: [Sample] = []

    package init() {}

    /// What the client named, or what `detect` hears in the request's sample.
    package mutating func language(
        of request: TranscriptionRequest, fallbackSample: TimeRange,
        detect: (TimeRange) throws(MediaError) -> (code: String, probability: Double)
    ) throws(MediaError) -> Language {
        if request.language != "auto", WhisperModel.knows(language: request.language) {
            return Language(code: request.language, probability: 1)
        }
        let asked = request.languageSample ?? fallbackSample
        let range = TimeRange(start: asked.start, end: min(asked.end, asked.start + Self.sampleSecondsMax))
        let sample = Sample(pcmPath: request.pcmPath, range: range)
        if let known = entries[sample] { return known }
        let (code, probability) = try detect(range)
        let language = Language(code: code, probability: probability)
        if order.count == Self.entriesMax { entries[order.removeFirst()] = nil }
        order.append(sample)
        entries[sample] = language
        return language
    }
}
