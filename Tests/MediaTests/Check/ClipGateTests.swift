import ClipModel
import Media
import Testing

@Suite struct ClipGateTests {
    private static let source = PixelSize(width: 1920, height: 1080)

    private func crop(_ start: Double, _ end: Double, _ places: [(Double, Double)]) -> Framing.Segment {
        let keyframes = places.map { CropPath.Keyframe(time: $0.0, x: $0.1, y: 0) }
        return Framing.Segment(
            range: TimeRange(start: start, end: end),
            layout: .crop(CropPath(width: 607.5, height: 1080, keyframes: keyframes)))
    }

    /// A face that stands at `middle` for 20 s.
    private func framing(_ segments: [Framing.Segment], face middle: Double = 500) -> Framing {
        let reversals = segments.reduce(0) { $0 + $1.layout.windows.reduce(0) { $0 + $1.reversals } }
        let widths = segments.reduce(0) { $0 + $1.layout.windows.reduce(0) { $0 + $1.travelWidths } }
        return Framing(
            segments: segments, faceInFrame: 1, reversalsPerSecond: Double(reversals) / 20,
            travelPixelsPerSecond: widths * 1080 / 20, subjectPixelsPerSecond: 5,
            faces: (0..<100).map {
                FaceSighting(
                    time: Double($0) / 5, x: middle - 80, y: 400, width: 160, height: 200, confidence: 0.9, track: 0)
            }, leads: [Framing.Lead(range: TimeRange(start: 0, end: 20), track: 0)])
    }

    /// What a clip with this framing measures, with a detector that finds the face wherever it is shown.
    ///
    /// - Parameter blind: It finds none.
    private func verdict(
        _ framing: Framing, blind: Bool = false, codec: String = "h264", loudness: Double = -14
    ) -> ClipVerdict {
        let geometry = FrameGeometry(source: Self.source, frame: .portrait)
        let samples = (0..<40).map { index in
            let time = Double(index) / 2
            let faces = framing.faces.filter { abs($0.time - time) < 0.11 }.prefix(1)
                .flatMap { geometry.shown($0, in: framing) }.filter { $0.width > 60 }
            return PictureScan.Sample(time: time, faces: blind ? [] : Array(faces))
        }
        let streams = ClipStreams(
            durationSeconds: 20, videoCodec: codec, videoProfile: "High", pixelFormat: "yuv420p", width: 1080,
            height: 1920, framesPerSecond: 30, frameCount: 600, audioCodec: "aac", audioSamplesPerSecond: 48_000,
            audioChannels: 2, otherStreams: 0)
        return ClipVerdict(
            ClipMeasurements(
                streams: streams, isIndexFirst: true,
                loudness: LoudnessReading(integratedLUFS: loudness, truePeakDBTP: -1.5),
                picture: PictureScan(samples: samples), framing: framing, sourceSize: Self.source),
            expected: ClipVerdict.Expectation(size: .portrait, rate: FrameRate(30), frameCount: 600))
    }

    /// Plays renders until the gate publishes.
    private func played(_ framing: Framing) -> (gate: ClipGate, renders: [Framing], published: Int) {
        var gate = ClipGate(framing, source: Self.source)
        var renders: [Framing] = []
        var action = gate.start()
        while case .render(let framing) = action {
            renders.append(framing)
            action = gate.checked(verdict(framing))
        }
        guard case .publish(let attempt) = action else { return (gate, renders, -1) }
        return (gate, renders, attempt)
    }

    @Test func `a clip that passes is rendered once, as planned, and nothing is told`() {
        let planned = framing([crop(0, 20, [(0, 200)])])
        let (gate, renders, published) = played(planned)
        #expect(renders == [planned])
        #expect(published == 0)
        #expect(gate.figures(of: 0).repairs == nil)
        #expect(gate.figures(of: 0).flags == [])
    }

    @Test func `a restless camera is held still before anything is rendered, the worst shot first`() {
        let wild = crop(0, 10, [(0, 100), (2, 300), (4, 100), (6, 300), (8, 100)])
        let calm = crop(10, 20, [(10, 200), (18, 230)])
        let (gate, renders, _) = played(framing([wild, calm]))
        #expect(renders.count == 1)
        #expect(renders[0].segments[1] == calm)
        #expect(renders[0].segments[0].layout.kind == .padded)
        #expect(renders[0].segments[0].layout.windows[0].width == 807.5)
        #expect(renders[0].reversalsPerSecond == 0)
        #expect(gate.figures(of: 0).repairs?.map(\.code) == ["camera_held"])
        #expect(gate.figures(of: 0).flags == [])
    }

    @Test func `a camera that would have to see everything shows the whole picture`() {
        let wild = crop(0, 20, [(0, 0), (4, 1300), (8, 0), (12, 1300)])
        #expect(played(framing([wild])).renders[0].segments.map(\.layout) == [.fit])
    }

