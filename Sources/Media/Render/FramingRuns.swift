import ClipModel

/// The segments of a framing as runs of output frames that one chain of filters can make.
///
/// Neighbours with a window of the same size become one run, in which the window jumps at the cut: the usual clip,
/// however often it cuts, is one chain.
package struct FramingRuns: Hashable, Sendable {
    package struct Run: Hashable, Sendable {
        /// Of the clip's frames.
        package var frames: Range<Int>
        package var look: Look

        package init(frames: Range<Int>, look: Look) {
            self.frames = frames
            self.look = look
        }
    }

    package enum Look: Hashable, Sendable {
        case fit
        /// One window that fills the frame.
        case window(Window)
        /// Windows one above the other, see `FrameGeometry`, over a backdrop where they do not fill the frame.
        case stack([Window])
    }

    /// Its size and where its corner is, all in display pixels of the source.
    package struct Window: Hashable, Sendable {
        package var width: Double
        package var height: Double
        package var x: PiecewiseLine
        package var y: PiecewiseLine
    }

    /// Cover `0..<frameCount` without gaps; none is empty.
    package private(set) var runs: [Run] = []

    /// Two windows whose sides differ by less are one.
    private static let samePixels = 0.01

    /// `lateness`: how much later than the segments' zero the picture's first frame lies (the seek is in milliseconds).
    /// `tolerancePixels`: keyframes that lie this close to the line between their neighbours are left out.
    package init(
        _ framing: Framing, rate: FrameRate, frameCount: Int, lateness: Double = 0, tolerancePixels: Double = 0
    ) {
        let shots = Self.shots(framing, rate: rate, frameCount: frameCount, lateness: lateness)
        var index = 0
        while index < shots.count {
            var end = index + 1
            while end < shots.count, Self.isSameLook(shots[index].layout, shots[end].layout) { end += 1 }
            let group = shots[index..<end]
            let frames = shots[index].frames.lowerBound..<shots[end - 1].frames.upperBound
            runs.append(
                Run(frames: frames, look: Self.look(group, rate, lateness: lateness, tolerance: tolerancePixels)))
            index = end
        }
    }

    private struct Shot {
        var frames: Range<Int>
        var layout: Framing.Segment.Layout
    }

    /// The segments in whole frames. What the framing leaves out belongs to the segment before, or is shown whole.
    private static func shots(
        _ framing: Framing, rate: FrameRate, frameCount: Int, lateness: Double
    ) -> [Shot] {
        var shots: [Shot] = []
        for segment in framing.segments {
            let frame = min(frameCount, max(0, rate.frames(in: segment.range.start - lateness)))
            // A segment that begins in the same frame as the one before leaves that one without a frame.
            if let last = shots.last, last.frames.lowerBound >= frame { shots.removeLast() }
            let start = shots.isEmpty ? 0 : frame
            guard start < frameCount else { break }
            if !shots.isEmpty { shots[shots.count - 1].frames = shots[shots.count - 1].frames.lowerBound..<start }
            shots.append(Shot(frames: start..<frameCount, layout: segment.layout))
        }
        return shots.isEmpty ? [Shot(frames: 0..<frameCount, layout: .fit)] : shots
    }

    private static func isSameLook(_ left: Framing.Segment.Layout, _ right: Framing.Segment.Layout) -> Bool {
        let (ones, others) = (left.windows, right.windows)
        return left.kind == right.kind && ones.count == others.count
            && zip(ones, others).allSatisfy {
                abs($0.width - $1.width) < samePixels && abs($0.height - $1.height) < samePixels
            }
    }

    private static func look(
        _ shots: ArraySlice<Shot>, _ rate: FrameRate, lateness: Double, tolerance: Double
    ) -> Look {
        guard let first = shots.first, !first.layout.windows.isEmpty else { return .fit }
        let windows = first.layout.windows.indices.map { index in
            window(
                shots.map { ($0.frames, $0.layout.windows[index]) }, rate, lateness: lateness, tolerance: tolerance)
        }
        return first.layout.kind == .crop ? .window(windows[0]) : .stack(windows)
    }

    /// One window through shots that follow one another; it jumps from one to the next.
    private static func window(
        _ shots: [(frames: Range<Int>, path: CropPath)], _ rate: FrameRate, lateness: Double, tolerance: Double
    ) -> Window {
        var x: [PiecewiseLine.Piece] = []
        var y: [PiecewiseLine.Piece] = []
        for shot in shots {
            // Half a frame early, so that no rounding decides on which side of the jump a frame lies.
            let start = max(0, rate.seconds(of: shot.frames.lowerBound) - 0.5 / rate.perSecond)
            let keyframes = thinned(shot.path.keyframes, tolerance: tolerance)
            x += PiecewiseLine(through: keyframes.map { ($0.time - lateness, $0.x) }, from: start).pieces
            y += PiecewiseLine(through: keyframes.map { ($0.time - lateness, $0.y) }, from: start).pieces
            let end = rate.seconds(of: shot.frames.upperBound) - 0.5 / rate.perSecond
            x.removeAll { $0.start >= end }
            y.removeAll { $0.start >= end }
        }
        return Window(
            width: shots[0].path.width, height: shots[0].path.height, x: PiecewiseLine(x), y: PiecewiseLine(y))
    }

    private static func thinned(_ keyframes: [CropPath.Keyframe], tolerance: Double) -> [CropPath.Keyframe] {
        guard tolerance > 0, keyframes.count > 2 else { return keyframes }
        var kept = [keyframes[0]]
        for (here, next) in zip(keyframes.dropFirst(), keyframes.dropFirst(2)) {
            let last = kept[kept.count - 1]
            let share = next.time > last.time ? (here.time - last.time) / (next.time - last.time) : 0
            let (dx, dy) = (last.x + (next.x - last.x) * share - here.x, last.y + (next.y - last.y) * share - here.y)
            if max(abs(dx), abs(dy)) > tolerance { kept.append(here) }
        }
        return kept + keyframes.suffix(1)
    }
}
