import ClipModel
import Media
import Testing

/// The camera of a clip from which stretches were cut out.
struct TightFramingTests {
    private static let source = PixelSize(width: 1920, height: 1080)
    private static let kept = KeptSpans([
        TimeRange(start: 0, end: 2), TimeRange(start: 3, end: 5), TimeRange(start: 6, end: 10),
    ])

    private func window(_ points: (Double, Double)...) -> CropPath {
        CropPath(width: 600, height: 1080, keyframes: points.map { .init(time: $0.0, x: $0.1, y: 0) })
    }

    private func tight(_ segments: (Double, Double, Framing.Segment.Layout)...) -> Framing {
        Framing.of(segments.map { Framing.Segment(range: TimeRange(start: $0.0, end: $0.1), layout: $0.2) })
            .tightened(by: Self.kept)
    }

    @Test func `what does not move is one scene as before`() {
        let still = tight((0, 10, .crop(window((0, 300)))))
        #expect(still.segments.map(\.range) == [TimeRange(start: 0, end: 8)])
        #expect(still.segments[0].layout == .crop(window((0, 300))))
        #expect(tight((0, 10, .fit)).segments.map(\.range) == [TimeRange(start: 0, end: 8)])
    }

    @Test func `a window that went on while nothing was shown goes on behind the joint from there`() {
        // 100 pixels a second, all the time.
        let framing = tight((0, 10, .padded(window((0, 0), (10, 1000)))))
        #expect(
            framing.segments.map(\.range) == [
                TimeRange(start: 0, end: 2), TimeRange(start: 2, end: 4), TimeRange(start: 4, end: 8),
            ])
        #expect(framing.segments.allSatisfy { $0.layout.kind == .padded })
        let places = framing.segments.map { segment in
            [segment.range.start, segment.range.end].map { segment.layout.windows[0].corner(at: $0).x.rounded() }
        }
        #expect(places == [[0, 200], [300, 500], [600, 1000]])
        // 800 pixels of a window of 600, in a clip 1080 wide, in 8 s: the leaps are no way.
        #expect(abs(framing.travelPixelsPerSecond - 180) < 0.01)
        #expect(framing.reversalsPerSecond == 0)
    }

    @Test func `a window that moves only where it is seen stays in one piece`() {
        let framing = tight((0, 10, .crop(window((0, 0), (3.5, 0), (4.5, 200), (7, 200), (8, 100)))))
        #expect(framing.segments.map(\.range) == [TimeRange(start: 0, end: 8)])
        let path = framing.segments[0].layout.windows[0]
        let places = [0, 2.5, 3, 3.5, 4, 5, 5.5, 6, 8].map { path.corner(at: $0).x }
        #expect(places == [0, 0, 100, 200, 200, 200, 150, 100, 100])
        let times = path.keyframes.map(\.time)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(framing.reversalsPerSecond == 0.125)
    }

    @Test func `a cut of the picture that was cut out is at the joint, and scenes cover the clip`() {
        let framing = tight(
            (0, 2.5, .crop(window((0, 10)))), (2.5, 4, .crop(window((2.5, 700)))), (4, 5.5, .fit),
            (5.5, 5.75, .crop(window((5.5, 1)))), (5.75, 10, .fit))
        #expect(framing.segments.map(\.range.start) == [0, 2, 3, 4])
        #expect(framing.segments.map(\.range.end) == [2, 3, 4, 8])
        #expect(framing.segments.map(\.layout.kind) == [.crop, .crop, .fit, .fit])
        #expect(framing.segments[1].layout.windows[0].corner(at: 2.5).x == 700)
    }

    @Test func `what is left of a scene by rounding alone is none`() {
        let framing = tight((0, 2.5, .crop(window((0, 10)))), (2.5, 3.01, .crop(window((0, 700)))), (3.01, 10, .fit))
        #expect(framing.segments.map(\.range) == [TimeRange(start: 0, end: 2), TimeRange(start: 2, end: 8)])
        #expect(framing.segments.map(\.layout.kind) == [.crop, .fit])
        let ending = tight((0, 9.99, .fit), (9.99, 10, .crop(window((0, 10)))))
        #expect(ending.segments == [.fit(0, 8)])
    }

    @Test func `the picture changes where the window does, and at cuts at which it stays`() {
        let framing = Framing.of([.fit(0, 4), .crop(4, 10, width: 600, height: 1080, (4, 0))])
        let clip = TimeRange(start: 100, end: 110)
        #expect(framing.changes(cuts: [90, 100, 104, 107.5, 110], of: clip) == [4, 4, 7.5])
    }

    @Test func `punch-ins are found in tight time, where what is left of the wide shot has other keyframes`() {
        let wide = Framing.Segment.Layout.crop(window((0, 300)))
        let closer = Framing.Segment.Layout.crop(
            CropPath(width: 500, height: 900, keyframes: [.init(time: 2, x: 350, y: 60)]))
        // What is behind each border, and in tight time: 2 s, then 3 s, then 4 s.
        let framing = tight((0, 3, wide), (3, 4, closer), (4, 6, wide), (6, 10, .fit))
        #expect(framing.segments.map(\.range.start) == [0, 2, 3, 4])
        let back = framing.withoutPunchIns()
        #expect(back.segments.map(\.range) == [TimeRange(start: 0, end: 4), TimeRange(start: 4, end: 8)])
        #expect(back.segments.map(\.layout.kind) == [.crop, .fit])
        let clip = TimeRange(start: 100, end: 110)
        let scenes = framing.scenes(of: clip, source: Self.source, kept: Self.kept)
        #expect(scenes.map(\.start) == [100, 106] && scenes.map(\.end) == [106, 110])
    }

    @Test func `a shot whose beginning was cut out may begin with its punch-in`() {
        let other = Framing.Segment.Layout.crop(window((0, 1300)))
        let wide = Framing.Segment.Layout.crop(window((0, 0)))
        let closer = Framing.Segment.Layout.crop(
            CropPath(width: 500, height: 900, keyframes: [.init(time: 2, x: 50, y: 60)]))
        let framing = tight((0, 2.5, other), (2.5, 3, wide), (3, 4, closer), (4, 10, wide))
        let back = framing.withoutPunchIns()
        #expect(back.segments.map(\.range) == [TimeRange(start: 0, end: 2), TimeRange(start: 2, end: 8)])
        #expect(back.segments.map { $0.layout.windows[0].corner(at: $0.range.start).x } == [1300, 0])
        #expect(back.segments.allSatisfy { $0.layout.windows[0].width == 600 })
    }

    @Test func `both windows of a layout keep their places`() {
        let framing = tight((0, 10, .split(upper: window((0, 0), (10, 500)), lower: window((0, 900)))))
        #expect(framing.segments.count == 3)
        #expect(framing.segments.map { $0.layout.windows[0].corner(at: $0.range.start).x.rounded() } == [0, 150, 300])
        #expect(framing.segments.allSatisfy { $0.layout.windows[1].corner(at: $0.range.start).x == 900 })
    }

    @Test func `faces and who leads move along, and those cut out are gone`() {
        func face(_ time: Double) -> FaceSighting {
            FaceSighting(time: time, x: 1, y: 2, width: 3, height: 4, confidence: 1, track: 0)
        }
        var framing = Framing.of([.fit(0, 10)], faces: [face(1), face(2.5), face(3), face(7)])
        framing.leads = [
            .init(range: TimeRange(start: 0, end: 4), track: 0), .init(range: TimeRange(start: 5, end: 6), track: 1),
            .init(range: TimeRange(start: 6, end: 10), track: 2),
        ]
        let tight = framing.tightened(by: Self.kept)
        #expect(tight.faces.map(\.time) == [1, 2, 5])
        #expect(tight.leads?.map(\.track) == [0, 2])
        #expect(tight.leads?.map(\.range.end) == [3, 8])
    }

    @Test func `scenes are told in the time of the source, over what was cut out`() {
        let clip = TimeRange(start: 100, end: 110)
        let framing = tight((0, 4, .crop(window((0, 10)))), (4, 10, .fit))
        let scenes = framing.scenes(of: clip, source: Self.source, kept: Self.kept)
        #expect(scenes.map(\.start) == [100, 104] && scenes.map(\.end) == [104, 110])
        #expect(scenes.map(\.layout) == ["crop", "fit"])
    }

    /// The runs of frames that are rendered: one, in which the window leaps at the joint.
    @Test func `a joint costs no chain of filters`() {
        let framing = tight((0, 10, .crop(window((0, 0), (10, 1000)))))
        let runs = FramingRuns(framing, rate: FrameRate(25), frameCount: 200).runs
        #expect(runs.map(\.frames) == [0..<200])
        guard case .window(let shown) = runs[0].look else {
            Issue.record("\(runs[0].look)")
            return
        }
        #expect(abs(shown.x.value(at: 1.96) - 196) < 0.01)
        #expect(abs(shown.x.value(at: 2) - 300) < 0.01)
    }
}
