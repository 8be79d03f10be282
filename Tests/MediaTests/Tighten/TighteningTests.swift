import ClipModel
import Media
import Testing

/// What is cut out of a clip of 20 s at 25 frames a second, which begins at second 10 of its source.
struct TighteningTests {
    private static let clip = TimeRange(start: 10, end: 30)
    private static let rate = FrameRate(25)

    /// Words of the source, each from one time to another.
    private func words(_ words: [(String, Double, Double)]) -> [Word] {
        words.map { Word(text: $0.0, start: $0.1, end: $0.2, probability: 1) }
    }

    private func curves(_ silences: [(Double, Double)], loudness: [Float] = []) -> SoundCurves {
        SoundCurves(
            durationSeconds: 40, energyDBFS: loudness, loudnessLUFS: loudness, integratedLUFS: -20,
            silences: silences.map { TimeRange(start: $0.0, end: $0.1) })
    }

    /// The frames that are left; nil: all.
    private func kept(
        _ spoken: [(String, Double, Double)], silences: [(Double, Double)], language: String = "en",
        scenes: [Double] = [], secondsMin: Double = 3, loudness: [Float] = [],
        limits: Tightening.Limits = Tightening.Limits()
    ) -> [Range<Int>]? {
        Tightening.kept(
            of: Self.clip, transcript: Transcript(language: language, words: words(spoken)),
            curves: curves(silences, loudness: loudness), scenes: scenes, rate: Self.rate, secondsMin: secondsMin,
            limits: limits
        )?.frames(at: Self.rate)
    }

    /// Two words with a pause of 2 s between them, and one up to the clip's end.
    private static let talk: [(String, Double, Double)] = [
        ("one", 10.3, 10.8), ("two", 12.8, 13.2), ("three", 13.3, 29.8),
    ]
    private static let pause: [(Double, Double)] = [(10.8, 12.8)]

    // MARK: Pauses

    @Test func `of a long pause a rest is left, half of it on either side`() {
        // 0.8 to 2.8 s of the clip, less an eighth of a second on either side: 0.925 to 2.675 s.
        #expect(kept(Self.talk, silences: Self.pause) == [0..<24, 66..<500])
    }

    @Test func `behind a sentence more of it is left`() {
        let talk = [("one.", 10.3, 10.8)] + Self.talk.dropFirst()
        #expect(kept(talk, silences: Self.pause) == [0..<25, 65..<500])
    }

    @Test func `silence counts between words only, and a pause only where it is silent`() {
        #expect(kept(Self.talk, silences: [(10.5, 13.1)]) == [0..<24, 66..<500])
        #expect(kept(Self.talk, silences: [(11.5, 12.8)]) == [0..<41, 66..<500])
        #expect(kept(Self.talk, silences: [(11.1, 11.6), (11.9, 12.4)]) == nil)
        #expect(kept(Self.talk, silences: []) == nil)
        #expect(kept(Self.talk, silences: [(15, 20)]) == nil, "inside a word")
    }

    @Test(arguments: [(0.55, false), (0.65, true)])
    func `a short pause stays`(seconds: Double, isCut: Bool) {
        let talk = [("one", 10.3, 10.8), ("two", 10.8 + seconds, 29.8)]
        #expect((kept(talk, silences: [(10.8, 10.8 + seconds)]) != nil) == isCut)
    }

    @Test func `where nobody speaks nothing is cut out`() {
        #expect(kept([], silences: [(10, 30)]) == nil)
        #expect(kept([("one", 5, 6), ("two", 33, 34)], silences: [(6, 33)]) == nil)
    }

    @Test func `silence at borders that were set by hand goes, but for a breath`() {
        let talk = [("one", 12.0, 20.0), ("two.", 20.1, 27.0)]
        // A quarter of a second is left before the first word, and 0.4 s behind the last.
        #expect(kept(talk, silences: [(9, 12), (27, 31)]) == [43..<435])
    }

