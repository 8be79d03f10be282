import ClipModel
import Media
import Testing

/// What a client wrote is what is shown, when it said.
@Suite struct CaptionEditTests {
    private static let clip = TimeRange(start: 10, end: 30)
    private static let heard = ["hola", "a", "todos,", "bienvenidos", "al", "progama"].enumerated().map { index, text in
        Word(
            text: text, start: 11 + Double(index) * 0.5, end: 11.4 + Double(index) * 0.5, probability: 1)
    }

    private func track(_ captions: [ClipEdits.Caption], heard: [Word] = Self.heard) -> CaptionTrack {
        CaptionTrack(edited: captions, heard: heard, clip: Self.clip)
    }

    @Test func `lines and times of the files are those of the client, counted from the clip's start`() {
        let track = track([
            .init(start: 11, end: 14.25, text: "Hola a todos,  bienvenidos\nal programa"),
            .init(start: 20, end: 22, text: "¿Qué tal?"),
        ])
        #expect(
            track.srt() == """
                1
                00:00:01,000 --> 00:00:04,250
                Hola a todos, bienvenidos al programa

                2
                00:00:10,000 --> 00:00:12,000
                ¿Qué tal?


                """)
        #expect(track.vtt().contains("00:00:10.000 --> 00:00:12.000\n¿Qué tal?\n"))
    }

    @Test func `a line with as many words as were heard keeps their times`() {
        let track = track([.init(start: 11, end: 14, text: "Hola a todos, bienvenidos al programa")])
        let script = track.ass(style: .classic, size: JobOptions.Aspect.portrait.pixels)
        let shown = ShownCaption.inScript(script)
        #expect(script.contains("programa") && !script.contains("progama"))
        // The last word is heard from 13.5 on.
        #expect(shown.contains { abs($0.start - 3.5) < 0.06 || $0.start < 3.5 && $0.end > 3.5 })
    }

    @Test func `other words share the time of their line by their letters, inside of it`() {
        let track = track([.init(start: 15, end: 17, text: "sí, extraordinariamente largo")])
        let shown = ShownCaption.inScript(track.ass(style: .plain, size: JobOptions.Aspect.portrait.pixels))
        #expect(!shown.isEmpty)
        for group in shown { #expect(group.start >= 4.99 && group.end <= 7.51, "\(group)") }
    }

    @Test func `what lies outside of the clip is left out, and cut where it reaches over`() {
        let track = track([
            .init(start: 1, end: 5, text: "antes"), .init(start: 9, end: 12, text: "borde"),
            .init(start: 29, end: 33, text: "final"), .init(start: 40, end: 41, text: "después"),
        ])
        let cues = ShownCaption.inFile(track.srt())
        #expect(cues.map(\.start) == [0, 19] && cues.map(\.end) == [2, 20])
        #expect(track.captions(of: Self.clip).map(\.text) == ["borde", "final"])
    }

    @Test func `no lines are no captions`() {
        #expect(track([]).isEmpty && track([]).srt().isEmpty)
    }

    @Test func `a long line is broken in two of about the same length`() {
        let text = "Una línea que es más larga de lo que cabe en una sola línea de subtítulos"
        let cue = ShownCaption.inFile(track([.init(start: 11, end: 15, text: text)]).srt())[0]
        #expect(cue.lines.count == 2 && cue.lines.joined(separator: " ") == text)
        #expect(abs(cue.lines[0].count - cue.lines[1].count) < 12)
    }

    @Test func `Chinese is taken word by word though it has no spaces`() {
        let track = track([.init(start: 11, end: 14, text: "大家好，欢迎收看")], heard: [])
        #expect(track.srt().contains("大家好，欢迎收看"))
    }

    @Test func `what was heard can be sent back as it is`() {
        let track = CaptionTrack(words: Self.heard, clip: Self.clip)
        let captions = track.captions(of: Self.clip)
        #expect(captions.first?.start == 11 && !captions.isEmpty)
        #expect(ClipEdits(captions: captions).problem == nil)
        #expect(self.track(captions).srt() == track.srt())
    }
}
