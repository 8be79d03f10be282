import ClipModel
import Media
import Testing

/// What burned captions hide of faces, as the gate counts it.
@Suite struct CaptionCoverTests {
    private let source = PixelSize(width: 1920, height: 1080)
    private let track = CaptionSamples.track("hola a todos")

    /// What is hidden of a face that is there for three seconds.
    private func hidden(_ captions: CaptionTrack, y: Double, side: Double) -> Double? {
        let faces = (0..<15).map { index in
            FaceSighting(
                time: Double(index) / 5, x: 900 - side / 2, y: y, width: side, height: side, confidence: 0.9, track: 0)
        }
        let window = CropPath(width: 607.5, height: 1080, keyframes: [.init(time: 0, x: 600, y: 0)])
        let framing = Framing(
            segments: [Framing.Segment(range: TimeRange(start: 0, end: 3), layout: .crop(window))], faceInFrame: 1,
            reversalsPerSecond: 0, travelPixelsPerSecond: 0, faces: faces)
        return captions.hiddenFaceShare(
            style: .classic, size: JobOptions.Aspect.portrait.pixels, framing: framing, sourceSize: source)
    }

    @Test func `a face between the bands is not hidden`() throws {
        #expect(try #require(hidden(track, y: 420, side: 200)) == 0)
    }

    @Test func `a face in one band makes captions go to the other`() throws {
        #expect(try #require(hidden(track, y: 720, side: 150)) == 0)
    }

    @Test func `a face that fills the picture is hidden in part wherever captions stand`() throws {
        let share = try #require(hidden(track, y: 150, side: 780))
        #expect((0.05...0.3).contains(share))
    }

    @Test func `without captions nothing is hidden`() {
        #expect(hidden(CaptionTrack(words: [], clip: TimeRange(start: 0, end: 3)), y: 420, side: 200) == nil)
    }
}