    @Test func `words outside of the borders are told from none`() {
        let talk = [("zero", 9.5, 10.3)] + Self.talk.dropFirst() + [("four", 29.9, 31.0)]
        #expect(kept(talk, silences: [(10.3, 12.8)]) == [0..<11, 66..<500])
    }

    @Test func `a word of a moment does not flash by between two joints`() {
        func frames(_ end: Double) -> [Range<Int>]? {
            kept(
                [("one", 10.3, 10.8), ("I", 12, end), ("two", 14.1, 29.8)], silences: [(10.8, 12), (end, 14.1)])
        }
        #expect(frames(12.1) == [0..<24, 46..<56, 99..<500])
        #expect(frames(12.02) == [0..<54, 99..<500], "the longer pause is worth more")
    }

    // MARK: Fillers

    private static let fillers: [(String, String, Bool)] = [
        ("en", "um,", true), ("en", "Um...", true), ("en", "ummm", true), ("en", "uh", true), ("en", "hmm", true),
        ("en", "like", false), ("en", "Uh-huh", false), ("en", "m", false), ("en", "um?", false),
        ("es", "eh", true), ("es", "Eeeh,", true), ("es", "este...", true), ("es", "esto", true),
        ("es", "¿eh?", false), ("es", "um", false), ("es", "pues", false),
        ("pt", "é", true), ("pt", "ééé...", true), ("pt", "hum", true), ("pt", "ahn,", true), ("pt", "um", false),
        ("pt", "e", false), ("de", "um", false), ("de", "äh", false),
    ]

    @Test(arguments: fillers)
    func `a filler is one by its language`(language: String, word: String, isCut: Bool) {
        let talk = [("so", 10.3, 10.8), (word, 11.3, 11.6), ("two", 12.1, 29.8)]
        let frames = kept(talk, silences: [(10.8, 11.3), (11.6, 12.1)], language: language)
        // With both pauses around it: 0.8 to 2.1 s of the clip, less an eighth of a second on either side.
        #expect(frames == (isCut ? [0..<24, 49..<500] : nil))
    }

    @Test func `a filler without measured silence around it is cut out with half of what is`() {
        let talk = [("so", 10.3, 10.8), ("um", 11, 11.3), ("two", 11.5, 29.8)]
        #expect(kept(talk, silences: []) == [0..<23, 35..<500])
    }

    @Test func `what is said in one breath with the next word stays`() {
        #expect(kept([("so", 10.3, 10.8), ("um", 10.85, 11.15), ("two", 11.4, 29.8)], silences: []) == nil)
        let talk = [("lee", 10.3, 10.8), ("este", 11.3, 11.6), ("libro", 11.65, 29.8)]
        #expect(kept(talk, silences: [(10.8, 11.3)], language: "es") == nil)
        let close = [("está", 10.3, 10.8), ("eh", 11, 11.2), ("bien", 11.4, 29.8)]
        #expect(kept(close, silences: [], language: "es") != nil, "never a word")
        let doubtful = [("está", 10.3, 10.8), ("este", 11, 11.2), ("bien", 11.4, 29.8)]
        #expect(kept(doubtful, silences: [], language: "es") == nil, "perhaps a word")
    }

    @Test func `an answer is no filler`() {
        func frames(_ question: String, _ answer: String) -> [Range<Int>]? {
            kept(
                [(question, 10.3, 10.8), (answer, 11.3, 11.6), ("Então", 12.1, 29.8)],
                silences: [(10.8, 11.3), (11.6, 12.1)], language: "pt")
        }
        #expect(frames("certo?", "É.") == nil)
        #expect(frames("certo,", "É.") != nil)
        #expect(frames("certo?", "É...") != nil)
    }

    @Test func `fillers in a row are one`() {
        let talk = [("so", 10.3, 10.8), ("uh", 11, 11.2), ("um", 11.25, 11.5), ("two", 11.7, 29.8)]
        // 0.8 to 1.7 s, less half of the two pauses of 0.2 s.
        #expect(kept(talk, silences: []) == [0..<23, 40..<500])
    }

