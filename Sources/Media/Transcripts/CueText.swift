/// Takes the markup out of the text of a cue.
enum CueText {
    /// The cue without tags, entities, speaker marks and descriptions of sound.
    static func plain(_ cue: TimedText) -> TimedText {
        var plain = cue
        plain.text = cue.text.split(separator: "\n").map { line in spoken(stripped(String(line))) }
            .filter { !$0.isEmpty }.joined(separator: "\n")
        return plain
    }

    /// A WebVTT cue with times inside (`one <00:00:01.500>two`): one piece for each time. Times that fall or leave the
    /// cue are ignored, as browsers do.
    static func timed(_ cue: TimedText) -> [TimedText] {
        var pieces: [TimedText] = []
        var current = TimedText(start: cue.start, end: cue.end, text: "", line: cue.line)
        var rest = cue.text[...]
        while let open = rest.firstIndex(of: "<") {
            let body = rest[open...].dropFirst()
            guard let close = body.firstIndex(of: ">") else { break }
            current.text += rest[..<open]
            if let time = ClockTime.seconds(body[..<close]) {
                if time >= current.start, time <= cue.end {
                    current.end = time
                    pieces.append(current)
                    current = TimedText(start: time, end: cue.end, text: "", line: cue.line)
                }
            } else {
                current.text += rest[open...close]
            }
            rest = rest[close...].dropFirst()
        }
        current.text += rest
        pieces.append(current)
        // One line of plain text is what a cue without inner times is.
        guard pieces.count > 1 else { return [plain(cue)] }
        return pieces.map(plain).filter { !$0.text.isEmpty }
    }

    /// Without `<tags>`, `{\an8}` and entities. One pass: what was looked for ahead is remembered, so that a million
    /// lone `<` cost no more than as many letters.
    private static func stripped(_ text: String) -> String {
        let characters = Array(text)
        var closing = Lookahead(">"), brace = Lookahead("}")
        var plain = ""
        var place = 0
        while place < characters.count {
            switch characters[place] {
            case "<":
                if let end = closing.next(from: place, in: characters), isTag(characters[(place + 1)..<end]) {
                    place = end + 1
                    continue
                }
            case "{" where place + 1 < characters.count && characters[place + 1] == "\\":
                if let end = brace.next(from: place, in: characters) {
                    place = end + 1
                    continue
                }
            case "&":
                if let (replacement, length) = entity(characters[place...]) {
                    plain += replacement
                    place += length
                    continue
                }
            default: break
            }
            plain.append(characters[place])
            place += 1
        }
        return plain
    }

    /// Where the next `mark` stands; every character is looked at once however often it is asked.
    private struct Lookahead {
        private let mark: Character
        private var found = -1

        init(_ mark: Character) { self.mark = mark }

        mutating func next(from place: Int, in characters: [Character]) -> Int? {
            if found < place { found = characters[place...].firstIndex(of: mark) ?? Int.max }
            return found == Int.max ? nil : found
        }
    }

    /// `b`, `/i`, `c.yellow`, `v Ana`, `font color="#fff"`; not the text of "a < b and b > c".
    private static func isTag(_ body: ArraySlice<Character>) -> Bool {
        let name = body.first == "/" ? body.dropFirst() : body
        guard let first = name.first else { return body.first == "/" }
        return first.isASCII && (first.isLetter || first.isNumber)
    }

    /// The text of the entity that `characters` begin with, and its length.
    private static func entity(_ characters: ArraySlice<Character>) -> (String, Int)? {
        guard let end = characters.prefix(10).firstIndex(of: ";") else { return nil }
        let name = String(characters[..<end].dropFirst())
        let length = end - characters.startIndex + 1
        let known = [
            "amp": "&", "lt": "<", "gt": ">", "nbsp": " ", "quot": "\"", "apos": "'", "lrm": "", "rlm": "",
        ]
        if let character = known[name] { return (character, length) }
        guard name.first == "#" else { return nil }
        let digits = name.dropFirst()
        let code = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return code.flatMap(Unicode.Scalar.init).flatMap { $0.value < 0x20 ? nil : (String($0), length) }
    }

    /// What is said: without the dash of a change of speaker, notes and `[Music]`.
    private static func spoken(_ text: String) -> String {
        var text = text[...]
        while let first = text.first, first.isWhitespace || first == "-" || first == "–" || first == ">" {
            // A dash before a digit may be a minus.
            if first == "-", text.dropFirst().first?.isNumber ?? false { break }
            text = text.dropFirst()
        }
        var spoken = ""
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if depth == 0, character != "♪", character != "♫", character != "#" || !spoken.isEmpty {
                spoken.append(character)
            }
            if character == "]", depth > 0 { depth -= 1 }
        }
        // An opening bracket that never closes is not a description.
        return depth > 0 ? String(text) : spoken.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}

/// Live captions roll: every cue repeats the line before and adds one. Said once, a line is kept once.
enum RollingCaptions {
    private static let blinkSeconds = 0.1
    private static let linesMax = 4

    static func unrolled(_ cues: [TimedText]) -> [TimedText] {
        var kept: [TimedText] = []
        var before: [Substring] = []
        var endBefore = -Double.infinity
        for cue in cues {
            let lines = cue.text.split(separator: "\n")
            let follows = cue.start <= endBefore + 0.1
            var fresh = lines[...]
            if follows, !before.isEmpty {
                let repeated = (1...max(1, min(before.count, lines.count, linesMax))).last { count in
                    count <= lines.count && before.suffix(count).elementsEqual(lines.prefix(count))
                }
                fresh = lines.dropFirst(repeated ?? 0)
                // Nothing new in a cue that lasts: somebody said it twice. Rolling captions blink here for 10 ms.
                if fresh.isEmpty, cue.end - cue.start >= blinkSeconds { fresh = lines[...] }
            }
            if !fresh.isEmpty {
                var part = cue
                part.text = fresh.joined(separator: "\n")
                kept.append(part)
            }
            if !lines.isEmpty { before = lines }
            endBefore = max(endBefore, cue.end)
        }
        return kept
    }
}
