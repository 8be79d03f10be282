package import ClipModel

/// Whether what the model wrote for a window can be believed.
///
/// Three things go wrong in practice: the model drops a stretch of speech (a whole window once in a while), runs in a
/// circle, or writes what it heard in training where nobody speaks. Each leaves a mark that can be measured without
/// listening: sound without words, repetition, low probability, words without sound.
package struct WindowVerdict: Hashable, Sendable {
    package enum Doubt: String, Hashable, Sendable, CaseIterable {
        /// Long sound without words.
        case dropped
        /// The same few words over and over.
        case repeated
        /// The model guessed.
        case unsure
        /// More words than a tongue can speak.
        case crowded
    }

    /// The limits behind the doubts. Defaults were set on real and synthetic English and Spanish speech.
    package struct Limits: Hashable, Sendable {
        /// Sound between two words that counts as dropped. Laughter and breath last less.
        package var wordlessSecondsMax = 2.5
        /// Geometric mean of the words' probabilities below which a window is unsure.
        package var probabilityMin = 0.42
        /// Words a second of sound; auctioneers reach 7.
        package var wordsPerSecondMax = 8.0
        /// Share of a window's words that may be repetitions.
        package var repeatedShareMax = 0.34

        package init() {}
    }

    package let doubts: Set<Doubt>
    /// Stretches with sound but no words, for a closer look.
    package let wordless: [TimeRange]
    /// Comparable between tries of one window: higher is better.
    package let quality: Double

    package init(of words: [Word], window: TimeRange, activity: SpeechActivity, limits: Limits = Limits()) {
        let voiced = activity.voicedSeconds(in: window)
        let repeated = Repetition.share(of: words)
        let probability = Self.meanProbability(of: words)
        wordless = Self.wordless(words, window, activity, secondsMax: limits.wordlessSecondsMax)
        var doubts: Set<Doubt> = []
        if !wordless.isEmpty { doubts.insert(.dropped) }
        if repeated > limits.repeatedShareMax { doubts.insert(.repeated) }
        if !words.isEmpty, probability < limits.probabilityMin { doubts.insert(.unsure) }
        if words.count > 4, Double(words.count) > limits.wordsPerSecondMax * voiced { doubts.insert(.crowded) }
        self.doubts = doubts
        // Seconds of sound that are explained, weighed by how sure the model was; a loop explains nothing.
        let missing = wordless.reduce(0) { $0 + activity.voicedSeconds(in: $1) }
        let explained = voiced > 0 ? max(0, voiced - missing) / voiced : 0
        quality =
            words.isEmpty ? 0 : explained * probability * max(0, 1 - repeated) * (doubts.contains(.crowded) ? 0.5 : 1)
    }

    package var isGood: Bool { doubts.isEmpty }

    /// Whether the whole window deserves a second try, not only its wordless stretches.
    package var isWholeInDoubt: Bool { doubts.contains { $0 != .dropped } || quality < 0.35 }

    private static func meanProbability(of words: [Word]) -> Double {
        guard !words.isEmpty else { return 0 }
        // Geometric: one wild guess among ten sure words is no reason to doubt, five are.
        return Logarithm.geometricMean(words.map(\.probability))
    }

    private static func wordless(
        _ words: [Word], _ window: TimeRange, _ activity: SpeechActivity, secondsMax: Double
    ) -> [TimeRange] {
        var (gaps, last) = ([TimeRange](), window.start)
        for word in words {
            if word.start > last { gaps.append(TimeRange(start: last, end: word.start)) }
            last = max(last, word.end)
        }
        if window.end > last { gaps.append(TimeRange(start: last, end: window.end)) }
        return gaps.filter { activity.voicedSeconds(in: $0) > secondsMax }
    }
}
