import ClipModel
import Media
import Testing

@Suite struct ThumbnailTests {
    private func face(_ time: Double, x: Double, height: Double = 200, confidence: Double = 0.9) -> FaceSighting {
        FaceSighting(
            time: time, x: x, y: 100, width: height * 0.8, height: height, confidence: confidence, track: 0)
    }

    private let geometry = FrameGeometry(
        source: PixelSize(width: 1280, height: 720), frame: PixelSize(width: 1080, height: 1920))

    @Test func `each part of the clip offers its best face that is not cut off`() {
        let framing = Framing.of(
            [.crop(0, 20, width: 405, height: 720, (0, 400))],
            faces: [face(3, x: 450), face(4, x: 380), face(5, x: 450, height: 100), face(15, x: 700)])
        let candidates = ThumbnailCandidate.candidates(framing, geometry: geometry, countMax: 2)
        #expect(candidates[0].time == 3)
        #expect(abs(candidates[1].time - 14.4) < 0.001)
        #expect(candidates[0].faceWeight > 0.8)
        #expect(candidates[1].faceWeight == 0)
    }

    @Test func `a face counts as large as the clip shows it`() {
        func weight(_ segment: Framing.Segment) -> Double {
            let framing = Framing.of([segment], faces: [face(5, x: 450)])
            return ThumbnailCandidate.candidates(framing, geometry: geometry, countMax: 1)[0].faceWeight
        }
        // 200 of 720 lines fill the picture well; 169 of 1920, as wide as the whole source is shown, do not.
        #expect(abs(weight(.crop(0, 10, width: 405, height: 720, (0, 400))) - 0.9 * 0.926) < 0.001)
        #expect(abs(weight(.fit(0, 10)) - 0.9 * 0.293) < 0.001)
    }

    @Test func `candidates lie inside the clip and in order`() {
        let times = ThumbnailCandidate.candidates(.of([.fit(0, 3)]), geometry: geometry, countMax: 8).map(\.time)
        #expect(times.count == 8)
        #expect(times == times.sorted())
        #expect(times.allSatisfy { 0 < $0 && $0 < 3 })
    }

    @Test func `sharp beats blurred, lit beats dark, and a face decides between equals`() {
        let sharp = FrameLook(sharpness: 0.02, exposure: 1)
        let blurred = FrameLook(sharpness: 0.005, exposure: 1)
        let dark = FrameLook(sharpness: 0.02, exposure: 0.1)
        func best(_ looks: [FrameLook], faces: [Double]) -> Double? {
            let candidates = faces.enumerated().map { ThumbnailCandidate(time: Double($0), faceWeight: $1) }
            return ThumbnailCandidate.ranked(candidates, looks, count: 1).first?.time
        }
        #expect(best([blurred, sharp], faces: [0, 0]) == 1)
        #expect(best([dark, blurred], faces: [0, 0]) == 1)
        #expect(best([sharp, sharp], faces: [0, 0.9]) == 1)
        #expect(best([dark, sharp], faces: [1, 0]) == 1)
        #expect(best([sharp], faces: [0, 0]) == 0, "looks that do not belong to the candidates decide nothing")
    }

    @Test func `closed eyes cost more than a face brings`() {
        let open = FrameLook(sharpness: 0.02, exposure: 1)
        let closed = FrameLook(sharpness: 0.02, exposure: 1, closedEyes: 1)
        let blurred = FrameLook(sharpness: 0.012, exposure: 1)
        func order(_ looks: [FrameLook], faces: [Double]) -> [Double] {
            let candidates = faces.enumerated().map { ThumbnailCandidate(time: Double($0), faceWeight: $1) }
            return ThumbnailCandidate.ranked(candidates, looks, count: looks.count).map(\.time)
        }
        #expect(order([closed, open], faces: [0.9, 0.9]) == [1, 0])
        #expect(order([closed, blurred], faces: [0.9, 0.9]) == [1, 0])
        #expect(order([closed, open], faces: [0.9, 0]) == [1, 0])
        #expect(order([closed], faces: [0.9]) == [0], "better than none")
    }

    @Test func `the others to choose from are good pictures of other moments`() {
        let candidates = (0..<8).map { ThumbnailCandidate(time: Double($0), faceWeight: 0) }
        // Sharp at the start, a little less in the middle, dark at the end.
        let looks = (0..<8).map { index in
            FrameLook(sharpness: [20, 19, 12, 10, 12, 10, 9, 8][index] / 1000, exposure: index == 7 ? 0.1 : 1)
        }
        #expect(ThumbnailCandidate.ranked(candidates, looks, count: 3).map(\.time) == [0, 4, 2])
        #expect(ThumbnailCandidate.ranked(candidates, looks, count: 9).count == 8)
        #expect(ThumbnailCandidate.ranked(candidates, [], count: 3).map(\.time) == [0])
    }

    @Test func `sharpness and exposure come from the pixels`() {
        let (width, height) = (64, 100)
        func look(_ pixel: (Int, Int) -> UInt8) -> FrameLook {
            let luma = (0..<height).flatMap { row in (0..<width).map { pixel(row, $0) } }
            return FrameLook(luma: luma, width: width, height: height)
        }
        let black = look { _, _ in 0 }
        let flat = look { _, _ in 128 }
        let stripes = look { _, column in column / 2 % 2 == 0 ? 60 : 190 }
        let gradient = look { _, column in UInt8(60 + 2 * column) }
        let captioned = look { row, column in row > 70 ? (column % 2 == 0 ? 0 : 255) : UInt8(60 + 2 * column) }
        #expect(stripes.sharpness > 20 * gradient.sharpness)
        #expect(captioned == gradient, "captions at the bottom do not count")
        #expect(stripes.exposure == 1)
        #expect(black.exposure < flat.exposure)
        #expect(flat.exposure < gradient.exposure)
    }

    @Test func `a picture in colour is looked at in half its size`() {
        let (width, height) = (64, 100)
        let luma = (0..<(width * height)).map { UInt8($0 * 37 % 251) }
        var pixels: [UInt8] = []
        for row in 0..<(2 * height) {
            for column in 0..<(2 * width) {
                let value = luma[row / 2 * width + column / 2]
                pixels += [value, value, value]
            }
        }
        #expect(
            FrameLook(pixels: pixels, size: PixelSize(width: 2 * width, height: 2 * height))
                == FrameLook(luma: luma, width: width, height: height))
    }
}
