import ClipModel

/// A moment of a clip that may stand for it.
package struct ThumbnailCandidate: Hashable, Sendable {
    /// Seconds from the start of the clip.
    package var time: Double
    /// 0 without a known face in the picture; up to 1 for one that is large and sure.
    package var faceWeight: Double

    package init(time: Double, faceWeight: Double) {
        self.time = time
        self.faceWeight = faceWeight
    }

    /// The first and the last moments are often a blink or a turn of the head; in shares of the clip.
    private static let margin = 0.06
    /// A face with this share of the picture's height fills it well.
    private static let fullFaceShare = 0.3
    /// A face of which less is seen is cut off.
    private static let wholeShareMin = 0.99
    /// What a face with closed eyes takes from a picture in which it is the only one.
    private static let closedEyesCost = 0.6

    /// One moment from each of `countMax` equal parts of the clip: the one with the best face, else the middle.
    package static func candidates(
        _ framing: Framing, geometry: FrameGeometry, countMax: Int
    ) -> [ThumbnailCandidate] {
        precondition(countMax > 0, "a thumbnail of \(countMax) candidates")
        let duration = framing.segments.last?.range.end ?? 0
        let (start, end) = (duration * margin, duration * (1 - margin))
        let step = (end - start) / Double(countMax)
        return (0..<countMax).map { index in
            let part = TimeRange(start: start + Double(index) * step, end: start + Double(index + 1) * step)
            let faces = framing.faces.filter { part.contains($0.time) }
                .map { ThumbnailCandidate(time: $0.time, faceWeight: weight(of: $0, framing, geometry)) }
            let best = faces.max { ($0.faceWeight, $1.time) < ($1.faceWeight, $0.time) }
            guard let best, best.faceWeight > 0 else { return ThumbnailCandidate(time: part.middle, faceWeight: 0) }
            return best
        }
    }

    /// How much a face is worth in the picture that the clip shows at its time: nothing if it is cut off.
    private static func weight(of face: FaceSighting, _ framing: Framing, _ geometry: FrameGeometry) -> Double {
        guard let segment = framing.segments.last(where: { $0.range.start <= face.time + 0.001 }) else { return 0 }
        let box = FrameGeometry.Box(x: face.x, y: face.y, width: face.width, height: face.height)
        guard geometry.visibleShare(of: box, in: segment.layout, at: face.time) >= wholeShareMin else { return 0 }
        let height = geometry.shown(box, in: segment.layout, at: face.time).map(\.height).max() ?? 0
        return face.confidence * min(1, height / Double(geometry.frame.height) / fullFaceShare)
    }

    /// Up to `count` candidates to choose from, that whose picture looks best first; the first candidate alone when the
    /// looks do not belong to them.
    ///
    /// Sharpness is compared with the sharpest of them, as it says nothing by itself; exposure counts as it is, and a
    /// face may outweigh a third of both, but closed eyes cost more than it brings. The others are good pictures of
    /// other moments: one that is near a better one in time counts the less the nearer it is (maximal marginal
    /// relevance, Carbonell and Goldstein 1998).
    package static func ranked(
        _ candidates: [ThumbnailCandidate], _ looks: [FrameLook], count: Int
    ) -> [ThumbnailCandidate] {
        guard candidates.count == looks.count, !looks.isEmpty else { return Array(candidates.prefix(1)) }
        let sharpest = max(looks.map(\.sharpness).max() ?? 0, .leastNormalMagnitude)
        let scores = zip(candidates, looks).map { candidate, look in
            look.exposure * (0.4 + 0.6 * look.sharpness / sharpest) * (1 + 0.5 * candidate.faceWeight)
                * (1 - closedEyesCost * look.closedEyes)
        }
        let times = candidates.map(\.time)
        let apart = max(.leastNormalMagnitude, ((times.max() ?? 0) - (times.min() ?? 0)) * Self.apartShare)
        var chosen: [Int] = []
        while chosen.count < min(count, candidates.count) {
            var best: (index: Int, value: Double)?
            for index in candidates.indices where !chosen.contains(index) {
                let distance = chosen.map { abs(times[$0] - times[index]) }.min() ?? apart
                let value = scores[index] * min(1, distance / apart)
                if value > best?.value ?? -1 { best = (index, value) }
            }
            guard let best else { break }
            chosen.append(best.index)
        }
        return chosen.map { candidates[$0] }
    }

    /// From this share of the clip on two moments are taken for different ones.
    private static let apartShare = 0.3
}
