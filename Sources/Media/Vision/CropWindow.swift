package import ClipModel

/// The largest window of the output's shape inside the source, in display pixels of the source.
package struct CropWindow: Hashable, Sendable {
    package let source: PixelSize
    package let width: Double
    package let height: Double

    package init(source: PixelSize, output: PixelSize) {
        precondition(source.width > 0 && source.height > 0, "a source of \(source.width) x \(source.height)")
        precondition(output.width > 0 && output.height > 0, "an output of \(output.width) x \(output.height)")
        self.source = source
        width = min(Double(source.width), Double(source.height) * output.aspectRatio)
        height = min(Double(source.height), Double(source.width) / output.aspectRatio)
    }

    /// A window of any shape.
    package init(source: PixelSize, width: Double, height: Double) {
        precondition(
            0 < width && width <= Double(source.width) && 0 < height && height <= Double(source.height),
            "a window of \(width) x \(height) in \(source)")
        self.source = source
        self.width = width
        self.height = height
    }

    /// The same, this wide, if it is not yet and the source has the room.
    package func widened(to extent: Double) -> CropWindow {
        CropWindow(source: source, width: min(Double(source.width), max(width, extent)), height: height)
    }

    /// How far the window can move.
    package var freedomX: Double { Double(source.width) - width }
    package var freedomY: Double { Double(source.height) - height }

    /// Share of the source's area that it shows.
    package var share: Double { width * height / (Double(source.width) * Double(source.height)) }

    package var centred: CropPath.Keyframe { CropPath.Keyframe(time: 0, x: freedomX / 2, y: freedomY / 2) }
}

extension CropPath {
    /// The path through one place per sample, without the keyframes that lie on the line between their neighbours.
    ///
    /// Places are rounded, so that equal speeds differ by rounding only; `tolerancePixels` swallows that.
    package static func path(
        of window: CropWindow, through places: [Keyframe], tolerancePixels: Double = 0.05
    ) -> CropPath {
        precondition(!places.isEmpty, "a path without places")
        var kept = [places[0]]
        for index in places.indices.dropFirst().dropLast() {
            let (last, here, next) = (kept[kept.count - 1], places[index], places[index + 1])
            let share = (here.time - last.time) / (next.time - last.time)
            let (dx, dy) = (last.x + (next.x - last.x) * share - here.x, last.y + (next.y - last.y) * share - here.y)
            if max(abs(dx), abs(dy)) > tolerancePixels { kept.append(here) }
        }
        let end = places[places.count - 1]
        // A window that stands still at the end needs no keyframe there: it is held.
        if end.x != kept[kept.count - 1].x || end.y != kept[kept.count - 1].y { kept.append(end) }
        // Rounded last, so that it cannot bend a line: to a millisecond, and to what no renderer can show.
        let keyframes = kept.map { keyframe in
            Keyframe(
                time: keyframe.time.rounded(toPlaces: 3), x: min(window.freedomX, keyframe.x.rounded(toPlaces: 2)),
                y: min(window.freedomY, keyframe.y.rounded(toPlaces: 2)))
        }
        return CropPath(width: window.width, height: window.height, keyframes: keyframes)
    }

    /// Where the window's corner is at `time`: on the line between two keyframes, held before the first and after the
    /// last.
    package func corner(at time: Double) -> Keyframe {
        guard let next = keyframes.firstIndex(where: { $0.time > time }) else {
            return Keyframe(time: time, x: keyframes[keyframes.count - 1].x, y: keyframes[keyframes.count - 1].y)
        }
        guard next > 0 else { return Keyframe(time: time, x: keyframes[0].x, y: keyframes[0].y) }
        let (from, to) = (keyframes[next - 1], keyframes[next])
        let share = (time - from.time) / (to.time - from.time)
        return Keyframe(time: time, x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share)
    }

    /// Whether a face is seen at `time`: nine tenths of what a window of this size could show of it at best, since a
    /// close-up is wider than a narrow window.
    package func shows(_ face: DetectedFace, at time: Double, of source: PixelSize) -> Bool {
        func isShown(_ low: Double, _ extent: Double, edge: Double, window: Double, source: Int) -> Bool {
            let (low, high) = (max(0, low), min(Double(source), low + extent))
            let shown = min(high, edge + window) - max(low, edge)
            return shown >= 0.9 * min(high - low, window)
        }
        let corner = corner(at: time)
        return isShown(face.x, face.width, edge: corner.x, window: width, source: source.width)
            && isShown(face.y, face.height, edge: corner.y, window: height, source: source.height)
    }

    /// How often the window, having moved one way along an axis, next moves the other way. Rests in between do not
    /// make it another movement; cuts do.
    package var reversals: Int {
        func turns(_ axis: KeyPath<Keyframe, Double>) -> Int {
            let directions = zip(keyframes.dropFirst(), keyframes)
                .map { ($0[keyPath: axis] - $1[keyPath: axis]) }.filter { $0 != 0 }
            return zip(directions.dropFirst(), directions).count { ($0 < 0) != ($1 < 0) }
        }
        return turns(\.x) + turns(\.y)
    }

    /// The way that the window goes, in its own widths.
    package var travelWidths: Double {
        zip(keyframes.dropFirst(), keyframes).reduce(0) { sum, pair in
            let (dx, dy) = (pair.0.x - pair.1.x, pair.0.y - pair.1.y)
            return sum + (dx * dx + dy * dy).squareRoot() / width
        }
    }
}
