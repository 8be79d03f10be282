/// A constant frame rate as the exact fraction that containers store.
package struct FrameRate: Hashable, Sendable, CustomStringConvertible {
    package let numerator: Int
    package let denominator: Int

    package init(_ numerator: Int, _ denominator: Int = 1) {
        precondition(numerator > 0 && denominator > 0, "frame rate \(numerator)/\(denominator)")
        self.numerator = numerator
        self.denominator = denominator
    }

    /// The rates that the clips' platforms take without resampling.
    package static let standard = [
        FrameRate(24000, 1001), FrameRate(24), FrameRate(25), FrameRate(30000, 1001), FrameRate(30),
    ]
    /// What a source of any other rate becomes.
    package static let fallback = FrameRate(30)
    /// A source counts as running at a standard rate when its average is this close. 23.976 and 24 are 0.1 % apart.
    private static let tolerance = 0.002
    /// 240 frames a second, by eight, is 30.
    private static let divisorMax = 8

    /// The rate of a clip of a source that shows `average` frames a second.
    ///
    /// A whole fraction of the source's rate shows every frame for the same time: 50 becomes 25 and 59.94 becomes
    /// 29.97, where 30 would stutter. A variable rate whose average is no standard rate becomes 30.
    package static func ofClip(sourceAverage average: Double) -> FrameRate {
        guard average.isFinite, average > 0 else { return fallback }
        for divisor in 1...divisorMax {
            let wanted = average / Double(divisor)
            let nearest = standard.min { abs($0.perSecond - wanted) < abs($1.perSecond - wanted) } ?? fallback
            if abs(nearest.perSecond - wanted) <= tolerance * nearest.perSecond { return nearest }
        }
        return fallback
    }

    package var perSecond: Double { Double(numerator) / Double(denominator) }
    package var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }

    /// How many frames cover `seconds`, to the nearest frame.
    package func frames(in seconds: Double) -> Int { Int((seconds * perSecond).rounded()) }
    package func seconds(of frames: Int) -> Double { Double(frames) * Double(denominator) / Double(numerator) }

    /// How many samples of sound last as long as `frames` pictures.
    package func samples(of frames: Int, perSecond samplesPerSecond: Int) -> Int {
        Int((seconds(of: frames) * Double(samplesPerSecond)).rounded())
    }
}
