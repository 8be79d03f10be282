/// Judges candidates by the signals of `HighlightSignal`, each figure from running sums in constant time.
struct ClipScorer {
    /// What one candidate says, before it is compared with the others.
    private struct Figures {
        var salience = 0.0
        var pace = 0.0
        var pauses = 0.0
        var energy = 0.0
        var dynamics = 0.0
        var people = 0.0
        var liveliness = 0.0
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
    /// A stretch this long without a word or a reaction is music, noise or nothing: no clip goes over it gladly.
    static let wordlessMillisecondsMax = 4000
    /// A reaction counts when at least so much of what caused it is in the clip, in milliseconds.
    static let causeMillisecondsMin = 6000
    /// What is left of the score of a clip that goes over a wordless stretch, opens in the middle of a thought, breaks
    /// off, or says little. Sums forgive what people do not.
    static let wordlessShare = 0.5
    static let hangingShare = 0.85
    static let brokenShare = 0.85
    static let emptyShare = 0.7
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
    /// Running count of words in sentences that only keep the house, or think aloud.
    private let housekeeping: [Int]
    /// Running count of wordless stretches before each word.
    private let wordless: [Int]
    private let telling: TellingCounts

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
        var letters = [0], pauses = [0], wordless = [0]
        for (index, word) in text.words.enumerated() {
            let gap = text.gap(before: index)
            letters.append(letters[index] + word.folded.unicodeScalars.count)
            let reaction = index == 0 ? 0 : sound.reaction(word.start - gap, word.start, cause: 0)
            let silent = gap - reaction
            pauses.append(pauses[index] + (silent >= Self.pauseMillisecondsMin ? silent : 0))
            wordless.append(wordless[index] + (silent >= Self.wordlessMillisecondsMax ? 1 : 0))
        }
        let phrases = TellingPhrases.named(text.profile.language)
        var housekeeping = [0]
        for sentence in sentences {
            let isIdle = rules.isHousekeeping(sentence)
            for index in sentence.words {
                let step = isIdle || phrases.drawls.contains(text.words[index].folded) ? 1 : 0
                housekeeping.append(housekeeping[index] + step)
            }
        }
        telling = TellingCounts(text, sentences, phrases: phrases, questions: questions)
        self.wordless = wordless
        self.housekeeping = housekeeping
        self.letters = letters
        self.pauses = pauses
    }

    func verdicts(on candidates: [ClipCandidate]) -> [Verdict] {
        let figures = candidates.map(figures)
        let salience = RobustScale(figures.map(\.salience)), pace = RobustScale(figures.map(\.pace))
        let flow = RobustScale(figures.map { -$0.pauses }), energy = RobustScale(figures.map(\.energy))
        let dynamics = RobustScale(figures.map(\.dynamics))
        let people = RobustScale(figures.map(\.people)), pitch = RobustScale(figures.map(\.liveliness))
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
                case .reaction: reaction(candidate)
                case .story:
                    candidate.sentences.map { 0.6 * people.signal(figure.people) + 0.4 * telling.told($0) } ?? 0
                case .pitch: candidate.words.isEmpty ? 0 : pitch.signal(figure.liveliness)
                case .variety: candidate.sentences == nil ? variety.signal(figure.cuts) : 0
                }
            }
            let share = candidate.sentences == nil ? 1 : share(candidate)
            return Verdict(score: share * score(signals, ofSpeech: candidate.sentences != nil), signals: signals)
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
        figures.liveliness = sound.liveliness(span.start, span.end)
        figures.cuts = Double(lowerBound(of: cuts, span.end) - lowerBound(of: cuts, span.start + 1)) / length
        guard !words.isEmpty else { return figures }
        // Air inside the clip only: the pause before its first word is not part of it.
        let pause = pauses[words.upperBound] - pauses[words.lowerBound + 1]
        figures.salience = weights.density(words)
        figures.people = telling.people(words)
        figures.pauses = Double(pause) / length
        figures.pace = Double(letters[words.upperBound] - letters[words.lowerBound]) / max(1, length - Double(pause))
        return figures
    }

    /// What faults leave of a clip's score.
    private func share(_ candidate: ClipCandidate) -> Double {
        guard let range = candidate.sentences, !candidate.words.isEmpty else { return 1 }
        var share = 1.0
        if wordless[candidate.words.upperBound] > wordless[candidate.words.lowerBound + 1] {
            share *= Self.wordlessShare
        }
        if standalone[range.lowerBound] < OpeningRules.standaloneMin { share *= Self.hangingShare }
        if ending(candidate) < 0.5 { share *= Self.brokenShare }
        if substance(candidate) < 0.4 { share *= Self.emptyShare }
        return share
    }

    /// 1 for two seconds of laughter and more. The border of the clip may cut it short, so a burst in which the clip
    /// ends counts whole.
    private func reaction(_ candidate: ClipCandidate) -> Double {
        guard !candidate.words.isEmpty else { return 0 }
        let last = text.words[candidate.words.upperBound - 1].end
        var length = sound.reaction(candidate.span.start, last, cause: Self.causeMillisecondsMin)
        if last - candidate.span.start >= Self.causeMillisecondsMin {
            let burst = sound.reaction(after: last, delay: ReactionFinder.delayMillisecondsMax)
            if let burst, burst.lowerBound < candidate.span.end { length += burst.count }
        }
        return min(1, Double(length) / 2000)
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
            case .sentence: questions[last] ? 0.2 : 0.8
            case .clause: 0.3
            case .word: 0.05
            }
        guard range.upperBound < sentences.count else { return ending + 0.2 }
        if topics[last] != topics[range.upperBound] || text.gap(after: candidate.words.upperBound - 1) >= 1000 {
            // Also where the audience answers: what follows the laugh is something else.
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
