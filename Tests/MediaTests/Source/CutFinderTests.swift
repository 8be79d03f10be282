import Media
import Testing

@Suite struct CutFinderTests {
    /// - Parameter scenes: What each frame shows, as a brightness; nil: the same all the time.
    private func cuts(_ changes: [Double], scenes: [Float]? = nil, framesPerSecond: Double = 25) -> [Double] {
        var finder = CutFinder()
        for (index, change) in changes.enumerated() {
            finder.append(
                ShotPicture(
                    time: Double(index) / framesPerSecond, change: change, cells: [scenes?[index] ?? 0]))
        }
        return finder.finish()
    }

    private func still(_ frames: Int, noise: Double = 0.3) -> [Double] { [Double](repeating: noise, count: frames) }

    @Test func `a peak is a cut, at its frame`() {
        #expect(cuts(still(50) + [30] + still(49) + [9] + still(50)) == [2, 4])
    }

    @Test func `a shaking camera does not cut`() {
        #expect(cuts((0..<200).map { $0 % 3 == 0 ? 7 : 3 }).isEmpty)
    }

    @Test func `a cut shows in a shaking camera too`() {
        let shaking = (0..<100).map { $0 % 3 == 0 ? 5.0 : 2 }
        #expect(cuts(shaking + [40] + shaking) == [4])
    }

    @Test func `the first frame is no cut and the last one may be`() {
        #expect(cuts([50] + still(50)).isEmpty)
        #expect(cuts(still(50) + [50]) == [2])
        #expect(cuts([]).isEmpty)
    }

    @Test func `of two cuts within a moment the first counts`() {
        #expect(cuts(still(50) + [50] + still(2) + [50] + still(50)) == [2])
    }

    @Test(arguments: [[12.0, 13, 12, 11, 12, 13, 12], [9, 10, 6], [6, 11, 18, 24, 24, 21, 16, 12]])
    func `neither start nor end of a fast pan is a cut`(pan: [Double]) {
        #expect(cuts(still(50) + pan + still(50)).isEmpty)
    }

    @Test(arguments: [25.0, 50])
    func `what comes back within a moment was not left`(framesPerSecond: Double) {
        let frames = Int(framesPerSecond)
        func film(away: Int) -> [Double] {
            let changes = still(2 * frames) + [30] + still(away - 1) + [30] + still(2 * frames)
            let scenes = [Float](repeating: 40, count: 2 * frames) + [Float](repeating: 200, count: away)
            return cuts(
                changes, scenes: scenes + [Float](repeating: 42, count: 2 * frames + 1),
                framesPerSecond: framesPerSecond)
        }
        #expect(film(away: frames / 8).isEmpty)
        #expect(film(away: frames / 3).isEmpty)
        #expect(film(away: frames).count == 2)
    }

    @Test func `two hours of frames keep no more than a neighbourhood`() {
        var changes = still(180_000)
        for place in stride(from: 1000, to: 180_000, by: 1000) { changes[place] = 20 }
        #expect(cuts(changes).count == 179)
    }
}
