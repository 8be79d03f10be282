package import ClipModel

/// From the faces of a clip to its framing: tracks, who matters in each shot, what each shot shows, how the window
/// moves. Knows neither files nor OpenCV.
package struct FramingPlanner: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// Cuts that follow each other faster are one: a flash is no shot, and the renderer pays for each.
        package var shotSecondsMin = 0.4
        /// Of the output, against the source. Beyond it a crop is mush, and the whole picture over a blur looks better.
        package var enlargementMax = 8.0
        /// A window that shows less of the source than this shows nothing, face or not (a banner, a row of screens).
        package var shareMin = 0.12
        /// The same without a face to centre on. A 16:9 source in 9:16 keeps 0.32, a cinema one 0.24.
        package var facelessShareMin = 0.25
        /// From this many faces that matter, all are shown or none is singled out.
        package var groupSizeMin = 3
        /// Share of the window that a group may take up to be framed together. With its margins it must stay below
        /// `CameraPath.Style.reachMax`, or its outer faces may be let out.
        package var groupWidthMax = 0.76
        /// Share of the group's samples in which it must be so.
        package var groupFitMin = 0.95
        /// Where the eyes stand in the window, from its top, when it can move up and down.
        package var eyeLine = 0.4
        /// Around a face, in faces: hair, chin and the error of the box.
        package var faceMargin = 0.08
        /// Of a target that lies between two sightings, against one that was seen.
        package var guessedWeight = 0.5
        /// Faces are told to captions and thumbnails; a long clip of a crowd is thinned evenly to this many, so that
        /// a framing stays a small document.
        package var facesMax = 1500

        package init() {}
    }

    /// One shot of the clip and the samples taken in it.
    private struct Shot {
        var range: TimeRange
        var samples: Range<Int>
    }

    private let window: CropWindow
    private let output: PixelSize
    private let clipSeconds: Double
    private let cuts: [Double]
    private let stepSeconds: Double
    private let limits: Limits

    /// - Parameters:
    ///   - clip: In seconds of the source, like `cuts`.
    ///   - stepSeconds: Between two samples.
    package init(
        source: PixelSize, output: PixelSize, clip: TimeRange, cuts: [Double], stepSeconds: Double,
        limits: Limits = Limits()
    ) {
        window = CropWindow(source: source, output: output)
        self.output = output
        clipSeconds = clip.duration
        self.stepSeconds = stepSeconds
        self.limits = limits
        self.cuts = Self.kept(cuts.sorted().map { $0 - clip.start }, clipSeconds: clip.duration, limits: limits)
    }

    /// The centre for the whole clip, without a look at it; the whole picture only where a crop makes no sense at all.
    package func centred() -> Framing {
        let range = TimeRange(start: 0, end: clipSeconds)
        return Framing(
            segments: [Framing.Segment(range: range, layout: mustFit ? .fit : centre)], faceInFrame: nil,
            reversalsPerSecond: 0, travelPixelsPerSecond: 0, faces: [])
    }

    /// - Parameter samples: In order of time, `stepSeconds` apart, from the start of the clip.
    package func framing(_ samples: [FaceSample], speech: SpeechEvidence = .none) -> Framing {
        let shots = shots(samples)
        let tracks = tracks(samples, shots: shots)
        var segments: [Framing.Segment] = []
        var score = FramingScore(window: window, clipSeconds: clipSeconds)
        for shot in shots {
            let cast = ShotCast(
                tracks: tracks, samples: shot.samples, stepSeconds: stepSeconds, source: window.source, speech: speech)
            let layout = layout(of: shot, cast: cast, samples: samples)
            score.add(layout, cast: cast, times: samples[shot.samples].map(\.time))
            segments.append(Framing.Segment(range: shot.range, layout: layout))
        }
        return Framing(
            segments: Self.joined(segments), faceInFrame: score.faceInFrame,
            reversalsPerSecond: score.reversalsPerSecond, travelPixelsPerSecond: score.travelPixelsPerSecond,
            faces: sightings(tracks, samples: samples))
    }

    // MARK: Shots and tracks

    private static func kept(_ cuts: [Double], clipSeconds: Double, limits: Limits) -> [Double] {
        var kept: [Double] = []
        for cut in cuts where cut - (kept.last ?? 0) >= limits.shotSecondsMin {
            guard clipSeconds - cut >= limits.shotSecondsMin else { break }
            kept.append(cut)
        }
        return kept
    }

    private func shots(_ samples: [FaceSample]) -> [Shot] {
        var shots: [Shot] = []
        var begin = 0
        for (start, end) in zip([0] + cuts, cuts + [clipSeconds]) {
            // A sample at the very time of a cut shows the new shot; a millisecond forgives the rounding of both.
            let isLast = end == clipSeconds
            let next = samples[begin...].firstIndex { !isLast && $0.time + 0.001 >= end } ?? samples.count
            shots.append(Shot(range: TimeRange(start: start, end: end), samples: begin..<next))
            begin = next
        }
        return shots
    }

    private func tracks(_ samples: [FaceSample], shots: [Shot]) -> [FaceTrack] {
        var tracker = FaceTracker(stepSeconds: stepSeconds)
        for shot in shots {
            tracker.cut()
            for sample in samples[shot.samples] { tracker.observed(sample.faces) }
        }
        return tracker.finish()
    }

    // MARK: What a shot shows

    private func layout(of shot: Shot, cast: ShotCast, samples: [FaceSample]) -> Framing.Segment.Layout {
        guard !cast.members.isEmpty, !mustFit else { return layoutWithoutFaces() }
        let group = [0] + cast.companions
        let frameTogether = fits(group, of: cast)
        if !frameTogether, group.count >= limits.groupSizeMin { return .fit }
        let faces = shot.samples.indices.map { index -> [FaceTrack.Place] in
            let here = index - shot.samples.lowerBound
            guard let lead = cast.leads[here] else { return [] }
            let shown = frameTogether && lead == 0 ? group : [lead]
            return shown.compactMap { cast.members[$0].places[here] }
        }
        return .crop(path(showing: faces, times: samples[shot.samples].map(\.time)))
    }

    private func layoutWithoutFaces() -> Framing.Segment.Layout {
        mustFit || window.share < limits.facelessShareMin ? .fit : centre
    }

    private var centre: Framing.Segment.Layout {
        .crop(CropPath(width: window.width, height: window.height, keyframes: [window.centred]))
    }

    private var mustFit: Bool {
        window.share < limits.shareMin || Double(output.width) / window.width > limits.enlargementMax
    }

    /// Whether the members fit into the window together, nearly always.
    private func fits(_ group: [Int], of cast: ShotCast) -> Bool {
        guard group.count > 1 else { return true }
        let unions = cast.leads.indices.compactMap { sample -> Bool? in
            let faces = group.compactMap { cast.members[$0].places[sample]?.face }
            guard faces.count > 1 else { return nil }
            let width = faces.map { $0.x + $0.width }.max()! - faces.map(\.x).min()!
            let height = faces.map { $0.y + $0.height }.max()! - faces.map(\.y).min()!
            return width <= limits.groupWidthMax * window.width && height <= limits.groupWidthMax * window.height
        }
        return Double(unions.count { $0 }) >= limits.groupFitMin * Double(unions.count)
    }

    // MARK: How the window moves

    /// The seam for another way of moving the camera: faces per sample in, keyframes out.
    private func path(showing faces: [[FaceTrack.Place]], times: [Double]) -> CropPath {
        let across = faces.map { target($0, low: { $0.x }, extent: { $0.width }, aim: { ($0.low + $0.high) / 2 }) }
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

    // MARK: What others are told

    /// Neighbours that show the same are one segment: fewer parts for the renderer.
    private static func joined(_ segments: [Framing.Segment]) -> [Framing.Segment] {
        var joined: [Framing.Segment] = []
        for segment in segments {
            if let last = joined.last, last.layout.looksStill(like: segment.layout) {
                joined[joined.count - 1].range.end = segment.range.end
            } else {
                joined.append(segment)
            }
        }
        return joined
    }

    private func sightings(_ tracks: [FaceTrack], samples: [FaceSample]) -> [FaceSighting] {
        let total = tracks.reduce(0) { $0 + $1.sightings.count }
        let every = max(1, (total + limits.facesMax - 1) / limits.facesMax)
        var faces: [FaceSighting] = []
        for track in tracks {
            for sighting in track.sightings where sighting.sample % every == 0 {
                faces.append(
                    FaceSighting(
                        time: samples[sighting.sample].time.rounded(toPlaces: 3), face: sighting.face, track: track.id))
            }
        }
        return Array(faces.sorted { ($0.time, $0.track) < ($1.time, $1.track) }.prefix(limits.facesMax))
    }
}

extension Framing.Segment.Layout {
    /// Both show the same, and neither moves.
    fileprivate func looksStill(like other: Framing.Segment.Layout) -> Bool {
        switch (self, other) {
        case (.fit, .fit): true
        case (.crop(let left), .crop(let right)):
            left.keyframes.count == 1 && right.keyframes.count == 1 && left.keyframes[0].x == right.keyframes[0].x
                && left.keyframes[0].y == right.keyframes[0].y
        case (.fit, .crop), (.crop, .fit): false
        }
    }
}

extension FaceSighting {
    /// Rounded to what the detector can mean, which also keeps a framing small when written as JSON.
    init(time: Double, face: DetectedFace, track: Int) {
        self.init(
            time: time, x: face.x.rounded(toPlaces: 1), y: face.y.rounded(toPlaces: 1),
            width: face.width.rounded(toPlaces: 1), height: face.height.rounded(toPlaces: 1),
            confidence: face.confidence.rounded(toPlaces: 2), track: track)
    }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let scale = (0..<places).reduce(1.0) { power, _ in power * 10 }
        return (self * scale).rounded() / scale
    }
}
