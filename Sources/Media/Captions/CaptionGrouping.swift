/// How words are gathered into what is on screen at one time.
///
/// One pass with look-ahead by cost: every way to end a group is weighed (dynamic programming over the words), so that
/// groups end at marks and pauses rather than wherever the line happens to be full.
struct CaptionGrouping: Sendable {
    /// Columns on one line. A square of a CJK script counts for two, as in subtitle practice.
    var columnsMax: Int
    var linesMax = 2
    /// Longest time on screen in seconds.
    var secondsMax: Double
    /// Shortest time on screen in seconds, where the next group leaves room.
    var secondsMin: Double
    /// A pause from here on ends a group, in seconds.
    var pauseSeconds: Double
    /// How long a group stays behind its last word when nothing follows, in seconds.
    var lingerSeconds: Double
    /// Reading speed above which a group should stay longer, in columns per second; 0: never mind.
    var columnsPerSecondMax: Double
    /// What a group costs in itself: more makes them longer.
    var groupCost: Double

    /// What it costs to part what may not be parted. Finite: a line that is too long is worse.
    private static let boundCost = 5.0

    /// For burned captions: a few words at a time, in step with the voice.
    static func burned(columnsMax: Int) -> CaptionGrouping {
        CaptionGrouping(
            columnsMax: columnsMax, secondsMax: 1.4, secondsMin: 0.4, pauseSeconds: 0.45, lingerSeconds: 0.25,
            columnsPerSecondMax: 0, groupCost: 0.6)
    }

    /// For subtitle files: whole sentences, at a speed people can read.
    static let subtitles = CaptionGrouping(
        columnsMax: 42, secondsMax: 7, secondsMin: 1, pauseSeconds: 1.5, lingerSeconds: 0.6, columnsPerSecondMax: 17,
        groupCost: 1)

    func groups(_ words: [CaptionWord], clipSeconds: Double, phrasing: CaptionPhrasing) -> [CaptionGroup] {
        let words = words.flatMap { $0.pieces(columnsMax: columnsMax, secondsMax: secondsMax, phrasing: phrasing) }
        let line = MeasuredWords(words, phrasing)
        var groups = partition(line).map { range in
            CaptionGroup(
                words: Array(words[range]), firstLine: firstLine(range, of: line) ?? range.count,
                start: words[range.lowerBound].start,
                end: max(words[range.lowerBound].start, words[range.upperBound - 1].end), columns: line.width(range))
        }
        for index in groups.indices {
            let next = index + 1 < groups.count ? groups[index + 1].start : clipSeconds
            groups[index].end = end(of: groups[index], next: next, isLast: index + 1 == groups.count)
        }
        return groups
    }

    /// Cheapest way to take the words apart; the groups are never empty and keep to the limits unless one word alone
    /// breaks them.
    private func partition(_ line: MeasuredWords) -> [Range<Int>] {
        guard !line.words.isEmpty else { return [] }
        var costs = [0.0] + [Double](repeating: .infinity, count: line.words.count)
        var starts = [Int](repeating: 0, count: line.words.count + 1)
        for end in 1...line.words.count {
            for start in stride(from: end - 1, through: 0, by: -1) {
                guard end - start == 1 || fits(start..<end, of: line) else { break }
                let cost = costs[start] + cost(of: start..<end, of: line)
                if cost < costs[end] { (costs[end], starts[end]) = (cost, start) }
            }
        }
        var ranges: [Range<Int>] = []
        var end = line.words.count
        while end > 0 {
            ranges.append(starts[end]..<end)
            end = starts[end]
        }
        return ranges.reversed()
    }

    private func fits(_ range: Range<Int>, of line: MeasuredWords) -> Bool {
        let words = line.words
        guard words[range.upperBound - 1].end - words[range.lowerBound].start <= secondsMax else { return false }
        for index in range.dropLast() {
            guard words[index + 1].start - words[index].end < pauseSeconds,
                words[index].speaker == words[index + 1].speaker
            else { return false }
        }
        return firstLine(range, of: line) != nil
    }

    /// What is unpleasant about showing the words `range` at one time. The numbers were set by eye on burned frames.
    private func cost(of range: Range<Int>, of line: MeasuredWords) -> Double {
        let first = line.words[range.lowerBound], last = line.words[range.upperBound - 1]
        let next = range.upperBound < line.words.count ? line.words[range.upperBound] : nil
        var cost = groupCost
        // Subtitles may hold the end of a sentence; a burned group of few words reads better without.
        for index in range.dropLast() {
            if line.endsSentence[index] { cost += secondsMax > 3 ? 0.7 : 2 }
            if line.endsClause[index] { cost += secondsMax > 3 ? 0.15 : 0.5 }
        }
        if let next, !line.endsSentence[range.upperBound - 1], !line.endsClause[range.upperBound - 1] {
            // Mid-phrase: worse the closer the words follow each other, worst after "of" or "el".
            let gap = max(0, next.start - last.end)
            cost += gap >= pauseSeconds ? 0 : 0.5 - min(0.3, gap)
            cost += line.leaning(range.upperBound - 1) * (gap >= pauseSeconds ? 0.3 : 1.1)
        }
        if next != nil, line.isBound[range.upperBound - 1] { cost += Self.boundCost }
        // A lone short word flashes by.
        if range.count == 1, line.columns[range.lowerBound] <= 4 { cost += 0.5 }
        let seconds = last.end - first.start
        if seconds < secondsMin { cost += 0.8 * (secondsMin - seconds) / secondsMin }
        if columnsPerSecondMax > 0 {
            let available = max(0.1, (next?.start ?? last.end + 1) - first.start)
            let speed = Double(line.width(range)) / available
            if speed > columnsPerSecondMax { cost += min(1, speed / columnsPerSecondMax - 1) }
        }
        return cost
    }

