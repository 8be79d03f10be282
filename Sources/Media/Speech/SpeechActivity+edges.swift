package import ClipModel

/// What the sound says of where words begin and end.
extension SpeechActivity {
    /// A frame that has sound.
    package struct SoundFrame: Hashable, Sendable {
        package let start: Double
        /// Seconds without sound since the frame before it; 0 for the first.
        package let pauseBefore: Double
        /// Whether the sound grows from here on: from 0, not at all, to 1, by 20 dB and more within 0.1 s.
        package let rise: Double
    }

    /// As long as the attack of a syllable: 0.1 s with the frame itself.
    private static let riseFrames = 4
    private static let riseDecibels: Float = 20
    /// Sound this far below the threshold is as good as none: how deep a pause is says nothing of what follows.
    private static let depthDecibels: Float = 6
    /// What is told of a pause lies at least this far above the quietest of it: noise wavers by as much.
    private static let waverDecibels: Float = 3
    /// How much of the way from the quietest to the threshold is silence, too.
    private static let quietShare: Float = 0.25

    /// The frames in `range` that have sound, in order.
    package func soundFrames(in range: TimeRange) -> [SoundFrame] {
        let part = frames(of: range)
        var (found, last) = ([SoundFrame](), Int?.none)
        for frame in part where isVoiced[frame] {
            let pause = last.map { Double(frame - $0 - 1) * Self.frameSeconds } ?? 0
            found.append(SoundFrame(start: time(frame), pauseBefore: pause, rise: rise(at: frame)))
            last = frame
        }
        return found
    }

    /// The part of a pause, `range`, in which nothing is heard: a word that trails off falls below the threshold up to
    /// 0.3 s before it ends, and a breathed consonant starts below it. Nil for a pause of less than two frames.
    package func silence(in range: TimeRange) -> TimeRange? {
        let pause = frames(of: range)
        guard pause.count > 1, let threshold else { return nil }
        let heard = pause.map { max(levels[$0], Self.audibleDBFS) }
        let lowest = heard.min()!
        let limit = max(lowest + Self.waverDecibels, lowest + Self.quietShare * (threshold - lowest))
        let isLoud = pause.map { !isVoiced[$0] && heard[$0 - pause.lowerBound] > limit }
        // The quietest frame is not loud, so there are both.
        let first = isLoud.firstIndex(of: false)!, last = isLoud.lastIndex(of: false)!
        return TimeRange(
            start: first == 0 ? range.start : time(pause.lowerBound + first),
            end: last == isLoud.count - 1 ? range.end : time(pause.lowerBound + last + 1))
    }

    private func rise(at frame: Int) -> Double {
        let floor = (threshold ?? Self.audibleDBFS) - Self.depthDecibels
        let now = max(floor, min(levels[frame], levels[max(0, frame - 1)]))
        let soon = max(floor, levels[frame..<min(levels.count, frame + Self.riseFrames + 1)].max()!)
        return Double(min(1, max(0, (soon - now) / Self.riseDecibels)))
    }
}
