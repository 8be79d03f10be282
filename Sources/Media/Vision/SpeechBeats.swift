package import ClipModel

/// Moments of a clip's speech at which a change of picture feels right, in seconds from the start of the clip, rising.
package struct SpeechBeats: Hashable, Sendable {
    /// Where sentences begin, and so where others have ended.
    package var sentences: [Double]
    /// Where words begin that captions would mark: keywords, numbers, extremes (`CaptionEmphasis`).
    package var stresses: [Double]

    package init(sentences: [Double], stresses: [Double]) {
        self.sentences = sentences
        self.stresses = stresses
    }

    package init(_ transcript: Transcript, clip: TimeRange, keywords: [String]) {
        let heard = CaptionWord.words(CaptionWord.nearby(transcript.words, clip), in: clip)
        let words = heard.map { Word(text: $0.text, start: $0.start, end: $0.end, probability: 1) }
        let text = SpeechText(
            Transcript(language: transcript.language, words: words), durationSeconds: clip.duration, language: "auto")
        let found = SentenceSplitter(text).sentences()
        sentences = found.filter { $0.opening == .sentence }.map { seconds(text.words[$0.words.lowerBound].start) }
        let marked = CaptionEmphasis(language: text.profile.language, keywords: keywords).marked(heard)
        stresses = marked.filter { !marked.contains($0 - 1) }.sorted().map { heard[$0].start.rounded(toPlaces: 3) }
    }
}
