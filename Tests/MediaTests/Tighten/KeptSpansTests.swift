import ClipModel
import Media
import Testing

/// One map between the clip as its borders say and the clip as it plays.
struct KeptSpansTests {
    private static let kept = KeptSpans([
        TimeRange(start: 0, end: 2), TimeRange(start: 3, end: 5), TimeRange(start: 5.5, end: 8),
    ])

    private static let tightened: [(Double, Double)] = [
        (-1, -1), (0, 0), (1, 1), (2, 2), (2.5, 2), (3, 2), (4, 3), (5, 4), (5.25, 4), (5.5, 4), (7, 5.5), (8, 6.5),
        (9, 7.5),
    ]

    @Test(arguments: tightened)
    func `what was cut out lies at its joint, and the rest moves up`(time: Double, tight: Double) {
        #expect(Self.kept.tightened(time) == tight)
    }

    private static let shown: [(Double, Double)] = [
        (-1, -1), (0, 0), (1.5, 1.5), (2, 3), (3, 4), (4, 5.5), (6.5, 8), (7.5, 9),
    ]

    @Test(arguments: shown)
    func `a moment of the tight clip is one of the clip, behind a joint what is seen there`(
        tight: Double, time: Double
    ) {
        #expect(Self.kept.clipTime(tight) == time)
    }

    @Test func `its length, what it shows and what is left of a stretch`() {
        #expect(Self.kept.seconds == 6.5)
        #expect(Self.kept.shows(1.9) && !Self.kept.shows(2) && Self.kept.shows(3) && !Self.kept.shows(8))
        #expect(Self.kept.tightened(TimeRange(start: 2, end: 3)) == nil)
        #expect(Self.kept.tightened(TimeRange(start: 2.2, end: 2.9)) == nil)
        #expect(Self.kept.tightened(TimeRange(start: 1, end: 4)) == TimeRange(start: 1, end: 3))
        #expect(Self.kept.tightened(clip: TimeRange(start: 60, end: 68)) == TimeRange(start: 60, end: 66.5))
    }

    @Test func `where only the start is left out, what comes first comes at zero`() {
        let kept = KeptSpans([TimeRange(start: 1, end: 4)])
        #expect(kept.tightened(1) == 0 && kept.tightened(0) == -1 && kept.clipTime(0) == 1)
        #expect(kept.seconds == 3)
    }

