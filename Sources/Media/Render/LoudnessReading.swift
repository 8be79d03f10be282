/// What the EBU R128 meter says of a piece of sound.
package struct LoudnessReading: Hashable, Sendable, Codable {
    /// What the meter says when nothing passes its absolute gate.
    package static let floorLUFS = -70.0

    package var integratedLUFS: Double
    /// In dBTP; `-infinity` is written as `floorDBTP`.
    package var truePeakDBTP: Double
    package static let floorDBTP = -120.0

    package init(integratedLUFS: Double = floorLUFS, truePeakDBTP: Double = floorDBTP) {
        self.integratedLUFS = integratedLUFS
        self.truePeakDBTP = truePeakDBTP
    }

    /// Whether anything can be heard at all.
    package var isSilent: Bool { integratedLUFS <= Self.floorLUFS + 0.05 }
}
