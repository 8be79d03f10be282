package import ClipModel

/// A moment that was chosen to become a clip.
package struct Highlight: Hashable, Sendable, Codable {
    package var range: TimeRange
    package var title: String
    /// 0 to 100, comparable inside one video only.
    package var score: Double
    /// In plain words.
    package var reason: String
    /// The reason by language: `en`, `es`, `pt`; nil in results of earlier releases.
    package var reasons: [String: String]?
    package var signals: [String: Double]

    package init(
        range: TimeRange, title: String, score: Double, reason: String, reasons: [String: String]? = nil,
        signals: [String: Double]
    ) {
        self.range = range
        self.title = title
        self.score = score
        self.reason = reason
        self.reasons = reasons
        self.signals = signals
    }
}

/// What the selection chose, and why there are fewer than asked where that is so.
package struct HighlightSelection: Hashable, Sendable, Codable {
    package var highlights: [Highlight]
    package var notes: [Note]
    /// How interesting the video is along its length.
    package var interest: [InterestPoint]
    /// As many again that overlap neither each other nor a chosen one, where they were asked for and the video has
    /// them.
    package var spares: [Highlight]

    package init(
        highlights: [Highlight], notes: [Note], interest: [InterestPoint] = [], spares: [Highlight] = []
    ) {
        self.highlights = highlights
        self.notes = notes
        self.interest = interest
        self.spares = spares
    }
}
