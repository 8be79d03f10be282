package import ClipModel

/// Where a long, still shot of one speaker comes closer for a while, at once and as a cut would, and goes back again.
///
/// A punch-in begins where a sentence or a stressed word does, and ends where a later sentence begins. The window grows
/// smaller about the eyes, which stay where they are in the frame. Everything else is a reason to leave the shot alone.
package struct PunchIns: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// A shorter shot is lively enough.
        package var shotSecondsMin = 6.0
        /// Between a change of scale and a real cut, before and after it. The borders of the clip are cuts.
        package var cutSecondsMin = 1.5
        /// Between two changes of scale, in or out.
        package var secondsApartMin = 4.0
        /// Where no sentence ends for longer, the shot stays wide.
        package var insideSecondsMax = 10.0
        /// Of one clip: each costs the renderer two more branches.
        package var countMax = 12
        /// How much closer, the most that is possible first, on a stressed word and on the start of a sentence. Less
        /// than a tenth looks like a mistake, and much more like a cut to another camera.
        package var stressScales = [1.18, 1.14, 1.1]
        package var sentenceScales = [1.14, 1.1]
        /// Of the clip against the source. A split may be softer, since it shows who could not be seen otherwise.
        package var enlargementMax = 4.0
        /// Of the window, what the face with its margins may take up, across and down: as in a close-up.
        package var faceShareMax = ShotFramer.Limits().closeUpMax
        /// Around the face, in faces.
        package var faceMargin = ShotFramer.Limits().faceMargin
        /// Of the window, how far the face with its margins stays from every edge.
        package var edgeMargin = 0.04
        /// For so long the face may go unseen: who turns away is not come closer to.
        package var unseenSecondsMax = 1.0

        package init() {}
    }

    private struct Punch: Hashable {
        var range: TimeRange
        var layout: Framing.Segment.Layout
    }

    private let framing: Framing
    /// Where nothing changes of itself, in order.
    private let shots: [Shot]
    private let output: PixelSize
    private let limits: Limits

    private struct Shot: Hashable {
        var range: TimeRange
        var window: CropPath
    }

    /// - Parameters:
    ///   - cuts: Of the source, in seconds of the clip. A framing does not tell those at which its window stays.
    ///   - chosen: What a client framed by hand, in seconds of the clip: it stays as it is.
    package init(
        _ framing: Framing, cuts: [Double], chosen: [TimeRange] = [], output: PixelSize, limits: Limits = Limits()
    ) {
        self.framing = framing
        self.output = output
        self.limits = limits
        shots = framing.segments.flatMap { segment -> [Shot] in
            guard case .crop(let window) = segment.layout, segment.travelWidths == 0,
                !chosen.contains(where: { $0.overlap(segment.range) > 0 })
            else { return [] }
            let inner = cuts.filter { segment.range.start < $0 && $0 < segment.range.end }.sorted()
            return zip([segment.range.start] + inner, inner + [segment.range.end])
                .map { Shot(range: TimeRange(start: $0, end: $1), window: window) }
                .filter { $0.range.duration >= limits.shotSecondsMin }
        }
    }

    /// The framing with punch-ins on `beats`. Stressed words have the choice before starts of sentences, and what is
    /// earlier before what is later.
    package func punched(on beats: SpeechBeats) -> Framing {
        var punches: [Punch] = []
        let moments =
            beats.stresses.map { ($0, limits.stressScales) } + beats.sentences.map { ($0, limits.sentenceScales) }
        for (start, scales) in moments where punches.count < limits.countMax {
            guard let shot = shots.first(where: { $0.range.contains(start) }),
                start >= shot.range.start + limits.cutSecondsMin,
                let end = beats.sentences.first(where: { $0 >= start + limits.secondsApartMin }),
                end <= min(start + limits.insideSecondsMax, shot.range.end - limits.cutSecondsMin),
                punches.allSatisfy({ isApart($0.range, start, end) })
            else { continue }
            let range = TimeRange(start: start, end: end)
            let layouts = scales.lazy.compactMap { closer(shot.window, by: $0, in: range) }
            if let layout = layouts.first { punches.append(Punch(range: range, layout: layout)) }
        }
        guard !punches.isEmpty else { return framing }
        var punched = framing
        for punch in punches {
            punched.segments = Framing.replacing(punch.range, in: punched.segments, by: punch.layout)
        }
        punched.recount()
        return punched
    }

    private func isApart(_ other: TimeRange, _ start: Double, _ end: Double) -> Bool {
        end + limits.secondsApartMin <= other.start || other.end + limits.secondsApartMin <= start
    }

    // MARK: The closer window

    /// Nil where it would be mush, where somebody else is in the picture, or the face would be cut off or too large.
    private func closer(_ wide: CropPath, by scale: Double, in range: TimeRange) -> Framing.Segment.Layout? {
        let (width, height) = (wide.width / scale, wide.height / scale)
        guard Double(output.width) / width <= limits.enlargementMax, let faces = faces(in: wide, range) else {
            return nil
        }
        func median(_ value: (FaceSighting) -> Double) -> Double { faces.map(value).upperMedian }
        let grown = 1 + 2 * limits.faceMargin
        guard median(\.width) * grown <= limits.faceShareMax * width,
            median(\.height) * grown <= limits.faceShareMax * height
        else { return nil }
        let corner = wide.corner(at: range.start)
        // What stays in its place: in a box of YuNet the eyes are at two fifths from the top.
        let (eyesX, eyesY) = (median { $0.x + $0.width / 2 }, median { $0.y + 0.4 * $0.height })
        let (left, top) = (eyesX - (eyesX - corner.x) / scale, eyesY - (eyesY - corner.y) / scale)
        let isSafe = faces.allSatisfy { face in
            isInside(face.x - left, face.width, of: width) && isInside(face.y - top, face.height, of: height)
        }
        guard isSafe else { return nil }
        let keyframe = CropPath.Keyframe(
            time: range.start, x: left.rounded(toPlaces: 2), y: top.rounded(toPlaces: 2))
        return .crop(CropPath(width: width, height: height, keyframes: [keyframe]))
    }

    /// Whether a face stays off both edges of a window along one axis.
    private func isInside(_ start: Double, _ extent: Double, of window: Double) -> Bool {
        let edge = limits.edgeMargin * window
        return start - limits.faceMargin * extent >= edge && start + (1 + limits.faceMargin) * extent <= window - edge
    }

    /// Of the one who is seen in the window all along and leads; nil where there is none, or another is seen as well.
    private func faces(in window: CropPath, _ range: TimeRange) -> [FaceSighting]? {
        let leads = Set((framing.leads ?? []).filter { $0.range.overlap(range) > 0 }.map(\.track))
        let corner = window.corner(at: range.start)
        let seen = framing.faces.filter { face in
            range.contains(face.time)
                && face.x + face.width > corner.x && face.x < corner.x + window.width
                && face.y + face.height > corner.y && face.y < corner.y + window.height
        }
        guard leads.count == 1, Set(seen.map(\.track)) == leads else { return nil }
        let times = [range.start] + seen.map(\.time) + [range.end]
        guard zip(times, times.dropFirst()).allSatisfy({ $1 - $0 <= limits.unseenSecondsMax }) else { return nil }
        return seen
    }
}