    private func end(of group: CaptionGroup, next: Double, isLast: Bool) -> Double {
        var end = group.end
        let gap = next - end
        if gap > 0 {
            if !isLast, gap <= lingerSeconds {
                end = next  // no flicker between groups that follow each other
            } else {
                let readable = columnsPerSecondMax > 0 ? Double(group.columns) / columnsPerSecondMax : 0
                let wanted = max(group.end + lingerSeconds, group.start + max(secondsMin, readable))
                end = min(next, wanted)
            }
        }
        return min(end, max(next, group.start), group.start + secondsMax)
    }

    /// How many words go on the first line so that all fit: all of them if one line does, else the best break; nil
    /// when they do not fit at all.
    private func firstLine(_ range: Range<Int>, of line: MeasuredWords) -> Int? {
        let whole = line.width(range)
        if whole <= columnsMax || range.count == 1 { return range.count }
        guard linesMax > 1, whole <= 2 * columnsMax + 1 else { return nil }
        var best: (count: Int, cost: Double)?
        for last in range.dropLast() {
            let top = line.width(range.lowerBound..<(last + 1)), bottom = line.width((last + 1)..<range.upperBound)
            guard top <= columnsMax, bottom <= columnsMax else { continue }
            var cost = Double(abs(top - bottom)) / Double(columnsMax)
            if top > bottom { cost += 0.05 }  // a pyramid reads better than a funnel
            if line.endsClause[last] || line.endsSentence[last] { cost -= 0.4 }
            cost += line.leaning(last)
            if line.isBound[last] { cost += Self.boundCost }
            // One letter alone on a line is an orphan.
            if min(top, bottom) <= 1 { cost += 2 }
            if cost < best?.cost ?? .infinity { best = (last + 1 - range.lowerBound, cost) }
        }
        return best?.count
    }
}

/// Words and what grouping asks of them again and again, counted once.
struct MeasuredWords {
    let words: [CaptionWord]
    let columns: [Int]
    let endsSentence: [Bool]
    let endsClause: [Bool]
    /// The word belongs to what follows.
    let leans: [Bool]
    /// The word may not be parted from the next.
    let isBound: [Bool]
    /// Running sum of columns, with the spaces between words.
    private let sums: [Int]
    private let spaceBefore: [Int]

    init(_ words: [CaptionWord], _ phrasing: CaptionPhrasing) {
        self.words = words
        let columns = words.map { Self.columns($0.text) }
        self.columns = columns
        endsSentence = words.map { $0.endsSentence && !phrasing.isAbbreviation($0.text) }
        endsClause = words.map(\.endsClause)
        leans = words.indices.map { index in
            let hasMark = words[index].endsClause || words[index].endsSentence
            return !hasMark && (phrasing.isKnown ? phrasing.leans(words[index].text) : columns[index] <= 3)
        }
        isBound = words.indices.map { index in
            index + 1 < words.count && phrasing.keepsTogether(words[index].text, words[index + 1].text)
        }
        spaceBefore = words.indices.map { index in
            index > 0 && SpokenText.isSpaced(words[index - 1].text, words[index].text) ? 1 : 0
        }
        var sums = [0]
        for (columns, space) in zip(columns, spaceBefore) { sums.append(sums[sums.count - 1] + columns + space) }
        self.sums = sums
    }

    /// How bad an end is after this word: worst where the article loses its noun, less where only the preposition stays
    /// behind ("según | la noche").
    func leaning(_ index: Int) -> Double {
        guard leans[index] else { return 0 }
        return index + 1 < leans.count && leans[index + 1] ? 0.25 : 0.7
    }

    /// Columns of these words on one line.
    func width(_ range: Range<Int>) -> Int {
        range.isEmpty ? 0 : sums[range.upperBound] - sums[range.lowerBound] - spaceBefore[range.lowerBound]
    }

    static func columns(_ text: String) -> Int {
        text.reduce(0) { columns, character in
            columns + (character.unicodeScalars.first.map(SpokenText.isFullWidth) ?? false ? 2 : 1)
        }
    }
}
