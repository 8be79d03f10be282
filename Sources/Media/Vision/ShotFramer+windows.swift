import ClipModel

extension ShotFramer {
    // MARK: One window

    /// The places of members at every sample of a stretch.
    func places(_ members: [[Int]], in samples: Range<Int>) -> [[FaceTrack.Place]] {
        zip(members, samples).map { members, sample in members.compactMap { cast.members[$0].places[sample] } }
    }

    /// The narrowest window that holds what is followed without running after it; else the whole picture.
    func follow(_ members: [[Int]], in stretch: Range<Int>) -> Framing.Segment.Layout {
        let faces = places(members, in: stretch)
        let widths = faces.compactMap { $0.map(\.face.width).max() }
        guard !widths.isEmpty else { return .crop(still) }
        let face = widths.upperMedian * (1 + 2 * limits.faceMargin)
        let narrowest = face > limits.closeUpMax * window.width ? face / limits.closeUpShare : window.width
        let times = Array(times[stretch])
        guard window.freedomX > 0 else { return .crop(path(of: window, showing: faces, times: times)) }
        for widening in limits.widenings {
            let window = window.widened(to: narrowest * widening)
            guard window.share <= limits.paddedShareMax || window == self.window else { break }
            let beside = offset(of: window, following: members, in: stretch)
            let path = path(of: window, showing: faces, times: times, beside: beside)
            if isCalm(path, faces, times) { return window == self.window ? .crop(path) : .padded(path) }
        }
        return unmoved(faces, from: times[0], extent: narrowest)
    }

    /// A window that need not move to hold all; else the whole picture.
    private func unmoved(_ faces: [[FaceTrack.Place]], from start: Double, extent: Double) -> Framing.Segment.Layout {
        let all = faces.flatMap { $0.map(\.face) }
        let (low, high) = (all.map(\.x).min()!, all.map { $0.x + $0.width }.max()!)
        let window = window.widened(to: max(extent, (high - low) / (CameraPath.Style().reachMax + limits.faceMargin)))
        guard window.share <= limits.paddedShareMax else { return .fit }
        let corner = CropPath.Keyframe(
            time: start, x: min(max(0, (low + high - window.width) / 2), window.freedomX), y: window.freedomY / 2)
        return .padded(.path(of: window, through: [corner]))
    }

    private func isCalm(_ path: CropPath, _ faces: [[FaceTrack.Place]], _ times: [Double]) -> Bool {
        let seen = zip(faces, times).filter { !$0.0.isEmpty }
        let kept = seen.count { places, time in
            places.allSatisfy { path.shows($0.face, at: time, of: window.source) }
        }
        let seconds = Double(faces.count) * stepSeconds
        return Double(kept) >= limits.keptMin * Double(seen.count)
            && Double(path.reversals) <= max(1, limits.reversalsPerSecondMax * seconds)
    }

    private var still: CropPath {
        CropPath(width: window.width, height: window.height, keyframes: [window.centred])
    }

    /// All who matter, in a window as wide as they need at these samples.
    func wide(in samples: Range<Int>) -> Framing.Segment.Layout {
        let faces = places([[Int]](repeating: group, count: samples.count), in: samples)
        let times = Array(times[samples])
        let spans = faces.compactMap { places -> Double? in
            guard let left = places.map(\.face.x).min() else { return nil }
            return places.map { $0.face.x + $0.face.width }.max()! - left
        }.sorted()
        guard !spans.isEmpty else { return .fit }
        let span = spans[min(spans.count - 1, Int(limits.groupFitMin * Double(spans.count)))]
        let window = window.widened(to: span / (CameraPath.Style().reachMax + limits.faceMargin))
        guard window.share <= limits.paddedShareMax else { return .fit }
        let path = path(of: window, showing: faces, times: times)
        return isCalm(path, faces, times) ? .padded(path) : .fit
    }

    // MARK: Two windows

