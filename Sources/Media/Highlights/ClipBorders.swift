import ClipModel

/// Where a clip may begin before a word and end after one: never inside a word, with a little air, best in silence,
/// on a cut where one is near.
///
/// The pause between two words is shared: what a clip that ends here may take and what a clip that begins here may
/// take never overlap, so clips that follow each other cannot either.
package struct ClipBorders: Sendable {
    /// Longest stretch before the first word, in milliseconds.
    package static let leadMillisecondsMax = 350
    /// Longest stretch after the last word, in milliseconds.
    package static let tailMillisecondsMax = 450
    /// What is taken when there is room: brisk at the start, a breath at the end.
    static let leadMillisecondsUsual = 250
    static let tailMillisecondsUsual = 350

    /// In a short pause a clip that ends there takes all but this, up to so much: where a word begins is known to
    /// 30 ms, where the one before trails off only to 150 ms.
    static let shortPauseLeadMilliseconds = 80
    static let shortPauseTailMillisecondsMax = 250

    /// How late a recogniser may give the start of a word that follows a pause.
    static let lateMillisecondsMax = 1000

    /// Where the audience answers the last word, so much of it is heard.
    static let laughMillisecondsMax = 2500

    struct Span: Hashable, Sendable {
        var start: Int
        var end: Int
    }

    /// Per word: where it begins to be heard; earliest and preferred start of a clip that begins with it.
    private let onset: [Int]
    private let earliest: [Int]
    private let start: [Int]
    /// Per word: latest and preferred end of a clip that ends with it.
    private let latest: [Int]
    private let end: [Int]
    private let text: SpeechText
    private let lengths: ClosedRange<Int>

    init(_ text: SpeechText, sound: SoundProfile, cuts: [Double], lengths: ClosedRange<Int>) {
        let cuts = cuts.filter(\.isFinite).map(milliseconds).sorted()
        var onset: [Int] = [], earliest: [Int] = [], start: [Int] = [], latest: [Int] = [], end: [Int] = []
        for (index, word) in text.words.enumerated() {
            let before = text.gap(before: index), after = text.gap(after: index)
            let isFirst = index == 0, isLast = index + 1 == text.words.count
            let lead = min(Self.leadMillisecondsMax, isFirst ? before : Self.share(of: before, lead: true))
            let tail = min(Self.tailMillisecondsMax, isLast ? after : Self.share(of: after, lead: false))
            let others = isFirst ? 0 : min(Self.tailMillisecondsMax, Self.share(of: before, lead: false))
            let reach = min(Self.lateMillisecondsMax, before - others)
            onset.append(Self.onset(word.start, lead: lead, reach: reach, sound))
            let ownLead = onset[index] < word.start ? min(lead, reach - (word.start - onset[index])) : lead
            start.append(Self.start(onset[index], lead: ownLead, sound, cuts))
            earliest.append(onset[index] - ownLead)
            if let laugh = Self.laugh(after: word.end, room: isLast ? after : after - Self.leadMillisecondsMax, sound) {
                latest.append(laugh)
                end.append(laugh)
                continue
            }
            latest.append(word.end + tail)
            end.append(Self.end(word.end, tail: tail, sound, cuts))
        }
        self.onset = onset
        self.earliest = earliest
        self.start = start
        self.latest = latest
        self.end = end
        self.text = text
        self.lengths = lengths
    }

    /// The clip of the words `range`, with its air cut or stretched so that the length fits; nil when it cannot.
    func span(of range: Range<Int>) -> Span? {
        let first = range.lowerBound, last = range.upperBound - 1
        let core = text.words[last].end - onset[first]
        guard core <= lengths.upperBound, latest[last] - earliest[first] >= lengths.lowerBound else { return nil }
        var span = Span(start: start[first], end: end[last])
        if span.end - span.start > lengths.upperBound {
            // The lead goes first: the ending is worth more.
            span.start = min(onset[first], span.end - lengths.upperBound)
            span.end = min(span.end, span.start + lengths.upperBound)
        } else if span.end - span.start < lengths.lowerBound {
            span.end = min(latest[last], span.start + lengths.lowerBound)
            span.start = max(earliest[first], span.end - lengths.lowerBound)
        }
        return span
    }

    /// Milliseconds between the first word's start and the last word's end.
    func core(of range: Range<Int>) -> Int {
        text.words[range.upperBound - 1].end - text.words[range.lowerBound].start
    }

    /// How much of a pause a clip's lead or tail may take. A long pause has room for both.
    private static func share(of pause: Int, lead: Bool) -> Int {
        if pause >= leadMillisecondsMax + tailMillisecondsMax { return pause }
        let even = pause * tailMillisecondsMax / (leadMillisecondsMax + tailMillisecondsMax)
        let tail = max(even, min(shortPauseTailMillisecondsMax, pause - shortPauseLeadMilliseconds))
        return lead ? pause - tail : tail
    }

    /// After a pause the first word's start is sometimes given when it is half over: where no silence is near it began
    /// where the last one ended. What the clip before may take stays out of reach.
    private static func onset(_ word: Int, lead: Int, reach: Int, _ sound: SoundProfile) -> Int {
        guard reach > lead, sound.silence(within: word - lead, word) == nil else { return word }
        // Laughter at what was said before is no beginning.
        guard sound.reaction(word - reach, word, cause: 0) == 0 else { return word }
        return sound.lastSilence(within: word - reach, word - lead)?.upperBound ?? word
    }

    private static func start(_ word: Int, lead: Int, _ sound: SoundProfile, _ cuts: [Int]) -> Int {
        // A clip that starts just before a cut shows a flash of the shot before: start on the cut itself.
        if let cut = first(of: cuts, atOrAfter: word - lead), cut <= word {
            return last(of: cuts, notAfter: word) ?? cut
        }
        let usual = word - min(lead, leadMillisecondsUsual)
        guard let silence = sound.silence(within: word - lead, word) else { return usual }
        return min(max(usual, silence.lowerBound), silence.upperBound)
    }

    private static func end(_ word: Int, tail: Int, _ sound: SoundProfile, _ cuts: [Int]) -> Int {
        if let cut = first(of: cuts, atOrAfter: word), cut <= word + tail { return cut }
        let usual = word + min(tail, tailMillisecondsUsual)
        guard let silence = sound.silence(within: word, word + tail) else { return usual }
        // The sound may ring on after the time the recogniser gives: end inside the silence, not before it.
        return min(max(usual, silence.lowerBound), silence.upperBound)
    }

    /// Where a clip ends that lets the audience laugh; nil where it does not laugh at once.
    private static func laugh(after word: Int, room: Int, _ sound: SoundProfile) -> Int? {
        guard let laugh = sound.reaction(after: word, delay: tailMillisecondsMax) else { return nil }
        let end = min(laugh.upperBound, word + min(room, laughMillisecondsMax))
        return end > laugh.lowerBound ? end : nil
    }

    private static func first(of sorted: [Int], atOrAfter value: Int) -> Int? {
        let index = lowerBound(of: sorted, value)
        return index < sorted.count ? sorted[index] : nil
    }

    private static func last(of sorted: [Int], notAfter value: Int) -> Int? {
        let index = lowerBound(of: sorted, value + 1)
        return index > 0 ? sorted[index - 1] : nil
    }
}

/// Index of the first of `sorted` that is not below `value`.
func lowerBound(of sorted: [Int], _ value: Int) -> Int {
    var first = 0, last = sorted.count
    while first < last {
        let middle = (first + last) / 2
        if sorted[middle] < value { first = middle + 1 } else { last = middle }
    }
    return first
}
