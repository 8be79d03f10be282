/// A stretch of the video that could become a clip.
struct ClipCandidate: Hashable, Sendable {
    /// In milliseconds.
    var span: ClipBorders.Span
    var words: Range<Int>
    /// The sentences it is made of; nil for a window that was laid over pictures and sound alone.
    var sentences: Range<Int>?
}

/// All stretches from the start of one sentence to the end of another whose length fits.
struct CandidateSearch {
    /// Where more ends fit one start, so many of them are tried, evenly spread: keeps long clips of short sentences
    /// from growing quadratic.
    static let endsPerStartMax = 32
    /// How many sentences the start may move back to find an opening that stands alone.
    static let sentencesBackMax = 3

    private let text: SpeechText
    private let sentences: [Sentence]
    private let standalone: [Double]
    private let borders: ClipBorders
    private let lengths: ClosedRange<Int>

    init(
        _ text: SpeechText, _ sentences: [Sentence], standalone: [Double], borders: ClipBorders,
        lengths: ClosedRange<Int>
    ) {
        self.text = text
        self.sentences = sentences
        self.standalone = standalone
        self.borders = borders
        self.lengths = lengths
    }

    func candidates() -> [ClipCandidate] {
        var found: [ClipCandidate] = []
        var seen: Set<Range<Int>> = []
        let air = ClipBorders.leadMillisecondsMax + ClipBorders.tailMillisecondsMax
        for first in sentences.indices {
            var ends: [Int] = []
            for last in first..<sentences.count {
                let core = borders.core(of: words(first, last))
                if core > lengths.upperBound { break }
                if core + air >= lengths.lowerBound { ends.append(last) }
            }
            for last in spread(ends) {
                let start = repairedStart(of: first, upTo: last)
                guard seen.insert(start..<(last + 1)).inserted else { continue }
                let range = words(start, last)
                guard let span = borders.span(of: range) else { continue }
                found.append(ClipCandidate(span: span, words: range, sentences: start..<(last + 1)))
            }
        }
        return found
    }

    /// An opening that hangs on what came before is repaired by starting earlier, where the length allows.
    private func repairedStart(of first: Int, upTo last: Int) -> Int {
        guard standalone[first] < OpeningRules.standaloneMin else { return first }
        for earlier in stride(from: first - 1, through: max(0, first - Self.sentencesBackMax), by: -1) {
            if borders.core(of: words(earlier, last)) > lengths.upperBound { break }
            if standalone[earlier] >= OpeningRules.standaloneMin { return earlier }
        }
        return first
    }

    private func words(_ first: Int, _ last: Int) -> Range<Int> {
        sentences[first].words.lowerBound..<sentences[last].words.upperBound
    }

    private func spread(_ ends: [Int]) -> [Int] {
        guard ends.count > Self.endsPerStartMax else { return ends }
        return (0..<Self.endsPerStartMax).map { ends[$0 * (ends.count - 1) / (Self.endsPerStartMax - 1)] }
    }
}
