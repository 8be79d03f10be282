package import ClipModel

/// What the sound says about when somebody speaks in a clip, in seconds from its start.
package struct SpeechEvidence: Hashable, Sendable {
    /// Nothing is known of the sound.
    package static let none = SpeechEvidence(levels: [], stepSeconds: 1, silences: [])

    /// In dBFS, one for every step from the start of the clip.
    package var levels: [Double]
    package var stepSeconds: Double
    package var silences: [TimeRange]

    package init(levels: [Double], stepSeconds: Double, silences: [TimeRange]) {
        precondition(stepSeconds > 0, "a step of \(stepSeconds) s")
        self.levels = levels
        self.stepSeconds = stepSeconds
        self.silences = silences
    }

    /// The part of a source's curves that a clip lies on.
    package init(_ curves: SoundCurves, clip: TimeRange) {
        let step = SoundCurves.stepSeconds
        let first = min(curves.energyDBFS.count, max(0, Int((clip.start / step).rounded())))
        let last = min(curves.energyDBFS.count, max(first, Int((clip.end / step).rounded(.up))))
        self.init(
            levels: curves.energyDBFS[first..<last].map(Double.init), stepSeconds: step,
            silences: curves.silences.compactMap { $0.clamped(to: clip) }
                .map { TimeRange(start: $0.start - clip.start, end: $0.end - clip.start) })
    }

    package var isEmpty: Bool { levels.isEmpty }

    /// Whether something is heard at a time.
    package func isHeard(at time: Double) -> Bool {
        !isEmpty && !silences.contains { $0.contains(time) }
    }

    /// In dBFS; as at the nearest end outside of what is known.
    func level(at time: Double) -> Double {
        guard !isEmpty else { return 0 }
        return levels[min(levels.count - 1, max(0, Int(time / stepSeconds)))]
    }
}
