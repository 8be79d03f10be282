import ClipModel
import Media
import Testing

@Suite struct PunchInTests {
    private typealias Layout = Framing.Segment.Layout

    private static let portrait = PixelSize(width: 1080, height: 1920)
    private static let window = CropPath(
        width: 607.5, height: 1080, keyframes: [.init(time: 0, x: 656.25, y: 0)])
    /// A sentence begins every five seconds.
    private static let fives = SpeechBeats(sentences: (0..<36).map { Double($0) * 5 }, stresses: [])

    /// One shot of one face, whose middle is at 960, 430 unless said otherwise.
    ///
    /// - Parameter unit: What all places and sizes are multiplied with.
    private func framing(
        seconds: Double = 30, layout: Layout = .crop(window), unit: Double = 1, width: Double = 160,
        height: Double? = nil, middle: (Double) -> Double? = { _ in 960 }
    ) -> Framing {
        let height = height ?? 1.3 * width
        let faces = (0..<Int(seconds * 5)).compactMap { index -> FaceSighting? in
            let time = Double(index) / 5
            return middle(time).map {
                FaceSighting(
                    time: time, x: ($0 - width / 2) * unit, y: (430 - height / 2) * unit, width: width * unit,
                    height: height * unit, confidence: 0.9, track: 0)
            }
        }
        let range = TimeRange(start: 0, end: seconds)
        return Framing(
            segments: [.init(range: range, layout: layout)], faceInFrame: 1, reversalsPerSecond: 0,
            travelPixelsPerSecond: 0, faces: faces, leads: [Framing.Lead(range: range, track: 0)])
    }

    private func punched(
        _ framing: Framing, on beats: SpeechBeats = fives, cuts: [Double] = [], chosen: [TimeRange] = [],
        limits: PunchIns.Limits = PunchIns.Limits()
    ) -> Framing {
        PunchIns(framing, cuts: cuts, chosen: chosen, output: Self.portrait, limits: limits).punched(on: beats)
    }

    /// How much closer than `wide` each segment is, to two places.
    private func scales(_ framing: Framing, against wide: Double = 607.5) -> [Double] {
        framing.segments.map { (wide / $0.layout.windows[0].width * 100).rounded() / 100 }
    }

    // MARK: What is done

