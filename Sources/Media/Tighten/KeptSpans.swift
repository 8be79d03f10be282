package import ClipModel

/// What is left of a clip from which pauses and fillers were cut out, and when it is seen and heard.
///
/// Two clocks: *clip time* counts from the clip's start in the source, as borders, framing and words do; *tight time*
/// counts what is left, as the finished file does. Whatever is drawn, heard or measured goes through this one map, so
/// that picture, sound, captions and camera cannot disagree.
package struct KeptSpans: Hashable, Sendable {
    /// In clip time, in order, apart from each other; none is empty.
    package let spans: [TimeRange]
    /// In tight time: when each begins.
    private let starts: [Double]

    package init(_ spans: [TimeRange]) {
        precondition(!spans.isEmpty, "nothing is kept")
        precondition(Self.areInOrder(spans), "spans out of order: \(spans)")
        self.spans = spans
        var starts = [0.0]
        for span in spans.dropLast() { starts.append(starts[starts.count - 1] + span.duration) }
        self.starts = starts
    }

    /// Of what `inSource` told. Nil when it tells nothing that can be used.
    package init?(inSource ranges: [TimeRange], clip: TimeRange) {
        let spans = ranges.map { TimeRange(start: $0.start - clip.start, end: $0.end - clip.start) }
        guard !spans.isEmpty, Self.areInOrder(spans) else { return nil }
        self.init(spans)
    }

    private static func areInOrder(_ spans: [TimeRange]) -> Bool {
        spans.allSatisfy { $0.duration > 0 } && zip(spans, spans.dropFirst()).allSatisfy { $0.end < $1.start }
    }

    /// How long the tight clip is.
    package var seconds: Double { starts[starts.count - 1] + spans[spans.count - 1].duration }

    /// In tight time. What was cut out lies at its joint; what lies before the first span or behind the last one stays
    /// as far before or behind. Rises, or stands still.
    package func tightened(_ time: Double) -> Double {
        guard let index = spans.lastIndex(where: { $0.start <= time }) else { return time - spans[0].start }
        let inside = time - spans[index].start
        return starts[index] + (index + 1 < spans.count ? min(inside, spans[index].duration) : inside)
    }

    /// In clip time: the inverse of `tightened`. Of a joint, what is seen after it. Always rises.
    package func clipTime(_ time: Double) -> Double {
        guard let index = starts.lastIndex(where: { $0 <= time }) else { return spans[0].start + time }
        return spans[index].start + (time - starts[index])
    }

    /// Whether a moment of clip time is in the tight clip.
    package func shows(_ time: Double) -> Bool { spans.contains { $0.contains(time) } }

    /// What is left of a stretch of clip time; nil: nothing.
    package func tightened(_ range: TimeRange) -> TimeRange? {
        let (start, end) = (tightened(range.start), tightened(range.end))
        return start < end ? TimeRange(start: start, end: end) : nil
    }

    /// Where the clip ends when it begins where it did.
    package func tightened(clip: TimeRange) -> TimeRange { TimeRange(start: clip.start, end: clip.start + seconds) }

    /// In seconds of the source, to the millisecond, for those who cut the clip themselves.
    package func inSource(of clip: TimeRange) -> [TimeRange] {
        func inSource(_ time: Double) -> Double { (clip.start + time).rounded(toPlaces: 3) }
        return spans.map { TimeRange(start: inSource($0.start), end: inSource($0.end)) }
    }

    /// As frames of the clip; none is empty where the spans were made of frames.
    package func frames(at rate: FrameRate) -> [Range<Int>] {
        spans.map { span in
            let first = rate.frames(in: span.start)
            return first..<max(first, rate.frames(in: span.end))
        }
    }
}
