import ClipModel

/// Reads the cues of an SRT or WebVTT file, line by line.
///
/// Both are blocks of a line of times and lines of text. Forgiving where players are (missing counters, comma or point,
/// hours left out, no blank line between cues), strict where guessing would put words in the wrong place.
struct CueReader {
    private let lines: [Substring]
    private let format: SidecarTranscript.Format
    private let limits: SidecarParser.Limits
    /// From the head of a WebVTT file ("Language: es"), when it is there.
    private(set) var language: String?

    init(_ text: String, format: SidecarTranscript.Format, limits: SidecarParser.Limits) {
        // A carriage return and a line feed are one Character, so one split knows all three kinds of line end.
        lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        self.format = format
        self.limits = limits
    }

    mutating func cues() throws(Failure) -> [TimedText] {
        var position = format == .vtt ? try head() : 0
        var cues: [TimedText] = []
        while position < lines.count {
            let line = trimmed(lines[position])
            if line.isEmpty {
                position += 1
            } else if format == .vtt, isComment(line) {
                position = endOfBlock(from: position)
            } else if isTiming(line) {
                guard cues.count < limits.cuesMax else {
                    throw refuse("there are more than \(limits.cuesMax) cues.", position)
                }
                cues += try cue(at: &position)
            } else if position + 1 < lines.count, isTiming(trimmed(lines[position + 1])) {
                position += 1  // the counter, or the name of the cue
            } else {
                throw refuse(
                    "expected a time like 00:00:01,000 --> 00:00:02,500, found “\(line.prefix(40))”.", position)
            }
        }
        return cues
    }

    /// Skips the head of a WebVTT file, which ends with the first blank line, and remembers its language.
    private mutating func head() throws(Failure) -> Int {
        let first = lines.first.map(trimmed) ?? ""
        guard first == "WEBVTT" || first.hasPrefix("WEBVTT ") || first.hasPrefix("WEBVTT\t") else {
            throw refuse("a WebVTT file begins with the word WEBVTT.", 0)
        }
        var position = 1
        while position < lines.count, !trimmed(lines[position]).isEmpty, !isTiming(lines[position]) {
            let line = trimmed(lines[position])
            if line.lowercased().hasPrefix("language:") { language = trimmed(line.dropFirst(9)[...]) }
            position += 1
        }
        return position
    }

    /// The cue whose times are on line `position`, which moves behind it. WebVTT may time its words one by one: then
    /// it becomes several.
    private func cue(at position: inout Int) throws(Failure) -> [TimedText] {
        let timing = position
        let (start, end) = try times(on: timing)
        position += 1
        var text: [String] = []
        var bytes = 0
        while position < lines.count, !trimmed(lines[position]).isEmpty, !isTiming(lines[position]) {
            // Without a blank line between cues, the counter of the next one ends this one.
            let isCounter =
                format == .srt && !text.isEmpty && trimmed(lines[position]).allSatisfy(\.isNumber)
                && position + 1 < lines.count && isTiming(lines[position + 1])
            if isCounter { break }
            text.append(trimmed(lines[position]))
            bytes += lines[position].utf8.count + 1
            position += 1
            if bytes > 8 * limits.cueCharactersMax { break }  // refused below; no need to gather the rest
        }
        let whole = TimedText(start: start, end: end, text: text.joined(separator: "\n"), line: timing + 1)
        try TranscriptBuilder.check(whole, limits)
        guard format == .vtt, whole.text.contains("<") else { return [CueText.plain(whole)] }
        return CueText.timed(whole)
    }

    private func times(on position: Int) throws(Failure) -> (Double, Double) {
        let line = lines[position]
        guard let arrow = line.range(ofArrow: "-->") else { throw refuse("expected a time.", position) }
        let left = line[..<arrow.lowerBound].split(whereSeparator: \.isWhitespace)
        // Behind the second time may stand settings: "align:start position:0%" or "X1:100".
        let right = line[arrow.upperBound...].split(whereSeparator: \.isWhitespace)
        guard left.count == 1, let first = right.first, let start = ClockTime.seconds(left[0]),
            let end = ClockTime.seconds(first)
        else { throw refuse("“\(trimmed(line).prefix(60))” is not two times.", position) }
        guard start <= end else { throw refuse("the cue ends before it starts.", position) }
        return (start, end)
    }

    private func isTiming(_ line: some StringProtocol) -> Bool { line.contains("-->") }

    private func isComment(_ line: String) -> Bool {
        ["NOTE", "STYLE", "REGION"].contains { line == $0 || line.hasPrefix($0 + " ") || line.hasPrefix($0 + "\t") }
    }

    private func endOfBlock(from position: Int) -> Int {
        lines[position...].firstIndex { trimmed($0).isEmpty } ?? lines.count
    }

    private func trimmed(_ line: Substring) -> String {
        let start = line.drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }

    private func refuse(_ what: String, _ position: Int) -> Failure {
        SidecarParser.failure(
            what, line: position + 1,
            hint: format == .srt
                ? "Send SRT: a number, a line of times and the text, then a blank line."
                : "Send WebVTT as a browser plays it: WEBVTT, a blank line, then cues.")
    }
}

/// `01:02:03,456`, `1:02:03.4`, `02:03.456`.
enum ClockTime {
    static func seconds(_ text: Substring) -> Double? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(fields.count), let last = fields.last else { return nil }
        let parts = last.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "." }
        guard (1...2).contains(parts.count), let whole = number(parts[0], digitsMax: 2), whole < 60 else { return nil }
        var seconds = Double(whole)
        if parts.count == 2 {
            guard let fraction = number(parts[1], digitsMax: 6) else { return nil }
            var scale = 1.0
            for _ in parts[1] { scale *= 10 }
            seconds += Double(fraction) / scale
        }
        guard let minutes = number(fields[fields.count - 2], digitsMax: 2), minutes < 60 else { return nil }
        seconds += Double(minutes) * 60
        if fields.count == 3 {
            guard let hours = number(fields[0], digitsMax: 4) else { return nil }
            seconds += Double(hours) * 3600
        }
        return seconds
    }

    private static func number(_ text: Substring, digitsMax: Int) -> Int? {
        guard (1...digitsMax).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int(text)
    }
}

extension Substring {
    /// The first occurrence of `arrow`, without Foundation.
    fileprivate func range(ofArrow arrow: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(arrow) { return start..<index(start, offsetBy: arrow.count) }
            start = index(after: start)
        }
        return nil
    }
}
