/// A stretch of a video, in seconds from its start. `end` is not part of it.
package struct TimeRange: Hashable, Sendable, Codable, CustomStringConvertible {
    package var start: Double
    package var end: Double

    package init(start: Double, end: Double) {
        precondition(start <= end, "a range cannot end (\(end)) before it starts (\(start))")
        self.start = start
        self.end = end
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        start = try container.decode(Double.self, forKey: .start)
        end = try container.decode(Double.self, forKey: .end)
        guard start <= end else {
            throw DecodingError.dataCorruptedError(forKey: .end, in: container, debugDescription: "end before start")
        }
    }

    package var duration: Double { end - start }
    package var middle: Double { (start + end) / 2 }
    package var description: String { "\(start)..<\(end)" }

    package func contains(_ seconds: Double) -> Bool { start <= seconds && seconds < end }
    package func overlap(_ other: TimeRange) -> Double { max(0, min(end, other.end) - max(start, other.start)) }

    /// The part of this range that lies inside `limits`, or nil when they do not touch.
    package func clamped(to limits: TimeRange) -> TimeRange? {
        let (low, high) = (max(start, limits.start), min(end, limits.end))
        return low < high ? TimeRange(start: low, end: high) : nil
    }
}
