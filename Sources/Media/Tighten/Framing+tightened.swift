package import ClipModel

/// A framing in tight time.
extension Framing {
    /// What is shown of `kept`, as it was: the camera goes on behind a joint where it was in the source. Where that is
    /// another place than before the joint, the joint is a cut of the camera too, and no way that it went.
    package func tightened(by kept: KeptSpans) -> Framing {
        var framing = self
        framing.segments = Self.withoutSlivers(segments.flatMap { $0.tightened(by: kept) })
        framing.faces = faces.filter { kept.shows($0.time) }.map { face in
            var face = face
            face.time = kept.tightened(face.time)
            return face
        }
        framing.leads = leads?.compactMap { lead in
            kept.tightened(lead.range).map { Lead(range: $0, track: lead.track) }
        }
        framing.turns = turns?.compactMap { turn in
            kept.tightened(turn.range).map { Turn(range: $0, speaker: turn.speaker) }
        }
        framing.recount()
        return framing
    }

    /// When the picture changes, in clip time, in no order: where another window is shown, and at the cuts of the
    /// source, of which a framing does not tell those at which its window stays.
    ///
    /// - Parameter cuts: In seconds of the source, like `clip`.
    package func changes(cuts: [Double], of clip: TimeRange) -> [Double] {
        segments.dropFirst().map(\.range.start)
            + cuts.filter { clip.start < $0 && $0 < clip.end }.map { $0 - clip.start }
    }

    /// Half a frame of the slowest clip and a little more: joints stand on frames, and what is beside them need not.
    private static let sliverSeconds = 0.021

    /// What is too short for a frame goes to the scene behind it, or to the one before at the end.
    private static func withoutSlivers(_ segments: [Segment]) -> [Segment] {
        var whole: [Segment] = []
        var begin: Double?
        for segment in segments {
            guard segment.range.duration > sliverSeconds else {
                begin = begin ?? segment.range.start
                continue
            }
            let range = TimeRange(start: begin ?? segment.range.start, end: segment.range.end)
            whole.append(Segment(range: range, layout: segment.layout))
            begin = nil
        }
        guard let end = segments.last?.range.end, !whole.isEmpty else { return segments }
        whole[whole.count - 1].range.end = end
        return whole
    }
}

extension Framing.Segment {
    fileprivate func tightened(by kept: KeptSpans) -> [Framing.Segment] {
        var parts: [Framing.Segment] = []
        for span in kept.spans {
            guard let part = range.clamped(to: span) else { continue }
            let shown = TimeRange(start: kept.tightened(part.start), end: kept.tightened(part.end))
            let next = Framing.Segment(range: shown, layout: layout.changed { $0.part(part, from: shown.start) })
            if let last = parts.last, last.goesOn(with: next) {
                parts[parts.count - 1] = last.joined(to: next)
            } else {
                parts.append(next)
            }
        }
        return parts
    }

    /// A smaller jump of a window is not seen, in pixels of the source.
    private static let jumpPixelsMin = 0.05

    private func goesOn(with next: Framing.Segment) -> Bool {
        zip(layout.windows, next.layout.windows).allSatisfy { here, there in
            let (end, start) = (here.corner(at: range.end), there.corner(at: next.range.start))
            return max(abs(end.x - start.x), abs(end.y - start.y)) < Self.jumpPixelsMin
        }
    }

    private func joined(to next: Framing.Segment) -> Framing.Segment {
        let paths = next.layout.windows
        var index = 0
        let layout = layout.changed { path in
            defer { index += 1 }
            return path.followed(by: paths[index])
        }
        return Framing.Segment(range: TimeRange(start: range.start, end: next.range.end), layout: layout)
    }
}

extension Framing.Segment.Layout {
    /// The same with other windows, from top to bottom.
    fileprivate func changed(_ change: (CropPath) -> CropPath) -> Self {
        switch self {
        case .crop(let path): .crop(change(path))
        case .fit: .fit
        case .padded(let path): .padded(change(path))
        case .split(let upper, let lower): .split(upper: change(upper), lower: change(lower))
        case .inset(let screen, let face): .inset(screen: change(screen), face: change(face))
        }
    }
}

extension CropPath {
    /// Keyframes that are nearer are one: between two at almost the same time no speed can be told.
    private static let apartSeconds = 0.0005

    /// What the window does in `range`, begun at `start` instead.
    fileprivate func part(_ range: TimeRange, from start: Double) -> CropPath {
        let inside = keyframes.filter {
            range.start + Self.apartSeconds < $0.time && $0.time < range.end - Self.apartSeconds
        }
        let way = [corner(at: range.start)] + inside + [corner(at: range.end)]
        let moved = way.map { Keyframe(time: $0.time - range.start + start, x: $0.x, y: $0.y) }
        let isStill = moved.allSatisfy { $0.x == moved[0].x && $0.y == moved[0].y }
        return CropPath(width: width, height: height, keyframes: isStill ? [moved[0]] : moved)
    }

    /// `next` begins where this one ends.
    fileprivate func followed(by next: CropPath) -> CropPath {
        var keyframes = keyframes
        let last = keyframes[keyframes.count - 1]
        // A window that rests at the same place has nothing to add: the last place is held.
        if next.keyframes.count > 1 || next.keyframes[0].x != last.x || next.keyframes[0].y != last.y {
            keyframes += next.keyframes.filter { $0.time > last.time + Self.apartSeconds }
        }
        return CropPath(width: width, height: height, keyframes: keyframes)
    }
}
