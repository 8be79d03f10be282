import Media
import Testing

@Suite struct LoudnessControlTests {
    /// What a limiter and an encoder make of sound, well enough to test the search for its gain.
    struct Sound: Sendable, CustomStringConvertible {
        var name: String
        var loudness: Double
        var peak: Double
        /// Loudness that a limiter takes away for each dB it has to press down; grows to 1 for bare clicks.
        var limiterLoss = 0.1
        /// What AAC adds to peaks, and to loudness.
        var overshoot = 0.3
        var encoderLoss = 0.05

        var description: String { name }

        func measured(_ gain: SoundGain, encoded: Bool) -> LoudnessReading {
            let raw = peak + gain.gainDB
            let pressed = max(0, raw - (gain.ceilingDBTP ?? .infinity))
            let loudness = loudness + gain.gainDB - pressed * limiterLoss - (encoded ? encoderLoss : 0)
            return LoudnessReading(
                integratedLUFS: loudness, truePeakDBTP: raw - pressed + (encoded ? overshoot : 0))
        }
    }

    struct Run {
        var last: LoudnessReading?
        var trials = 0
        var encodings = 0
        var gains: [SoundGain] = []
    }

    private func run(_ sound: Sound) -> Run {
        var control = LoudnessControl(
            source: LoudnessReading(integratedLUFS: sound.loudness, truePeakDBTP: sound.peak))
        var run = Run()
        var action = control.start()
        for _ in 0..<100 {
            switch action {
            case .attempt(let gain):
                run.trials += 1
                run.gains.append(gain)
                action = control.tried(sound.measured(gain, encoded: false))
            case .encode(let gain):
                run.encodings += 1
                run.gains.append(gain)
                let reading = sound.measured(gain, encoded: true)
                run.last = reading
                action = control.encoded(reading)
            case .finish: return run
            }
        }
        Issue.record("\(sound) never finishes")
        return run
    }

    @Test(arguments: [
        Sound(name: "speech", loudness: -20.6, peak: -4.5),
        Sound(name: "clipped", loudness: -4, peak: 1.8),
        Sound(name: "quiet speech", loudness: -45.4, peak: -29.5),
        Sound(name: "music", loudness: -12.3, peak: -4.6),
        Sound(name: "noise that AAC dulls", loudness: -7.7, peak: -3.5, encoderLoss: 1.5),
        Sound(name: "claps", loudness: -22.1, peak: -0.6, limiterLoss: 0.7, overshoot: 2.1),
        Sound(name: "sharp peaks", loudness: -18, peak: -2, overshoot: 1.8),
    ])
    func `every sound ends in its range`(sound: Sound) throws {
        let run = run(sound)
        let last = try #require(run.last)
        #expect((-15...(-13)).contains(last.integratedLUFS))
        #expect(last.truePeakDBTP <= -0.3)
    }

    @Test func `sound that has room for the gain is neither tried nor limited`() {
        let run = run(Sound(name: "music", loudness: -20, peak: -12))
        #expect(run.trials == 0)
        #expect(run.encodings == 1)
        #expect(run.gains == [SoundGain(gainDB: 6)])
    }

    @Test func `silence is encoded as it is`() {
        let run = run(Sound(name: "silence", loudness: -70, peak: -120))
        #expect(run.trials == 0)
        #expect(run.encodings == 1)
        #expect(run.gains == [SoundGain(gainDB: 0)])
    }

    @Test func `a nearly silent clip is not made louder than its bound`() {
        let run = run(Sound(name: "hiss", loudness: -62, peak: -50))
        #expect(run.encodings == 1)
        #expect(run.gains.map(\.gainDB) == [20])
    }

    @Test func `clicks that cannot be made loud end after a bounded number of runs`() {
        let run = run(Sound(name: "clicks", loudness: -25, peak: -1.9, limiterLoss: 0.99))
        let target = LoudnessControl.Target()
        #expect(run.trials <= target.trialsMax)
        #expect(run.encodings <= target.encodingsMax)
        #expect(run.gains.allSatisfy { $0.gainDB <= target.gainMax })
    }
}

@Suite struct LoudnessMeterTests {
    @Test func `the last values count`() {
        var meter = LoudnessMeter()
        let lines = [
            "frame:0    pts:0       pts_time:0", "lavfi.r128.I=-70.000", "lavfi.r128.true_peak=0.100",
            "frame:1    pts:4800    pts_time:0.1", "lavfi.r128.M=-3.0", "lavfi.r128.I=-20.505",
            "lavfi.r128.LRA=7.6", "lavfi.r128.true_peaks_ch0=0.838", "lavfi.r128.true_peak=0.5", "lavfi.r128.I=nan",
        ]
        for line in lines { meter.read(line) }
        #expect(meter.reading.integratedLUFS == -20.505)
        #expect(abs(meter.reading.truePeakDBTP + 6.02) < 0.01)
    }

    @Test func `no peak at all is a number`() {
        var meter = LoudnessMeter()
        meter.read("lavfi.r128.true_peak=0.000")
        meter.read("lavfi.r128.I=-inf")
        #expect(meter.reading == LoudnessReading())
        #expect(meter.reading.isSilent)
    }
}