    @Test func `two windows that are restless rest where they are`() {
        let places = [(0.0, 100.0), (4, 300), (8, 100), (12, 300)]
        let upper = CropPath(
            width: 675, height: 600, keyframes: places.map { CropPath.Keyframe(time: $0.0, x: $0.1, y: 200) })
        let lower = CropPath(width: 675, height: 600, keyframes: [.init(time: 0, x: 1100, y: 200)])
        let split = Framing.Segment(
            range: TimeRange(start: 0, end: 20), layout: .split(upper: upper, lower: lower))
        let held = played(framing([split])).renders[0].segments[0].layout
        #expect(held.kind == .split)
        #expect(held.windows[0].keyframes == [.init(time: 0, x: 200, y: 200)])
        #expect(held.windows[1] == lower)
    }

    @Test func `who was lost is shown by a second render, and that is told`() {
        let planned = framing([crop(0, 12, [(0, 200)]), crop(12, 20, [(12, 800)])])
        let (gate, renders, published) = played(planned)
        #expect(renders.count == 2)
        #expect(published == 1)
        #expect(renders[1].segments[0] == planned.segments[0], "a shot that was right stays as it is")
        #expect(renders[1].segments[1].layout.kind == .padded)
        #expect(gate.figures(of: 1).repairs?.map(\.code) == ["shown_wider"])
        #expect(gate.figures(of: 1).flags == [])
    }

    @Test func `punch-ins stay unless somebody is lost, and then go`() {
        let closer = Framing.Segment(
            range: TimeRange(start: 4, end: 8),
            layout: .crop(CropPath(width: 532.9, height: 947.4, keyframes: [.init(time: 4, x: 240, y: 60)])))
        let calm = framing([crop(0, 4, [(0, 200)]), closer, crop(8, 20, [(0, 200)])])
        #expect(played(calm).renders == [calm])
        let planned = framing([crop(0, 4, [(0, 200)]), closer, crop(8, 12, [(0, 200)]), crop(12, 20, [(12, 800)])])
        let (_, renders, published) = played(planned)
        #expect(renders.count == 2 && published == 1)
        #expect(renders[1].segments.map(\.layout.kind) == [.crop, .padded])
        #expect(renders[1].segments[0] == crop(0, 12, [(0, 200)]))
    }

    @Test func `a second render that is no better is not handed in, and the flags tell`() {
        let planned = framing([crop(0, 20, [(0, 800)])])
        var gate = ClipGate(planned, source: Self.source)
        _ = gate.start()
        let bad = verdict(planned)
        guard case .render = gate.checked(bad) else {
            Issue.record("no second try")
            return
        }
        #expect(gate.checked(bad) == .publish(attempt: 0))
        #expect(gate.figures(of: 0).repairs == nil)
        #expect(gate.figures(of: 0).flags.map(\.code) == ["face_lost", "speaker_lost", "empty_frames"])
    }

    @Test func `a wider second render in which the faces are too small to be found is not handed in`() {
        let planned = framing([crop(0, 20, [(0, 800)])])
        var gate = ClipGate(planned, source: Self.source)
        _ = gate.start()
        guard case .render(let wider) = gate.checked(verdict(planned)) else {
            Issue.record("no second try")
            return
        }
        #expect(verdict(wider).shownCount > 0 && gate.checked(verdict(wider, blind: true)) == .publish(attempt: 0))
    }

    @Test func `what a client framed by hand stays`() {
        let planned = framing([crop(0, 12, [(0, 200)]), crop(12, 20, [(12, 800), (14, 100), (16, 800), (18, 100)])])
        var gate = ClipGate(planned, source: Self.source, chosen: [TimeRange(start: 12, end: 20)])
        #expect(gate.start() == .render(planned))
        #expect(gate.checked(verdict(planned)) == .publish(attempt: 0))
        #expect(gate.figures(of: 0).flags.contains { $0.code == "hasty_camera" })
    }

    @Test func `what no framing can mend is not rendered again`() {
        // The last picture shows nobody: too little to be told, and enough for a wider shot if anything else were.
        let planned = framing([crop(0, 19.3, [(0, 200)]), crop(19.3, 20, [(19.3, 800)])])
        let wrong = [
            ("wrong_format", verdict(planned, codec: "hevc")),
            ("loudness_out_of_range", verdict(planned, loudness: -9)),
        ]
        for (code, verdict) in wrong {
            var gate = ClipGate(planned, source: Self.source)
            _ = gate.start()
            #expect(verdict.missed == [19.5])
            #expect(gate.checked(verdict) == .publish(attempt: 0))
            #expect(gate.figures(of: 0).flags.map(\.code) == [code])
            #expect(gate.figures(of: 0).repairs == nil)
        }
    }

    @Test func `a clip without faces has a camera that nobody judges by them`() {
        var planned = framing([crop(0, 20, [(0, 656)])])
        planned.faces = []
        planned.leads = []
        planned.subjectPixelsPerSecond = nil
        let (_, renders, published) = played(planned)
        #expect(renders == [planned] && published == 0)
    }
}
