package import ClipModel

/// Finds the pauses in a sound whose level is known every 20 ms.
///
/// What counts as silent is told from the sound itself: a point between its noise floor and the level of its speech,
/// anew for every 30 s, since a video goes from a quiet room into the street. Where a neighbourhood has no such two
/// levels (steady music, noise) the point of the whole sound is used.
package struct SilenceFinder {
    /// Of a pause that is told, in seconds.
    package static let secondsMin = 0.3
    /// Where the threshold lies between floor (0) and speech (1).
    private static let position: Float = 0.35
    /// A smaller distance between floor and speech means that there are no pauses, in dB.
    private static let spreadMin: Float = 10
    /// A floor below this is as good as none: digital silence must not drag the threshold under the noise of a room.
    private static let floorMin: Float = -70
    /// What cannot be heard is silent, where there are no two levels to tell it by.
    private static let audibleMin: Float = -60
    private static let blockSeconds = 30.0
    /// A click of at most so many frames does not end a pause.
    private static let bridgedFrames = 2

    /// The pauses in `levels` (dBFS, one every `frameSeconds`), in order, none shorter than `secondsMin`.
    package static func silences(levels: [Float], frameSeconds: Double) -> [TimeRange] {
        let framesPerBlock = max(1, Int(blockSeconds / frameSeconds))
        let whole = threshold(of: levels[...]) ?? audibleMin
        var isSilent = [Bool](repeating: false, count: levels.count)
        for start in stride(from: 0, to: levels.count, by: framesPerBlock) {
            let block = start..<min(levels.count, start + framesPerBlock)
            // The blocks on either side are heard too, so that one long pause does not look like a quiet room.
            let around = max(0, start - framesPerBlock)..<min(levels.count, block.upperBound + framesPerBlock)
            let threshold = threshold(of: levels[around]) ?? whole
            for frame in block { isSilent[frame] = levels[frame] < threshold }
        }
        return runs(bridged(isSilent), frameSeconds: frameSeconds)
    }

    /// Nil when the levels do not part into floor and speech.
    private static func threshold(of levels: ArraySlice<Float>) -> Float? {
        guard !levels.isEmpty else { return nil }
        let sorted = levels.sorted()
        // A fluent speaker is silent for a twentieth of the time.
        let floor = max(floorMin, sorted[sorted.count / 20])
        // The loudest twentieth, or nearly the loudest of all where speech is rare.
        let speech = max(sorted[sorted.count * 95 / 100], sorted[sorted.count * 995 / 1000] - 10)
        guard speech > audibleMin, speech - floor >= spreadMin else { return nil }
        return floor + position * (speech - floor)
    }

    private static func bridged(_ isSilent: [Bool]) -> [Bool] {
        var result = isSilent
        var lastSilent: Int?
        for frame in isSilent.indices where isSilent[frame] {
            if let last = lastSilent, frame - last > 1, frame - last - 1 <= bridgedFrames {
                for click in (last + 1)..<frame { result[click] = true }
            }
            lastSilent = frame
        }
        return result
    }

    private static func runs(_ isSilent: [Bool], frameSeconds: Double) -> [TimeRange] {
        var found: [TimeRange] = []
        var start: Int?
        for frame in 0...isSilent.count {
            let silent = frame < isSilent.count && isSilent[frame]
            if silent, start == nil { start = frame }
            guard !silent, let begin = start else { continue }
            start = nil
            let range = TimeRange(start: Double(begin) * frameSeconds, end: Double(frame) * frameSeconds)
            if range.duration >= secondsMin - frameSeconds / 2 { found.append(range) }
        }
        return found
    }
}
