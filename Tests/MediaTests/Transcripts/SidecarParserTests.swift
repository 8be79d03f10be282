import ClipModel
import Media
import Testing

struct SidecarParserTests {
    private func parse(_ text: String, _ format: SidecarTranscript.Format) throws -> Transcript {
        try SidecarParser.parse(Array(text.utf8), format: format)
    }

    private func refusal(_ bytes: [UInt8], _ format: SidecarTranscript.Format, limits: SidecarParser.Limits = .init())
        -> Failure?
    {
        do {
            _ = try SidecarParser.parse(bytes, format: format, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func `SRT with byte order mark, CRLF, tags and a missing counter is read`() throws {
        let text = """
            \u{FEFF}1\r
            00:00:01,000 --> 00:00:03,000 X1:40\r
            <i>Hola</i> {\\an8}a <font color="#fff">todos</font>\r
            \r
            00:00:03.500 --> 00:00:04,500\r
            - ¿Qué tal?\r
            \r
            3\r
            00:00:05,000 --> 00:00:06,000\r
            [Música]\r
            """
        let transcript = try parse(text, .srt)
        #expect(transcript.words.map(\.text) == ["Hola", "a", "todos", "¿Qué", "tal?"])
        #expect(transcript.words.first?.start == 1 && transcript.words[2].end == 3)
        #expect(transcript.words[3].start == 3.5 && transcript.words[4].end == 4.5)
    }

    @Test func `words share the time of their cue by their length`() throws {
        let words = try parse("1\n00:00:00,000 --> 00:00:10,000\nab abcdef", .srt).words
        #expect(words.map(\.start) == [0, 3] && words.map(\.end) == [3, 10])
    }

    @Test func `cues that follow without a blank line are told apart`() throws {
        let text = "1\n00:00:00,000 --> 00:00:01,000\nuno\n2\n00:00:01,000 --> 00:00:02,000\ndos 2\n3\n\n"
        #expect(try parse(text, .srt).words.map(\.text) == ["uno", "dos", "2", "3"])
    }

    @Test func `WebVTT with head, notes, styles, settings, voices, entities and inner times is read`() throws {
        let text = """
            WEBVTT - a title
            Kind: captions
            Language: pt-BR

            STYLE
            ::cue { color: red }

            NOTE
            00:00 this is a note

            intro
            00:01.000 --> 00:02.000 align:start position:0%
            <v Ana>Bom dia &amp; boa &lt;tarde&gt;</v>

            01:00:00.000 --> 01:00:04.000
            um <01:00:01.000><c>dois</c> <01:00:03.000><c.yellow>tres</c>
            """
        let transcript = try parse(text, .vtt)
        #expect(transcript.language == "pt")
        #expect(transcript.words.map(\.text) == ["Bom", "dia", "boa", "<tarde>", "um", "dois", "tres"])
        #expect(transcript.words.suffix(3).map(\.start) == [3600, 3601, 3603])
        #expect(transcript.words.suffix(3).map(\.end) == [3601, 3603, 3604])
    }

    @Test func `rolling captions are read once`() throws {
        let text = """
            WEBVTT

            00:00.000 --> 00:02.000
            hello everyone

            00:02.000 --> 00:02.010
            hello everyone

            00:02.010 --> 00:04.000
            hello everyone
            and welcome back
            """
        #expect(try parse(text, .vtt).words.map(\.text) == ["hello", "everyone", "and", "welcome", "back"])
    }

    @Test func `text without spaces goes by characters, marks stay with theirs`() throws {
        let words = try parse("1\n00:00:00,000 --> 00:00:04,000\n你好，「世界」AI。", .srt).words
        #expect(words.map(\.text) == ["你", "好，", "「世", "界」", "AI。"])
    }

    @Test(arguments: [
        #"""
        {"language": "es", "words": [{"text": "hola", "start": 0.5, "end": 0.9, "probability": 0.7},
         {"text": "mundo", "start": 1, "end": 1.5}]}
        """#,
        #"""
        {"task": "transcribe", "language": "spanish", "duration": 2, "text": "hola mundo", "segments": [],
         "words": [{"word": "hola", "start": 0.5, "end": 0.9}, {"word": "mundo", "start": 1.0, "end": 1.5}]}
        """#,
        #"""
        {"text": "hola mundo", "language": "es", "segments": [{"id": 0, "start": 0.5, "end": 1.5,
         "text": " hola mundo", "words": [{"word": " hola", "start": 0.5, "end": 0.9, "probability": 0.9},
         {"word": " mundo", "start": 1.0, "end": 1.5}]}]}
        """#,
        #"""
        {"result": {"language": "es"}, "transcription": [{"timestamps": {"from": "00:00:00,500"},
         "offsets": {"from": 500, "to": 900}, "text": " hola"},
          {"offsets": {"from": 1000, "to": 1500}, "text": "mundo"}]}
        """#,
        #"  [{"start": 0.5, "end": 0.9, "text": "hola"}, {"start": 1, "end": 1.5, "text": "mundo"}]"#,
    ])
    func `JSON of each known shape is read`(json: String) throws {
        let transcript = try parse(json, .json)
        #expect(transcript.words.map(\.text) == ["hola", "mundo"])
        #expect(transcript.words.map(\.start) == [0.5, 1] && transcript.words.map(\.end) == [0.9, 1.5])
        #expect(transcript.language == "es" || json.hasPrefix("  ["))
    }

    @Test func `segments without words spread them`() throws {
        let json = #"{"language":"en","segments":[{"start":0,"end":3,"text":"one two"},{"start":3,"end":4,"text":""}]}"#
        #expect(try parse(json, .json).words.map(\.end) == [1.5, 3])
    }

    @Test func `overlapping and unordered cues become words in order that do not overlap`() throws {
        let text = "1\n00:00:05,000 --> 00:00:09,000\nc d\n\n2\n00:00:00,000 --> 00:00:06,000\na b\n"
        let words = try parse(text, .srt).words
        #expect(words.map(\.text) == ["a", "b", "c", "d"])
        for (word, next) in zip(words, words.dropFirst()) { #expect(word.end <= next.start) }
    }

    @Test func `the language is told by the words when the file does not`() throws {
        #expect(try parse("1\n00:00:00,000 --> 00:00:04,000\nlos niños de la casa que no es", .srt).language == "es")
        #expect(try parse("1\n00:00:00,000 --> 00:00:04,000\nxyzzy plugh", .srt).language == "und")
    }

    @Test(arguments: [
        (SidecarTranscript.Format.srt, "hola\nque tal", "Line 1 of the transcript: expected a time"),
        (.srt, "1\n00:00:02,000 --> 00:00:01,000\nx", "Line 2 of the transcript: the cue ends before it starts"),
        (.srt, "1\n00:00:02,000 --> tomorrow\nx", "Line 2 of the transcript"),
        (.srt, "1\n00:61:02,000 --> 00:62:00,000\nx", "Line 2 of the transcript"),
        (.srt, "", "holds no words"), (.srt, "1\n00:00:00,000 --> 00:00:01,000\n\n", "holds no words"),
        (.vtt, "1\n00:00:02,000 --> 00:00:03,000\nx", "Line 1 of the transcript: a WebVTT file begins"),
        (.vtt, "WEBVTT\n\nx\ny\n", "Line 3 of the transcript"),
        (.json, "{\"words\": [\n\n  {]}", "Line 3 of the transcript"),
        (.json, "{}", "neither “words” nor “segments”"), (.json, "17", "transcript"),
        (.json, #"{"words":[{"text":"a","start":"0","end":1}]}"#, "words[0].start"),
        (.json, #"{"words":[{"text":"a","end":1}]}"#, "words[0] lacks"),
        (.json, #"{"words":[{"text":"a","start":2,"end":1}]}"#, "words[0] ends before"),
        (.json, #"{"words":[{"text":"a","start":-2,"end":1}]}"#, "words[0]"),
        (.json, #"{"words":[{"text":"a","start":1e9,"end":2e9}]}"#, "later than"),
        (.json, #"{"words":[]}"#, "holds no words"),
        (.json, String(repeating: "[", count: 100_000), "transcript"),
    ])
    func `what cannot be read is refused with its place`(
        format: SidecarTranscript.Format, text: String, reason: String
    ) {
        let failure = refusal(Array(text.utf8), format)
        #expect(failure?.code == "transcript_unreadable" && failure?.class == .poison)
        #expect(failure?.reason.lowercased().contains(reason.lowercased()) == true, "\(failure?.reason ?? "accepted")")
        #expect(failure?.hint.isEmpty == false)
    }

    @Test func `text that is not UTF-8 is refused by name`() {
        #expect(refusal([0xFF, 0xFE, 0x31, 0x00], .srt)?.reason.contains("UTF-16") == true)
        #expect(refusal(Array("uno\nm".utf8) + [0xE1, 0x73], .srt)?.reason.contains("Line 2") == true)
        #expect(refusal(Array("1\0".utf8), .srt)?.reason.contains("zero bytes") == true)
    }

    @Test func `every limit holds`() {
        let cue = "1\n00:00:00,000 --> 00:00:01,000\nuno dos\n\n"
        let three = Array((cue + cue + cue).utf8)
        #expect(refusal(three, .srt) == nil)
        #expect(refusal(three, .srt, limits: .init(bytesMax: 50))?.reason.contains("limit is 50") == true)
        #expect(refusal(three, .srt, limits: .init(cuesMax: 2))?.reason.contains("more than 2 cues") == true)
        #expect(refusal(three, .srt, limits: .init(wordsMax: 5))?.reason.contains("more than 5 words") == true)
        #expect(refusal(three, .srt, limits: .init(cueCharactersMax: 6))?.reason.contains("6 characters") == true)
        #expect(refusal(three, .srt, limits: .init(secondsMax: 0.5))?.code == "transcript_unreadable")
    }

    @Test(arguments: SidecarTranscript.Format.allCases)
    func `no bytes make it fall over`(format: SidecarTranscript.Format) {
        let seeds: [[UInt8]] = [
            Array("1\n00:00:01,000 --> 00:00:03,000\n<i>Hola</i> {\\an8}a &amp; [todos]\n\n".utf8),
            Array("WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000\nun <00:01.500><c>dos</c> &#x41;\n\n".utf8),
            Array(#"{"language":"es","words":[{"text":"hola","start":0.5,"end":0.9}],"segments":[]}"#.utf8),
        ]
        var dice = TalkDice(seed: 42)
        for round in 0..<3000 {
            var bytes = seeds[round % 3]
            if round % 10 == 9 {
                bytes = (0..<Int.random(in: 0...200, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
            }
            for _ in 0..<Int.random(in: 0...6, using: &dice) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &dice)
                switch Int.random(in: 0...3, using: &dice) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("<>&{}[]:-9\n".utf8).randomElement(using: &dice)!, at: place)
                default: bytes += bytes[place...]
                }
            }
            guard let transcript = try? SidecarParser.parse(bytes, format: format) else { continue }
            for (word, next) in zip(transcript.words, transcript.words.dropFirst()) {
                #expect(word.start <= word.end && word.end <= next.start)
            }
        }
    }
}
