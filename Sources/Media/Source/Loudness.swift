import Foundation

/// EBU R128 figures from the momentary loudness that ffmpeg's ebur128 prints every 100 ms.
struct Loudness: Sendable, Hashable {
    /// Of the 400 ms that end with each step, in LUFS.
    private(set) var momentary: [Float] = []

    /// Reads a line of `ametadata=print`; others are passed over.
    mutating func read(_ line: Substring) {
        let mark = "lavfi.r128.M="
        guard line.hasPrefix(mark), let value = Float(line.dropFirst(mark.count)) else { return }
        momentary.append(value.isFinite ? max(SoundLevels.silence, value) : SoundLevels.silence)
    }

    /// Integrated loudness in LUFS; nil when everything is below the absolute gate.
    ///
    /// ITU-R BS.1770-4: the mean power of 400 ms blocks, each 100 ms after the other, that are above -70 LUFS and above
    /// the mean of those less 10 LU. The first three blocks are not full yet.
    var integratedLUFS: Double? {
        let blocks = momentary.dropFirst(3).filter { $0 > -70 }.map { pow(10, Double($0) / 10) }
        guard !blocks.isEmpty else { return nil }
        let relativeGate = blocks.reduce(0, +) / Double(blocks.count) / 10
        let loud = blocks.filter { $0 > relativeGate }
        return 10 * log10(loud.reduce(0, +) / Double(loud.count))
    }

    /// One value for each of `count` steps. A block tells of its own middle, which lies one step before its last one.
    func curve(steps count: Int) -> [Float] {
        let shifted = momentary.dropFirst().prefix(count)
        return shifted + Array(repeating: shifted.last ?? SoundLevels.silence, count: count - shifted.count)
    }
}
