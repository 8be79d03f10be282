package import ClipModel

/// Cuts a chunk into the windows that the model hears one by one.
///
/// A window holds at most 28 s (the model hears 30, the rest is for silence put around it), ends in a pause where there
/// is one, and leaves out silence at both ends: silence costs as much as speech, and the model fills it with words that
/// nobody said.
package struct WindowPlan: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        package var windowSecondsMax: Double
        /// A window is not cut before this: short windows cost nearly as much as long ones, and know less context.
        package var windowSecondsMin: Double
        /// Silence of this length ends a window wherever it comes.
        package var silenceSecondsMax: Double
        /// Kept of the silence around a window.
        package var marginSeconds: Double

        package init(
            windowSecondsMax: Double = 28, windowSecondsMin: Double = 16, silenceSecondsMax: Double = 4,
            marginSeconds: Double = 0.2
        ) {
            precondition(0 < windowSecondsMin && windowSecondsMin < windowSecondsMax && windowSecondsMax < 29)
            self.windowSecondsMax = windowSecondsMax
            self.windowSecondsMin = windowSecondsMin
            self.silenceSecondsMax = silenceSecondsMax
            self.marginSeconds = marginSeconds
        }
    }

    private let limits: Limits
    private let activity: SpeechActivity
    private var rest: TimeRange

    package init(of chunk: TimeRange, activity: SpeechActivity, limits: Limits = Limits()) {
        self.limits = limits
        self.activity = activity
        rest = chunk
    }

    /// All windows, in order, without overlap. Empty when there is nothing to hear.
    package static func windows(
        of chunk: TimeRange, activity: SpeechActivity, limits: Limits = Limits()
    ) -> [TimeRange] {
        var plan = WindowPlan(of: chunk, activity: activity, limits: limits)
        var windows: [TimeRange] = []
        while let window = plan.next() { windows.append(window) }
        return windows
    }

    package mutating func next() -> TimeRange? {
        guard let onset = activity.onset(in: rest), let last = activity.offset(in: rest) else { return nil }
        let start = max(rest.start, onset - limits.marginSeconds)
        let end = cut(TimeRange(start: start, end: min(rest.end, last + limits.marginSeconds)))
        rest.start = end
        // The silence after the last word of the window is not part of it.
        let spoken = activity.offset(in: TimeRange(start: start, end: end)) ?? end
        return TimeRange(start: start, end: min(end, spoken + limits.marginSeconds))
    }

    /// Where a window that begins with `sound` ends.
    private func cut(_ sound: TimeRange) -> Double {
        let reach = TimeRange(start: sound.start, end: min(sound.end, sound.start + limits.windowSecondsMax))
        let silence = activity.pauses(in: reach, secondsMin: limits.silenceSecondsMax).first
        if let silence, silence.start > sound.start + 1 { return silence.middle }
        guard sound.duration > limits.windowSecondsMax else { return sound.end }
        // What remains should not be a crumb: 29 s become two windows of about half.
        let isLastButOne = sound.duration < limits.windowSecondsMax * 1.3
        let earliest = isLastButOne ? sound.duration / 3 : limits.windowSecondsMin
        let zone = TimeRange(start: sound.start + earliest, end: reach.end)
        let best = activity.pauses(in: zone, secondsMin: 0.16).max { worth($0, zone) < worth($1, zone) }
        return best?.middle ?? activity.quietestMoment(in: TimeRange(start: zone.end - 5, end: zone.end))
    }

    /// Long pauses are sentence ends and safe to cut; late ones make for fewer windows. A second of pause is worth half
    /// of the zone.
    private func worth(_ pause: TimeRange, _ zone: TimeRange) -> Double {
        min(1, pause.duration) * 0.5 + (pause.middle - zone.start) / zone.duration
    }
}
