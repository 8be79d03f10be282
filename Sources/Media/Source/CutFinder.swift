/// Decides at which pictures a new shot begins at once.
///
/// A picture's score is how much it differs from the one before, less what that one differed itself (ffmpeg's scdet, 0
/// to 100). A hard cut is a peak: far above what its neighbourhood shows, so that a shaking camera does not cut and a
/// cut between two dark scenes does. The picture must also stand out against how much just moved and then moves, or the
/// first picture of a fast pan would be a cut; and what was there before must not come back within a moment, which is
/// how flashes, lightning and inserts of a few frames end.
package struct CutFinder: Sendable {
    /// Never a cut below this. Compression noise stays under 3.
    package static let scoreMin = 5.0
    /// Always a peak from this on, wherever.
    package static let scoreSure = 14.0
    /// Between the two, how far a cut stands above the mean of its neighbourhood.
    package static let contrast = 5.0
    /// How many frames on either side make the neighbourhood.
    package static let neighbours = 12
    /// Against the median change of the four frames before, and of the four after.
    package static let motionContrast = 1.8
    /// What comes back within this was not left.
    package static let returnSeconds = 0.45
    /// Share of the step between two pictures within which they are the same again.
    package static let returnShare: Float = 0.4
    /// Shots shorter than this do not exist for framing: of two cuts that close, the first counts.
    package static let shotSecondsMin = 0.2

    /// Frames on either side that a decision may look at: `returnSeconds` of 60 frames a second.
    private static let reach = 27

    private var window: [ShotPicture] = []
    /// Index in `window` of the next frame to decide.
    private var next = 0
    private var cuts: [Double] = []

    package init() {}

    package mutating func append(_ picture: ShotPicture) {
        window.append(picture)
        while next + Self.reach < window.count { decideNext() }
        // Keeps two neighbourhoods; cut in steps, so that a frame costs no copy.
        if next > 8 * Self.reach {
            window.removeFirst(next - Self.reach - 1)
            next = Self.reach + 1
        }
    }

    /// The source ended: the last frames are decided with the neighbours they have.
    package mutating func finish() -> [Double] {
        while next < window.count { decideNext() }
        return cuts
    }

    private mutating func decideNext() {
        defer { next += 1 }
        let time = window[next].time
        guard next > 0, time > 0, isPeak(next), standsOut(next), isKept(next) else { return }
        if let last = cuts.last, time - last < Self.shotSecondsMin { return }
        cuts.append(time)
    }

    private func score(_ index: Int) -> Double {
        let change = change(index)
        return min(change, abs(change - (index > 0 ? window[index - 1].change : 0)))
    }

    /// A frame that was shown twice (24 a second made 25) and then moves on moves twice as far.
    private func change(_ index: Int) -> Double {
        let isDoubled = index > 1 && window[index - 1].change < 0.1 && window[index - 2].change > 0.5
        return window[index].change / (isDoubled ? 2 : 1)
    }

    private func isPeak(_ index: Int) -> Bool {
        let score = score(index)
        guard score >= Self.scoreMin else { return false }
        let range = max(0, index - Self.neighbours)..<min(window.count, index + Self.neighbours + 1)
        // The neighbour's own peak (the frame after a cut, another cut) must not hide this one: leave out the two
        // largest.
        let others = range.filter { $0 != index }.map { self.score($0) }.sorted().dropLast(2)
        let mean = others.isEmpty ? 0 : others.reduce(0, +) / Double(others.count)
        guard score >= Self.scoreSure || score >= Self.contrast * max(mean, 1) else { return false }
        // Even a sure one must stand out: confetti and strobes score high for seconds.
        return score > Self.contrast / 2 * mean
    }

    /// Falling snow changes every pixel and hardly a cell; a cut may stand out in either.
    private func standsOut(_ index: Int) -> Bool {
        standsOut(index) { self.change($0) }
            || standsOut(index) { Double(window[$0].squaredDifference(window[$0 - 1])).squareRoot() }
    }

    private func standsOut(_ index: Int, by measure: (Int) -> Double) -> Bool {
        let (change, near) = (measure(index), 4)
        func median(_ range: Range<Int>) -> Double {
            let changes = range.clamped(to: 1..<window.count).map(measure).sorted()
            return changes.count < 3 ? 0 : (changes[(changes.count - 1) / 2] + changes[changes.count / 2]) / 2
        }
        let (before, after) = (median((index - near)..<index), median((index + 1)..<(index + 1 + near)))
        guard change > 0, change >= Self.motionContrast * max(before, after) else { return false }
        // Where the next change is larger still, a pan of few frames begins, unless the cut is spread over just two.
        guard index + 2 < window.count, measure(index + 1) >= change else { return true }
        let rest = 0.2 * change
        return measure(index + 2) < rest && max(before, median((index + 2)..<(index + 2 + near))) < rest
    }

    /// Neither does the picture before come back, nor had this one been there a moment ago.
    private func isKept(_ index: Int) -> Bool {
        let (old, new) = (window[index - 1], window[index])
        let bound = old.squaredDifference(new) * Self.returnShare * Self.returnShare
        for later in window.indices.dropFirst(index + 1).prefix(Self.reach) {
            guard window[later].time - new.time <= Self.returnSeconds else { break }
            if old.squaredDifference(window[later]) < bound { return false }
        }
        for earlier in window.indices.prefix(index - 1).suffix(Self.reach).reversed() {
            guard new.time - window[earlier].time <= Self.returnSeconds else { break }
            if new.squaredDifference(window[earlier]) < bound { return false }
        }
        return true
    }
}
