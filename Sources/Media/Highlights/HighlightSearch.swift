/// A candidate with all that is said about it.
struct FoundMoment {
    var candidate: ClipCandidate
    var verdict: ClipScorer.Verdict
    /// Where the topic begins in which it starts, in milliseconds.
    var topicStart: Int

    func overlaps(_ others: [FoundMoment]) -> Bool {
        others.contains { $0.candidate.span.start < candidate.span.end && candidate.span.start < $0.candidate.span.end }
    }
}

/// Looks for candidates among sentences of one fineness, and judges them.
struct HighlightSearch {
    private let text: SpeechText
    private let cuts: [Double]
    private let sound: SoundProfile
    private let lengths: ClosedRange<Int>
    private let sentencesFound: [Sentence]
    private let standalone: [Double]
    /// For every sentence, where its topic begins, in milliseconds.
    private let topicStarts: [Int]
    private let scorer: ClipScorer
    let weights: TermWeights

    /// `longest`: sentences that last longer, in milliseconds, are taken apart. `lengths` of clips in milliseconds.
    init(
        _ text: SpeechText, sound: SoundProfile, cuts: [Double], hits: [KeywordMatcher.Hit], hasKeywords: Bool,
        longest: Int, lengths: ClosedRange<Int>
    ) {
        let sentences = SentenceSplitter(text, longest: longest).sentences()
        let topics = TopicSegmenter(text, sentences).topics()
        self.text = text
        self.cuts = cuts
        self.sound = sound
        self.lengths = lengths
        sentencesFound = sentences
        standalone = sentences.map(OpeningRules(text).standalone)
        var starts: [Int] = []
        for (index, sentence) in sentences.enumerated() {
            let continues = index > 0 && topics[index] == topics[index - 1]
            starts.append(continues ? starts[index - 1] : text.words[sentence.words.lowerBound].start)
        }
        topicStarts = starts
        weights = TermWeights(text, sentences)
        scorer = ClipScorer(
            text, sentences, topics: topics, standalone: standalone, weights: weights, sound: sound, cuts: cuts,
            hits: hits, hasKeywords: hasKeywords)
    }

    /// Clips that start and end with sentences.
    func sentences() -> [FoundMoment] {
        let borders = ClipBorders(text, sound: sound, cuts: cuts, lengths: lengths)
        return judged(
            CandidateSearch(text, sentencesFound, standalone: standalone, borders: borders, lengths: lengths)
                .candidates())
    }

    /// Clips that are laid over pictures and sound.
    func windows() -> [FoundMoment] { judged(WindowSearch(text, cuts: cuts, lengths: lengths).candidates()) }

    /// The whole video as one clip.
    func whole() -> FoundMoment {
        let span = ClipBorders.Span(start: 0, end: text.duration)
        let sentences = sentencesFound.isEmpty ? nil : sentencesFound.indices
        return judged([ClipCandidate(span: span, words: text.words.indices, sentences: sentences)])[0]
    }

    private func judged(_ candidates: [ClipCandidate]) -> [FoundMoment] {
        zip(candidates, scorer.verdicts(on: candidates)).map { candidate, verdict in
            let start = candidate.sentences.map { topicStarts[$0.lowerBound] } ?? candidate.span.start
            return FoundMoment(candidate: candidate, verdict: verdict, topicStart: start)
        }
    }
}
