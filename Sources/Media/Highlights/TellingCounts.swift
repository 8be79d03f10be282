/// How much of any stretch tells of people, from running sums.
struct TellingCounts: Sendable {
    /// Running count of personal words; each word of a sentence that asks adds a share.
    private let personal: [Double]
    /// For every kind of pattern, a running count of the sentences that have it.
    private let patterns: [[Int]]

    init(_ text: SpeechText, _ sentences: [Sentence], phrases: TellingPhrases, questions: [Bool]) {
        let words = text.words.map(\.folded)
        var personal = [0.0]
        var patterns = [[Int]](repeating: [0], count: 4)
        for (index, sentence) in sentences.enumerated() {
            var has = [false, false, false, false]
            for place in sentence.words {
                let isPersonal = phrases.personal.contains(words[place])
                personal.append(personal[place] + (isPersonal ? 1 : 0) + (questions[index] ? 0.1 : 0))
                let rest = words[place..<sentence.words.upperBound]
                has[0] = has[0] || phrases.stories.opens(rest)
                has[1] = has[1] || phrases.turns.opens(rest)
                has[2] =
                    has[2] || words[place].contains(where: \.isNumber) || text.profile.numbers.contains(words[place])
            }
            // A question counts with the sentence that may answer it.
            has[3] = index > 0 && questions[index - 1] && !questions[index]
            for (kind, value) in has.enumerated() {
                patterns[kind].append(patterns[kind][index] + (value ? 1 : 0))
            }
        }
        self.personal = personal
        self.patterns = patterns
    }

    /// Personal words for each word.
    func people(_ words: Range<Int>) -> Double {
        words.isEmpty ? 0 : (personal[words.upperBound] - personal[words.lowerBound]) / Double(words.count)
    }

    /// 0 to 1: how many of the patterns are in these sentences, and how often.
    func told(_ sentences: Range<Int>) -> Double {
        var miss = 1.0
        for (kind, counts) in patterns.enumerated() {
            // The first of its kind counts most; the answer to a question must be inside with it.
            let first = kind == 3 ? min(sentences.lowerBound + 1, sentences.upperBound) : sentences.lowerBound
            let count = counts[sentences.upperBound] - counts[first]
            if count > 0 { miss *= 0.7 }
            if count > 1 { miss *= 0.85 }
        }
        return 1 - miss
    }
}
