import ClipModel
import Media
import Testing

@Suite struct WordTimingTests {
    private func place(
        _ drafts: [(String, Double, Double)], _ sounds: [ClosedRange<Double>], seconds: Double = 10, origin: Double = 0
    ) -> [Word] {
        WordTiming.words(
            of: drafts.map { WordAssembler.Draft(text: $0.0, start: $0.1, end: $0.2, probability: 0.9) },
            origin: origin, window: TimeRange(start: 0, end: seconds),
            activity: SpeechSamples.activity(sounds, seconds: seconds))
    }

    private func isNear(_ one: Double, _ other: Double) -> Bool { abs(one - other) < 0.03 }

    @Test func `a word before a pause ends with its own sound`() {
        let words = place([("hello", 1, 3), ("there", 3, 3.5)], [1...1.5, 3...3.5])
        #expect(isNear(words[0].end, 1.5))
        #expect(isNear(words[1].start, 3))
    }

    @Test func `a word that was heard from the middle of a pause on starts with its own sound`() {
        let words = place([("hello", 1, 1.5), ("there", 1.5, 3.5)], [1...1.5, 3...3.5])
        #expect(isNear(words[1].start, 3))
        #expect(isNear(words[1].end, 3.5))
    }

    @Test func `the head of the next word is given back to it`() {
        let words = place([("hello", 1, 3.1), ("there", 3.1, 3.5)], [1...1.5, 3...3.5])
        #expect(isNear(words[0].end, 1.5))
        #expect(isNear(words[1].start, 3))
    }

    @Test func `the first word starts with the sound, not with the window`() {
        let words = place([("hello", 0, 2.5)], [2...2.5])
        #expect(isNear(words[0].start, 2))
    }

    @Test func `after a noisy pause a word lies at the end of what it could be`() {
        let words = place([("Ever", 0, 9), ("tried.", 9, 9.5)], [0...9.5])
        #expect(words[0].start > 8 && isNear(words[0].end, 9))
    }

    @Test func `no word lasts longer than it can be spoken`() {
        let words = place([("and", 0.5, 1), ("so.", 1, 9), ("then", 9, 9.5)], [0.5...9.5])
        #expect(words[1].end <= 1 + WordTiming.secondsMax(of: "so.") + 0.001)
    }

    @Test func `words squeezed beside a stretched one share its time`() {
        var drafts = (0..<6).map { ("steady", 0.5 * Double($0), 0.5 * Double($0 + 1)) }
        drafts += [("begins", 3, 4.2), ("to", 4.2, 4.2), ("listen", 4.2, 4.25), ("closely", 4.25, 4.8)]
        let words = place(drafts, [0...4.8])
        #expect(words[6].end < 3.8)
        #expect(words[7].range.duration > 0.1 && words[8].range.duration > 0.3)
        // The attention leaves a long word early: it is looked for 60 ms later.
        #expect(isNear(words[9].start, 4.3))
    }

    @Test func `words stay in the window, in order and apart, whatever the model says`() {
        let wild = [("a", 5.0, 2.0), ("b", 1.0, 1.0), ("c", 99.0, 120.0), ("d", -4.0, 0.0), ("e", 2.0, 3.0)]
        for origin in [-3.0, 0, 4] {
            let words = place(wild, [0.5...2, 4...6], origin: origin)
            #expect(words.count == 5)
            for word in words { #expect(word.start >= 0 && word.end <= 10 && word.start <= word.end) }
            for (one, next) in zip(words, words.dropFirst()) { #expect(one.end <= next.start + 1e-9) }
        }
    }
}
