/// Judges candidates by the signals of `HighlightSignal`, each figure from running sums in constant time.
struct ClipScorer {
    /// What one candidate says, before it is compared with the others.
    private struct Figures {
        var salience = 0.0
        var pace = 0.0
        var pauses = 0.0
        var energy = 0.0
        var dynamics = 0.0
        var reaction = 0.0
        var cuts = 0.0
    }

    /// Signals in the order of `HighlightSignal.allCases`, and what they come to.
    struct Verdict {
        /// 0 to 1.
        var score: Double
        var signals: [Double]

        subscript(_ signal: HighlightSignal) -> Double { signals[HighlightSignal.allCases.firstIndex(of: signal)!] }
    }

    /// A pause longer than this is dead air, in milliseconds.
    static let pauseMillisecondsMin = 500
    /// In a video with speech a stretch without any is worth this much of its score.
    static let silentShare = 0.6

    private let text: SpeechText
    private let sentences: [Sentence]
    private let topics: [Int]
    private let weights: TermWeights
    private let sound: SoundProfile
    private let cuts: [Int]
    private let hits: [KeywordMatcher.Hit]
    private let hasKeywords: Bool
    private let hooks: [Double]
    private let standalone: [Double]
    private let questions: [Bool]
    /// Running sums over words: letters, and milliseconds of dead air before each word.
    private let letters: [Int]
    private let pauses: [Int]
    /// Running count of words in sentences that only keep the house.
    private let housekeeping: [Int]

    init(
        _ text: SpeechText, _ sentences: [Sentence], topics: [Int], standalone: [Double], weights: TermWeights,
        sound: SoundProfile, cuts: [Double], hits: [KeywordMatcher.Hit], hasKeywords: Bool
    ) {
        self.text = text
        self.sentences = sentences
        self.topics = topics
        self.weights = weights
        self.sound = sound
        self.cuts = cuts.filter(\.isFinite).map(milliseconds).sorted()
        self.hits = hits
        self.hasKeywords = hasKeywords
        self.standalone = standalone
        let rules = OpeningRules(text)
        hooks = sentences.map(rules.hook)
        questions = sentences.map { rules.isQuestion($0.words) }
        var letters = [0], pauses = [0]
        for (index, word) in text.words.enumerated() {
            let gap = text.gap(before: index)
            letters.append(letters[index] + word.folded.unicodeScalars.count)
            pauses.append(pauses[index] + (gap >= Self.pauseMillisecondsMin ? gap : 0))
        }
        var housekeeping = [0]
        for sentence in sentences {
            let step = rules.isHousekeeping(sentence) ? 1 : 0
            for _ in sentence.words { housekeeping.append(housekeeping[housekeeping.count - 1] + step) }
        }
        self.housekeeping = housekeeping
        self.letters = letters
        self.pauses = pauses
    }

    func verdicts(on candidates: [ClipCandidate]) -> [Verdict] {
        let figures = candidates.map(figures)
        let salience = RobustScale(figures.map(\.salience)), pace = RobustScale(figures.map(\.pace))
        let flow = RobustScale(figures.map { -$0.pauses }), energy = RobustScale(figures.map(\.energy))
        let dynamics = RobustScale(figures.map(\.dynamics)), reaction = RobustScale(figures.map(\.reaction))
        let variety = RobustScale(figures.map(\.cuts))
        return zip(candidates, figures).map { candidate, figure in
            let signals = HighlightSignal.allCases.map { signal in
                switch signal {
                case .hook: hook(candidate)
                case .standalone: candidate.sentences.map { standalone[$0.lowerBound] } ?? 0
                case .ending: ending(candidate)
                case .salience: candidate.words.isEmpty ? 0 : salience.signal(figure.salience)
                case .keywords: keywords(candidate)
                case .substance: substance(candidate)
                case .focus: focus(candidate)
                case .pace: candidate.words.isEmpty ? 0 : pace.signal(figure.pace)
                case .flow: candidate.words.isEmpty ? 0 : flow.signal(-figure.pauses)
                case .energy: energy.signal(figure.energy)
                case .dynamics: dynamics.signal(figure.dynamics)
                case .reaction: reaction.signal(figure.reaction)
                case .variety: candidate.sentences == nil ? variety.signal(figure.cuts) : 0
                }
            }
            return Verdict(score: score(signals, ofSpeech: candidate.sentences != nil), signals: signals)
        }
    }

