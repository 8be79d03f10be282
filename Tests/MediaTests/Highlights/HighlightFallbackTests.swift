import ClipModel
import Media
import Testing

/// There is always a clip, and a note that says why there are not more.
struct HighlightFallbackTests {
    private func select(
        _ words: [Word] = [], seconds: Double, curves: SoundCurves? = nil, cuts: [Double] = [], _ options: JobOptions
    ) -> HighlightSelection {
        let transcript = Transcript(language: words.isEmpty ? "und" : "en", words: words)
        let selection = HighlightSelector.select(
            transcript: transcript, curves: curves, cuts: cuts, durationSeconds: seconds, options: options)
        let laws = SelectionLaws(
            selection: selection, words: words, durationSeconds: seconds, limits: options.clipSeconds)
        #expect(laws.violations().isEmpty)
        return selection
    }

    private func speech(from start: Double, to end: Double) -> [Word] {
        stride(from: start, to: end - 0.4, by: 0.4).enumerated().map { index, time in
            let time = (time * 1000).rounded() / 1000
            return Word(
                text: index % 8 == 7 ? "word\(index)." : "word\(index)", start: time, end: time + 0.3, probability: 1)
        }
    }

    @Test func `a video shorter than a clip becomes one clip as it is`() {
        let selection = select(speech(from: 1, to: 8), seconds: 9.5, JobOptions())
        #expect(selection.highlights.map(\.range) == [TimeRange(start: 0, end: 9.5)])
        #expect(selection.notes.map(\.code) == ["video_shorter_than_clip"])
    }

    @Test func `a silent video of an instant still becomes a clip`() {
        let selection = select(seconds: 0.4, JobOptions())
        #expect(selection.highlights.count == 1)
        #expect(selection.notes.map(\.code) == ["no_speech", "video_shorter_than_clip"])
    }

    @Test func `without speech the loud and lively stretches are chosen`() {
        let steps = 3000
        var loudness = [Float](repeating: -40, count: steps)
        for step in 1200..<1450 { loudness[step] = step % 7 == 0 ? -12 : -20 }
        let curves = SoundCurves(
            durationSeconds: 300, energyDBFS: loudness, loudnessLUFS: loudness, integratedLUFS: -30, silences: [])
        let selection = select(seconds: 300, curves: curves, JobOptions())
        #expect(selection.notes.map(\.code) == ["no_speech"])
        #expect(selection.highlights.count == 5)
        #expect(selection.highlights[0].range.overlap(TimeRange(start: 120, end: 145)) > 15)
        #expect(Set(selection.highlights[0].signals.keys) == ["energy", "dynamics", "variety"])
        #expect(selection.highlights[0].title.contains(":"))
    }

    @Test func `without speech, sound and cuts the clips are spread`() {
        let selection = select(seconds: 600, JobOptions())
        #expect(selection.highlights.count == 5)
    }

    @Test func `fewer clips than asked come with the reason`() {
        let selection = select(speech(from: 0.5, to: 59), seconds: 60, JobOptions())
        #expect((2...3).contains(selection.highlights.count))
        let note = selection.notes.first { $0.code == "fewer_clips" }
        #expect(note?.text.contains("60.0 s, which has room for 3") == true)
    }

    @Test func `a few words in a long silence do not end the choice`() {
        let selection = select(speech(from: 100, to: 106) + speech(from: 300, to: 304), seconds: 400, JobOptions())
        #expect(selection.highlights.count == 5)
    }

    @Test func `speech without a pause or a mark is cut between words`() {
        let words = (0..<600).map {
            Word(text: "palabra\($0 % 37)", start: Double($0) * 0.5, end: Double($0) * 0.5 + 0.5, probability: 1)
        }
        let selection = select(words, seconds: 300, JobOptions())
        #expect(selection.highlights.count == 5)
    }

    @Test func `one length exactly is met, or a shorter one is taken with a note`() {
        var options = JobOptions()
        options.minSeconds = 20
        options.maxSeconds = 20
        let met = select(speech(from: 0.5, to: 299), seconds: 300, options)
        #expect(!met.highlights.isEmpty)
        let words = (0..<400).map {
            Word(text: "w\($0)", start: Double($0) * 0.7, end: Double($0) * 0.7 + 0.7, probability: 1)
        }
        let transcript = Transcript(language: "en", words: words)
        let near = HighlightSelector.select(
            transcript: transcript, curves: nil, cuts: [], durationSeconds: 280, options: options)
        #expect(!near.highlights.isEmpty)
        #expect(near.highlights.allSatisfy { $0.range.duration <= 20 })
    }

    @Test func `broken times do not break the choice`() {
        var words = speech(from: 0, to: 100)
        words[3].start = .nan
        words[4].end = -.infinity
        words[5].start = 5000
        words[6].end = 1e300
        words[7].start = -4
        words.swapAt(20, 90)
        let selection = HighlightSelector.select(
            transcript: Transcript(language: "", words: words), curves: nil, cuts: [.nan, -1, 1e9],
            durationSeconds: 100, options: JobOptions())
        #expect(!selection.highlights.isEmpty)
        let nothing = HighlightSelector.select(
            transcript: Transcript(language: "en", words: words), curves: nil, cuts: [], durationSeconds: .nan,
            options: JobOptions())
        #expect(nothing.highlights.count == 1)
    }

    @Test func `two hours of talk are chosen from within a second`() {
        var generator = TalkGenerator(seed: 77)
        let talk = generator.talk(seconds: 7200, plants: 6)
        #expect(talk.transcript.words.count > 10_000)
        var options = JobOptions()
        options.clipCount = 10
        let took = ContinuousClock().measure {
            let selection = HighlightSelector.select(
                transcript: talk.transcript, curves: talk.curves, cuts: talk.cuts,
                durationSeconds: talk.durationSeconds, options: options)
            #expect(selection.highlights.count == 10)
        }
        // Generous: debug builds on a busy machine are an order of magnitude slower.
        #expect(took < .seconds(20), "\(took)")
    }
}
