/// Reads the lines of `ffmpeg -progress pipe:1` and says how far it has come.
package struct FFmpegProgress: Sendable, Hashable {
    private let expectedSeconds: Double
    /// 0 to 1. Never falls, though ffmpeg's time may (it starts below zero with B-frames).
    package private(set) var fraction = 0.0

    /// `expectedSeconds`: how long the output will be. Not positive means unknown; then only the end is reported.
    package init(expectedSeconds: Double) { self.expectedSeconds = expectedSeconds }

    /// The fraction that is reached with this line, or nil when the line does not move it.
    package mutating func read(_ line: some StringProtocol) -> Double? {
        guard let mark = line.firstIndex(of: "=") else { return nil }
        let value = line[line.index(after: mark)...].trimmingSpaces
        switch line[..<mark].trimmingSpaces {
        case "out_time_us":
            guard let microseconds = Int64(value) else { return nil }  // "N/A" before the first frame
            return reach(Double(microseconds) / 1_000_000)
        case "progress":
            guard value == "end" else { return nil }
            fraction = 1
            return fraction
        default: return nil
        }
    }

    /// The fraction that is reached with this time of the output, or nil when that is not further than before.
    package mutating func reach(_ seconds: Double) -> Double? {
        guard expectedSeconds > 0, seconds.isFinite else { return nil }
        // The last percent belongs to `progress=end`: what ffmpeg does after the last frame takes time too.
        let next = min(0.99, seconds / expectedSeconds)
        guard next > fraction else { return nil }
        fraction = next
        return fraction
    }
}

extension StringProtocol {
    /// Without the blanks at both ends. ffmpeg pads some values.
    var trimmingSpaces: String {
        let start = firstIndex { $0 != " " } ?? endIndex
        let end = lastIndex { $0 != " " && $0 != "\r" }.map(index(after:)) ?? start
        return String(self[start..<Swift.max(start, end)])
    }
}
