import ClipModel

/// A window that cuts a face in two looks like a mistake, whoever's it is.
extension ShotFramer {
    /// A face beside those that are followed, in pixels from their middle.
    struct Bystander: Hashable {
        var low: Double
        var high: Double
    }

    /// How far the middle of `window` stands beside the middle of those it follows, in pixels: so far that faces it
    /// does not follow are wholly inside or wholly outside, whichever is nearer. As few as can be are cut, and 0 is
    /// taken where moving does not help.
    func offset(of window: CropWindow, following members: [[Int]], in samples: Range<Int>) -> Double {
        let bounds = zip(members, samples).compactMap { members, sample -> (low: Double, high: Double)? in
            let faces = members.compactMap { cast.members[$0].places[sample]?.face }
            guard let low = faces.map(\.x).min() else { return nil }
            return (low, faces.map { $0.x + $0.width }.max()!)
        }
        guard !bounds.isEmpty else { return 0 }
        let own = bounds.map { $0.high - $0.low }.upperMedian * (1 + 2 * limits.faceMargin)
        // Those who are followed stay well inside.
        let offsetMax = min(
            limits.bystanderOffsetMax * window.width, (CameraPath.Style().reachMax * window.width - own) / 2)
        guard offsetMax > 0 else { return 0 }
        let others = bystanders(of: members, in: samples)
        let half = window.width / 2
        let middle = bounds.map { ($0.low + $0.high) / 2 }.upperMedian
        /// Where the window ends up: it cannot leave the source.
        func reached(_ offset: Double) -> Double {
            min(max(half, middle + offset), Double(window.source.width) - half) - middle
        }
        func cut(_ offset: Double) -> Int {
            let (left, right) = (reached(offset) - half, reached(offset) + half)
            return others.count { ($0.low < left && left < $0.high) || ($0.low < right && right < $0.high) }
        }
        guard cut(0) > 0 else { return 0 }
        // A pixel more than touching.
        let tries = others.flatMap { other -> [Double] in
            let (low, high) = (other.low - 1, other.high + 1)
            return [high - half, low - half, low + half, high + half]
        }
        var best = 0.0
        for offset in tries.sorted(by: { (abs($0), $0) < (abs($1), $1) }) where abs(offset) <= offsetMax {
            if cut(offset) < cut(best) { best = offset }
        }
        return best
    }

    /// Those who keep their place beside the followed ones for most of the stretch. Who walks by is cut for a moment,
    /// wherever the window stands.
    private func bystanders(of members: [[Int]], in samples: Range<Int>) -> [Bystander] {
        let followed = Set(members.flatMap(\.self))
        return cast.members.indices.filter { !followed.contains($0) }.compactMap { other in
            let places = zip(members, samples).compactMap { members, sample -> Bystander? in
                let faces = members.compactMap { cast.members[$0].places[sample]?.face }
                guard let face = cast.members[other].places[sample]?.face, let low = faces.map(\.x).min() else {
                    return nil
                }
                let middle = (low + faces.map { $0.x + $0.width }.max()!) / 2
                let margin = limits.faceMargin * face.width
                return Bystander(low: face.x - margin - middle, high: face.x + face.width + margin - middle)
            }
            guard 2 * places.count > samples.count else { return nil }
            let (lows, highs) = (places.map(\.low).sorted(), places.map(\.high).sorted())
            // Nearly always: one place in ten may stick out on either side.
            let place = Bystander(low: lows[lows.count / 10], high: highs[highs.count - 1 - highs.count / 10])
            let width = highs[highs.count / 2] - lows[lows.count / 2]
            return place.high - place.low <= 2 * width ? place : nil
        }
    }
}
