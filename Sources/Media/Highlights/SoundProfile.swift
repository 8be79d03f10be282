import ClipModel
import Foundation

/// Answers questions about the loudness of any stretch of the video in constant time, from running sums. Silences are
/// found by halving; reactions are few and looked through.
struct SoundProfile: Sendable {
    /// Below this, a step counts as this: the depth of silence says nothing.
    static let floorLUFS = -60.0

    private let stepMilliseconds = 100
    private let loudness: [Double]
    private let sums: [Double]
    private let squares: [Double]
    /// Laughter and applause, in milliseconds.
    let reactions: [Range<Int>]
    /// Running sum and count of how far the voice moves within moments, in semitones.
    private let moves: [Double]
    private let voiced: [Int]
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
        reactions = ReactionFinder.reactions(loudness, stepMilliseconds: stepMilliseconds, text: text)
        (moves, voiced) = Self.moves(curves?.pitchHz ?? [], steps: loudness.count)
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

    /// Milliseconds of reactions in the stretch that begin at least `cause` after its start: a laugh without what was
    /// laughed at is worth nothing.
    func reaction(_ start: Int, _ end: Int, cause: Int) -> Int {
        var sum = 0
        for reaction in reactions where reaction.lowerBound >= start + cause && reaction.lowerBound < end {
            sum += min(end, reaction.upperBound) - reaction.lowerBound
        }
        return sum
    }

    /// The reaction that begins within `delay` after `place`.
    func reaction(after place: Int, delay: Int) -> Range<Int>? {
        reactions.first { $0.lowerBound >= place && $0.lowerBound <= place + delay }
    }

    /// How far the voice moves within four tenths of a second, in semitones on average; 0 without a voice. Differences
    /// that near are hardly ever between two people.
    func liveliness(_ start: Int, _ end: Int) -> Double {
        let (low, high) = steps(start, end)
        let count = voiced[high] - voiced[low]
        return count > 0 ? (moves[high] - moves[low]) / Double(count) : 0
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

    /// The same, but the last.
    func lastSilence(within low: Int, _ high: Int) -> ClosedRange<Int>? {
        var first = 0, last = silences.count
        while first < last {
            let middle = (first + last) / 2
            if silences[middle].start <= high { first = middle + 1 } else { last = middle }
        }
        guard first > 0, silences[first - 1].end > low else { return nil }
        return max(low, silences[first - 1].start)...min(high, silences[first - 1].end)
    }

    private func steps(_ start: Int, _ end: Int) -> (Int, Int) {
        let low = min(max(0, start / stepMilliseconds), loudness.count)
        return (low, min(max(low, (end + stepMilliseconds - 1) / stepMilliseconds), loudness.count))
    }

    private static func moves(_ pitch: [Float], steps: Int) -> (sums: [Double], counts: [Int]) {
        let apart = 4
        let moveMax = 7.0  // more is a mistake of the tracker, mostly by an octave
        var sums = [0.0], counts = [0]
        for step in 0..<steps {
            var move: Double?
            if step >= apart, step < pitch.count, pitch[step] > 0, pitch[step - apart] > 0 {
                move = abs(12 * log2(Double(pitch[step] / pitch[step - apart])))
            }
            if let value = move, !value.isFinite || value > moveMax { move = nil }
            sums.append(sums[step] + (move ?? 0))
            counts.append(counts[step] + (move == nil ? 0 : 1))
        }
        return (sums, counts)
    }
}
