import ClipModel

/// What is told of the camera follows from its windows.
extension Framing {
    /// Of a framing whose segments were changed.
    mutating func recount() {
        let seconds = segments.last?.range.end ?? 0
        guard seconds > 0 else { return }
        reversalsPerSecond = Self.reversalsPerSecond(segments.reduce(0) { $0 + $1.reversals }, in: seconds)
        travelPixelsPerSecond = Self.pixelsPerSecond(segments.reduce(0) { $0 + $1.travelWidths }, in: seconds)
    }

    static func reversalsPerSecond(_ reversals: Int, in seconds: Double) -> Double {
        seconds > 0 ? (Double(reversals) / seconds).rounded(toPlaces: 4) : 0
    }

    /// - Parameter widths: A way in widths of the window, which is 1080 wide.
    static func pixelsPerSecond(_ widths: Double, in seconds: Double) -> Double {
        seconds > 0 ? (widths * 1080 / seconds).rounded(toPlaces: 2) : 0
    }
}

extension Framing.Segment {
    /// Changes of direction. Of two windows the livelier counts: they are seen at the same time.
    var reversals: Int { layout.windows.map { $0.within(range).reversals }.max() ?? 0 }

    /// Way of the window, in its widths.
    var travelWidths: Double { layout.windows.map { $0.within(range).travelWidths }.max() ?? 0 }
}

extension CropPath {
    /// The part that is shown in `range`: a path may begin before it and go on after it.
    fileprivate func within(_ range: TimeRange) -> CropPath {
        let inside = keyframes.filter { range.start < $0.time && $0.time < range.end }
        return CropPath(
            width: width, height: height, keyframes: [corner(at: range.start)] + inside + [corner(at: range.end)])
    }
}
