import Foundation

/// The pitch of a voice in a short frame of sound.
///
/// Source: A. de Cheveigné and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music" (JASA 111(4),
/// 2002), steps 1 to 5, on sound brought down to 4 kHz: a voice's pitch is below 400 Hz, and the work goes with the
/// square of the rate.
struct PitchTracker {
    /// How many samples of 16 kHz make one here.
    static let decimation = 4
    static let sampleRate = 4000.0
    static let pitchHzMin = 70.0
    static let pitchHzMax = 400.0
    /// The first dip of the normalised difference below this is the period; without one there is no voice.
    static let dipMax = 0.2
    /// Quieter frames are not looked at: mean square of 16-bit samples, about -54 dBFS.
    static let meanSquareMin = 4300.0
    /// Samples compared, of 4 kHz: 40 ms, more than two periods of the lowest voice.
    static let windowSamples = 160
    static let lagMin = Int(sampleRate / pitchHzMax)
    static let lagMax = Int(sampleRate / pitchHzMin) + 1
    /// Samples of 4 kHz that one frame needs.
    static let frameSamples = windowSamples + lagMax + 1

    /// In Hz; 0 where there is no voice. `samples` are of 4 kHz.
    static func pitch(_ samples: ArraySlice<Float>) -> Float {
        guard samples.count >= frameSamples else { return 0 }
        let frame = Array(samples.prefix(frameSamples))
        var power = 0.0
        for sample in frame { power += Double(sample * sample) }
        guard power / Double(frame.count) >= meanSquareMin else { return 0 }
        let differences = normalised(frame)
        var lag = lagMin
        while lag <= lagMax {
            if differences[lag] < dipMax {
                while lag < lagMax, differences[lag + 1] < differences[lag] { lag += 1 }
                return Float(sampleRate / (Double(lag) + offset(differences, lag)))
            }
            lag += 1
        }
        return 0
    }

    /// Cumulative mean normalised difference for every lag up to `lagMax` + 1.
    private static func normalised(_ frame: [Float]) -> [Double] {
        var values = [1.0]
        var sum = 0.0
        for lag in 1...(lagMax + 1) {
            var difference: Float = 0
            for index in 0..<windowSamples {
                let delta = frame[index] - frame[index + lag]
                difference += delta * delta
            }
            sum += Double(difference)
            values.append(sum > 0 ? Double(difference) * Double(lag) / sum : 1)
        }
        return values
    }

    /// Where between the lags the dip is deepest: the vertex of the parabola through three of them.
    private static func offset(_ values: [Double], _ lag: Int) -> Double {
        let before = values[lag - 1], after = values[lag + 1]
        let bend = before - 2 * values[lag] + after
        return bend > 0 ? max(-0.5, min(0.5, (before - after) / (2 * bend))) : 0
    }
}
