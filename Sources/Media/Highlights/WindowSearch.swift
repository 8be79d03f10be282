/// Stretches laid over a video without regard to sentences, for videos in which little or nothing is said. Their
/// borders are still never inside a word.
struct WindowSearch {
    /// Milliseconds between two tried starts; longer in very long videos, so that there are never too many.
    static let stepMillisecondsMin = 1000
    static let startsMax = 8000

    private let text: SpeechText
    private let cuts: [Int]
    private let lengths: ClosedRange<Int>

    init(_ text: SpeechText, cuts: [Double], lengths: ClosedRange<Int>) {
        self.text = text
        self.cuts = cuts.filter(\.isFinite).map(milliseconds).sorted()
        self.lengths = lengths
    }

    func candidates() -> [ClipCandidate] {
        let step = max(Self.stepMillisecondsMin, text.duration / Self.startsMax)
        let wanted = Set(
            [lengths.lowerBound, (lengths.lowerBound + lengths.upperBound) / 2, lengths.upperBound]
        ).sorted()
        var starts = Set(stride(from: 0, to: text.duration, by: step).map(outsideWords))
        // A start on a cut shows no flash of the shot before.
        for cut in cuts where cut < text.duration && outsideWords(cut) == cut { starts.insert(cut) }
        var found: [ClipCandidate] = []
        var seen: Set<ClipBorders.Span> = []
        for start in starts.sorted() {
            for length in wanted + [text.duration - start] {
                guard let end = end(near: start + length, from: start) else { continue }
                let span = ClipBorders.Span(start: start, end: end)
                guard seen.insert(span).inserted else { continue }
                found.append(ClipCandidate(span: span, words: words(in: span), sentences: nil))
            }
        }
        return found
    }

    /// `wanted` itself where nobody speaks, else the nearest border of the word there that keeps to the limits.
    private func end(near wanted: Int, from start: Int) -> Int? {
        let allowed = (start + lengths.lowerBound)...(start + lengths.upperBound)
        guard wanted <= text.duration else { return nil }
        var borders = [wanted]
        if let word = word(at: wanted) { borders = [text.words[word].end, text.words[word].start] }
        return borders.first { allowed.contains($0) && $0 <= text.duration }
    }

    private func outsideWords(_ place: Int) -> Int { word(at: place).map { text.words[$0].start } ?? place }

    /// The word that a border at `place` would cut.
    private func word(at place: Int) -> Int? {
        let next = firstWord(startingAtOrAfter: place)
        guard next > 0, text.words[next - 1].end > place else { return nil }
        return next - 1
    }

    private func words(in span: ClipBorders.Span) -> Range<Int> {
        let first = firstWord(startingAtOrAfter: span.start)
        return first..<max(first, firstWord(startingAtOrAfter: span.end))
    }

    private func firstWord(startingAtOrAfter place: Int) -> Int {
        var first = 0, last = text.words.count
        while first < last {
            let middle = (first + last) / 2
            if text.words[middle].start < place { first = middle + 1 } else { last = middle }
        }
        return first
    }
}