    @Test func `a clip may begin and end without its fillers`() {
        let talk = [("um", 10.2, 10.6), ("one", 11, 20), ("two", 20.1, 28.6), ("uh", 29, 29.4)]
        let frames = kept(talk, silences: [(10.6, 11), (28.6, 29), (29.4, 31)])
        #expect(frames == [20..<470])
    }

    // MARK: What is left alone

    /// Speech from 2 to 38 s, but for a pause from 10.8 to 14.8 s, in which an audience laughs from 11.2 to 13.2 s.
    private static let laughter: [Float] = (0..<400).map { step in
        if (112..<132).contains(step) { return -24 }
        return (20..<108).contains(step) || (148..<380).contains(step) ? -22 : -60
    }

    @Test func `nothing is cut out of laughter, nor right before or after it`() {
        let talk = [("one", 2, 10.8), ("two", 14.8, 38)]
        let silence = [(10.8, 14.8)]
        // From 0.3 s behind it on: 3.5 to 4.8 s of the clip, less an eighth of a second on either side.
        #expect(kept(talk, silences: silence, loudness: Self.laughter) == [0..<91, 116..<500])
        #expect(kept(talk, silences: silence) == [0..<24, 116..<500], "without laughter")
        let filled = [("one", 2, 10.8), ("um", 11.5, 11.95), ("two", 14.8, 38)]
        #expect(kept(filled, silences: [], loudness: Self.laughter) == nil)
        #expect(kept(filled, silences: []) == [0..<38, 48..<500], "without laughter")
    }

    private static let scenes: [(Double, [Range<Int>])] = [
        (2.76, [0..<26, 69..<500]),  // in the pause: the joint is there
        (2.92, [0..<24, 63..<500]),  // in the word behind it: 0.4 s of the scene before it are left
        (0.72, [0..<28, 66..<500]),  // in the word before it, likewise
        (0.84, [0..<21, 64..<500]),  // in the pause, before the cut
        (2.75, [0..<26, 69..<500]),  // seen from the nearest frame on, which is after it...
        (0.85, [0..<21, 64..<500]),  // ...or before it
        (2.67, [0..<24, 67..<500]),  // in the cut, and seen from behind it on
        (1.8, [0..<24, 66..<500]),  // cut out
        (4, [0..<24, 66..<500]),  // far away
    ]

    @Test(arguments: scenes)
    func `no moment of a scene is left between a joint and a cut of the picture`(scene: Double, frames: [Range<Int>]) {
        #expect(kept(Self.talk, silences: Self.pause, scenes: [scene]) == frames)
    }

    @Test func `what was cut out of a scene does not come back where the joint is moved`() {
        #expect(kept(Self.talk, silences: Self.pause, scenes: [0.84, 2.64]) == [0..<21, 66..<500])
    }

    @Test func `a pause that is cut out in part leaves no moment of a scene either`() {
        // Of 129..<146 eight frames may go; from the middle, 2 of the scene before frame 143 would be left.
        let frames = kept(
            Self.twoPauses, silences: [(10.8, 12.8), (15, 16)], scenes: [5.72], secondsMin: 18)
        #expect(frames == [0..<24, 66..<135, 143..<500])
    }

    // MARK: How much

    /// Cuts of 42 and of 17 frames.
    private static let twoPauses: [(String, Double, Double)] = [
        ("one", 10.3, 10.8), ("two", 12.8, 15), ("three", 16, 29.8),
    ]

    private static let lengths: [(Double, [Range<Int>])] = [
        (3, [0..<24, 66..<129, 146..<500]),
        (18, [0..<24, 66..<133, 141..<500]),  // 50 frames may go: of the shorter pause 8
        (18.2, [0..<24, 66..<500]),  // 3 more are not worth a joint
        (19, [0..<32, 57..<500]),  // 25, of the longer pause
    ]

