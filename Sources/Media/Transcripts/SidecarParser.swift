package import ClipModel

/// Reads a transcript that a client sent instead of having the speech recognised: SRT, WebVTT, or JSON as whisper.cpp,
/// OpenAI's API, the Whisper command line and this product write it.
///
/// The bytes come from anyone: every size has a limit, and what cannot be read is refused with the line it is on.
package struct SidecarParser {
    /// What is read at most. Two hours of speech are about 20 000 words and 400 kB.
    package struct Limits: Hashable, Sendable {
        package var bytesMax: Int
        package var cuesMax: Int
        package var wordsMax: Int
        /// Characters of one cue or segment.
        package var cueCharactersMax: Int
        /// No time in the file may lie behind this, in seconds.
        package var secondsMax: Double

        package init(
            bytesMax: Int = 16 << 20, cuesMax: Int = 100_000, wordsMax: Int = 300_000, cueCharactersMax: Int = 10_000,
            secondsMax: Double = 100 * 3600
        ) {
            self.bytesMax = bytesMax
            self.cuesMax = cuesMax
            self.wordsMax = wordsMax
            self.cueCharactersMax = cueCharactersMax
            self.secondsMax = secondsMax
        }
    }

    /// The transcript in `bytes`, its words in order and not overlapping; or a failure `transcript_unreadable`.
    package static func parse(
        _ bytes: [UInt8], format: SidecarTranscript.Format, limits: Limits = Limits()
    ) throws(Failure) -> Transcript {
        guard bytes.count <= limits.bytesMax else {
            throw Self.failure(
                "The transcript has \(bytes.count) bytes, the limit is \(limits.bytesMax).",
                hint: "Send plain subtitles or JSON with words and times only.")
        }
        let text = try decoded(bytes)
        var builder = TranscriptBuilder(limits: limits)
        switch format {
        case .srt, .vtt:
            var reader = CueReader(text, format: format, limits: limits)
            for cue in RollingCaptions.unrolled(try reader.cues()) { try builder.add(cue) }
            return try builder.transcript(language: reader.language)
        case .json:
            return try JSONTranscript(text, limits: limits).transcript(&builder)
        }
    }

    /// A refusal. `line` counts from 1; `what` begins in lower case, to follow it.
    static func failure(_ what: String, line: Int? = nil, hint: String) -> Failure {
        let reason =
            line.map { "Line \($0) of the transcript: \(what)" } ?? what.prefix(1).uppercased() + what.dropFirst()
        return Failure(.poison, code: "transcript_unreadable", reason: reason, hint: hint)
    }

    private static func decoded(_ bytes: [UInt8]) throws(Failure) -> String {
        let saveAs = "Save the file as UTF-8 and send it again."
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw failure("The transcript is UTF-16 text.", hint: saveAs)
        }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: body, as: UTF8.self) else {
            let line = firstInvalidLine(body)
            throw failure("the text is not UTF-8.", line: line, hint: saveAs)
        }
        guard !text.unicodeScalars.contains("\0") else {
            throw failure("The transcript holds zero bytes: it is not text.", hint: saveAs)
        }
        return text
    }

    private static func firstInvalidLine(_ bytes: ArraySlice<UInt8>) -> Int {
        var line = 1
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }
}
