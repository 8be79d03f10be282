package import ClipModel

/// One spoken word and where it lies in the source, in seconds.
package struct Word: Hashable, Sendable, Codable {
    package var text: String
    package var start: Double
    package var end: Double
    /// 0 to 1, as the recogniser gives it; 1 for a transcript that a person sent.
    package var probability: Double

    package init(text: String, start: Double, end: Double, probability: Double) {
        self.text = text
        self.start = start
        self.end = end
        self.probability = probability
    }

    package var range: TimeRange { TimeRange(start: start, end: max(start, end)) }
}

/// What is said in a video, word by word, in order of time.
package struct Transcript: Hashable, Sendable, Codable {
    /// ISO 639-1, or `und` when nothing is said.
    package var language: String
    package var words: [Word]

    package init(language: String, words: [Word]) {
        self.language = language
        self.words = words
    }
}
