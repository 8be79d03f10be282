import ClipModel
import Media
import Testing

/// A client says how some scenes are framed.
@Suite struct FramingEditTests {
    private static let clip = TimeRange(start: 100, end: 110)
    private static let source = PixelSize(width: 1920, height: 1080)
    private static let portrait = JobOptions.Aspect.portrait.pixels

    private static let path = CropPath(
        width: 607.5, height: 1080, keyframes: [.init(time: 0, x: 0, y: 0), .init(time: 10, x: 1000, y: 0)])
    private static let found = Framing(
        segments: [
            .init(range: TimeRange(start: 0, end: 4), layout: .crop(path)),
            .init(range: TimeRange(start: 4, end: 10), layout: .fit),
        ], faceInFrame: 1, reversalsPerSecond: 0, travelPixelsPerSecond: 100, faces: [])

    private func overridden(_ scenes: [ClipEdits.Scene]) -> [Framing.Segment] {
        Self.found.overridden(by: scenes, clip: Self.clip, source: Self.source, output: Self.portrait).segments
    }

    @Test func `nothing said changes nothing`() {
        #expect(overridden([]) == Self.found.segments)
        #expect(overridden([.init(start: 0, end: 50, layout: .fit)]) == Self.found.segments)
    }

    @Test func `a scene is shown as said and the rest as found, without gaps`() {
        let segments = overridden([.init(start: 102, end: 106, layout: .crop, x: 0.75)])
        #expect(segments.map(\.range.start) == [0, 2, 6] && segments.map(\.range.end) == [2, 6, 10])
        #expect(segments[0].layout == .crop(Self.path) && segments[2].layout == .fit)
        guard case .crop(let window) = segments[1].layout else {
            Issue.record("\(segments[1])")
            return
        }
        #expect(window.keyframes.count == 1)
        #expect(abs(window.keyframes[0].x + window.width / 2 - 1440) < 0.01)
    }

    @Test(arguments: [(0.0, 0.0), (1.0, 1312.5), (0.5, 656.25)])
    func `a window stays inside of the picture`(x: Double, left: Double) {
        let segments = overridden([.init(start: 100, end: 110, layout: .crop, x: x)])
        #expect(segments.count == 1)
        guard case .crop(let window) = segments[0].layout else {
            Issue.record("\(segments)")
            return
        }
        #expect(abs(window.keyframes[0].x - left) < 0.01)
    }

    @Test func `a scene that is cut in two keeps its path on both sides`() {
        let segments = overridden([.init(start: 101, end: 102, layout: .fit)])
        #expect(segments.map(\.range.start) == [0, 1, 2, 4])
        #expect(segments[0].layout == .crop(Self.path) && segments[2].layout == .crop(Self.path))
    }

    @Test func `what is told of the camera is that of what is shown`() {
        func told(_ scenes: [ClipEdits.Scene]) -> Double {
            Self.found.overridden(by: scenes, clip: Self.clip, source: Self.source, output: Self.portrait)
                .travelPixelsPerSecond
        }
        // 100 pixels a second for so many of ten seconds, in a window of 607.5 that is 1080 wide.
        func way(seconds: Double) -> Double { 100 * seconds * 1080 / 607.5 / 10 }
        #expect(abs(told([.init(start: 101, end: 102, layout: .fit)]) - way(seconds: 3)) < 0.02)
        #expect(told([.init(start: 100, end: 104, layout: .fit)]) == 0)
    }

    @Test func `scenes are told in seconds of the source`() {
        let scenes = Self.found.scenes(of: Self.clip, source: Self.source)
        #expect(scenes.map(\.start) == [100, 104] && scenes.map(\.end) == [104, 110])
        #expect(scenes.map(\.layout) == ["crop", "fit"])
        #expect(scenes[1].x == nil && abs((scenes[0].x ?? 0) - (200 + 303.75) / 1920) < 0.001)
    }
}
