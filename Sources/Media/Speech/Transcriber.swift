package import ClipModel

/// Turns one chunk of a source's sound into words. Two implementations: `LocalTranscriber` listens,
/// `SidecarTranscriber` reads a transcript that the client sent along.
package protocol Transcriber: Sendable {
    /// `threads` is how many the caller's share of the machine allows; `progress` gets 0 to 1, never falling. What it
    /// takes is added to `effort`, also when it fails.
    func transcribe(
        _ request: TranscriptionRequest, threads: Int, effort: EffortMeter, progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> TranscribedChunk
}

/// What is to be transcribed. It crosses to the speech worker, so it holds everything the answer depends on.
package struct TranscriptionRequest: Hashable, Sendable, Codable {
    /// 16 kHz mono 16-bit WAV of the whole source.
    package var pcmPath: String
    /// The part of the source that is asked for, in seconds.
    package var chunk: TimeRange
    /// Where to listen for the language. The same for every chunk of a job: else chunks could disagree.
    package var languageSample: TimeRange?
    /// `auto`, or an ISO 639-1 code.
    package var language: String
    /// Words that the client expects to hear. Biases the recogniser; never forces.
    package var keywords: [String]
    /// A transcript that the client sent, and how it is written.
    package var sidecarPath: String?
    package var sidecarFormat: SidecarTranscript.Format?

    package init(
        pcmPath: String, chunk: TimeRange, languageSample: TimeRange? = nil, language: String = "auto",
        keywords: [String] = [], sidecarPath: String? = nil, sidecarFormat: SidecarTranscript.Format? = nil
    ) {
        self.pcmPath = pcmPath
        self.chunk = chunk
        self.languageSample = languageSample
        self.language = language
        self.keywords = keywords
        self.sidecarPath = sidecarPath
        self.sidecarFormat = sidecarFormat
    }
}

/// The words of one chunk.
package struct TranscribedChunk: Hashable, Sendable, Codable {
    /// In order, with times of the source, not of the chunk.
    package var words: [Word]
    /// ISO 639-1, or `und` when nothing is said.
    package var language: String
    /// How sure the recogniser was of the language; 1 when the client named it.
    package var languageProbability: Double
    /// Windows that looked wrong at first and were listened to again.
    package var retriedWindows: Int

    package init(words: [Word], language: String, languageProbability: Double, retriedWindows: Int) {
        self.words = words
        self.language = language
        self.languageProbability = languageProbability
        self.retriedWindows = retriedWindows
    }
}
