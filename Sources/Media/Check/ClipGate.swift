package import ClipModel

/// Decides how often and with which framing a clip is rendered, so that none is handed in that a safer choice would
/// have saved.
///
/// Before the first render what is known of the camera is judged: where it would be restless or hasty it is held still,
/// in a window as wide as its way, the worst shot first. After the render what was measured is judged: where the
/// main face was lost, those shots are shown wider, and the clip is rendered once more. The better of the two is
/// published; what was changed is told, and so is what is still wrong.
package struct ClipGate: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case render(Framing)
        /// The attempt that is handed in, counted from 0.
        case publish(attempt: Int)
    }

    private let source: PixelSize
    /// In seconds of the clip: what a client framed by hand is not judged.
    private let chosen: [TimeRange]
    private let bounds: ClipVerdict.Bounds
    private var framings: [Framing]
    private var verdicts: [ClipVerdict] = []
    private var changes: [Note] = []
    /// What was changed for the second attempt alone.
    private var laterChanges: [Note] = []

    package init(
        _ framing: Framing, source: PixelSize, chosen: [TimeRange] = [],
        bounds: ClipVerdict.Bounds = ClipVerdict.Bounds()
    ) {
        self.source = source
        self.chosen = chosen
        self.bounds = bounds
        framings = [framing]
    }

    /// What the first render shows.
    package mutating func start() -> Action {
        let planned = framings[0]
        framings[0] = planned.held(in: source, but: chosen) { bounds.flags(ofCamera: $0).isEmpty }
        if framings[0] != planned {
            changes.append(
                Note(
                    code: "camera_held",
                    text: "The camera would have been too restless, so it stands still and shows more of the picture."))
        }
        return .render(framings[0])
    }

    /// An attempt was rendered and measured.
    package mutating func checked(_ verdict: ClipVerdict) -> Action {
        verdicts.append(verdict)
        guard verdicts.count == 1 else {
            // What was found in the pictures decides: a wider window cuts nobody off, but may make faces too small.
            return .publish(attempt: verdicts[1].shownCount > verdicts[0].shownCount ? 1 : 0)
        }
        guard verdict.hasLostPeople else { return .publish(attempt: 0) }
        let wider = framings[0].widened(at: verdict.missed, in: source, but: chosen)
        guard wider.segments != framings[0].segments else { return .publish(attempt: 0) }
        framings.append(wider)
        laterChanges = [
            Note(
                code: "shown_wider",
                text: "Who should be seen was out of the picture, so the clip was made again with more of it.")
        ]
        return .render(wider)
    }

    /// How an attempt was framed.
    package func framing(of attempt: Int) -> Framing { framings[attempt] }

    /// What was measured on an attempt, and what was changed for it.
    package func figures(of attempt: Int) -> ClipFigures {
        var figures = verdicts[attempt].figures
        let repairs = attempt == 0 ? changes : changes + laterChanges
        figures.repairs = repairs.isEmpty ? nil : repairs
        return figures
    }
}

extension Framing {
    /// The same with cameras held still, the liveliest shot first, until it is calm.
    fileprivate func held(
        in source: PixelSize, but chosen: [TimeRange], until isCalm: (Framing) -> Bool
    ) -> Framing {
        var framing = self
        let liveliest = segments.indices.filter { index in
            segments[index].travelWidths > 0 && !segments[index].touches(chosen)
        }.sorted { one, other in
            let (here, there) = (segments[one].liveliness, segments[other].liveliness)
            return here == there ? one < other : here > there
        }
        for index in liveliest where !isCalm(framing) {
            framing.segments[index].layout = segments[index].layout.still(in: source, covering: [])
            framing.recount()
        }
        return framing
    }

    /// The same with the shots in which somebody was lost shown wider: around all that the main face does, else whole.
    /// Who was lost is not come closer to either: then the clip has no punch-ins.
    fileprivate func widened(at times: [Double], in source: PixelSize, but chosen: [TimeRange]) -> Framing {
        guard times.contains(where: { time in !chosen.contains { $0.contains(time) } }) else { return self }
        var framing = withoutPunchIns()
        let segments = framing.segments
        for index in segments.indices {
            let range = segments[index].range
            guard times.contains(where: range.contains), !segments[index].touches(chosen) else { continue }
            let faces = faces.filter { face in
                range.contains(face.time)
                    && (leads ?? []).contains { $0.track == face.track && $0.range.contains(face.time) }
            }
            framing.segments[index].layout = segments[index].layout.still(in: source, covering: faces)
        }
        framing.recount()
        return framing
    }
}

extension Framing.Segment {
    fileprivate func touches(_ ranges: [TimeRange]) -> Bool {
        ranges.contains { $0.start < range.end && range.start < $0.end }
    }

    /// What holding it still would save, as the bounds count it: a turn weighs as much as ten seconds.
    fileprivate var liveliness: Double {
        10 * Double(reversals) + travelWidths
    }
}

extension Framing.Segment.Layout {
    /// Of the source, what a padded window may show; beyond it the whole picture is shown.
    private static let paddedShareMax = 0.85

    /// A window that does not move and shows all that this one shows on its way, and all of `faces`.
    fileprivate func still(in source: PixelSize, covering faces: [FaceSighting]) -> Self {
        // Two windows cannot grow; but where nobody was lost each may rest in the middle of its way.
        if case .split(let upper, let lower) = self, faces.isEmpty {
            return .split(upper: upper.resting, lower: lower.resting)
        }
        guard windows.count == 1, let path = windows.first, path.height >= Double(source.height) - 1 else {
            return .fit
        }
        let lows = path.keyframes.map(\.x) + faces.map { $0.x - 0.2 * $0.width }
        let highs = path.keyframes.map { $0.x + path.width } + faces.map { $0.x + 1.2 * $0.width }
        let (low, high) = (max(0, lows.min()!), min(Double(source.width), highs.max()!))
        guard high - low <= Self.paddedShareMax * Double(source.width) else { return .fit }
        let corner = CropPath.Keyframe(time: path.keyframes[0].time, x: low, y: path.keyframes[0].y)
        let window = CropPath(width: max(path.width, high - low), height: path.height, keyframes: [corner])
        return window.width > path.width ? .padded(window) : self
    }
}

extension CropPath {
    /// The same window in the middle of its way.
    fileprivate var resting: CropPath {
        func middle(_ values: [Double]) -> Double { (values.min()! + values.max()!) / 2 }
        let corner = Keyframe(
            time: keyframes[0].time, x: middle(keyframes.map(\.x)), y: middle(keyframes.map(\.y)))
        return CropPath(width: width, height: height, keyframes: [corner])
    }
}
