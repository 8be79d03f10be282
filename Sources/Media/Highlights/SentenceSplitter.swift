/// How well a thought begins or ends at a border between two words.
package enum BorderKind: Int, Comparable, Sendable {
    /// Anywhere between two words.
    case word
    /// A comma, a short pause, or before a connective.
    case clause
    /// The end of a sentence.
    case sentence

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Words that belong together; clips start and end at the borders of these.
package struct Sentence: Hashable, Sendable {
    package var words: Range<Int>
    package var opening: BorderKind
    package var closing: BorderKind
}

/// Takes a stream of words apart into sentences by marks, pauses and length.
package struct SentenceSplitter {
    /// A pause this long ends a sentence whatever the marks say.
    static let pauseMillisecondsMax = 1500
    /// Fewer marks than one in so many words: the transcript is not punctuated, pauses decide.
    static let wordsPerMarkMax = 40
    /// A sentence longer than this is taken apart at its best inner border, so that clips can be fitted.
    package static let sentenceMillisecondsMax = 12_000

    private let text: SpeechText
    private let longest: Int

    /// `longest` may lower the limit for a sentence, in milliseconds, when clips must fit a narrow range of lengths.
    package init(_ text: SpeechText, longest: Int = SentenceSplitter.sentenceMillisecondsMax) {
        self.text = text
        self.longest = max(1000, min(longest, Self.sentenceMillisecondsMax))
    }

    /// In order, without gaps: every word is in one of them.
    package func sentences() -> [Sentence] {
        guard !text.words.isEmpty else { return [] }
        var found: [Sentence] = []
        var first = 0
        for last in borders() + [text.words.count - 1] {
            split(Sentence(words: first..<(last + 1), opening: .sentence, closing: .sentence), into: &found)
            first = last + 1
        }
        return found
    }

    /// Indices of the words after which a sentence ends, without the last word.
    private func borders() -> [Int] {
        let inner = 0..<(text.words.count - 1)
        let marked = inner.filter(endsByMark)
        let pause: Int
        if marked.count * Self.wordsPerMarkMax < text.words.count, text.words.count >= 20 {
            pause = typicalPause()
        } else {
            pause = Self.pauseMillisecondsMax
        }
        var ends = Set(marked)
        for index in inner where text.gap(after: index) >= pause { ends.insert(index) }
        return ends.sorted()
    }

    /// Without marks the longest sixth of the pauses between words are taken for ends of sentences.
    private func typicalPause() -> Int {
        let pauses = (0..<(text.words.count - 1)).map { text.gap(after: $0) }.sorted()
        let threshold = pauses[min(pauses.count - 1, pauses.count * 11 / 12)]
        return max(350, min(threshold, 900))
    }

    private func endsByMark(_ index: Int) -> Bool {
        let word = text.words[index], next = text.words[index + 1]
        let gap = text.gap(after: index)
        let nextOpens = next.text.first == "¿" || next.text.first == "¡"
        guard let mark = SpokenText.lastMark(of: word.text), SpokenText.endsSentence(mark) else {
            // "Y ahora ¿qué?" is one sentence, "... de eso. ¿Y ahora?" two: an opening mark alone is not enough.
            return nextOpens && gap >= 400 && !(word.text.last.map(SpokenText.endsClause) ?? false)
        }
        let nextIsLower = next.text.first(where: \.isLetter)?.isLowercase ?? false
        if text.isCased, nextIsLower, !nextOpens, gap < (mark == "…" || word.text.hasSuffix("...") ? 700 : 300) {
            return false
        }
        guard mark == "." else { return true }
        return !isAbbreviation(word, before: next, gap: gap)
    }

    private func isAbbreviation(_ word: SpeechText.SpokenWord, before next: SpeechText.SpokenWord, gap: Int) -> Bool {
        let stem = word.text.drop(while: { SpokenText.isOpening($0) }).prefix { !SpokenText.isClosing($0) }
        let pausesLikeAnEnd = gap >= 450
        if word.folded.count == 1, word.folded.first?.isLetter ?? false { return !pausesLikeAnEnd }
        // "3." before "5" is a decimal point that the recogniser tore apart.
        if word.folded.allSatisfy(\.isNumber), next.folded.first?.isNumber ?? false { return gap < 150 }
        if stem.dropLast().contains(".") { return !pausesLikeAnEnd }
        return text.profile.abbreviations.contains(word.folded) && !pausesLikeAnEnd
    }

    /// Halves `sentence` at its best inner border until every part is short enough. The depth is bounded: parts shrink.
    private func split(_ sentence: Sentence, into found: inout [Sentence]) {
        let range = sentence.words
        let length = text.words[range.upperBound - 1].end - text.words[range.lowerBound].start
        guard length > longest, range.count > 3 else {
            found.append(sentence)
            return
        }
        let begin = text.words[range.lowerBound].start
        var best = range.lowerBound
        var bestWeight = -Double.infinity
        for index in range.dropLast(2).dropFirst() {
            // The nearer to the middle, the better: 0 at the ends, 1 in the middle.
            let place = Double(text.words[index].end - begin) / Double(length)
            let weight = weight(ofBorderAfter: index) + 1.5 * (1 - abs(2 * place - 1))
            if weight > bestWeight { (best, bestWeight) = (index, weight) }
        }
        let kind: BorderKind = weight(ofBorderAfter: best) >= 0.5 ? .clause : .word
        split(Sentence(words: range.lowerBound..<(best + 1), opening: sentence.opening, closing: kind), into: &found)
        split(Sentence(words: (best + 1)..<range.upperBound, opening: kind, closing: sentence.closing), into: &found)
    }

    /// How much a border after word `index` looks like the border of a clause.
    private func weight(ofBorderAfter index: Int) -> Double {
        var weight = min(Double(text.gap(after: index)), 1200) / 400
        if let mark = text.words[index].text.last, SpokenText.endsClause(mark) { weight += 1 }
        if text.profile.connectives.contains(text.words[index + 1].folded) { weight += 0.6 }
        return weight
    }
}
