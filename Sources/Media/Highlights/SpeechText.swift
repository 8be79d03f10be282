import ClipModel

/// A transcript made ready for counting: times in whole milliseconds, words folded, stemmed and numbered.
package struct SpeechText: Sendable {
    struct SpokenWord: Sendable {
        /// As it is shown.
        var text: String
        /// Lower case, letters and digits only, accents kept: tells "él" from "el".
        var plain: String
        /// As `plain`, without accents.
        var folded: String
        var stem: String
        /// Indices into `terms`: one for most words, several for a run of Chinese or Japanese, none for a stop word.
        var terms: Range<Int>
        var start: Int
        var end: Int
    }

    let profile: LanguageProfile
    let words: [SpokenWord]
    /// Content terms of all words in a row, as numbers below `termCount`.
    let terms: [Int]
    let termCount: Int
    /// Length of the video in milliseconds.
    let duration: Int
    /// Whether capitals mean anything in this transcript.
    let isCased: Bool

    /// `language` is the client's choice; with `auto` the transcript's own, and without that the words decide.
    package init(_ transcript: Transcript, durationSeconds: Double, language: String) {
        let duration = milliseconds(durationSeconds)
        let spoken = Self.inOrder(transcript.words, duration: duration)
        var code = language == "auto" ? transcript.language : language
        if code == "und" || code.isEmpty { code = LanguageProfile.guess(spoken.map(\.text)) ?? "und" }
        let profile = LanguageProfile.named(code)
        var numbering = Numbering(profile: profile)
        var words: [SpokenWord] = []
        words.reserveCapacity(spoken.count)
        for word in spoken {
            let parts = numbering.parts(of: word.text)
            let first = numbering.terms.count
            numbering.terms += parts.terms
            words.append(
                SpokenWord(
                    text: word.text, plain: parts.plain, folded: parts.folded, stem: parts.stem,
                    terms: first..<numbering.terms.count, start: word.start, end: word.end))
        }
        let capitals = words.lazy.filter { $0.text.first(where: \.isLetter)?.isUppercase ?? false }.count
        self.profile = profile
        self.words = words
        self.duration = duration
        terms = numbering.terms
        termCount = numbering.numbers.count
        isCased = capitals * 50 > words.count
    }

    func text(of range: Range<Int>) -> String { SpokenText.join(words[range].lazy.map(\.text)) }
    func terms(of range: Range<Int>) -> ArraySlice<Int> {
        range.isEmpty
            ? [] : terms[words[range.lowerBound].terms.lowerBound..<words[range.upperBound - 1].terms.upperBound]
    }

    /// Milliseconds of silence before word `index`; from the start of the video for the first.
    func gap(before index: Int) -> Int { words[index].start - (index == 0 ? 0 : words[index - 1].end) }
    /// Milliseconds of silence after word `index`; to the end of the video for the last.
    func gap(after index: Int) -> Int {
        (index + 1 < words.count ? words[index + 1].start : duration) - words[index].end
    }

    /// Recognisers now and then give words out of order, overlapping, or behind the end. Selection must not: a border
    /// between two words exists only where they follow each other.
    private static func inOrder(_ words: [Word], duration: Int) -> [(text: String, start: Int, end: Int)] {
        var spoken: [(text: String, start: Int, end: Int)] = []
        spoken.reserveCapacity(words.count)
        for word in words where word.start.isFinite && word.end.isFinite && milliseconds(word.start) < duration {
            let text = trimmed(word.text)
            guard !text.isEmpty else { continue }
            let start = max(0, milliseconds(word.start))
            spoken.append((text, start, max(start, min(duration, milliseconds(word.end)))))
        }
        let order = spoken.indices.sorted { (spoken[$0].start, $0) < (spoken[$1].start, $1) }
        spoken = order.map { spoken[$0] }
        for index in spoken.indices.dropLast() where spoken[index].end > spoken[index + 1].start {
            spoken[index].end = spoken[index + 1].start
        }
        return spoken
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

/// Gives every distinct content term a number, and remembers how each spelling was taken apart.
private struct Numbering {
    struct Parts {
        var plain: String
        var folded: String
        var stem: String
        var terms: [Int]
    }

    let profile: LanguageProfile
    var numbers: [String: Int] = [:]
    var terms: [Int] = []
    private var known: [String: Parts] = [:]

    init(profile: LanguageProfile) { self.profile = profile }

    mutating func parts(of text: String) -> Parts {
        if let parts = known[text] { return parts }
        let folded = SpokenText.foldedCore(text)
        let plain = String(
            String.UnicodeScalarView(text.lowercased().unicodeScalars.filter(SpokenText.isWordScalar)))
        let stem = Stemmer.stem(folded, language: profile.language)
        var parts = Parts(plain: plain, folded: folded, stem: stem, terms: [])
        if folded.unicodeScalars.contains(where: SpokenText.isUnspaced) {
            // Without spaces a recogniser's "word" is an accident; pairs of characters carry the meaning (CJK bigrams).
            let scalars = Array(folded.unicodeScalars)
            let width = min(2, scalars.count)
            for first in 0...(scalars.count - width) {
                parts.terms.append(number(String(String.UnicodeScalarView(scalars[first..<(first + width)]))))
            }
        } else if folded.utf8.count > 1, !profile.stopWords.contains(folded) {
            parts.terms = [number(stem)]
        }
        known[text] = parts
        return parts
    }

    private mutating func number(_ term: String) -> Int {
        if let number = numbers[term] { return number }
        numbers[term] = numbers.count
        return numbers.count - 1
    }
}

/// Selection counts in whole milliseconds: sums of borders are exact, and ties are ties.
func milliseconds(_ seconds: Double) -> Int { Int((min(max(seconds, -1), 1e7) * 1000).rounded()) }
func seconds(_ milliseconds: Int) -> Double { Double(milliseconds) / 1000 }
