import ClipModel
import Media
import Testing

/// What follows speech without words: laughter is kept, music is not, and nothing is cut before its answer.
struct ReactionTests {
    /// Five sentences of twelve words, over and over, each a topic of its own; the pauses are 0.6 s but where `gaps`
    /// says more.
    private func talk(_ sentences: [String], gaps: [Int: Double] = [:]) -> (words: [Word], ends: [Double]) {
        var words: [Word] = [], ends: [Double] = []
        var time = 1.0
        for (index, sentence) in sentences.enumerated() {
            for piece in sentence.split(separator: " ") {
                words.append(Word(text: String(piece), start: time, end: time + 0.3, probability: 1))
                time += 0.35
            }
            ends.append(words[words.count - 1].end)
            time += gaps[index] ?? 0.6
        }
        return (words, ends)
    }

    private func select(
        _ talk: (words: [Word], ends: [Double]), loud: [TimeRange] = [], silences: [TimeRange] = [], count: Int = 1
    ) -> [Highlight] {
        let duration = talk.words[talk.words.count - 1].end + 5
        var loudness = [Float](repeating: -60, count: Int(duration * 10))
        func paint(_ range: TimeRange, _ level: Float) {
            for step in Int(range.start * 10)..<min(loudness.count, Int(range.end * 10)) { loudness[step] = level }
        }
        for word in talk.words { paint(TimeRange(start: word.start, end: word.end + 0.1), -22) }
        for range in loud { paint(range, -24) }
        let curves = SoundCurves(
            durationSeconds: duration, energyDBFS: loudness, loudnessLUFS: loudness, integratedLUFS: -23,
            silences: silences)
        var options = JobOptions()
        options.clipCount = count
        return HighlightSelector.select(
            transcript: Transcript(language: "en", words: talk.words), curves: curves, cuts: [],
            durationSeconds: duration, options: options
        ).highlights
    }

    private let plain = (0..<40).map { "The committee files report \($0 % 7) beside folder \($0 % 5) in cabinet blue." }

    @Test func `laughter brings the sentences before it into a clip, and is heard at its end`() throws {
        let talk = talk(plain, gaps: [23: 4])
        let laugh = TimeRange(start: talk.ends[23] + 0.3, end: talk.ends[23] + 3.3)
        let clip = try #require(select(talk, loud: [laugh]).first)
        #expect(clip.range.start < laugh.start - 6)
        #expect(clip.range.overlap(laugh) > 1)
        #expect(clip.signals["reaction"] == 1)
        #expect(clip.reason.contains("aughter or applause"))
        #expect(clip.reasons?["es"]?.lowercased().contains("risas o aplausos") == true)
        #expect(clip.reasons?["pt"]?.lowercased().contains("risos ou aplausos") == true)
    }

    @Test func `in a short pause a clip goes on to 80 ms before the next word`() {
        // Pauses of 0.3 s, in which no silence was measured.
        let talk = talk(plain, gaps: Dictionary(uniqueKeysWithValues: plain.indices.map { ($0, 0.25) }))
        let clips = select(talk, count: 3).map(\.range)
        #expect(!clips.isEmpty)
        for clip in clips {
            let last = talk.ends.lastIndex { $0 <= clip.end } ?? 0
            let tail = last == talk.ends.count - 1 ? 0.35 : 0.22
            #expect(abs(clip.end - talk.ends[last] - tail) < 0.003, "\(clip) after \(talk.ends[last])")
        }
    }

    @Test func `where the recogniser gives a first word too late, a clip begins in the silence before it`() {
        // What is heard to begin 1.6 s after the last word was said from 1.0 s on.
        let talk = talk(plain, gaps: Dictionary(uniqueKeysWithValues: plain.indices.map { ($0, 1.6) }))
        let silences = talk.ends.map { TimeRange(start: $0, end: $0 + 1) }
        let starts = select(talk, silences: silences, count: 5).map(\.range.start)
        #expect(starts.count == 5)
        // At its very end where the clip is as long as it may be.
        let isGood = starts.map { start in
            start < 1.1 || silences.contains { $0.start <= start && start <= $0.end + 0.001 }
        }
        #expect(!isGood.contains(false), "\(starts)")
    }

    @Test func `music of half a minute is no reaction and in no clip`() {
        let talk = talk(plain, gaps: [23: 30])
        let music = TimeRange(start: talk.ends[23] + 0.3, end: talk.ends[23] + 29.5)
        let clips = select(talk, loud: [music], count: 4)
        #expect(clips.count == 4)
        for clip in clips {
            #expect(clip.range.overlap(music) < 1, "\(clip.range)")
            #expect(clip.signals["reaction"] == 0)
        }
    }

    @Test func `a question is not left without its answer`() throws {
        var sentences = plain
        sentences[20] = "Why did nobody in this whole country ever ask you one question?"
        sentences[21] = "Because my father told everybody the secret forty years ago at home."
        let talk = talk(sentences)
        let clips = select(talk, loud: [], count: 3)
        #expect(clips.count == 3)
        #expect(clips.contains { $0.range.start < talk.ends[20] && talk.ends[21] <= $0.range.end }, "none has both")
        for clip in clips { #expect(abs(clip.range.end - talk.ends[20]) > 0.5, "\(clip.range)") }
    }

    @Test func `a clip does not open with the answer to a question that is left out`() throws {
        var sentences = plain
        sentences[19] = "Did the harbour ever freeze during all those winters of your childhood?"
        sentences[20] = "Yes, and I remember the day when my brother walked to the island."
        let talk = talk(sentences)
        let begins = talk.words.first { $0.text == "Yes," }!.start
        let clips = select(talk, loud: [], count: 3)
        #expect(clips.count == 3)
        #expect(clips.contains { $0.range.start < talk.ends[19] && talk.ends[20] <= $0.range.end }, "none has both")
        for clip in clips { #expect(abs(clip.range.start - begins) > 0.5, "\(clip.range)") }
    }
}
