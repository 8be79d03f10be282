import Foundation
import Synchronization

/// Reads the lines that ffmpeg's `ebur128` and `ametadata` filters print ten times a second. The last values count: the
/// meter integrates, and its peaks only rise.
///
/// The meter's own summary has one decimal only, and is not printed at the log level that all runs share.
package struct LoudnessMeter: Sendable, Hashable {
    /// Appended to a chain of audio filters. Passes the sound on.
    static let filters = ["ebur128=peak=true:metadata=1", "ametadata=mode=print:file=-"]
    /// The same without the oversampling that true peaks need, for where only loudness is asked.
    static let filtersWithoutPeak = ["ebur128=metadata=1", "ametadata=mode=print:file=-"]

    package private(set) var reading = LoudnessReading()

    package init() {}

    package mutating func read(_ line: some StringProtocol) {
        let prefix = "lavfi.r128."
        guard line.hasPrefix(prefix), let mark = line.firstIndex(of: "=") else { return }
        guard let value = Double(line[line.index(after: mark)...].trimmingSpaces), value.isFinite else { return }
        switch line[line.index(line.startIndex, offsetBy: prefix.count)..<mark] {
        case "I": reading.integratedLUFS = max(LoudnessReading.floorLUFS, value)
        case "true_peak":
            // Linear. Zero has no logarithm.
            let level = value > 0 ? 20 * log10(value) : LoudnessReading.floorDBTP
            reading.truePeakDBTP = max(LoudnessReading.floorDBTP, level)
        default: break
        }
    }

    /// Runs `command`, whose filters end in `filters`, and returns what the meter says of the whole.
    static func run(_ command: ToolCommand, toolbox: Toolbox) async throws(MediaError) -> LoudnessReading {
        let meter = Mutex(LoudnessMeter())
        let output = try await toolbox.run(command) { line in meter.withLock { $0.read(line) } }
        _ = try output.checked(otherwise: .renderFailed)
        return meter.withLock { $0.reading }
    }

    /// Of the first sound track of a finished file.
    static func command(path: String, limits: ToolLimits) -> ToolCommand {
        ToolCommand(
            .ffmpeg,
            FFmpeg.leading + FFmpeg.input(path, options: ["-vn"]) + [
                "-map", "0:a:0", "-af", filters.joined(separator: ","), "-f", "null", "-",
            ], limits: limits)
    }
}
