import ClipModel

/// Answers questions about the loudness of any stretch of the video in constant time, from running sums.
struct SoundProfile: Sendable {
    /// Below this, a step counts as this: the depth of silence says nothing.
    static let floorLUFS = -60.0

    private let stepMilliseconds = 100
    private let loudness: [Double]
    private let sums: [Double]
    private let squares: [Double]
    /// Running count of steps that are loud though nobody speaks: laughter, applause, a bang.
    private let reactions: [Int]
    private let silences: [(start: Int, end: Int)]

    init(_ curves: SoundCurves?, text: SpeechText) {
        let loudness = (curves?.loudnessLUFS ?? []).map { value in
            value.isFinite ? max(Double(value), Self.floorLUFS) : Self.floorLUFS
        }
        var sums = [0.0], squares = [0.0]
        sums.reserveCapacity(loudness.count + 1)
        squares.reserveCapacity(loudness.count + 1)
        for value in loudness {
            sums.append(sums[sums.count - 1] + value)
            squares.append(squares[squares.count - 1] + value * value)
        }
        self.loudness = loudness
        self.sums = sums
        self.squares = squares
        reactions = Self.reactions(loudness, text: text, stepMilliseconds: stepMilliseconds)
        silences = (curves?.silences ?? []).map { (milliseconds($0.start), milliseconds($0.end)) }
            .sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    }

    var isEmpty: Bool { loudness.isEmpty }

    /// Mean momentary loudness in LUFS.
    func mean(_ start: Int, _ end: Int) -> Double {
        let (low, high) = steps(start, end)
        return low < high ? (sums[high] - sums[low]) / Double(high - low) : Self.floorLUFS
    }

    /// Standard deviation of momentary loudness in LU.
    func deviation(_ start: Int, _ end: Int) -> Double {
        let (low, high) = steps(start, end)
        guard low < high else { return 0 }
        let count = Double(high - low)
        let mean = (sums[high] - sums[low]) / count
        return max(0, (squares[high] - squares[low]) / count - mean * mean).squareRoot()
    }

    /// Share of the stretch that is loud though nobody speaks.
    func reaction(_ start: Int, _ end: Int) -> Double {
        let (low, high) = steps(start, end)
        return low < high ? Double(reactions[high] - reactions[low]) / Double(high - low) : 0
    }

    /// The part of `low...high` that lies in a measured silence, if any: the first.
    func silence(within low: Int, _ high: Int) -> ClosedRange<Int>? {
        var first = 0, last = silences.count
        while first < last {
            let middle = (first + last) / 2
            if silences[middle].end <= low { first = middle + 1 } else { last = middle }
        }
        guard first < silences.count, silences[first].start <= high else { return nil }
        let start = max(low, silences[first].start), end = min(high, silences[first].end)
        return start <= end ? start...end : nil
    }

    private func steps(_ start: Int, _ end: Int) -> (Int, Int) {
        let low = min(max(0, start / stepMilliseconds), loudness.count)
        return (low, min(max(low, (end + stepMilliseconds - 1) / stepMilliseconds), loudness.count))
    }

    private static func reactions(_ loudness: [Double], text: SpeechText, stepMilliseconds: Int) -> [Int] {
        var isSpoken = [Bool](repeating: false, count: loudness.count)
        for word in text.words {
            // A fifth of a second around each word: recognisers place borders a little early or late.
            let low = max(0, (word.start - 200) / stepMilliseconds)
            let high = min(loudness.count, (word.end + 200) / stepMilliseconds + 1)
            if low < high { for step in low..<high { isSpoken[step] = true } }
        }
        let spoken = zip(loudness, isSpoken).filter { $0.1 }.map { $0.0 }.sorted()
        let level = spoken.isEmpty ? Double.infinity : spoken[spoken.count / 2]
        var counts = [0]
        counts.reserveCapacity(loudness.count + 1)
        for (value, spoken) in zip(loudness, isSpoken) {
            counts.append(counts[counts.count - 1] + (!spoken && value >= level ? 1 : 0))
        }
        return counts
    }
}
