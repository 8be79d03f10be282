package import ClipModel

/// How loud a source is along its length, and where it is silent.
package struct SoundCurves: Hashable, Sendable, Codable {
    /// Seconds between two values of `energyDBFS` and of `loudnessLUFS`.
    package static let stepSeconds = 0.1
    package var durationSeconds: Double
    /// RMS of each step in dBFS, not below -100.
    package var energyDBFS: [Float]
    /// EBU R128 momentary loudness (400 ms) in LUFS, not below -100.
    package var loudnessLUFS: [Float]
    /// EBU R128 integrated loudness of the whole in LUFS; nil when all is below the gate.
    package var integratedLUFS: Double?
    /// Stretches of at least 0.3 s below the silence threshold.
    package var silences: [TimeRange]
    /// Pitch of the voice in each step in Hz, 0 where there is none; nil where it was not measured.
    package var pitchHz: [Float]?

    package init(
        durationSeconds: Double, energyDBFS: [Float], loudnessLUFS: [Float], integratedLUFS: Double?,
        silences: [TimeRange], pitchHz: [Float]? = nil
    ) {
        self.durationSeconds = durationSeconds
        self.energyDBFS = energyDBFS
        self.loudnessLUFS = loudnessLUFS
        self.integratedLUFS = integratedLUFS
        self.silences = silences
        self.pitchHz = pitchHz
    }
}
