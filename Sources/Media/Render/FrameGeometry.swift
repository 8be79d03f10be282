package import ClipModel

/// Where in the frame each window of a layout stands, and so where a face of the source is seen. The renderer, the
/// captions, the thumbnail and the checks all ask here, so that they cannot disagree.
package struct FrameGeometry: Hashable, Sendable {
    /// In pixels of the frame.
    package struct Box: Hashable, Sendable {
        package var x: Double
        package var y: Double
        package var width: Double
        package var height: Double

        package init(x: Double, y: Double, width: Double, height: Double) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }

        init(left: Double, top: Double, right: Double, bottom: Double) {
            self.init(x: left, y: top, width: right - left, height: bottom - top)
        }

        package var right: Double { x + width }
        package var bottom: Double { y + height }
        package var area: Double { width * height }

        /// The part that both have; nil when they have none.
        package func shared(with other: Box) -> Box? {
            let (left, top) = (max(x, other.x), max(y, other.y))
            let (right, bottom) = (min(self.right, other.right), min(self.bottom, other.bottom))
            return left < right && top < bottom ? Box(left: left, top: top, right: right, bottom: bottom) : nil
        }

        /// The share of it that lies under `cover`; of nothing, nothing.
        package func shareHidden(by cover: Box) -> Double {
            area > 0 ? (shared(with: cover)?.area ?? 0) / area : 0
        }
    }

    /// A rectangle of whole, even pixels of the frame.
    struct Place: Hashable, Sendable {
        var left: Int
        var top: Int
        var size: PixelSize
    }

    package let source: PixelSize
    package let frame: PixelSize

    package init(source: PixelSize, frame: PixelSize) {
        precondition(frame.width > 1 && frame.height > 1, "a frame of \(frame.width) x \(frame.height)")
        self.source = source
        self.frame = frame
    }

    /// Windows of these sizes one above the other: each as wide as the frame, or all narrower by one factor where
    /// their heights would not fit, in the middle of what is left.
    func places(of windows: [(width: Double, height: Double)]) -> [Place] {
        precondition(!windows.isEmpty, "a frame without a window")
        let heights = windows.map { $0.height / $0.width * Double(frame.width) }
        let total = heights.reduce(0, +)
        // Up to four pixels are rounding, and cut off rather than padded.
        let scale = total > Double(frame.height) + 4 ? Double(frame.height) / total : 1
        let width = Self.even(Double(frame.width) * scale, max: frame.width)
        var rows: [Int] = []
        for height in heights {
            rows.append(Self.even(height * scale, max: frame.height - rows.reduce(0, +)))
        }
        let missing = frame.height - rows.reduce(0, +)
        if missing <= 4 { rows[rows.count - 1] += missing }
        var top = missing <= 4 ? 0 : missing / 4 * 2
        return rows.map { row in
            defer { top += row }
            return Place(
                left: (frame.width - width) / 4 * 2, top: top, size: PixelSize(width: width, height: row))
        }
    }

    static func even(_ value: Double, max: Int) -> Int {
        Swift.max(2, Swift.min(max, 2 * Int((value / 2).rounded())))
    }

    /// Where a rectangle of the source is seen at a time of the clip: once in every window that shows a part of it,
    /// cut off at the window's edge.
    package func shown(_ part: Box, in layout: Framing.Segment.Layout, at time: Double) -> [Box] {
        let whole = CropPath(
            width: Double(source.width), height: Double(source.height), keyframes: [.init(time: 0, x: 0, y: 0)])
        let windows = layout == .fit ? [whole] : layout.windows
        let places = places(of: windows.map { ($0.width, $0.height) })
        return zip(windows, places).compactMap { window, place in
            let corner = window.corner(at: time)
            let (across, down) = (
                Double(place.size.width) / window.width, Double(place.size.height) / window.height
            )
            let all = Box(
                x: Double(place.left) + (part.x - corner.x) * across,
                y: Double(place.top) + (part.y - corner.y) * down, width: part.width * across,
                height: part.height * down)
            return all.shared(
                with: Box(
                    x: Double(place.left), y: Double(place.top), width: Double(place.size.width),
                    height: Double(place.size.height)))
        }
    }

    /// The share of a rectangle of the source that is seen in the window that shows most of it, of what a window of
    /// that size could show: a close-up is larger than a narrow window.
    package func visibleShare(of part: Box, in layout: Framing.Segment.Layout, at time: Double) -> Double {
        guard layout != .fit else { return 1 }
        return layout.windows.map { window in
            let corner = window.corner(at: time)
            let view = Box(x: corner.x, y: corner.y, width: window.width, height: window.height)
            let most = min(part.width, window.width) * min(part.height, window.height)
            return (part.shared(with: view)?.area ?? 0) / max(most, .leastNormalMagnitude)
        }.max() ?? 0
    }

    /// Where a face is seen in a clip with this framing.
    package func shown(_ face: FaceSighting, in framing: Framing) -> [Box] {
        guard let segment = framing.segments.last(where: { $0.range.start <= face.time + 0.001 }) else { return [] }
        let box = Box(x: face.x, y: face.y, width: face.width, height: face.height)
        return shown(box, in: segment.layout, at: face.time)
    }
}
