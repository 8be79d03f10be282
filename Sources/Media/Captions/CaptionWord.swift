import ClipModel

/// A word as it is shown, in seconds from the start of the clip.
struct CaptionWord: Hashable, Sendable {
    var text: String
    var start: Double
    var end: Double
    /// One of the few that may have a colour of their own.
    var isEmphasised = false
    /// Counted from 1 in the order in which they begin to speak; nil: nobody knows who says it, or nobody asked.
    var speaker: Int?

    /// The words of `words` that are heard in `clip`: loose marks joined to the word they belong to, times inside the
    /// clip, in order, not overlapping.
    ///
    /// A word that a border cuts counts where its larger half lies, so that a clip and its neighbour never both show
    /// it.
    static func words(_ words: [Word], in clip: TimeRange) -> [CaptionWord] {
        var shown: [CaptionWord] = []
        var opening = ""
        for word in words where word.start.isFinite && word.end.isFinite {
            let middle = (word.start + max(word.start, word.end)) / 2
            let text = word.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard clip.contains(middle), !text.isEmpty else { continue }
            let start = max(0, word.start - clip.start)
            let end = max(start, min(word.end, clip.end) - clip.start)
            if let last = shown.indices.last, SpokenText.attachesToPrevious(text) {
                shown[last].text += text
                shown[last].end = max(shown[last].end, end)
            } else if text.allSatisfy(SpokenText.isOpening) {
                opening += text
            } else {
                shown.append(CaptionWord(text: opening + text, start: start, end: end))
                opening = ""
            }
        }
        shown = shown.indices.sorted { (shown[$0].start, $0) < (shown[$1].start, $1) }.map { shown[$0] }
        for index in shown.indices.dropLast() { shown[index].end = min(shown[index].end, shown[index + 1].start) }
        return withCurrencies(shown)
    }

    /// Those that are heard in `clip` or across its borders: the others need no look.
    static func nearby(_ words: [Word], _ clip: TimeRange) -> [Word] {
        words.filter { $0.start < clip.end && max($0.start, $0.end) > clip.start }
    }

    /// Recognisers part a sign of currency from its number: "$ 5" is "$5", "50 €" stays on one line.
    private static func withCurrencies(_ words: [CaptionWord]) -> [CaptionWord] {
        var joined: [CaptionWord] = []
        var sign: CaptionWord?
        for word in words {
            if let before = sign {
                sign = nil
                if word.text.first?.isNumber ?? false {
                    joined.append(CaptionWord(text: before.text + word.text, start: before.start, end: word.end))
                    continue
                }
                joined.append(before)
            }
            guard isCurrency(word.text) else {
                joined.append(word)
                continue
            }
            if let last = joined.indices.last, joined[last].text.last?.isNumber ?? false {
                joined[last].text += "\u{A0}" + word.text
                joined[last].end = word.end
            } else {
                sign = word
            }
        }
        return joined + (sign.map { [$0] } ?? [])
    }

    private static func isCurrency(_ text: String) -> Bool {
        text.count <= 3 && (text.last?.unicodeScalars.first?.properties.generalCategory == .currencySymbol)
    }

    /// A sentence is over behind this word.
    var endsSentence: Bool { SpokenText.lastMark(of: text).map(SpokenText.endsSentence) ?? false }
    /// A comma or the like follows this word.
    var endsClause: Bool { SpokenText.lastMark(of: text).map(SpokenText.endsClause) ?? false }

    /// Without pictograms, which no font of captions has; nil when nothing is left.
    var withoutEmoji: CaptionWord? {
        guard text.unicodeScalars.contains(where: { $0.value >= 0x2600 }) else { return self }
        var kept = self
        kept.text = text.filter { character in
            guard let first = character.unicodeScalars.first else { return false }
            return !first.properties.isEmojiPresentation && !character.unicodeScalars.contains("\u{FE0F}")
        }
        return kept.text.isEmpty ? nil : kept
    }

    /// Parts of `columnsMax` columns and `secondsMax` seconds at most, for scripts without spaces, where a recogniser's
    /// "word" may be a whole sentence. Times are shared out by characters.
    func pieces(columnsMax: Int, secondsMax: Double, phrasing: CaptionPhrasing) -> [CaptionWord] {
        let characters = Array(text)
        guard characters.count > 1, text.unicodeScalars.contains(where: SpokenText.isFullWidth) else { return [self] }
        let byWidth = (MeasuredWords.columns(text) + columnsMax - 1) / columnsMax
        let bySeconds = Int(((end - start) / secondsMax).rounded(.up))
        let count = min(characters.count, max(byWidth, bySeconds))
        guard count > 1 else { return [self] }
        var borders: [Int] = []
        for part in 1..<count {
            var border = characters.count * part / count
            while border < characters.count,
                phrasing.keepsTogether(String(characters[border - 1]), String(characters[border]))
            { border += 1 }
            if border > borders.last ?? 0, border < characters.count { borders.append(border) }
        }
        let each = (end - start) / Double(characters.count)
        return zip([0] + borders, borders + [characters.count]).map { first, last in
            CaptionWord(
                text: String(characters[first..<last]), start: start + Double(first) * each,
                end: start + Double(last) * each, isEmphasised: isEmphasised, speaker: speaker)
        }
    }
}

/// Words that are shown together, on one or two lines.
struct CaptionGroup: Hashable, Sendable {
    var words: [CaptionWord]
    /// How many of the words stand on the first line; all of them when there is one line.
    var firstLine: Int
    /// When it is on screen, in seconds from the start of the clip.
    var start: Double
    var end: Double
    /// Of all its words on one line; 0: not counted.
    var columns = 0

    /// Of all its words: grouping parts what two say.
    var speaker: Int? { words.first?.speaker }

    var lines: [ArraySlice<CaptionWord>] {
        firstLine >= words.count ? [words[...]] : [words[..<firstLine], words[firstLine...]]
    }
}
