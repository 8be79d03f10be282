import ClipModel

/// A word as it is shown, in seconds from the start of the clip.
struct CaptionWord: Hashable, Sendable {
    var text: String
    var start: Double
    var end: Double

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
        return shown
    }

    /// A sentence is over behind this word.
    var endsSentence: Bool { SpokenText.lastMark(of: text).map(SpokenText.endsSentence) ?? false }
    /// A comma or the like follows this word.
    var endsClause: Bool { SpokenText.lastMark(of: text).map(SpokenText.endsClause) ?? false }
}

/// Words that are shown together, on one or two lines.
struct CaptionGroup: Hashable, Sendable {
    var words: [CaptionWord]
    /// How many of the words stand on the first line; all of them when there is one line.
    var firstLine: Int
    /// When it is on screen, in seconds from the start of the clip.
    var start: Double
    var end: Double

    var lines: [ArraySlice<CaptionWord>] {
        firstLine >= words.count ? [words[...]] : [words[..<firstLine], words[firstLine...]]
    }
}