    @Test(arguments: lengths)
    func `the shortest pauses stay first where a clip would get too short`(least: Double, frames: [Range<Int>]) {
        #expect(kept(Self.twoPauses, silences: [(10.8, 12.8), (15, 16)], secondsMin: least) == frames)
    }

    @Test func `a clip that is as short as it may be stays as it is`() {
        #expect(kept(Self.talk, silences: Self.pause, secondsMin: 20) == nil)
        #expect(kept(Self.talk, silences: Self.pause, secondsMin: 25) == nil)
    }

    @Test func `fillers go before pauses`() {
        let talk = [("one", 10.3, 10.8), ("two", 12.8, 15), ("um", 15.2, 15.5), ("three", 15.7, 29.8)]
        // 20 frames may go: 12 of the filler, and 8 from the middle of the pause.
        #expect(kept(talk, silences: Self.pause, secondsMin: 19.2) == [0..<41, 49..<128, 140..<500])
    }

    @Test func `there are only so many joints`() {
        var limits = Tightening.Limits()
        limits.jointsMax = 1
        let frames = kept(Self.twoPauses, silences: [(10.8, 12.8), (15, 16)], limits: limits)
        #expect(frames == [0..<24, 66..<500])
    }

    /// Talks of words and fillers, with pauses of any length that are measured as silent now and then, and not quite
    /// where they are.
    @Test func `no talk loses a part of a word, gets too short, or flashes by`() {
        var cuts = 0
        for seed in UInt64(0)..<300 {
            var dice = TalkDice(seed: seed)
            func draw(_ low: Double, _ high: Double) -> Double { Double.random(in: low..<high, using: &dice) }
            var spoken: [(String, Double, Double)] = [], silences: [(Double, Double)] = []
            var time = draw(8, 11)
            while time < 33 {
                let (end, pause) = (time + draw(0.05, 0.55), max(0, draw(-1, 2)))
                let text = draw(0, 10) < 1 ? "um" : draw(0, 4) < 1 ? "word." : "word"
                spoken.append((text, time, end))
                if pause > 0.3, draw(0, 5) < 4 {
                    silences.append((end - draw(0, 0.1), end + pause * draw(0.6, 1.1)))
                }
                time = end + pause
            }
            let least: Double = seed.isMultiple(of: 3) ? 18 : 3
            let scenes = [draw(0, 20), draw(0, 20)]
            let frames = kept(spoken, silences: silences, scenes: scenes, secondsMin: least) ?? [0..<500]
            cuts += frames.count - 1
            #expect(frames.reduce(0) { $0 + $1.count } >= Int(least * 25), "seed \(seed)")
            #expect(frames.allSatisfy { $0.count >= 10 }, "seed \(seed)")
            let lost = spoken.filter { text, start, end in
                // In frames; words are known to the millisecond.
                let (first, last) = (max(0, start - 10) * 25, min(20, end - 10) * 25)
                guard text != "um", first + 0.02 < last else { return false }
                return !frames.contains { kept in
                    Double(kept.lowerBound) <= first + 0.02 && last - 0.02 <= Double(kept.upperBound)
                }
            }
            #expect(lost.isEmpty, "\(lost), seed \(seed)")
        }
        #expect(cuts > 300, "talks of which nothing is cut out say nothing")
    }

    @Test func `a clip gets no shorter than its preset allows, but where it was made so`() {
        var options = JobOptions()
        #expect(Tightening.secondsMin(of: TimeRange(start: 10, end: 35), options) == 18)
        #expect(Tightening.secondsMin(of: TimeRange(start: 10, end: 28), options) == 18)
        #expect(Tightening.secondsMin(of: TimeRange(start: 10, end: 22), options) == 3)
        options.minSeconds = 5
        #expect(Tightening.secondsMin(of: TimeRange(start: 10, end: 22), options) == 5)
    }
}
