package import ClipModel

/// Takes steady noise out of a clip's sound: fans, hum, hiss.
///
/// ffmpeg's `afftdn` subtracts a noise floor per band, and is only as good as the floor it is told: left to track it by
/// itself it took 2 dB out of pink noise below speech, told the measured one 13 to 16 dB, with 0.2 to 0.5 dB less
/// speech. So the floor is read from the curves that the sound of the whole source was measured with.
package struct NoiseReduction: Hashable, Sendable {
    /// Of the noise between words, RMS in dBFS.
    package let floor: Double

    /// How far around the clip noise is looked for: a clip may have no pause of its own.
    private static let aroundSeconds = 30.0
    /// Quieter than this is digital silence, which has no noise to measure.
    private static let silence: Float = -90
    /// Quieter noise is not heard at the loudness of a clip.
    private static let floorMin = -65.0
    /// Speech stands at least so far above what can be told apart from it, in dB; music does not.
    private static let distanceMin = 12.0
    /// The filter means the level in one band by its floor, which is higher by about this than all of the noise.
    private static let bandOffset = 9.0
    private static let reduction = 15

    /// Nil: there is nothing to take out, or it cannot be told from what should stay.
    package init?(_ curves: SoundCurves, clip: TimeRange) {
        let step = SoundCurves.stepSeconds
        let first = max(0, Int((clip.start - Self.aroundSeconds) / step))
        let last = min(curves.energyDBFS.count, Int((clip.end + Self.aroundSeconds) / step))
        guard first < last else { return nil }
        let heard = curves.energyDBFS[first..<last].filter { $0 > Self.silence }.sorted()
        guard heard.count >= 20 else { return nil }
        let quiet = Double(heard[heard.count / 10]), loud = Double(heard[heard.count * 9 / 10])
        guard quiet > Self.floorMin, loud - quiet >= Self.distanceMin else { return nil }
        floor = quiet
    }

    /// Rumble first, which no voice has and which would hide the floor.
    ///
    /// The filter hands its samples on a fortieth of a second late (three windows of an eightieth, less one) without
    /// saying so in their times: as many are added behind and taken away in front.
    func filters(samplesPerSecond: Int) -> [String] {
        let told = min(-20, max(-80, floor + Self.bandOffset))
        let late = samplesPerSecond / 40
        return [
            "highpass=f=70", "apad=pad_len=\(late)",
            "afftdn=nr=\(Self.reduction):nf=\(FilterText.number(told, places: 1))", "atrim=start_sample=\(late)",
            "asetpts=PTS-STARTPTS",
        ]
    }
}
