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
    /// A face with this share of the window's height fills the picture well.
    private static let fullFaceShare = 0.3

    /// One moment from each of `countMax` equal parts of the clip: the one with the best face, else the middle.
    package static func candidates(_ framing: Framing, countMax: Int) -> [ThumbnailCandidate] {
        precondition(countMax > 0, "a thumbnail of \(countMax) candidates")
        let duration = framing.segments.last?.range.end ?? 0
        let (start, end) = (duration * margin, duration * (1 - margin))
        let step = (end - start) / Double(countMax)
        return (0..<countMax).map { index in
            let part = TimeRange(start: start + Double(index) * step, end: start + Double(index + 1) * step)
            let faces = framing.faces.filter { part.contains($0.time) }
                .map { ThumbnailCandidate(time: $0.time, faceWeight: weight(of: $0, framing)) }
            let best = faces.max { ($0.faceWeight, $1.time) < ($1.faceWeight, $0.time) }
            guard let best, best.faceWeight > 0 else { return ThumbnailCandidate(time: part.middle, faceWeight: 0) }
            return best
        }
    }

    /// How much a face is worth in the picture that the clip shows at its time: nothing if the window cuts it off.
    private static func weight(of face: FaceSighting, _ framing: Framing) -> Double {
        guard let segment = framing.segments.last(where: { $0.range.start <= face.time }) else { return 0 }
        // Shown whole the face is small, and its share of the picture unknown here.
        guard !segment.layout.windows.isEmpty else { return 0.3 * face.confidence }
        let weights = segment.layout.windows.map { path in
            let corner = path.corner(at: face.time)
            let isInside =
                face.x >= corner.x && face.y >= corner.y && face.x + face.width <= corner.x + path.width
                && face.y + face.height <= corner.y + path.height
            return isInside ? face.confidence * min(1, face.height / path.height / fullFaceShare) : 0
        }
        return weights.max() ?? 0
    }

    /// Up to `count` candidates to choose from, that whose picture looks best first; the first candidate alone when the
    /// looks do not belong to them.
    ///
    /// Sharpness is compared with the sharpest of them, as it says nothing by itself; exposure counts as it is, and a
    /// face may outweigh a third of both. The others are good pictures of other moments: one that is near a better one
    /// in time counts the less the nearer it is (maximal marginal relevance, Carbonell and Goldstein 1998).
    package static func ranked(
        _ candidates: [ThumbnailCandidate], _ looks: [FrameLook], count: Int
    ) -> [ThumbnailCandidate] {
        guard candidates.count == looks.count, !looks.isEmpty else { return Array(candidates.prefix(1)) }
        let sharpest = max(looks.map(\.sharpness).max() ?? 0, .leastNormalMagnitude)
        let scores = zip(candidates, looks).map { candidate, look in
            look.exposure * (0.4 + 0.6 * look.sharpness / sharpest) * (1 + 0.5 * candidate.faceWeight)
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

/// How good a small grey picture looks.
package struct FrameLook: Hashable, Sendable {
    /// Mean squared difference between neighbouring pixels, 0 to 1. Grows with detail, falls with motion blur.
    package var sharpness: Double
    /// 1 for a picture neither dark nor glaring, down to nearly 0 for a black or a white one.
    package var exposure: Double

    package init(sharpness: Double, exposure: Double) {
        self.sharpness = sharpness
        self.exposure = exposure
    }

    /// Only the upper part is looked at: captions are sharp in every picture.
    private static let lookedAtShare = 0.65
    /// A mean brightness between these is well exposed.
    private static let goodMean = 0.25...0.75
    /// Contrast (standard deviation) from which on a picture is not flat.
    private static let goodContrast = 0.12

    /// `luma`: one byte a pixel, row by row.
    package init(luma: [UInt8], width: Int, height: Int) {
        precondition(width > 1 && height > 1 && luma.count == width * height, "\(luma.count) bytes of luma")
        let rows = max(2, Int(Double(height) * Self.lookedAtShare))
        var (gradient, sum, squares) = (0, 0, 0)
        for row in 0..<(rows - 1) {
            for column in 0..<(width - 1) {
                let here = Int(luma[row * width + column])
                let right = Int(luma[row * width + column + 1]) - here
                let below = Int(luma[(row + 1) * width + column]) - here
                gradient += right * right + below * below
                sum += here
                squares += here * here
            }
        }
        let count = Double((rows - 1) * (width - 1))
        sharpness = Double(gradient) / count / (2 * 255 * 255)
        let mean = Double(sum) / count / 255
        let contrast = max(0, Double(squares) / count / (255 * 255) - mean * mean).squareRoot()
        let outside = max(0, Self.goodMean.lowerBound - mean, mean - Self.goodMean.upperBound)
        let isLit = max(0.02, 1 - outside / Self.goodMean.lowerBound)
        exposure = isLit * max(0.02, min(1, contrast / Self.goodContrast))
    }
}
