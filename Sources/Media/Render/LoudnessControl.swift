/// What is done to a clip's sound to bring it to its loudness.
package struct SoundGain: Hashable, Sendable {
    package var gainDB: Double
    /// Peaks above are pressed down to this; nil: none comes near.
    package var ceilingDBTP: Double?

    package init(gainDB: Double, ceilingDBTP: Double? = nil) {
        self.gainDB = gainDB
        self.ceilingDBTP = ceilingDBTP
    }
}

/// Finds the gain that makes a clip as loud as it should be, from measurements of what came out.
///
/// A limiter takes loudness away, the more the more it has to do, and AAC adds peaks that were not there; neither can
/// be foretold. So the gain is tried on the sound alone, corrected by what the trial measured (secant method), and
/// the encoded sound is measured once more. Seen on speech, speech with claps 40 dB louder, music, clipped and
/// telephone sound: one to three trials, one encoding, rarely two. `loudnorm` was rejected: in its dynamic mode it
/// pumps, and of fourteen clips it left two outside their bounds.
package struct LoudnessControl: Hashable, Sendable {
    package struct Target: Hashable, Sendable {
        /// In LUFS.
        package var loudness = -14.0
        /// How far from it a trial and the encoded sound may be, in LU. Platforms ask for 1.
        package var trialTolerance = 0.25
        package var tolerance = 0.6
        /// In dBTP: where the limiter starts, and what the encoded sound must not pass.
        package var ceiling = -1.5
        package var peakMax = -0.6
        /// The limiter is never set lower, whatever the encoder adds.
        package var ceilingMin = -8.0
        /// Nothing is made louder by more, in dB.
        package var gainMax = 50.0
        /// Below this, in LUFS, a clip is nearly silent: what it holds is mostly noise, and gets `quietGainMax` at
        /// most.
        package var quietLoudness = -50.0
        package var quietGainMax = 20.0
        /// A trial costs a fiftieth of the picture's run, an encoding a tenth.
        package var trialsMax = 5
        package var encodingsMax = 4

        package init() {}
    }

    package enum Action: Hashable, Sendable {
        /// Measure what this gain makes of the sound, and report it to `tried`.
        case attempt(SoundGain)
        /// Encode with this gain, measure the result, and report it to `encoded`.
        case encode(SoundGain)
        /// What was encoded last is the clip's sound.
        case finish
    }

    private let target: Target
    private let isSilent: Bool
    private let goal: Double
    private let gainMax: Double
    private var gain: SoundGain
    private var trials = 0
    private var encodings = 0
    /// The trial before, for the secant.
    private var last: Trial?

    private struct Trial: Hashable, Sendable {
        var gainDB: Double
        var loudness: Double
    }

    /// `source`: of the clip's sound before anything is done to it.
    package init(source: LoudnessReading, target: Target = Target()) {
        self.target = target
        isSilent = source.isSilent
        let isQuiet = source.integratedLUFS < target.quietLoudness
        gainMax = isQuiet ? target.quietGainMax : target.gainMax
        let wanted = source.isSilent ? 0 : target.loudness - source.integratedLUFS
        let first = min(wanted, gainMax)
        goal = source.isSilent ? source.integratedLUFS : source.integratedLUFS + first
        let needsLimiter = source.truePeakDBTP + first > target.ceiling
        gain = SoundGain(gainDB: first, ceilingDBTP: needsLimiter ? target.ceiling : nil)
    }

    package mutating func start() -> Action {
        gain.ceilingDBTP == nil ? encode() : attempt()
    }

    package mutating func tried(_ reading: LoudnessReading) -> Action {
        let short = goal - reading.integratedLUFS
        guard abs(short) > target.trialTolerance, trials < target.trialsMax else { return encode() }
        let before = gain.gainDB
        gain.gainDB = min(gainMax, before + short / slope(to: reading))
        last = Trial(gainDB: before, loudness: reading.integratedLUFS)
        // At the bound there is nothing left to try.
        return gain.gainDB == before ? encode() : attempt()
    }

    package mutating func encoded(_ reading: LoudnessReading) -> Action {
        let short = goal - reading.integratedLUFS
        let isLoudEnough = isSilent || abs(short) <= target.tolerance
        let overshoot = reading.truePeakDBTP - target.peakMax
        guard !isLoudEnough || overshoot > 0, encodings < target.encodingsMax else { return .finish }
        if overshoot > 0 {
            let ceiling = gain.ceilingDBTP ?? target.ceiling
            gain.ceilingDBTP = max(target.ceilingMin, min(target.ceiling, ceiling - overshoot * 1.25 - 0.3))
        }
        if !isLoudEnough { gain.gainDB = min(gainMax, gain.gainDB + short) }
        return encode()
    }

    /// How much louder the sound got per dB of gain. Between bounds, because near the limit the answer is mostly noise.
    private func slope(to reading: LoudnessReading) -> Double {
        guard let last, abs(gain.gainDB - last.gainDB) > 0.01 else { return 1 }
        let slope = (reading.integratedLUFS - last.loudness) / (gain.gainDB - last.gainDB)
        return min(1, max(0.25, slope))
    }

    private mutating func attempt() -> Action {
        trials += 1
        return .attempt(gain)
    }

    private mutating func encode() -> Action {
        encodings += 1
        return .encode(gain)
    }
}