    @Test func `the picture comes closer at once where a sentence begins, and goes back where a later one does`() {
        let punched = punched(framing())
        #expect(punched.segments.map(\.range.start) == [0, 5, 10, 15, 20])
        #expect(punched.segments.map(\.range.end) == [5, 10, 15, 20, 30])
        #expect(scales(punched) == [1, 1.14, 1, 1.14, 1])
        for index in [0, 2, 4] { #expect(punched.segments[index].layout == .crop(Self.window)) }
        #expect(punched.segments[1].layout.windows[0].keyframes.map(\.time) == [5])
    }

    @Test func `the eyes stay where they were in the frame`() {
        let closer = punched(framing()).segments[1].layout.windows[0]
        // Two fifths down a face that is 208 high and has its middle at 430.
        let (eyesX, eyesY) = (960.0, 430 - 104 + 0.4 * 208)
        let corner = closer.keyframes[0]
        #expect(abs((eyesX - corner.x) / closer.width - (eyesX - 656.25) / 607.5) < 0.0001)
        #expect(abs((eyesY - corner.y) / closer.height - eyesY / 1080) < 0.0001)
        #expect(abs(closer.width / closer.height - 607.5 / 1080) < 0.0001)
    }

    @Test func `a change of scale is a border, and neither way nor turn`() {
        let planned = framing()
        let punched = punched(planned)
        #expect(punched.segments.count == 5)
        #expect(punched.travelPixelsPerSecond == 0 && punched.reversalsPerSecond == 0)
        #expect(punched.faceInFrame == 1 && punched.faces == planned.faces && punched.leads == planned.leads)
    }

    @Test func `a stressed word comes first, and closest`() {
        let beats = SpeechBeats(sentences: [0, 2, 8, 16, 24], stresses: [3])
        let punched = punched(framing(), on: beats)
        #expect(punched.segments.map(\.range.start) == [0, 3, 8, 16, 24])
        #expect(scales(punched) == [1, 1.18, 1, 1.14, 1])
    }

    // MARK: When

    @Test(arguments: [(5.9, 1), (6.0, 3)]) func `a shot is at least six seconds long`(seconds: Double, parts: Int) {
        var limits = PunchIns.Limits()
        limits.secondsApartMin = 2
        let beats = SpeechBeats(sentences: [0, 1.6, 4], stresses: [])
        #expect(punched(framing(seconds: seconds), on: beats, limits: limits).segments.count == parts)
    }

    /// A cut at a time, and when the first punch-in then begins.
    @Test(arguments: [(3.4, 5.0), (3.6, 10.0), (11.6, 5.0), (11.4, 15.0)])
    func `nothing changes within a second and a half of a cut`(cut: Double, first: Double) {
        let punched = punched(framing(), cuts: [cut])
        #expect(punched.segments[1].range.start == first)
        for start in punched.segments.dropFirst().map(\.range.start) { #expect(abs(start - cut) >= 1.5) }
    }

    @Test func `the ends of the clip are cuts`() {
        let early = SpeechBeats(sentences: [1.4, 6], stresses: [])
        let late = SpeechBeats(sentences: [22, 28.6], stresses: [])
        for beats in [early, late] { #expect(punched(framing(), on: beats) == framing()) }
        let inside = SpeechBeats(sentences: [1.5, 6], stresses: [])
        #expect(punched(framing(), on: inside).segments.map(\.range.start) == [0, 1.5, 6])
    }

    @Test func `changes are four seconds apart, however many sentences there are`() {
        let beats = SpeechBeats(sentences: (0..<60).map(Double.init), stresses: [])
        let starts = punched(framing(seconds: 60), on: beats).segments.dropFirst().map(\.range.start)
        #expect(starts == (0..<14).map { 2 + Double($0) * 4 })
    }

    @Test func `a clip has twelve at most`() {
        let beats = SpeechBeats(sentences: (0..<180).map(Double.init), stresses: [])
        #expect(punched(framing(seconds: 180), on: beats).segments.count == 25)
    }

    @Test(arguments: [(15.0, 3), (16.0, 1)])
    func `without the end of a sentence in ten seconds the shot stays wide`(next: Double, parts: Int) {
        let beats = SpeechBeats(sentences: [0, 5, next], stresses: [])
        #expect(punched(framing(), on: beats).segments.count == parts)
        #expect(punched(framing(), on: SpeechBeats(sentences: [0, 5], stresses: [5])) == framing())
        #expect(punched(framing(), on: SpeechBeats(sentences: [], stresses: [])) == framing())
    }

    // MARK: Where

    @Test(arguments: Framing.Segment.Layout.Kind.allCases.filter { $0 != .crop })
    func `no other layout is come closer to`(kind: Framing.Segment.Layout.Kind) {
        let layout: Layout =
            switch kind {
            case .padded: .padded(Self.window)
            case .split: .split(upper: Self.window, lower: Self.window)
            case .inset: .inset(screen: Self.window, face: Self.window)
            case .fit, .crop: .fit
            }
        #expect(punched(framing(layout: layout)) == framing(layout: layout))
    }

    @Test func `a window that moves is left alone`() {
        let path = CropPath(
            width: 607.5, height: 1080, keyframes: [.init(time: 0, x: 600, y: 0), .init(time: 20, x: 700, y: 0)])
        #expect(punched(framing(layout: .crop(path))) == framing(layout: .crop(path)))
    }

    @Test func `what a client framed by hand is left alone`() {
        let planned = framing()
        #expect(punched(planned, chosen: [TimeRange(start: 12, end: 13)]) == planned)
        #expect(punched(planned, chosen: [TimeRange(start: 30, end: 40)]) != planned)
    }

    // MARK: The face

    /// Of the window that is 607.5 wide: with its margins a face may take three quarters of the closer one.
    @Test(arguments: [(340.0, 1.14), (350.0, 1.1), (365.0, 1.0)])
    func `a face does not grow larger than in a close-up`(width: Double, closest: Double) {
        #expect(scales(punched(framing(width: width))).max() == closest)
    }

    @Test func `nor higher, in a window that is wide`() {
        let wide = CropPath(width: 1920, height: 1080, keyframes: [.init(time: 0, x: 0, y: 0)])
        func count(_ height: Double) -> Int {
            let planned = framing(layout: .crop(wide), width: 300, height: height)
            return PunchIns(planned, cuts: [], output: PixelSize(width: 1920, height: 1080)).punched(on: Self.fives)
                .segments.count
        }
        #expect(count(500) == 5)
        #expect(count(660) == 1)
    }

    @Test(arguments: [(756.25, 1), (800.0, 5)])
    func `a face stays off the edges of the window`(middle: Double, parts: Int) {
        #expect(punched(framing { _ in middle }).segments.count == parts)
    }

    @Test func `it does so all along`() {
        let stepsAside = framing { (7..<7.4).contains($0) ? 740 : 960 }
        #expect(punched(stepsAside).segments.map(\.range.start) == [0, 10, 15, 20, 25])
    }

    @Test(arguments: [(7.6, 5.0), (8.1, 10.0)])
    func `who turns away for longer than a second is not come closer to`(back: Double, first: Double) {
        let turned = framing { (7..<back).contains($0) ? nil : 960 }
        #expect(punched(turned).segments[1].range.start == first)
    }

    @Test(arguments: [(1150.0, 1), (1500.0, 5)])
    func `nobody else is in the window`(middle: Double, parts: Int) {
        var planned = framing()
        planned.faces += planned.faces.map { face in
            var other = face
            other.x = middle - 40
            other.width = 80
            other.track = 1
            return other
        }
        #expect(punched(planned).segments.count == parts)
    }

    @Test func `it is known who leads, and it is one`() {
        var planned = framing()
        planned.leads = nil
        #expect(punched(planned) == planned)
        planned.leads = [
            Framing.Lead(range: TimeRange(start: 0, end: 7), track: 1),
            Framing.Lead(range: TimeRange(start: 7, end: 30), track: 0),
        ]
        #expect(punched(planned).segments.map(\.range.start) == [0, 10, 15, 20, 25])
    }

    /// Heights of the source 720, 540 and 475.
    @Test(arguments: [(720.0, 1.14), (540.0, 1.1), (475.0, 1.0)])
    func `a source with few pixels is not enlarged beyond four times`(height: Double, closest: Double) {
        let unit = height / 1080
        let window = CropPath(
            width: 607.5 * unit, height: height, keyframes: [.init(time: 0, x: 656.25 * unit, y: 0)])
        let punched = punched(framing(layout: .crop(window), unit: unit))
        #expect(scales(punched, against: 607.5 * unit).max() == closest)
    }

    // MARK: Taken out again

    @Test func `without its punch-ins a framing is what it was`() {
        let planned = framing()
        #expect(punched(planned).withoutPunchIns() == planned)
        #expect(planned.withoutPunchIns() == planned)
        var cut = planned
        let other = CropPath(width: 607.5, height: 1080, keyframes: [.init(time: 12, x: 700, y: 0)])
        cut.segments = [
            .init(range: TimeRange(start: 0, end: 12), layout: .crop(Self.window)),
            .init(range: TimeRange(start: 12, end: 30), layout: .crop(other)),
        ]
        let both = punched(cut)
        #expect(both.segments.map(\.range.start) == [0, 5, 10, 12, 15, 20])
        #expect(both.withoutPunchIns() == cut)
    }

    @Test func `a client is told of scenes, and not of punch-ins in them`() {
        let clip = TimeRange(start: 100, end: 130)
        let source = PixelSize(width: 1920, height: 1080)
        let planned = framing()
        #expect(punched(planned).scenes(of: clip, source: source) == planned.scenes(of: clip, source: source))
    }
}

@Suite struct SpeechBeatsTests {
    private static let clip = TimeRange(start: 100, end: 120)

    private func beats(keywords: [String] = []) -> SpeechBeats {
        let spoken: [(String, Double)] = [
            ("Before.", 90), ("This", 100.5), ("is", 101), ("one.", 101.5), ("Nobody", 104), ("told", 104.5),
            ("us.", 105), ("We", 108), ("need", 108.5), ("50", 109), ("euros.", 109.5), ("Never!", 125),
        ]
        let words = spoken.map { Word(text: $0.0, start: $0.1, end: $0.1 + 0.4, probability: 1) }
        return SpeechBeats(Transcript(language: "en", words: words), clip: Self.clip, keywords: keywords)
    }

    @Test func `sentences and stressed words of the clip are told in its time`() {
        #expect(beats().sentences == [0.5, 4, 8])
        #expect(beats().stresses == [4, 9])
    }

    @Test func `keywords are stressed`() {
        #expect(beats(keywords: ["told"]).stresses == [4.5, 9])
    }

    @Test func `where nothing is said there is nothing to stand on`() {
        let silent = SpeechBeats(Transcript(language: "und", words: []), clip: Self.clip, keywords: [])
        #expect(silent == SpeechBeats(sentences: [], stresses: []))
    }
}
