import ClipModel
import Foundation
import Media
import Testing

@Suite struct FrameGeometryTests {
    private let geometry = FrameGeometry(source: PixelSize(width: 1920, height: 1080), frame: .portrait)
    private let face = FrameGeometry.Box(x: 900, y: 300, width: 100, height: 120)

    private func path(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> CropPath {
        CropPath(width: width, height: height, keyframes: [.init(time: 0, x: x, y: y)])
    }

    private func shown(_ layout: Framing.Segment.Layout) -> [FrameGeometry.Box] {
        geometry.shown(face, in: layout, at: 0)
    }

    @Test func `a window that fills the frame shows a face once, as much larger as the window is narrower`() throws {
        let box = try #require(shown(.crop(path(700, 0, 607.5, 1080))).first)
        #expect(abs(box.x - 200 * 1080 / 607.5) < 0.5)
        #expect(abs(box.height - 120 * 1920 / 1080) < 0.5)
    }

    @Test func `a wider window stands in the middle, and the whole picture too`() throws {
        let padded = try #require(shown(.padded(path(600, 0, 960, 1080))).first)
        // 1080 wide and 1215 high: 352 above and below, in even pixels.
        #expect(abs(padded.y - (352 + 300 * 1.125)) < 2)
        #expect(abs(padded.x - 300 * 1.125) < 1)
        let fit = try #require(shown(.fit).first)
        #expect(abs(fit.y - (656 + 300 * 0.5625)) < 2)
    }

    @Test func `a split shows each part in its own half`() {
        let split = Framing.Segment.Layout.split(upper: path(0, 200, 675, 600), lower: path(700, 200, 675, 600))
        let boxes = shown(split)
        #expect(boxes.count == 1)
        #expect(boxes[0].y >= 960 && boxes[0].y < 1200)
        #expect(abs(boxes[0].width - 160) < 1)
    }

    @Test func `an inset shows its face twice`() {
        let boxes = shown(.inset(screen: path(0, 0, 1920, 1080), face: path(850, 260, 250, 200)))
        #expect(boxes.count == 2)
        #expect(boxes[1].width > 7 * boxes[0].width)
        #expect(boxes[1].y > boxes[0].y)
    }

    @Test func `what is hidden is a share of what is covered, not of the cover`() {
        let small = FrameGeometry.Box(x: 0, y: 0, width: 10, height: 10)
        #expect(small.shareHidden(by: .init(x: 5, y: -100, width: 1000, height: 1000)) == 0.5)
        #expect(small.shareHidden(by: .init(x: 10, y: 0, width: 5, height: 5)) == 0)
        #expect(FrameGeometry.Box(x: 1, y: 1, width: 0, height: 3).shareHidden(by: small) == 0)
    }

    @Test func `what a window cuts off is seen in part, or not at all`() {
        let half = Framing.Segment.Layout.crop(path(950, 0, 607.5, 1080))
        #expect(abs(geometry.visibleShare(of: face, in: half, at: 0) - 0.5) < 0.01)
        #expect(shown(.crop(path(1100, 0, 607.5, 1080))).isEmpty)
        #expect(geometry.visibleShare(of: face, in: .crop(path(1100, 0, 607.5, 1080)), at: 0) == 0)
        #expect(geometry.visibleShare(of: face, in: .fit, at: 0) == 1)
    }
}

/// `framing.json` is read by nodes of the release before and of this one, in both directions.
@Suite struct FramingJSONTests {
    private static let path = CropPath(width: 800, height: 1080, keyframes: [.init(time: 0, x: 10, y: 0)])
    static let layouts: [Framing.Segment.Layout] = [
        .crop(path), .fit, .padded(path), .split(upper: path, lower: path), .inset(screen: path, face: path),
    ]

    /// What the release before has.
    private struct OldFraming: Codable {
        enum Layout: Codable {
            case crop(CropPath)
            case fit
        }
        struct Segment: Codable {
            var range: TimeRange
            var layout: Layout
        }
        var segments: [Segment]
        var faces: [FaceSighting]
    }

    @Test(arguments: layouts)
    func `every layout comes back as it was written`(layout: Framing.Segment.Layout) throws {
        let framing = Framing.of([Framing.Segment(range: TimeRange(start: 0, end: 9), layout: layout)])
        #expect(try JSONDecoder().decode(Framing.self, from: JSONEncoder().encode(framing)) == framing)
    }

    @Test(arguments: layouts)
    func `the release before shows the whole picture where it does not know the layout`(
        layout: Framing.Segment.Layout
    ) throws {
        let framing = Framing.of([Framing.Segment(range: TimeRange(start: 0, end: 9), layout: layout)])
        let old = try JSONDecoder().decode(OldFraming.self, from: JSONEncoder().encode(framing))
        switch (old.segments[0].layout, layout) {
        case (.crop(let path), .crop(let written)): #expect(path == written)
        case (.fit, .crop), (.crop, _): Issue.record("\(layout) became \(old.segments[0].layout)")
        case (.fit, _): break
        }
    }

    @Test func `what the release before wrote is read`() throws {
        let old = OldFraming(
            segments: [
                .init(range: TimeRange(start: 0, end: 4), layout: .crop(Self.path)),
                .init(range: TimeRange(start: 4, end: 9), layout: .fit),
            ], faces: [])
        var json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(old)) as? [String: Any] ?? [:]
        json["reversalsPerSecond"] = 0
        json["travelPixelsPerSecond"] = 0
        let framing = try JSONDecoder().decode(Framing.self, from: JSONSerialization.data(withJSONObject: json))
        #expect(framing.segments.map(\.layout) == [.crop(Self.path), .fit])
        #expect(framing.leads == nil)
    }

    @Test func `an arrangement without its windows is refused`() throws {
        let text = """
            {"segments": [{"range": {"start": 0, "end": 4}, "layout": {"fit": {}},
              "arrangement": {"kind": "split", "windows": []}}],
             "faces": [], "reversalsPerSecond": 0, "travelPixelsPerSecond": 0}
            """
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Framing.self, from: Data(text.utf8)) }
    }
}
