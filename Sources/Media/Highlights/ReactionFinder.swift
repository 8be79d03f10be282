/// Finds what an audience does: bursts of sound without words that follow speech.
///
/// Laughter and applause have no words, begin within moments of the last one, are louder than the pauses of their video
/// and last seconds. Music and noise without words go on for longer, or were there all the time.
struct ReactionFinder {
    /// A reaction is at least so long, and no longer, in milliseconds.
    static let millisecondsMin = 600
    static let millisecondsMax = 9000
    /// It begins at most so long after a word, in milliseconds.
    static let delayMillisecondsMax = 1500
    /// So far below the level of speech it may lie, and so far above the level of pauses it must, in LU.
    static let belowSpeechMax = 12.0
    static let abovePausesMin = 6.0

    /// Stretches in milliseconds, in order. `loudness` has a value for each of `stepMilliseconds`.
    static func reactions(
        _ loudness: [Double], stepMilliseconds: Int, text: SpeechText
    ) -> [Range<Int>] {
        guard !text.words.isEmpty else { return [] }
        var isSpoken = [Bool](repeating: false, count: loudness.count)
        for word in text.words {
            // A fifth of a second around each word: recognisers place borders a little early or late.
            let low = max(0, (word.start - 200) / stepMilliseconds)
            let high = min(loudness.count, (word.end + 200) / stepMilliseconds + 1)
            if low < high { for step in low..<high { isSpoken[step] = true } }
        }
        let spoken = loudness.indices.filter { isSpoken[$0] }.map { loudness[$0] }.sorted()
        let pauses = loudness.indices.filter { !isSpoken[$0] }.map { loudness[$0] }.sorted()
        guard !spoken.isEmpty, !pauses.isEmpty else { return [] }
        let level = max(spoken[spoken.count / 2] - belowSpeechMax, pauses[pauses.count / 2] + abovePausesMin)
        var found: [Range<Int>] = []
        var step = 0
        while step < loudness.count {
            guard !isSpoken[step], loudness[step] >= level else {
                step += 1
                continue
            }
            let first = step
            // Laughter has dips: a step or two below the level do not end it.
            var last = step
            while step < loudness.count, !isSpoken[step], step - last <= 3 {
                if loudness[step] >= level { last = step }
                step += 1
            }
            let burst = (first * stepMilliseconds)..<((last + 1) * stepMilliseconds)
            if isReaction(burst, text) { found.append(burst) }
        }
        return found
    }

    private static func isReaction(_ burst: Range<Int>, _ text: SpeechText) -> Bool {
        guard (millisecondsMin...millisecondsMax).contains(burst.count) else { return false }
        let ends = text.wordsBegun(before: burst.lowerBound)
        return ends > 0 && burst.lowerBound - text.words[ends - 1].end <= delayMillisecondsMax
    }
}

extension SpeechText {
    /// How many words begin before `place`, in milliseconds.
    func wordsBegun(before place: Int) -> Int {
        var first = 0, last = words.count
        while first < last {
            let middle = (first + last) / 2
            if words[middle].start < place { first = middle + 1 } else { last = middle }
        }
        return first
    }
}
