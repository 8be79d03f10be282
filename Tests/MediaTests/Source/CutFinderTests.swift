import Media
import Testing

@Suite struct CutFinderTests {
    private func cuts(_ scores: [Double], framesPerSecond: Double = 25) -> [Double] {
        var finder = CutFinder()
        for (index, score) in scores.enumerated() {
            finder.append(time: Double(index) / framesPerSecond, score: score)
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

    @Test func `two hours of frames keep no more than a neighbourhood`() {
        var scores = still(180_000)
        for place in stride(from: 1000, to: 180_000, by: 1000) { scores[place] = 20 }
        #expect(cuts(scores).count == 179)
    }
}
