import ClipModel
import Media
import Testing

@Suite struct WordBorderTests {
    /// Levels in dBFS, each for so many frames of 20 ms.
    private func activity(_ parts: (level: Float, frames: Int)...) -> SpeechActivity {
        SpeechActivity(levels: parts.flatMap { Array(repeating: $0.level, count: $0.frames) }, start: 0)
    }

    /// Words that the attention moved to at `told`, the last of which it left at the last of `told`.
    private func place(
        _ told: [Double], lastTokenLetters: Int = 2, _ activity: SpeechActivity
    ) -> [Word] {
        let drafts = zip(told, told.dropFirst()).map {
            WordAssembler.Draft(
                text: "word", start: $0, end: $1, probability: 0.9, lastTokenLetters: lastTokenLetters)
        }
        return WordTiming.words(of: drafts, origin: 0, window: activity.range, activity: activity)
    }

    private func isNear(_ values: [Double], _ expected: [Double]) -> Bool {
        values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) < 0.001 }
    }

    @Test func `words start where the attention moved to them, when they are as long as their letters say`() {
        let words = place([0.5, 0.9, 1.3, 1.7, 2.1, 2.5], activity((-65, 25), (-20, 100), (-65, 25)))
        #expect(isNear(words.map(\.start), [0.5, 0.9, 1.3, 1.7, 2.1]), "\(words)")
        #expect(isNear(words.map(\.end), [0.9, 1.3, 1.7, 2.1, 2.5]), "\(words)")
    }

    @Test func `words share the sound when the attention stayed on one and ran through the next`() {
        let words = place(
            [0.5, 0.9, 1.3, 2.5, 2.5, 2.5, 2.9, 3.3, 3.7], activity((-65, 25), (-20, 160), (-65, 65)))
        #expect(isNear(words.map(\.start), [0.5, 0.9, 1.3, 1.7, 2.1, 2.5, 2.9, 3.3]), "\(words)")
    }

    @Test func `a long sound that is no word does not push the words around it`() {
        let words = place([0.5, 0.9, 1.3, 2.9, 3.3, 3.7, 4.1], activity((-65, 25), (-20, 180), (-65, 45)))
        #expect(isNear(words.map(\.start), [0.5, 0.9, 1.3, 2.9, 3.3, 3.7]), "\(words)")
        #expect(isNear([words[2].end], [1.3 + WordTiming.secondsMax(of: "word")]), "\(words[2])")
    }

    @Test func `a word does not reach over a pause to where the attention moved on`() {
        let words = place(
            [0.5, 0.9, 1.3, 1.56, 2.4, 2.8, 3.2],
            activity((-65, 25), (-20, 60), (-65, 15), (-20, 60), (-65, 40)))
        #expect(isNear(words.map(\.start), [0.5, 0.9, 1.3, 2.0, 2.4, 2.8]), "\(words)")
        #expect(isNear([words[2].end], [1.7]), "\(words)")
    }

    @Test func `words begin where the sound grows, when that is near`() {
        let word: [(level: Float, frames: Int)] = [(-45, 3), (-20, 17)]
        let levels = (0..<6).flatMap { _ in word }.flatMap { Array(repeating: $0.level, count: $0.frames) }
        let quiet = [Float](repeating: -65, count: 25)
        let sound = SpeechActivity(levels: quiet + levels + quiet + quiet, start: 0)
        // Each 40 ms before the sound grows.
        let starts = place([0.5, 0.86, 1.26, 1.66, 2.06, 2.46, 2.9], sound).map(\.start)
        #expect(isNear(starts, [0.5, 0.9, 1.3, 1.7, 2.1, 2.5]), "\(starts)")
    }

    @Test func `the longer the token, the earlier the attention left it`() {
        func second(_ letters: Int) -> Double {
            let sound = activity((-65, 25), (-20, 100), (-65, 25))
            return place([0.5, 0.9, 1.3, 1.7, 2.1, 2.5], lastTokenLetters: letters, sound)[1].start
        }
        #expect(isNear([2, 3, 4, 5, 6, 7].map(second), [0.9, 0.9, 0.92, 0.94, 0.96, 0.96]))
    }

    @Test func `a word at a pause gets its quiet end, and the next its quiet beginning`() {
        // The threshold is at -50 dBFS.
        let words = place(
            [0.5, 1.3, 2.2],
            activity((-65, 25), (-20, 25), (-55, 6), (-65, 20), (-55, 4), (-20, 25), (-65, 45)))
        #expect(isNear(words.map(\.start), [0.5, 1.52]), "\(words)")
        #expect(isNear(words.map(\.end), [1.12, 2.1]), "\(words)")
    }

    @Test func `what rings on or breathes for long is no word`() {
        let words = place(
            [0.5, 1.3, 3],
            activity((-65, 25), (-20, 25), (-55, 20), (-65, 20), (-55, 20), (-20, 25), (-65, 45)))
        #expect(isNear(words.map(\.start), [0.5, 2.1]), "\(words)")
        #expect(isNear(words.map(\.end), [1.3, 2.7]), "\(words)")
    }

    @Test func `a pause is silent between what trails off and what is breathed`() throws {
        let sound = activity((-65, 25), (-20, 25), (-55, 6), (-65, 20), (-55, 4), (-20, 25), (-65, 45))
        let silence = try #require(sound.silence(in: TimeRange(start: 1, end: 1.6)))
        #expect(isNear([silence.start, silence.end], [1.12, 1.52]))
        #expect(sound.silence(in: TimeRange(start: 1.3, end: 1.31)) == nil)
        #expect(activity((-65, 100)).silence(in: TimeRange(start: 0, end: 2)) == nil)
    }

    @Test func `frames of sound tell of the pause before them and whether the sound grows`() {
        let frames = activity((-65, 5), (-30, 1), (-20, 2), (-65, 10), (-20, 2), (-65, 5))
            .soundFrames(in: TimeRange(start: 0, end: 0.5))
        #expect(isNear(frames.map(\.start), [0.1, 0.12, 0.14, 0.36, 0.38]))
        #expect(isNear(frames.map(\.pauseBefore), [0, 0, 0, 0.2, 0]))
        #expect(isNear(frames.map(\.rise), [1, 0.5, 0, 1, 0]))
    }

    @Test func `more words than there is room for stay where the attention was`() {
        let told = (0...40).map { 0.5 + 0.01 * Double($0) }
        let words = place(told, activity((-65, 25), (-20, 20), (-65, 55)))
        #expect(words.count == 40)
        for (one, next) in zip(words, words.dropFirst()) { #expect(one.end <= next.start + 1e-9) }
    }

    @Test func `no words become no words`() {
        #expect(place([], activity((-20, 100))).isEmpty)
    }
}