    /// Every way to keep some of eight frames.
    @Test(arguments: [FrameRate(25), FrameRate(30000, 1001)])
    func `the map rises, is undone by its inverse, and stands on frames`(rate: FrameRate) {
        for mask in 1..<256 {
            let runs = Self.runs(of: mask)
            let kept = KeptSpans(
                runs.map { TimeRange(start: rate.seconds(of: $0.lowerBound), end: rate.seconds(of: $0.upperBound)) })
            #expect(kept.frames(at: rate) == runs)
            #expect(rate.frames(in: kept.seconds) == mask.nonzeroBitCount)
            var last = -Double.infinity
            for quarter in 0..<32 {
                // An eighth of a frame beside its border.
                let time = rate.seconds(of: 1) * (Double(quarter) / 4 + 0.125)
                let tight = kept.tightened(time)
                #expect(tight >= last)
                last = tight
                #expect(kept.shows(time) == (mask & (1 << (quarter / 4)) != 0))
                if kept.shows(time) { #expect(abs(kept.clipTime(tight) - time) < 1e-9) }
                guard time < kept.seconds else { continue }
                #expect(abs(kept.tightened(kept.clipTime(time)) - time) < 1e-9)
                #expect(kept.shows(kept.clipTime(time)))
            }
        }
    }

    private static func runs(of mask: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for frame in 0..<8 where mask & (1 << frame) != 0 {
            if let last = runs.last, last.upperBound == frame {
                runs[runs.count - 1] = last.lowerBound..<(frame + 1)
            } else {
                runs.append(frame..<(frame + 1))
            }
        }
        return runs
    }

    @Test func `what is told in seconds of the source makes the same frames again`() {
        let (rate, clip) = (FrameRate(30000, 1001), TimeRange(start: 61.2345, end: 91.2345))
        let frames = [3..<47, 60..<61, 77..<899]
        let kept = KeptSpans(
            frames.map { TimeRange(start: rate.seconds(of: $0.lowerBound), end: rate.seconds(of: $0.upperBound)) })
        let told = kept.inSource(of: clip)
        #expect(told[0] == TimeRange(start: 61.335, end: 62.803))
        #expect(KeptSpans(inSource: told, clip: clip)?.frames(at: rate) == frames)
    }

    @Test func `what makes no sense is told apart from what does`() {
        let clip = TimeRange(start: 10, end: 20)
        func spans(_ ranges: [(Double, Double)]) -> KeptSpans? {
            KeptSpans(inSource: ranges.map { TimeRange(start: $0.0, end: $0.1) }, clip: clip)
        }
        #expect(spans([]) == nil)
        #expect(spans([(12, 12)]) == nil)
        #expect(spans([(14, 16), (10, 12)]) == nil)
        #expect(spans([(10, 14), (12, 16)]) == nil)
        #expect(spans([(10, 12), (14, 16)])?.seconds == 4)
    }

    // MARK: Words and lines

    private static let clip = TimeRange(start: 100, end: 108)

    private static func word(_ text: String, _ start: Double, _ end: Double) -> Word {
        Word(text: text, start: start, end: end, probability: 0.5)
    }

    @Test func `words are told as if nothing else had been said`() {
        let words = [
            Self.word("one", 99.5, 99.75), Self.word("two", 101, 101.5), Self.word("um", 102.25, 102.75),
            Self.word("three", 103, 103.5), Self.word("four", 106, 106.5),
        ]
        let tight = Self.kept.tightened(words, of: Self.clip)
        #expect(tight.map(\.text) == ["two", "three", "four"])
        #expect(tight.map(\.start) == [101, 102, 104.5] && tight.map(\.end) == [101.5, 102.5, 105])
        #expect(tight.allSatisfy { $0.probability == 0.5 })
        #expect(Self.kept.heard(words, of: Self.clip).map(\.start) == [101, 103, 106])
    }

    @Test func `a line gets shorter over a joint, and is gone where nothing of it is left`() {
        let lines = [
            ClipEdits.Caption(start: 101, end: 103.5, text: "One, two"),
            ClipEdits.Caption(start: 104.95, end: 105.5, text: "Um"),
            ClipEdits.Caption(start: 105.5, end: 107, text: "three"),
        ]
        let tight = Self.kept.tightened(lines, of: Self.clip)
        #expect(tight.map(\.text) == ["One, two", "three"])
        #expect(tight.map(\.start) == [101, 104] && tight.map(\.end) == [102.5, 105.5])
    }

    @Test func `lines that may be edited are those of the files, in seconds of the source`() {
        // 1.75 s apart in the source, and 0.75 s in the file.
        let words = [Self.word("one", 101, 101.5), Self.word("two", 103.25, 103.75)]
        let shown = Self.kept.tightened(clip: Self.clip)
        let track = CaptionTrack(words: Self.kept.tightened(words, of: Self.clip), clip: shown, language: "en")
        let lines = track.captions(of: Self.clip, kept: Self.kept)
        #expect(lines == [ClipEdits.Caption(start: 101, end: 104.35, text: "one two")])
        let again = CaptionTrack(
            edited: Self.kept.tightened(lines, of: Self.clip), heard: Self.kept.tightened(words, of: Self.clip),
            clip: shown, language: "en")
        #expect(again.srt() == track.srt())
    }

    @Test func `subtitle files are in the time of the tight clip`() {
        let words = [Self.word("one", 101, 101.5), Self.word("um", 102.25, 102.75), Self.word("two", 103.25, 103.75)]
        let shown = Self.kept.tightened(clip: Self.clip)
        let track = CaptionTrack(words: Self.kept.tightened(words, of: Self.clip), clip: shown, language: "en")
        #expect(track.srt().hasPrefix("1\n00:00:01,000 --> "))
        #expect(track.srt().contains("one two") && !track.srt().contains("um"))
        let edited = [ClipEdits.Caption(start: 103, end: 104, text: "Two!")]
        let written = CaptionTrack(
            edited: Self.kept.tightened(edited, of: Self.clip), heard: Self.kept.tightened(words, of: Self.clip),
            clip: shown, language: "en")
        #expect(written.srt() == "1\n00:00:02,000 --> 00:00:03,000\nTwo!\n\n")
    }
}
