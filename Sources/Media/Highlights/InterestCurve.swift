import ClipModel

/// How interesting the video is along its length, for people to look at and to choose by.
///
/// Half of it is what the choice was made by, the best clip that could be made of a moment; the other half is the
/// moment itself: how loud, how lively, how dense it is, and whether the audience answers.
struct InterestCurve: Sendable {
    /// Seconds between points, more in videos that would have more than `pointsMax` of them.
    static let stepSecondsMin = 2.0
    static let pointsMax = 300
    /// How far around a point is listened, in milliseconds.
    static let nearMilliseconds = 3000

    private let text: SpeechText
    private let sound: SoundProfile
    private let weights: TermWeights

    init(_ text: SpeechText, sound: SoundProfile, weights: TermWeights) {
        self.text = text
        self.sound = sound
        self.weights = weights
    }

    /// `pool`: everything that was judged.
    func points(_ pool: [FoundMoment]) -> [InterestPoint] {
        let least = (text.duration + Self.pointsMax - 1) / Self.pointsMax
        let step = max(milliseconds(Self.stepSecondsMin), least)
        let count = (text.duration + step - 1) / step
        guard count > 0 else { return [] }
        let best = Self.scaled(covers(pool, count: count, step: step))
        let own = Self.scaled(moments(count: count, step: step))
        let values = Self.scaled(zip(best, own).map { $0 + $1 })
        return values.indices.map { index in
            InterestPoint(start: seconds(index * step), value: (values[index] * 100).rounded() / 100)
        }
    }

    /// For every point the score of the best clip over it.
    private func covers(_ pool: [FoundMoment], count: Int, step: Int) -> [Double] {
        var best = [Double](repeating: 0, count: count)
        for moment in pool {
            let span = moment.candidate.span
            let last = min(count - 1, max(0, span.end - 1) / step)
            guard span.start / step <= last else { continue }
            for index in span.start / step...last { best[index] = max(best[index], moment.verdict.score) }
        }
        return best
    }

    private func moments(count: Int, step: Int) -> [Double] {
        var energy: [Double] = [], pitch: [Double] = [], density: [Double] = [], reaction: [Double] = []
        for index in 0..<count {
            let low = max(0, index * step - Self.nearMilliseconds)
            let high = min(text.duration, (index + 1) * step + Self.nearMilliseconds)
            let words = text.wordsBegun(before: low)..<text.wordsBegun(before: high)
            energy.append(sound.mean(low, high))
            pitch.append(sound.liveliness(low, high))
            // Stretches without words have no density rather than the highest.
            density.append(weights.density(words) * Double(words.count))
            reaction.append(Double(sound.reaction(low, high, cause: 0)) / Double(max(1, high - low)))
        }
        let scales = [energy, pitch, density].map(RobustScale.init)
        return (0..<count).map { index in
            scales[0].signal(energy[index]) + scales[1].signal(pitch[index]) + scales[2].signal(density[index])
                + 2 * reaction[index]
        }
    }

    /// Brought to 0...1; 0.5 throughout where all are equal.
    private static func scaled(_ values: [Double]) -> [Double] {
        let low = values.min() ?? 0, high = values.max() ?? 0
        return values.map { high - low > 1e-9 ? ($0 - low) / (high - low) : 0.5 }
    }
}
