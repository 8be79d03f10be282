import ClipModel
import Media
import Testing

struct CaptionPlacementTests {
    private let portrait = JobOptions.Aspect.portrait.pixels

    /// Alignment and vertical margin of the caption style.
    private func place(_ script: String, style: String = "Caption") -> (alignment: Int, margin: Double) {
        let line = script.split(separator: "\n").first { $0.hasPrefix("Style: \(style),") } ?? ""
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        return (Int(fields[18]) ?? 0, Double(fields[21]) ?? -1)
    }

    private func framing(_ layout: Framing.Segment.Layout) -> Framing {
        Framing(
            segments: [Framing.Segment(range: TimeRange(start: 0, end: 10), layout: layout)], faceInFrame: nil,
            reversalsPerSecond: 0, travelPixelsPerSecond: 0, faces: [])
    }

    private func faces(x: Double, y: Double, side: Double) -> [FaceSighting] {
        (0..<20).map {
            FaceSighting(time: Double($0) / 2, x: x, y: y, width: side, height: side, confidence: 0.9, track: 0)
        }
    }

    private func crop(x: Double, width: Double, height: Double) -> Framing {
        framing(.crop(CropPath(width: width, height: height, keyframes: [.init(time: 0, x: x, y: 0)])))
    }

    @Test(arguments: JobOptions.Aspect.allCases)
    func `the last baseline stands 15 to 20 percent above the bottom`(aspect: JobOptions.Aspect) {
        let script = CaptionSamples.track("hola").ass(style: .classic, size: aspect.pixels)
        let (alignment, margin) = place(script)
        let style = script.split(separator: "\n").first { $0.hasPrefix("Style: Caption") }!.split(separator: ",")
        // The descent of DejaVu Sans Bold is 483 of the 2384 units that ASS calls its size.
        let baseline = margin + Double(style[2])! * 483 / 2384
        #expect(alignment == 2)
        #expect((0.15...0.2005).contains(baseline / Double(aspect.pixels.height)))
    }

    @Test func `captions go up when a face is where they would be`() {
        let track = CaptionSamples.track("hola a todos")
        let window = crop(x: 600, width: 607.5, height: 1080)
        // 1920x1080 cropped to 607x1080 from x 600: the face lies at the bottom of the middle.
        let low = track.ass(style: .classic, size: portrait, faces: faces(x: 800, y: 700, side: 200), framing: window)
        #expect(place(low) == (8, 384))
        let high = track.ass(style: .classic, size: portrait, faces: faces(x: 800, y: 150, side: 200), framing: window)
        #expect(place(high).alignment == 2)
        // The same face outside the window cannot be covered.
        let outside = track.ass(
            style: .classic, size: portrait, faces: faces(x: 100, y: 700, side: 200), framing: window)
        #expect(place(outside).alignment == 2)
    }

    @Test func `captions move in the shot where a face stands in their place, and the watermark makes room`() {
        func segment(_ start: Double, _ end: Double) -> Framing.Segment {
            Framing.Segment(
                range: TimeRange(start: start, end: end),
                layout: .crop(CropPath(width: 607.5, height: 1080, keyframes: [.init(time: start, x: 600, y: 0)])))
        }
        // High in the first shot, low in the second, high again in a third that is too short to move in.
        let sightings = (0..<28).map { index in
            let time = Double(index) / 4
            return FaceSighting(
                time: time, x: 800, y: (3..<6).contains(time) ? 720 : 150, width: 180, height: 180, confidence: 0.9,
                track: 0)
        }
        let framing = Framing(
            segments: [segment(0, 3), segment(3, 6), segment(6, 7)], faceInFrame: nil, reversalsPerSecond: 0,
            travelPixelsPerSecond: 0, faces: [])
        let words = CaptionSamples.words("Una voz que habla sin parar, y sigue hablando hasta el final del todo.")
        let track = CaptionTrack(words: words, clip: TimeRange(start: 0, end: 7))
        let script = track.ass(
            style: .plain, size: portrait, faces: sightings, framing: framing, watermark: "@yo",
            sourceSize: PixelSize(width: 1920, height: 1080))
        #expect(place(script).alignment == 2)
        #expect(place(script, style: "Watermark") == (9, 384))
        let events = script.split(separator: "\n").filter { $0.contains(",Caption,") }
        let times = zip(events, ShownCaption.inScript(script)).map { (moved: $0.contains("{\\an8}"), shown: $1) }
        #expect(times.contains { $0.moved } && times.contains { !$0.moved })
        for (moved, shown) in times {
            #expect(moved == (3..<6).contains((shown.start + shown.end) / 2), "\(shown)")
        }
        // 84 x 0.43 of watermark and 0.4 of that as air.
        #expect(events.filter { $0.contains("{\\an8}") }.allSatisfy { $0.contains(",0,0,434,,") })
    }

    @Test func `faces in a fitted picture are where the picture is`() {
        let track = CaptionSamples.track("hola a todos")
        let source = PixelSize(width: 1080, height: 1920)
        let script = track.ass(
            style: .classic, size: portrait, faces: faces(x: 300, y: 1300, side: 400), framing: framing(.fit),
            sourceSize: source)
        #expect(place(script).alignment == 8)
        // A wide picture fitted into a tall frame has no face below its middle third.
        let wide = track.ass(
            style: .classic, size: portrait, faces: faces(x: 800, y: 700, side: 300), framing: framing(.fit),
            sourceSize: PixelSize(width: 1920, height: 1080))
        #expect(place(wide).alignment == 2)
    }

    @Test func `a window that moves takes its faces along`() {
        let path = CropPath(
            width: 607.5, height: 1080,
            keyframes: [.init(time: 0, x: 0, y: 0), .init(time: 5, x: 1000, y: 0), .init(time: 10, x: 1000, y: 0)])
        let track = CaptionSamples.track("hola a todos")
        // In the window only for the second half of the clip, which is enough.
        let script = track.ass(
            style: .classic, size: portrait, faces: faces(x: 1200, y: 740, side: 160), framing: framing(.crop(path)))
        #expect(place(script).alignment == 8)
    }

    @Test func `the watermark stands where the captions do not`() {
        let track = CaptionSamples.track("hola")
        let window = crop(x: 600, width: 607.5, height: 1080)
        let usual = track.ass(style: .classic, size: portrait, watermark: "@yo")
        #expect(place(usual, style: "Watermark") == (9, 384))
        let moved = track.ass(
            style: .classic, size: portrait, faces: faces(x: 800, y: 700, side: 200), framing: window, watermark: "@yo")
        #expect(place(moved, style: "Watermark") == (3, 384))
    }

    @Test func `a long watermark is made to fit`() {
        let long = String(repeating: "W", count: 60)
        let script = CaptionSamples.track("hola").ass(style: nil, size: portrait, watermark: long)
        let style = script.split(separator: "\n").first { $0.hasPrefix("Style: Watermark") }!.split(separator: ",")
        #expect(Double(style[2])! < 20)
    }
}