    /// Nil where two windows would show the same person, a face would not fit, or the source has too few pixels.
    func split(_ left: Int, _ right: Int, in samples: Range<Int>) -> Framing.Segment.Layout? {
        let pairs = samples.compactMap { sample -> (DetectedFace, DetectedFace)? in
            guard let one = cast.members[left].places[sample]?.face,
                let other = cast.members[right].places[sample]?.face
            else { return nil }
            return (one, other)
        }
        guard 2 * pairs.count > samples.count else { return nil }
        func median(_ value: ((DetectedFace, DetectedFace)) -> Double) -> Double {
            pairs.map(value).upperMedian
        }
        let apart = median { $0.1.middleX - $0.0.middleX }
        let (widthLeft, widthRight) = (median { $0.0.width }, median { $0.1.width })
        let upper = pane(left, height: median { $0.0.height }, own: widthLeft, room: apart - widthRight / 2, samples)
        let lower = pane(right, height: median { $0.1.height }, own: widthRight, room: apart - widthLeft / 2, samples)
        guard let upper, let lower else { return nil }
        return .split(upper: upper, lower: lower)
    }

    /// A window of half the clip's height around one face.
    ///
    /// - Parameter room: From the face's middle to where the other one begins, in pixels.
    private func pane(
        _ member: Int, height face: Double, own width: Double, room: Double, _ samples: Range<Int>
    ) -> CropPath? {
        let source = window.source
        let shape = PixelSize(width: output.width, height: output.height / 2)
        let largest = CropWindow(source: source, output: shape)
        let smallest = Double(output.width) / limits.splitEnlargementMax
        let wanted = max(face / limits.splitFaceShare * shape.aspectRatio, smallest)
        let extent = min(wanted, 2 * room, largest.width)
        guard extent >= smallest, extent >= width / limits.closeUpMax else { return nil }
        // Rounding may make the largest pane higher than the source by the last digit.
        let pane = CropWindow(
            source: source, width: extent, height: min(Double(source.height), extent / shape.aspectRatio))
        let faces = places([[Int]](repeating: [member], count: samples.count), in: samples)
        return path(of: pane, showing: faces, times: Array(times[samples]))
    }

    // MARK: How a window moves

    /// The seam for another way of moving the camera: faces per sample in, keyframes out.
    ///
    /// - Parameter beside: how far the window's middle is to stand beside that of the faces, in pixels.
    func path(
        of window: CropWindow, showing faces: [[FaceTrack.Place]], times: [Double], beside: Double = 0
    ) -> CropPath {
        let across = faces.map {
            target($0, low: { $0.x }, extent: { $0.width }, aim: { ($0.low + $0.high) / 2 + beside })
        }
        let upright = faces.map { places in
            target(places, low: { $0.y }, extent: { $0.height }) { _ in
                // Headroom: the window's middle hangs below the eyes.
                places.map(\.face.eyeLine).reduce(0, +) / Double(places.count)
                    + (0.5 - limits.eyeLine) * window.height
            }
        }
        let (width, height) = (Double(window.source.width), Double(window.source.height))
        let xs = CameraPath(window: window.width, source: width, stepSeconds: stepSeconds).positions(for: across)
        let ys = CameraPath(window: window.height, source: height, stepSeconds: stepSeconds).positions(for: upright)
        let places = times.indices.map { CropPath.Keyframe(time: times[$0], x: xs[$0], y: ys[$0]) }
        return .path(of: window, through: places)
    }

    private func target(
        _ places: [FaceTrack.Place], low: (DetectedFace) -> Double, extent: (DetectedFace) -> Double,
        aim: ((low: Double, high: Double)) -> Double
    ) -> CameraTarget? {
        guard !places.isEmpty else { return nil }
        let margin = limits.faceMargin
        let lows = places.map { low($0.face) - margin * extent($0.face) }
        let highs = places.map { low($0.face) + (1 + margin) * extent($0.face) }
        let bounds = (low: lows.min()!, high: highs.max()!)
        return CameraTarget(
            middle: aim(bounds), low: bounds.low, high: bounds.high,
            weight: places.contains(where: \.isSeen) ? 1 : limits.guessedWeight)
    }
}
