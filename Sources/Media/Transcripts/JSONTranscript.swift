import ClipModel
import Foundation

/// A transcript as JSON. Known shapes, tried by the fields that are there:
///
/// - ours: `{"language", "words": [{"text", "start", "end", "probability"?}]}`
/// - OpenAI's `verbose_json` and the Whisper command line: `{"language", "words"?: [{"word", "start", "end"}],
///   "segments"?: [{"text", "start", "end", "words"?}]}`
/// - whisper.cpp: `{"result": {"language"}, "transcription": [{"offsets": {"from", "to"}, "text"}]}` in milliseconds
/// - bare: `[{"text", "start", "end"}]`
struct JSONTranscript {
    private struct Document: Decodable {
        var language: String?
        var words: [Piece]?
        var segments: [Piece]?
        var transcription: [Piece]?
        var result: Outcome?

        struct Outcome: Decodable { var language: String? }
    }

    private struct Piece: Decodable {
        var text: String?
        var word: String?
        var start: Double?
        var end: Double?
        var probability: Double?
        var score: Double?
        var offsets: Offsets?
        var words: [Piece]?

        struct Offsets: Decodable {
            /// In milliseconds.
            var from: Double
            var to: Double
        }

        var spelling: String { text ?? word ?? "" }
        var begins: Double? { start ?? offsets.map { $0.from / 1000 } }
        var ends: Double? { end ?? offsets.map { $0.to / 1000 } }
    }

    private static let hint =
        "Send {\"language\": \"es\", \"words\": [{\"text\": \"hola\", \"start\": 0.5, \"end\": 0.9}, ...]}, or what"
        + " whisper.cpp or OpenAI's verbose_json gives."

    private let text: String
    private let limits: SidecarParser.Limits

    init(_ text: String, limits: SidecarParser.Limits) {
        self.text = text
        self.limits = limits
    }

    func transcript(_ builder: inout TranscriptBuilder) throws(Failure) -> Transcript {
        let document = try document()
        let segments = document.segments ?? document.transcription ?? []
        guard segments.count <= limits.cuesMax else {
            throw SidecarParser.failure("There are more than \(limits.cuesMax) segments.", hint: Self.hint)
        }
        if let words = document.words, !words.isEmpty {
            try add(words, of: "words", to: &builder)
        } else {
            for (index, segment) in segments.enumerated() {
                if let words = segment.words, words.contains(where: { $0.begins != nil }) {
                    try add(words.filter { $0.begins != nil }, of: "segments[\(index)].words", to: &builder)
                } else {
                    try addSegment(segment, of: "segments[\(index)]", to: &builder)
                }
            }
        }
        guard !builder.isEmpty || document.words != nil || !segments.isEmpty else {
            throw SidecarParser.failure("The JSON has neither “words” nor “segments”.", hint: Self.hint)
        }
        return try builder.transcript(language: document.language ?? document.result?.language)
    }

    private func document() throws(Failure) -> Document {
        let data = Data(text.utf8)
        do {
            let isList = text.first { !$0.isWhitespace } == "["
            return isList
                ? Document(segments: try JSONDecoder().decode([Piece].self, from: data))
                : try JSONDecoder().decode(Document.self, from: data)
        } catch {
            if case DecodingError.dataCorrupted = error {
                throw SidecarParser.failure("this is not JSON.", line: lineOfSyntaxError(), hint: Self.hint)
            }
            throw SidecarParser.failure(Self.explain(error), hint: Self.hint)
        }
    }

    private func add(_ words: [Piece], of field: String, to builder: inout TranscriptBuilder) throws(Failure) {
        for (index, word) in words.enumerated() {
            let (start, end) = try times(of: word, named: "\(field)[\(index)]")
            let cue = TimedText(start: start, end: end, text: word.spelling)
            try TranscriptBuilder.check(cue, limits)
            let spelling = CueText.plain(cue).text
            guard spelling.unicodeScalars.contains(where: SpokenText.isWordScalar) else { continue }
            guard spelling.count <= 200 else {
                throw SidecarParser.failure("\(field)[\(index)] has more than 200 characters.", hint: Self.hint)
            }
            // One "word" with spaces inside is a phrase: its words share its time.
            if spelling.contains(where: \.isWhitespace) {
                try builder.add(TimedText(start: start, end: end, text: spelling))
            } else {
                try builder.add(spelling, start: start, end: end, probability: word.probability ?? word.score ?? 1)
            }
        }
    }

    private func addSegment(_ segment: Piece, of field: String, to builder: inout TranscriptBuilder) throws(Failure) {
        let (start, end) = try times(of: segment, named: field)
        let cue = TimedText(start: start, end: end, text: segment.spelling)
        try TranscriptBuilder.check(cue, limits)
        try builder.add(CueText.plain(cue))
    }

    private func times(of piece: Piece, named name: String) throws(Failure) -> (Double, Double) {
        guard let start = piece.begins, let end = piece.ends else {
            throw SidecarParser.failure("\(name) lacks “start” or “end”.", hint: Self.hint)
        }
        guard start.isFinite, end.isFinite, start >= 0, start <= end else {
            throw SidecarParser.failure("\(name) ends before it starts, or before the video.", hint: Self.hint)
        }
        return (start, end)
    }

    /// What the decoder found, with the place in the document. Its own words never hold the file's text at length.
    private static func explain(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "The JSON of the transcript cannot be read." }
        func place(_ path: [any CodingKey]) -> String {
            path.reduce("") { text, key in
                key.intValue.map { text + "[\($0)]" } ?? (text.isEmpty ? key.stringValue : text + "." + key.stringValue)
            }
        }
        return switch error {
        case .typeMismatch(_, let context) where context.codingPath.isEmpty:
            "The transcript is neither a JSON object nor a list."
        case .typeMismatch(_, let context): "“\(place(context.codingPath))” has the wrong type."
        case .valueNotFound(_, let context): "“\(place(context.codingPath))” is null."
        case .keyNotFound(let key, let context): "“\(place(context.codingPath + [key]))” is missing."
        case .dataCorrupted: "The text is not JSON."
        @unknown default: "The JSON of the transcript cannot be read."
        }
    }

    /// Where the text stops being JSON. The decoder keeps that to itself, so the other parser of Foundation is asked,
    /// whose message ends in "around character 12".
    private func lineOfSyntaxError() -> Int? {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            return nil
        } catch {
            let message = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? ""
            let place = message.components(separatedBy: "around character ").dropFirst().first
            // Without a place the text ended too early.
            let offset = place.flatMap { Int($0.prefix { $0.isNumber }) } ?? text.utf8.count
            return 1 + text.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") }
        }
    }
}
