package import ClipModel
import Foundation

/// Where somebody may be speaking, told from energy alone: one level per 20 ms, against a threshold that follows the
/// recording's own floor and peak. It cannot tell speech from music, and its users must not need it to; it can tell
/// sound from silence, which is what windows, word edges and the hunt for invented words are cut by.
package struct SpeechActivity: Hashable, Sendable {
    package static let frameSeconds = 0.02
    /// Below this nothing is sound, however quiet the rest is.
    static let audibleDBFS: Float = -60
    /// A pause shorter than this is part of speech: the closure of a `t` or `k` lasts 50 to 100 ms.
    private static let gapFramesMax = 5
    /// Sound shorter than this is a click.
    private static let burstFramesMin = 2

    /// What was measured, in seconds of the source.
    package let range: TimeRange
    let levels: [Float]
    /// What is louder has sound; nil where nothing has.
    let threshold: Float?
    let isVoiced: [Bool]
    /// `voicedBefore[i]`: how many of the first `i` frames are voiced. Makes every sum over a range two look-ups.
    private let voicedBefore: [Int]

    /// `levels`: RMS of each frame in dBFS, from `start` on.
    package init(levels: [Float], start: Double) {
        self.levels = levels
        range = TimeRange(start: start, end: start + Double(levels.count) * Self.frameSeconds)
        threshold = Self.threshold(levels)
        let voiced = Self.voicedFrames(levels, threshold)
        isVoiced = voiced
        voicedBefore = voiced.reduce(into: [0]) { sums, isVoiced in sums.append(sums.last! + (isVoiced ? 1 : 0)) }
    }

    /// Levels of whole frames; what is left over at the end is dropped.
    package static func levels(of samples: [Float]) -> [Float] {
        let frame = Int(frameSeconds * Double(WaveFile.samplesPerSecond))
        return stride(from: 0, to: samples.count - frame + 1, by: frame).map { first in
            let square = samples[first..<first + frame].reduce(Float(0)) { $0 + $1 * $1 } / Float(frame)
            return max(-100, 10 * log10(square))
        }
    }

    /// Seconds of sound in `range`.
    package func voicedSeconds(in range: TimeRange) -> Double {
        let frames = frames(of: range)
        return Double(voicedBefore[frames.upperBound] - voicedBefore[frames.lowerBound]) * Self.frameSeconds
    }

    /// Start of the first sound in `range`.
    package func onset(in range: TimeRange) -> Double? {
        frames(of: range).first { isVoiced[$0] }.map(time)
    }

    /// End of the last sound in `range`.
    package func offset(in range: TimeRange) -> Double? {
        frames(of: range).last { isVoiced[$0] }.map { time($0 + 1) }
    }

    /// The stretches of sound in `range`, in order; pauses shorter than `pauseMin` do not part them.
    package func sounds(in range: TimeRange, pauseMin: Double) -> [TimeRange] {
        var sounds: [TimeRange] = []
        let frames = frames(of: range)
        for frame in frames where isVoiced[frame] {
            let (start, end) = (max(range.start, time(frame)), min(range.end, time(frame + 1)))
            if let last = sounds.last, start - last.end < pauseMin {
                sounds[sounds.count - 1].end = max(last.end, end)
            } else {
                sounds.append(TimeRange(start: start, end: max(start, end)))
            }
        }
        return sounds
    }

    /// The stretches without sound in `range` that last at least `secondsMin`, in order.
    package func pauses(in range: TimeRange, secondsMin: Double) -> [TimeRange] {
        var (found, first) = ([TimeRange](), Int?.none)
        let frames = frames(of: range)
        for frame in frames.lowerBound...frames.upperBound {
            let isQuiet = frame < frames.upperBound && !isVoiced[frame]
            if isQuiet, first == nil { first = frame }
            if !isQuiet, let start = first {
                let pause = TimeRange(start: time(start), end: time(frame))
                if pause.duration >= secondsMin - Self.frameSeconds / 2 { found.append(pause) }
                first = nil
            }
        }
        return found
    }

    /// The middle of the quietest 200 ms in `range`: where to cut when there is no pause at all.
    package func quietestMoment(in range: TimeRange) -> Double {
        let (frames, width) = (frames(of: range), 10)
        guard frames.count > width else { return range.middle }
        var sum = levels[frames.prefix(width)].reduce(0, +)
        var (lowest, best) = (sum, frames.lowerBound)
        for first in frames.dropFirst().dropLast(width - 1) {
            sum += levels[first + width - 1] - levels[first - 1]
            if sum < lowest { (lowest, best) = (sum, first) }
        }
        return time(best + width / 2)
    }

    private static func voicedFrames(_ levels: [Float], _ threshold: Float?) -> [Bool] {
        guard let threshold else { return levels.map { _ in false } }
        var voiced = levels.map { $0 > threshold }
        fill(&voiced, runsOf: false, shorterThan: gapFramesMax + 1)
        fill(&voiced, runsOf: true, shorterThan: burstFramesMin)
        return voiced
    }

    /// A third of the way from the floor (tenth percentile) to the peak, but 12 to 35 dB below the peak: digital
    /// silence must not pull it down to room noise, and steady noise must not push it up into speech. The peak is what
    /// only one frame in two hundred passes, so that a single sentence in a minute of silence is found, and a click is
    /// not.
    private static func threshold(_ levels: [Float]) -> Float? {
        let sorted = levels.sorted()
        guard !sorted.isEmpty else { return nil }
        let (floor, peak) = (sorted[sorted.count / 10], sorted[sorted.count * 199 / 200])
        guard peak > audibleDBFS else { return nil }
        return max(audibleDBFS, min(max(floor + (peak - floor) / 3, peak - 35), peak - 12))
    }

    private static func fill(_ frames: inout [Bool], runsOf value: Bool, shorterThan count: Int) {
        var first = 0
        while first < frames.count {
            let end = frames[first...].firstIndex { $0 != frames[first] } ?? frames.count
            // Only runs with a neighbour on both sides: the edge of the measurement says nothing about what is beyond.
            if frames[first] == value, end - first < count, first > 0, end < frames.count {
                for frame in first..<end { frames[frame] = !value }
            }
            first = end
        }
    }

    func frames(of part: TimeRange) -> Range<Int> {
        func frame(_ seconds: Double) -> Int {
            // Half a millisecond of slack: 0.1 is a little less than five frames of 0.02 in binary.
            let index = ((seconds - range.start) / Self.frameSeconds + 0.025).rounded(.down)
            return Int(min(max(0, index), Double(levels.count)))
        }
        return frame(part.start)..<max(frame(part.start), frame(part.end))
    }

    func time(_ frame: Int) -> Double { range.start + Double(frame) * Self.frameSeconds }
}
