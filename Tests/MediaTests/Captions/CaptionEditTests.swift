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
        // After "todos" is a pause that no letter tells of: by its letters "bienvenidos" would begin at 2.4.
        let times = [(11, 11.3), (11.35, 11.45), (11.5, 11.9), (13.5, 14.1), (14.15, 14.25), (14.3, 14.9)]
        let heard = zip(Self.heard, times).map {
            Word(text: $0.text, start: $1.0, end: $1.1, probability: 1)
        }
        func script(_ text: String) -> String {
            track([.init(start: 11, end: 15, text: text)], heard: heard)
                .ass(style: .classic, size: JobOptions.Aspect.portrait.pixels)
        }
        func begins(_ script: String) -> Bool {
            ShownCaption.inScript(script).contains { abs($0.start - 3.5) < 0.06 }
        }
        let mended = script("Hola a todos, bienvenidos al programa")
        #expect(mended.contains("programa") && !mended.contains("progama"))
        #expect(begins(mended), "\(mended)")
        // One word more, and what was heard tells nothing of when.
        #expect(!begins(script("Hola a todos y bienvenidos al programa")))
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

    @Test(arguments: [
        "안녕하세요 여러분", "Wow🔥 qué bien", "2024年のこと", "iPhoneを買いました", "(大家好)", "precio: 50\u{A0}€ nada más", "ไทยแลนด์",
    ])
    func `every text stands as it was written`(text: String) {
        let track = track([.init(start: 11, end: 19, text: text)], heard: [])
        let shown = ShownCaption.inFile(track.srt()).flatMap(\.lines).joined(separator: " ")
        #expect(shown == text)
        #expect(track.captions(of: Self.clip).map(\.text) == [text])
    }

    @Test func `what was heard can be sent back as it is`() {
        let track = CaptionTrack(words: Self.heard, clip: Self.clip)
        let captions = track.captions(of: Self.clip)
        #expect(captions.first?.start == 11 && !captions.isEmpty)
        #expect(ClipEdits(captions: captions).problem == nil)
        #expect(self.track(captions).srt() == track.srt())
    }
}
