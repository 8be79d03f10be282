package import ClipModel

/// From the faces of a clip to its framing: tracks, who matters in each shot, what each shot shows (`ShotFramer`), how
/// the window moves (`CameraPath`). Knows neither files nor OpenCV.
package struct FramingPlanner: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// Cuts that follow each other faster are one: a flash is no shot, and the renderer pays for each.
        package var shotSecondsMin = 0.4
        /// Of the output, against the source. Beyond it a crop is mush, and the whole picture over a blur looks better.
        package var enlargementMax = 8.0
        /// A window that shows less of the source than this shows nothing, face or not (a banner, a row of screens).
        package var shareMin = 0.12
        /// The same without a face. A 16:9 source in 9:16 keeps 0.32, a cinema one 0.24.
        package var facelessShareMin = 0.25
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
        let inset = InsetFinder(samples, source: window.source, output: output)
        var segments: [Framing.Segment] = []
        var leads: [Framing.Lead] = []
        var score = FramingScore(window: window, clipSeconds: clipSeconds)
        var speakers = SpeakerIdentity(stepSeconds: stepSeconds)
        for shot in shots {
            let cast = ShotCast(
                tracks: tracks, samples: shot.samples, stepSeconds: stepSeconds, source: window.source, speech: speech)
            let times = samples[shot.samples].map(\.time)
            let shown = shown(
                in: shot, cast: cast, times: times,
                inset: inset?.layout(of: samples[shot.samples], from: shot.range.start),
                looks: samples[shot.samples].compactMap(\.attention))
            score.add(shown, cast: cast, times: times)
            segments += shown
            leads += Self.leads(cast, times: times, range: shot.range)
            speakers.add(cast, times: times, range: shot.range)
        }
        return Framing(
            segments: Self.joined(segments), faceInFrame: score.faceInFrame,
            reversalsPerSecond: score.reversalsPerSecond, travelPixelsPerSecond: score.travelPixelsPerSecond,
            subjectPixelsPerSecond: score.subjectPixelsPerSecond, faces: sightings(tracks, samples: samples),
            leads: leads, turns: speakers.turns())
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

    private func shown(
        in shot: Shot, cast: ShotCast, times: [Double], inset: Framing.Segment.Layout?, looks: [Attention]
    ) -> [Framing.Segment] {
        let layout: Framing.Segment.Layout? =
            mustFit
            ? .fit : inset ?? (cast.members.isEmpty ? layoutWithoutFaces(looks, from: shot.range.start) : nil)
        if let layout { return [Framing.Segment(range: shot.range, layout: layout)] }
        return ShotFramer(
            cast, turns: cast.turns, times: times, window: window, output: output, stepSeconds: stepSeconds
        )
        .segments(over: shot.range)
    }

    /// What draws the eye, if anything does, in one window that stands still.
    private func layoutWithoutFaces(_ looks: [Attention], from start: Double) -> Framing.Segment.Layout {
        guard window.share >= limits.facelessShareMin else { return .fit }
        switch SalientWindow(window).choice(for: looks) {
        case .centre: return centre
        case .whole: return .fit
        case .corner(let x, let y):
            return .crop(.path(of: window, through: [CropPath.Keyframe(time: start, x: x, y: y)]))
        }
    }

    private var centre: Framing.Segment.Layout {
        .crop(CropPath(width: window.width, height: window.height, keyframes: [window.centred]))
    }

    private var mustFit: Bool {
        window.share < limits.shareMin || Double(output.width) / window.width > limits.enlargementMax
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

    /// Whose face should be seen when.
    private static func leads(_ cast: ShotCast, times: [Double], range: TimeRange) -> [Framing.Lead] {
        var leads: [Framing.Lead] = []
        for (sample, lead) in cast.leads.enumerated() {
            guard let lead else { continue }
            let track = cast.members[lead].track
            let end = sample + 1 < times.count ? times[sample + 1] : range.end
            if let last = leads.last, last.track == track, last.range.end == times[sample] {
                leads[leads.count - 1].range.end = end
            } else {
                leads.append(Framing.Lead(range: TimeRange(start: times[sample], end: end), track: track))
            }
        }
        return leads
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
        func places(_ layout: Self) -> [CropPath] {
            layout.windows.map { path in
                var path = path
                path.keyframes[0].time = 0
                return path
            }
        }
        let (ones, others) = (places(self), places(other))
        return kind == other.kind && ones == others && ones.allSatisfy { $0.keyframes.count == 1 }
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

extension [Double] {
    /// Of an even number the larger of the two in the middle: a place where something was seen, which their mean need
    /// not be. Of none there is no median.
    var upperMedian: Double { sorted()[count / 2] }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let scale = (0..<places).reduce(1.0) { power, _ in power * 10 }
        return (self * scale).rounded() / scale
    }
}
