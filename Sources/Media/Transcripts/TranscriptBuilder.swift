import ClipModel

/// A stretch of text with times, from a subtitle file or a segment of JSON.
struct TimedText: Hashable, Sendable {
    var start: Double
    var end: Double
    var text: String
    /// Where it stands in the file, counted from 1; nil in JSON.
    var line: Int?
}

/// Collects words and makes them a transcript: in order, inside their limits, not overlapping.
struct TranscriptBuilder {
    private let limits: SidecarParser.Limits
    private var words: [Word] = []

    init(limits: SidecarParser.Limits) { self.limits = limits }

    var isEmpty: Bool { words.isEmpty }

    /// Refuses a cue that is too long, before anything looks for markup in it.
    static func check(_ cue: TimedText, _ limits: SidecarParser.Limits) throws(Failure) {
        // Bytes first: a million accents on one letter are one character.
        guard cue.text.utf8.count <= limits.cueCharactersMax * 4, cue.text.count <= limits.cueCharactersMax else {
            throw SidecarParser.failure(
                "one cue holds more than \(limits.cueCharactersMax) characters.", line: cue.line,
                hint: "Split it into cues of a sentence or less.")
        }
    }

    /// Spreads the words of `cue` over its length in proportion to their letters.
    ///
    /// One letter more per word stands for the pause between words; it also gives marks and digits their time.
    mutating func add(_ cue: TimedText) throws(Failure) {
        try Self.check(cue, limits)
        let parts = Self.words(of: cue.text)
        guard !parts.isEmpty else { return }
        let weights = parts.map { Double($0.count + 1) }
        let whole = weights.reduce(0, +)
        var passed = 0.0
        for (part, weight) in zip(parts, weights) {
            let start = cue.start + (cue.end - cue.start) * passed / whole
            passed += weight
            let end = cue.start + (cue.end - cue.start) * passed / whole
            try add(part, start: start, end: end, probability: 1, line: cue.line)
        }
    }

    mutating func add(
        _ text: String, start: Double, end: Double, probability: Double, line: Int? = nil
    ) throws(Failure) {
        guard words.count < limits.wordsMax else {
            throw SidecarParser.failure(
                "there are more than \(limits.wordsMax) words.", line: line, hint: "Cut the video and its transcript.")
        }
        guard start.isFinite, end.isFinite, start >= 0, end <= limits.secondsMax, start <= limits.secondsMax else {
            throw SidecarParser.failure(
                "a time is negative or later than \(Int(limits.secondsMax / 3600)) hours.", line: line,
                hint: "Times are seconds from the start of the video.")
        }
        // Whole milliseconds, as subtitle files have them: a thousandth part of a letter means nothing.
        let times = (start: (start * 1000).rounded() / 1000, end: (max(start, end) * 1000).rounded() / 1000)
        let likely = probability.isFinite ? min(1, max(0, probability)) : 1
        words.append(Word(text: text, start: times.start, end: times.end, probability: likely))
    }

    /// `language` as the file names it: a code, an English name, or nil when it does not.
    func transcript(language: String?) throws(Failure) -> Transcript {
        guard !words.isEmpty else {
            throw SidecarParser.failure(
                "The transcript holds no words.", hint: "Send a file with words, or none to have the speech recognised."
            )
        }
        let order = words.indices.sorted { (words[$0].start, $0) < (words[$1].start, $1) }
        var ordered = order.map { words[$0] }
        // Cues may overlap; spoken words do not.
        for index in ordered.indices.dropLast() {
            ordered[index].end = min(ordered[index].end, ordered[index + 1].start)
        }
        let code = language.flatMap(LanguageName.code) ?? LanguageProfile.guess(ordered.map(\.text)) ?? "und"
        return Transcript(language: code, words: ordered)
    }

    /// Words as they are shown: marks stay with the word they follow, scripts without spaces go by single characters.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        for piece in text.split(whereSeparator: \.isWhitespace) {
            if piece.unicodeScalars.contains(where: SpokenText.isUnspaced) {
                words += characters(of: piece)
            } else if let last = words.last, SpokenText.attachesToPrevious(String(piece)), piece.count < 4 {
                words[words.count - 1] = last + piece
            } else {
                words.append(String(piece))
            }
        }
        return words.filter { word in word.unicodeScalars.contains(where: SpokenText.isWordScalar) }
    }

    private static func characters(of piece: Substring) -> [String] {
        var parts: [String] = []
        var open = ""  // latin letters and digits inside stay together; opening marks go with what follows
        for character in piece {
            let isSquare = character.unicodeScalars.contains(where: SpokenText.isUnspaced)
            let isWord = character.unicodeScalars.contains(where: SpokenText.isWordScalar)
            if !isWord, !SpokenText.isOpening(character) {
                if !open.isEmpty { parts.append(open) }
                open = ""
                if parts.isEmpty { parts.append(String(character)) } else { parts[parts.count - 1].append(character) }
            } else if isSquare, isWord {
                let opens = open.last.map(SpokenText.isOpening) ?? false
                if !open.isEmpty, !opens { parts.append(open) }
                parts.append((opens ? open : "") + String(character))
                open = ""
            } else {
                open.append(character)
            }
        }
        if !open.isEmpty { parts.append(open) }
        return parts
    }
}

/// Names of languages as JSON transcripts give them.
enum LanguageName {
    /// "english", "en", "en-US" -> "en"; nil for what is no language.
    static func code(_ name: String) -> String? {
        let name = SpokenText.fold(name)
        if let code = names[name] { return code }
        let base = name.prefix { $0 != "-" && $0 != "_" }
        guard (2...3).contains(base.utf8.count), base.utf8.allSatisfy({ (97...122).contains($0) }) else { return nil }
        return base == "und" ? nil : String(base)
    }

    private static let names = [
        "afrikaans": "af", "arabic": "ar", "basque": "eu", "bulgarian": "bg", "catalan": "ca", "chinese": "zh",
        "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "finnish": "fi",
        "french": "fr", "galician": "gl", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
        "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "malay": "ms",
        "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru",
        "serbian": "sr", "slovak": "sk", "spanish": "es", "castilian": "es", "swedish": "sv", "tagalog": "tl",
        "tamil": "ta", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi",
        "welsh": "cy",
    ]
}
