/// A short headline from what is said in a clip.
struct ClipTitle {
    static let charactersMax = 60
    /// Where a headline must be cut, a clause border is taken if at least so much is left.
    static let clauseCharactersMin = 24

    private let text: SpeechText
    private let sentences: [Sentence]
    private let weights: TermWeights
    private let rules: OpeningRules

    init(_ text: SpeechText) {
        self.text = text
        sentences = SentenceSplitter(text).sentences()
        weights = TermWeights(text, sentences)
        rules = OpeningRules(text)
    }

    /// The sentence of a clip that hooks or weighs most, without its fillers, at most `charactersMax` characters; nil
    /// when nothing is said in it.
    func title(of words: Range<Int>) -> String? {
        guard !words.isEmpty else { return nil }
        var best: (title: String, weight: Double)?
        let whole = sentences.filter {
            words.lowerBound <= $0.words.lowerBound && $0.words.upperBound <= words.upperBound
        }
        for sentence in whole.isEmpty ? [Sentence(words: words, opening: .word, closing: .word)] : whole {
            guard let title = headline(sentence.words), title.count >= 3 else { continue }
            var weight = weights.density(sentence.words) + 3 * rules.hook(sentence)
            // What the clip opens with: a headline from there keeps its promise soonest.
            if sentence.words.lowerBound == words.lowerBound { weight += 1 }
            // Two words make no headline, and what does not fit says less than it could.
            if sentence.words.count < 3 { weight -= 4 }
            if title.last == "…" { weight -= 0.5 }
            if weight > best?.weight ?? -.infinity { best = (title, weight) }
        }
        return best?.title
    }

    /// "And so, well, the truth is that nobody knows." -> "The truth is that nobody knows"
    func headline(_ range: Range<Int>) -> String? {
        let profile = text.profile
        var range = range
        while let first = range.first, range.count > 3 {
            let folded = text.words[first].folded
            guard folded.isEmpty || profile.fillers.contains(folded) || profile.connectives.contains(folded)
            else { break }
            range = (first + 1)..<range.upperBound
        }
        let whole = tidied(text.text(of: range))
        guard let first = whole.first else { return nil }
        if whole.count <= Self.charactersMax { return capitalised(first, whole.dropFirst()) }
        let cut = cut(range)
        return cut.first.map { capitalised($0, cut.dropFirst()) }
    }

    /// As many words as fit, not ending in a stop word, with an ellipsis; better at a comma when that leaves enough.
    private func cut(_ range: Range<Int>) -> String {
        var fitting = range.lowerBound
        var clause: Int?
        for end in (range.lowerBound + 1)...range.upperBound {
            let candidate = text.text(of: range.lowerBound..<end)
            if candidate.count > Self.charactersMax - 1 { break }
            fitting = end
            if let mark = candidate.last, SpokenText.endsClause(mark), candidate.count >= Self.clauseCharactersMin {
                clause = end
            }
        }
        if let clause { return tidied(text.text(of: range.lowerBound..<clause)) }
        if fitting == range.lowerBound {
            // One endless word, or a script without spaces that came as one piece.
            return String(text.words[range.lowerBound].text.prefix(Self.charactersMax - 1)) + "…"
        }
        while fitting > range.lowerBound + 2, text.profile.stopWords.contains(text.words[fitting - 1].folded) {
            fitting -= 1
        }
        let kept = tidied(text.text(of: range.lowerBound..<fitting))
        return kept.drop { $0 == "¿" || $0 == "¡" } + "…"
    }

    /// No loose marks at either end; questions and exclamations keep theirs, with the opening mark that belongs to it.
    private func tidied(_ text: String) -> String {
        var text = text[...]
        while let first = text.first, !isWordStart(first) { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace || isLoose(last) { text = text.dropLast() }
        if text.first == "¿", text.last.map({ !SpokenText.isQuestionMark($0) }) ?? true { text = text.dropFirst() }
        if text.first == "¡", text.last != "!" { text = text.dropFirst() }
        return String(text)
    }

    private func isWordStart(_ character: Character) -> Bool {
        character == "¿" || character == "¡" || character.unicodeScalars.contains(where: SpokenText.isWordScalar)
    }

    private func isLoose(_ character: Character) -> Bool {
        if SpokenText.isQuestionMark(character) || character == "!" || character == "！" { return false }
        return SpokenText.endsSentence(character) || SpokenText.endsClause(character) || SpokenText.isOpening(character)
            || SpokenText.isClosing(character) || character == "-"
    }

    private func capitalised(_ first: Character, _ rest: Substring) -> String {
        if first == "¿" || first == "¡", let second = rest.first {
            return String(first) + second.uppercased() + rest.dropFirst()
        }
        return first.uppercased() + rest
    }
}