extension Framing {
    /// The same as it was before: a crop inside a wider one beside it is a punch-in, since nothing else changes the
    /// size of crops.
    package func withoutPunchIns() -> Framing {
        var framing = self
        framing.segments = []
        var isInside = false
        for (index, segment) in segments.enumerated() {
            if let last = framing.segments.last,
                segment.isCloser(in: last) || (isInside && segment.goesBack(to: last))
            {
                isInside = segment.isCloser(in: last)
                framing.segments[framing.segments.count - 1].range.end = segment.range.end
                continue
            }
            // In tight time a shot may begin with its punch-in.
            let next = index + 1 < segments.count ? segments[index + 1] : segment
            isInside = segment.isCloser(in: next)
            framing.segments.append(Segment(range: segment.range, layout: isInside ? next.layout : segment.layout))
        }
        if framing.segments != segments { framing.recount() }
        return framing
    }
}

extension Framing.Segment {
    /// Windows that differ by less, in pixels of the source, are one.
    private static let samePixels = 0.05

    /// Whether it shows a part of what `wide` shows, larger.
    fileprivate func isCloser(in wide: Framing.Segment) -> Bool {
        guard case .crop(let here) = layout, case .crop(let there) = wide.layout, here.width < there.width - 0.01 else {
            return false
        }
        let (inner, outer) = (here.corner(at: range.start), there.corner(at: wide.range.start))
        func isWithin(_ inner: Double, _ extent: Double, _ outer: Double, _ room: Double) -> Bool {
            inner >= outer - Self.samePixels && inner + extent <= outer + room + Self.samePixels
        }
        return isWithin(inner.x, here.width, outer.x, there.width)
            && isWithin(inner.y, here.height, outer.y, there.height)
    }

    /// Whether it stands still where `wide` does. What is shown is compared and not the paths: what is left of one in
    /// tight time has other keyframes on either side of a punch-in.
    fileprivate func goesBack(to wide: Framing.Segment) -> Bool {
        guard case .crop(let here) = layout, case .crop(let there) = wide.layout, travelWidths == 0 else {
            return false
        }
        let (one, other) = (here.corner(at: range.start), there.corner(at: wide.range.start))
        return max(abs(here.width - there.width), abs(here.height - there.height)) < 0.01
            && max(abs(one.x - other.x), abs(one.y - other.y)) < Self.samePixels
    }
}
