/// Judges the first words of a sentence: do they stand alone, and do they make one stay?
struct OpeningRules {
    /// An opening below this hangs on what came before; the start of the clip is then moved earlier.
    static let standaloneMin = 0.6

    private let text: SpeechText
    /// All words, folded.
    private let words: [String]
    private let answers: Set<String>
    private var profile: LanguageProfile { text.profile }

    init(_ text: SpeechText) {
        self.text = text
        words = text.words.map(\.folded)
        answers = TellingPhrases.named(text.profile.language).answers
    }

    /// Whether the sentence greets, thanks, says goodbye or asks to subscribe.
    func isHousekeeping(_ sentence: Sentence) -> Bool {
        sentence.words.contains { profile.housekeeping.opens(words[$0..<sentence.words.upperBound]) }
    }

    /// 1: needs nothing before it. 0.1: begins in the middle of a thought.
    func standalone(_ sentence: Sentence) -> Double {
        let border: Double =
            switch sentence.opening {
            case .sentence: 1
            case .clause: 0.4
            case .word: 0.15
            }
        return min(border, standalone(ofWords: sentence.words))
    }

    private func standalone(ofWords range: Range<Int>) -> Double {
        guard let first = range.first(where: { !profile.fillers.contains(text.words[$0].folded) }) else { return 0.5 }
        let word = text.words[first]
        if isQuestion(range) {
            // A question may lean on a pronoun and still open well: "And what is it that makes us stay?"
            return profile.connectives.contains(word.folded) ? 0.6 : 1
        }
        if profile.connectives.contains(word.folded) { return 0.1 }
        // "Yes, and" answers a question that is not in the clip; "no one" and "sin" do not.
        if answers.contains(word.folded), range.count == 1 || text.words[first].text.last?.isLetter == false {
            return 0.3
        }
        if profile.danglingPronouns.contains(word.plain) || isElided(word) { return 0.4 }
        let second = first + 1 < range.upperBound ? text.words[first + 1] : nil
        if first > range.lowerBound, let second, profile.connectives.contains(second.folded) { return 0.5 }
        return first == range.lowerBound ? 1 : 0.85
    }

    /// 0 to 1: how many reasons to stay the sentence gives.
    func hook(_ sentence: Sentence) -> Double {
        var score = 0.0
        if isQuestion(sentence.words) { score += 0.35 }
        var hasNumber = false, speaksToViewer = false, contrasts = false, phrase = false
        // What counts is what is heard in the first seconds.
        for index in sentence.words.prefix(25) {
            let word = text.words[index]
            hasNumber = hasNumber || word.folded.contains(where: \.isNumber) || profile.numbers.contains(word.folded)
            speaksToViewer = speaksToViewer || profile.secondPerson.contains(word.folded)
            contrasts = contrasts || profile.contrasts.contains(word.folded)
            phrase = phrase || profile.hooks.opens(words[index..<sentence.words.upperBound])
        }
        if hasNumber { score += 0.2 }
        if speaksToViewer { score += 0.2 }
        if contrasts { score += 0.2 }
        if phrase { score += 0.35 }
        if text.words[sentence.words.upperBound - 1].text.contains("!") { score += 0.1 }
        return min(1, score)
    }

    func isQuestion(_ range: Range<Int>) -> Bool {
        guard let last = range.last else { return false }
        if text.words[last].text.contains(where: SpokenText.isQuestionMark) { return true }
        let first = text.words[range.lowerBound]
        if first.text.first == "¿" { return true }
        // Without marks the first word has to tell.
        return !text.isCased && profile.questionWords.contains(first.plain)
            && !(SpokenText.lastMark(of: text.words[last].text).map(SpokenText.endsSentence) ?? false)
    }

    /// "It's", "they're", "he'll": a pronoun that swallowed its verb.
    private func isElided(_ word: SpeechText.SpokenWord) -> Bool {
        guard profile.language == "en", let mark = word.text.firstIndex(where: { $0 == "'" || $0 == "’" })
        else { return false }
        return profile.danglingPronouns.contains(word.text[..<mark].lowercased())
    }
}
