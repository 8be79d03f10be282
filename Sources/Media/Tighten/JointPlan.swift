import ClipModel

/// Which of the loose stretches are cut out, in whole frames.
struct JointPlan {
    struct Cut: Hashable, Sendable {
        var frames: Range<Int>
        var isFiller: Bool
        /// At the clip's very start or end, where it leaves no joint.
        var opens = false
        var ends = false

        /// A part of the same, from the middle: what is left of the pause stays on both sides. Or as near to that as
        /// cuts of the picture allow, of which none may be left next to a joint; nil where they do not.
        fileprivate func shortened(to count: Int, scenes: [Int], keptMin: Int) -> Cut? {
            let spare = frames.count - count
            let wanted = opens ? 0 : ends ? spare : spare / 2
            let inside = scenes.filter { frames.lowerBound <= $0 && $0 <= frames.upperBound }
            let possible = (opens || ends ? wanted...wanted : 0...spare).filter { first in
                let (start, end) = (frames.lowerBound + first, frames.lowerBound + first + count)
                return inside.allSatisfy { scene in
                    scene <= start - keptMin || (start <= scene && scene <= end) || scene >= end + keptMin
                }
            }
            guard let first = possible.min(by: { abs($0 - wanted) < abs($1 - wanted) }) else { return nil }
            var cut = self
            cut.frames = (frames.lowerBound + first)..<(frames.lowerBound + first + count)
            return cut
        }
    }

    /// In order; what is between them stands long enough to be seen.
    private(set) var cuts: [Cut]
    private let frameCount: Int
    /// When the picture changes.
    private let scenes: [Int]
    private let cutFramesMin: Int
    private let keptFramesMin: Int
    private let jointsMax: Int

    init(_ stretches: [LooseStretch], scenes: [Int], frameCount: Int, rate: FrameRate, limits: Tightening.Limits) {
        self.scenes = scenes
        self.frameCount = frameCount
        cutFramesMin = max(1, rate.frames(in: limits.cutSecondsMin))
        keptFramesMin = max(1, rate.frames(in: limits.keptSecondsMin))
        jointsMax = limits.jointsMax
        let all = stretches.compactMap { stretch -> Cut? in
            // Inwards, so that nothing of a word goes along. On a frame's border a rounding error decides nothing.
            let first = Int((stretch.cut.start * rate.perSecond - 0.001).rounded(.up))
            let last = Int((stretch.cut.end * rate.perSecond + 0.001).rounded(.down))
            let frames = (stretch.opens ? 0 : max(0, first), stretch.ends ? frameCount : min(frameCount, last))
            guard frames.0 < frames.1 else { return nil }
            return Cut(
                frames: frames.0..<frames.1, isFiller: stretch.filler != nil, opens: stretch.opens, ends: stretch.ends)
        }
        cuts = Self.spaced(
            all.sorted { $0.frames.lowerBound < $1.frames.lowerBound }, frameCount: frameCount,
            keptMin: keptFramesMin)
    }

    /// Where a cut would leave less than `keptMin` between itself and another one, or the clip's border, the one that
    /// is worth less is not made.
    private static func spaced(_ cuts: [Cut], frameCount: Int, keptMin: Int) -> [Cut] {
        func isWorthMore(_ one: Cut, than other: Cut) -> Bool {
            one.isFiller == other.isFiller ? one.frames.count > other.frames.count : one.isFiller
        }
        var cuts = cuts
        while let first = cuts.first, !first.opens, first.frames.lowerBound < keptMin { cuts.removeFirst() }
        while let last = cuts.last, !last.ends, frameCount - last.frames.upperBound < keptMin { cuts.removeLast() }
        var index = 1
        while index < cuts.count {
            let (before, here) = (cuts[index - 1], cuts[index])
            guard here.frames.lowerBound - before.frames.upperBound < keptMin else {
                index += 1
                continue
            }
            cuts.remove(at: isWorthMore(here, than: before) ? index - 1 : index)
            index = max(1, index - 1)
        }
        return cuts
    }

    /// What is left of the clip: not less than `framesMin`. Fillers go first, then pauses, the longest first, the last
    /// of them only in part.
    func kept(framesMin: Int) -> [Range<Int>] {
        let ordered = cuts.sorted { one, other in
            if one.isFiller != other.isFiller { return one.isFiller }
            return (other.frames.count, one.frames.lowerBound) < (one.frames.count, other.frames.lowerBound)
        }
        var spare = frameCount - framesMin
        var made: [Range<Int>] = []
        for cut in ordered where made.count < jointsMax {
            if cut.frames.count <= spare {
                made.append(cut.frames)
            } else if !cut.isFiller, spare >= cutFramesMin,
                let part = cut.shortened(to: spare, scenes: scenes, keptMin: keptFramesMin)
            {
                made.append(part.frames)
            } else {
                continue
            }
            spare -= made[made.count - 1].count
        }
        return Self.rest(of: 0..<frameCount, without: made.sorted { $0.lowerBound < $1.lowerBound })
    }

    private static func rest(of whole: Range<Int>, without holes: [Range<Int>]) -> [Range<Int>] {
        var rest: [Range<Int>] = []
        var start = whole.lowerBound
        for hole in holes {
            if start < hole.lowerBound { rest.append(start..<hole.lowerBound) }
            start = hole.upperBound
        }
        return start < whole.upperBound ? rest + [start..<whole.upperBound] : rest
    }
}
