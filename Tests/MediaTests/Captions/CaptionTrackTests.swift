import ClipModel
import Media
import Testing

struct CaptionTrackTests {
    private let portrait = JobOptions.Aspect.portrait.pixels

    private func talk(_ seed: Int) -> CaptionTrack {
        var generator = TalkGenerator(
            seed: UInt64(seed), language: seed % 2 == 0 ? "es" : "en", hasMarks: seed % 3 != 0)
        let talk = generator.talk(seconds: 140, plants: 1)
        return CaptionTrack(words: talk.transcript.words, clip: TimeRange(start: 20.2, end: 65.7))
    }

    @Test(arguments: 1...10)
    func `burned groups are short in time and narrow, two lines at most, and never overlap`(seed: Int) {
        let shown = ShownCaption.inScript(talk(seed).ass(style: .plain, size: portrait))
        #expect(shown.count > 10)
        for group in shown {
            #expect(group.end - group.start <= 1.401)
            #expect(group.lines.count <= 2)
            for line in group.lines where line.contains(" ") { #expect(line.count <= 18, "\(line)") }
            for line in group.lines { #expect(line.filter(\.isLetter).count != 1 || group.lines.count == 1, "\(line)") }
        }
        for (group, next) in zip(shown, shown.dropFirst()) { #expect(group.end <= next.start + 0.0001) }
    }

    @Test(arguments: 1...10)
    func `subtitles have two lines of 42 characters at most and stay long enough`(seed: Int) {
        let track = talk(seed)
        let cues = ShownCaption.inFile(track.srt())
        #expect(cues.count >= 5)
        for cue in cues {
            #expect(cue.lines.count <= 2)
            #expect(cue.lines.allSatisfy { $0.count <= 42 })
            #expect(cue.end - cue.start <= 7.001)
            #expect(cue.end <= 45.5)
        }
        for (cue, next) in zip(cues, cues.dropFirst()) {
            #expect(cue.end <= next.start)
            #expect(cue.end - cue.start >= 1 || next.start - cue.end < 0.001)
        }
        #expect(ShownCaption.inFile(track.vtt()) == cues)
    }

    @Test func `all three formats hold the same words in the same order`() {
        for seed in 1...6 {
            let track = talk(seed)
            func words(_ shown: [ShownCaption]) -> [Substring] {
                shown.flatMap { $0.lines.flatMap { $0.split(separator: " ") } }
            }
            let srt = words(ShownCaption.inFile(track.srt()))
            #expect(words(ShownCaption.inScript(track.ass(style: .boxed, size: portrait)).uniqueByText()) == srt)
            #expect(!srt.isEmpty)
        }
    }

    @Test func `words outside the clip are left out, times count from its start`() {
        let words = CaptionSamples.words("uno dos tres cuatro cinco seis.", from: 10)
        let clip = TimeRange(start: words[2].start - 0.05, end: words[4].end + 0.1)
        let track = CaptionTrack(words: words, clip: clip)
        let cues = ShownCaption.inFile(track.srt())
        #expect(cues.flatMap(\.lines) == ["tres cuatro cinco"])
        #expect(abs(cues[0].start - 0.05) < 0.002)
        #expect(cues[0].end <= clip.duration + 0.001)
    }

    @Test func `the word being spoken is marked while it is spoken`() {
        let track = CaptionSamples.track("Todos saben nadar")
        let events = track.ass(style: .classic, size: portrait).split(separator: "\n").filter {
            $0.hasPrefix("Dialogue")
        }
        #expect(events.count == 3)
        for (event, word) in zip(events, ["Todos", "saben", "nadar"]) {
            #expect(event.contains("{\\1c&H47B3FF&}\(word){\\1c&HFFFFFF&}"))
        }
    }

    @Test func `a word wider than the picture gets smaller letters`() throws {
        let track = CaptionSamples.track("pneumonoultramicroscopicsilicovolcanoconiosis")
        let shown = ShownCaption.inScript(track.ass(style: .plain, size: portrait))
        let size = try #require(shown.first?.size)
        #expect(size < 45 && size > 25)
        #expect(ShownCaption.inScript(CaptionSamples.track("corto").ass(style: .plain, size: portrait))[0].size == nil)
    }

    @Test func `marks that would be markup are escaped`() {
        let track = CaptionSamples.track(CaptionSamples.marks)
        #expect(track.vtt().contains("&amp; &lt;fun&gt;"))
        #expect(track.vtt().components("-->") == ShownCaption.inFile(track.vtt()).count)
        #expect(track.srt().components("-->") == ShownCaption.inFile(track.srt()).count)
        let script = track.ass(style: .plain, size: portrait)
        #expect(script.contains("\\{really\\}"))
        #expect(script.contains("C:\\\u{2060}Nfoo"))
        let broken = CaptionTrack(
            words: [Word(text: "a\n\nDialogue: b", start: 0, end: 1, probability: 1)],
            clip: TimeRange(start: 0, end: 2))
        #expect(ShownCaption.inScript(broken.ass(style: .plain, size: portrait)).count == 1)
        let marked = broken.ass(style: nil, size: portrait, watermark: "x\nDialogue: 0,{\\b1}")
        #expect(ShownCaption.inScript(marked, style: "Watermark").count == 1)
    }

    @Test func `loose marks join their word`() {
        let words = ["¿", "Cuánto", "?", "3", ".5", "%", "it", "'s"].enumerated().map {
            Word(text: $1, start: Double($0) * 0.3, end: Double($0) * 0.3 + 0.25, probability: 1)
        }
        let track = CaptionTrack(words: words, clip: TimeRange(start: 0, end: 9))
        #expect(ShownCaption.inFile(track.srt()).flatMap(\.lines).joined(separator: " ") == "¿Cuánto? 3.5% it's")
    }

    @Test func `without words and watermark there is a script without events`() {
        let track = CaptionTrack(words: [], clip: TimeRange(start: 3, end: 9))
        #expect(track.isEmpty)
        #expect(track.srt().isEmpty)
        #expect(track.vtt() == "WEBVTT\n\n")
        #expect(!track.ass(style: .classic, size: portrait).contains("Dialogue"))
        #expect(track.ass(style: nil, size: portrait, watermark: "yo").contains("0:00:00.00,0:00:06.00,Watermark"))
    }

    @Test func `broken times do not break captions`() {
        var words = CaptionSamples.words("uno dos tres cuatro cinco")
        words[0].start = .nan
        words[1].end = -5
        words[2].end = 1e12
        words[4].start = .infinity
        let track = CaptionTrack(words: words, clip: TimeRange(start: 0, end: 4))
        for cue in ShownCaption.inFile(track.srt()) { #expect(cue.end <= 4 && cue.start <= cue.end) }
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}

extension [ShownCaption] {
    /// Neighbours with the same text are states of one group.
    fileprivate func uniqueByText() -> [ShownCaption] {
        reduce(into: []) { kept, shown in
            if kept.last?.lines != shown.lines { kept.append(shown) }
        }
    }
}