    private func score(_ signals: [Double], ofSpeech: Bool) -> Double {
        var score = 0.0
        for (signal, value) in zip(HighlightSignal.allCases, signals) {
            guard ofSpeech else {
                score += signal.silentWeight * value
                continue
            }
            let rest = hasKeywords ? 1 - HighlightSignal.keywordsWeight : 1
            score +=
                (signal == .keywords && hasKeywords ? HighlightSignal.keywordsWeight : signal.weight * rest) * value
        }
        return ofSpeech || text.words.isEmpty ? score : score * Self.silentShare
    }

    private func figures(_ candidate: ClipCandidate) -> Figures {
        let span = candidate.span, words = candidate.words
        let length = Double(max(1, span.end - span.start))
        var figures = Figures()
        figures.energy = sound.mean(span.start, span.end)
        figures.dynamics = sound.deviation(span.start, span.end)
        figures.reaction = sound.reaction(span.start, span.end)
        figures.cuts = Double(lowerBound(of: cuts, span.end) - lowerBound(of: cuts, span.start + 1)) / length
        guard !words.isEmpty else { return figures }
        // Air inside the clip only: the pause before its first word is not part of it.
        let pause = pauses[words.upperBound] - pauses[words.lowerBound + 1]
        figures.salience = weights.density(words)
        figures.pauses = Double(pause) / length
        figures.pace = Double(letters[words.upperBound] - letters[words.lowerBound]) / max(1, length - Double(pause))
        return figures
    }

    /// The first sentence, or, when that is over in a moment, the second at a discount.
    private func hook(_ candidate: ClipCandidate) -> Double {
        guard let range = candidate.sentences else { return 0 }
        let first = sentences[range.lowerBound].words
        var hook = hooks[range.lowerBound]
        let length = text.words[first.upperBound - 1].end - text.words[first.lowerBound].start
        if range.count > 1, length < 3500 { hook = max(hook, 0.8 * hooks[range.lowerBound + 1]) }
        return hook
    }

    private func ending(_ candidate: ClipCandidate) -> Double {
        guard let range = candidate.sentences else { return 0 }
        let last = range.upperBound - 1
        var ending: Double =
            switch sentences[last].closing {
            // The question is asked and the clip is over before the answer.
            case .sentence: questions[last] ? 0.4 : 0.8
            case .clause: 0.3
            case .word: 0.05
            }
        guard range.upperBound < sentences.count else { return ending + 0.2 }
        if topics[last] != topics[range.upperBound] || text.gap(after: candidate.words.upperBound - 1) >= 1000 {
            ending += 0.2
        } else if standalone[range.upperBound] <= 0.1 {
            // "... because": the thought goes on behind the border.
            ending -= 0.3
        }
        return max(0, ending)
    }

    /// A clip that is half greeting and thanks has no substance left.
    private func substance(_ candidate: ClipCandidate) -> Double {
        guard candidate.sentences != nil, !candidate.words.isEmpty else { return 0 }
        let words = housekeeping[candidate.words.upperBound] - housekeeping[candidate.words.lowerBound]
        return max(0, 1 - 2 * Double(words) / Double(candidate.words.count))
    }

    private func focus(_ candidate: ClipCandidate) -> Double {
        guard let range = candidate.sentences, !candidate.words.isEmpty else { return 0 }
        var share = 0, best = 0
        for sentence in range {
            if sentence > range.lowerBound, topics[sentence] != topics[sentence - 1] { share = 0 }
            share += sentences[sentence].words.count
            best = max(best, share)
        }
        return Double(best) / Double(candidate.words.count)
    }

    /// 0.5 for one hit, 0.75 for two, and so on; another keyword counts as much as three more of the same.
    private func keywords(_ candidate: ClipCandidate) -> Double {
        let hits = hits(in: candidate.words)
        guard !hits.isEmpty else { return 0 }
        let distinct = Set(hits.map(\.keyword)).count
        var miss = 1.0
        for _ in 0..<distinct { miss *= 0.5 }
        for _ in 0..<min(6, hits.count - distinct) { miss *= 0.8 }
        return 1 - miss
    }

    func hits(in words: Range<Int>) -> ArraySlice<KeywordMatcher.Hit> {
        var first = 0, last = hits.count
        while first < last {
            let middle = (first + last) / 2
            if hits[middle].words.lowerBound < words.lowerBound { first = middle + 1 } else { last = middle }
        }
        var end = first
        while end < hits.count, hits[end].words.lowerBound < words.upperBound { end += 1 }
        // A phrase that runs out of the clip is not said in it.
        return hits[first..<end].filter { $0.words.upperBound <= words.upperBound }[...]
    }
}
