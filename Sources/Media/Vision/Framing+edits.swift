package import ClipModel

/// A framing as a client wants it, scene by scene, and what it may change.
extension Framing {
    /// Shows `scenes` as their client said; the rest stays as it was found.
    ///
    /// - Parameters:
    ///   - scenes: In seconds of the source, in order, like `clip`.
    ///   - source: Size of the displayed source.
    ///   - output: Size of the clip's picture.
    package func overridden(
        by scenes: [ClipEdits.Scene], clip: TimeRange, source: PixelSize, output: PixelSize
    ) -> Framing {
        var framing = self
        let window = CropWindow(source: source, output: output)
        for scene in scenes {
            guard let part = TimeRange(start: scene.start, end: scene.end).clamped(to: clip) else { continue }
            let range = TimeRange(start: part.start - clip.start, end: part.end - clip.start)
            let layout = Self.layout(scene, in: window, from: range.start)
            framing.segments = Self.replacing(range, in: framing.segments, by: layout)
        }
        if framing.segments != segments { framing.recount() }
        return framing
    }

    private static func layout(_ scene: ClipEdits.Scene, in window: CropWindow, from time: Double) -> Segment.Layout {
        switch scene.layout {
        case .fit: return .fit
        case .crop:
            let middle = (scene.x ?? 0.5) * Double(window.source.width)
            let x = min(max(0, middle - window.width / 2), window.freedomX)
            let corner = CropPath.Keyframe(time: time, x: x.rounded(toPlaces: 2), y: window.centred.y)
            return .crop(CropPath(width: window.width, height: window.height, keyframes: [corner]))
        }
    }

    /// What is left of a segment keeps its path: paths are in the time of the clip.
    static func replacing(
        _ range: TimeRange, in segments: [Segment], by layout: Segment.Layout
    ) -> [Segment] {
        var parts: [Segment] = []
        for segment in segments {
            let before = segment.range.clamped(to: TimeRange(start: 0, end: range.start))
            let after = segment.range.clamped(to: TimeRange(start: range.end, end: max(range.end, segment.range.end)))
            parts += [before, after].compactMap(\.self).map { Segment(range: $0, layout: segment.layout) }
        }
        parts.append(Segment(range: range, layout: layout))
        return parts.sorted { $0.range.start < $1.range.start }
    }

    /// What is shown when, in seconds of the source, as a client may change it. Neighbours that show the same are one,
    /// and punch-ins are part of the scene that they stand in.
    ///
    /// `kept`: of a framing in tight time. Then a scene reaches over what was cut out behind it, up to the next.
    package func scenes(of clip: TimeRange, source: PixelSize, kept: KeptSpans? = nil) -> [SceneShown] {
        let segments = withoutPunchIns().segments
        let starts = segments.map { kept?.clipTime($0.range.start) ?? $0.range.start }
        return segments.indices.map { index in
            let segment = segments[index]
            let isLast = index + 1 == segments.count
            let end = kept == nil ? segment.range.end : isLast ? clip.duration : starts[index + 1]
            let (layout, x): (String, Double?) =
                if case .crop(let path) = segment.layout {
                    ("crop", path.middle(in: segment.range, of: source))
                } else if case .fit = segment.layout {
                    ("fit", nil)
                } else {
                    ("other", nil)
                }
            return SceneShown(
                start: (clip.start + (index == 0 ? segment.range.start : starts[index])).rounded(toPlaces: 3),
                end: (clip.start + end).rounded(toPlaces: 3), layout: layout, x: x)
        }
    }
}

/// One stretch of a clip, and how it is framed.
package struct SceneShown: Hashable, Sendable, Codable {
    /// In seconds of the source.
    package let start: Double
    package let end: Double
    /// `crop` and `fit` can be asked for; `other` is chosen by the clip itself.
    package let layout: String
    /// Of `crop`: where the middle of the window is on average, as a share of the picture's width.
    package let x: Double?

    package init(start: Double, end: Double, layout: String, x: Double?) {
        self.start = start
        self.end = end
        self.layout = layout
        self.x = x
    }
}

extension CropPath {
    fileprivate func middle(in range: TimeRange, of source: PixelSize) -> Double {
        let places = [range.start, range.middle, range.end].map { corner(at: $0).x + width / 2 }
        return (places.reduce(0, +) / 3 / Double(source.width)).rounded(toPlaces: 4)
    }
}
