import ClipModel
import Media
import Testing

/// Made pictures of 320 x 180, of which a cell of the grid is 5 x 5 pixels, and of a source six times as large.
@Suite struct AttentionTests {
    private typealias Colour = (blue: UInt8, green: UInt8, red: UInt8)

    private struct Picture {
        var size = PixelSize(width: 320, height: 180)
        var pixels: [UInt8]

        init(_ ground: Colour, size: PixelSize = PixelSize(width: 320, height: 180)) {
            self.size = size
            pixels = (0..<(size.width * size.height)).flatMap { _ in [ground.blue, ground.green, ground.red] }
        }

        mutating func paint(_ across: Range<Int>, _ down: Range<Int>, _ colour: (_ x: Int, _ y: Int) -> Colour) {
            for y in down {
                for x in across {
                    let (at, colour) = ((y * size.width + x) * 3, colour(x, y))
                    (pixels[at], pixels[at + 1], pixels[at + 2]) = (colour.blue, colour.green, colour.red)
                }
            }
        }

        /// Squares of four pixels in black and light grey.
        mutating func paintSquares(_ across: Range<Int>, _ down: Range<Int>) {
            paint(across, down) { x, y in (x / 4 + y / 4) % 2 == 0 ? (0, 0, 0) : (200, 200, 200) }
        }
    }

    private static let ground: Colour = (85, 70, 50)
    private static let source = PixelSize(width: 1920, height: 1080)
    private static let portrait = PixelSize(width: 1080, height: 1920)

    private func looks(_ pictures: [Picture]) -> [Attention] {
        var meter = AttentionMeter(size: pictures[0].size)
        return pictures.map { meter.attention(to: $0.pixels) }
    }

    private func choice(
        _ pictures: [Picture], source: PixelSize = source, output: PixelSize = portrait
    ) -> SalientWindow.Choice {
        SalientWindow(CropWindow(source: source, output: output)).choice(for: looks(pictures))
    }

    /// Squares whose middle is at 360 of 1920, on a plain ground.
    private var squaresLeft: Picture {
        var picture = Picture(Self.ground)
        picture.paintSquares(30..<90, 60..<120)
        return picture
    }

    // MARK: What is looked at

    @Test func `a textured thing on the left has the window about it`() throws {
        guard case .corner(let x, let y) = choice([squaresLeft, squaresLeft]) else {
            Issue.record("\(choice([squaresLeft, squaresLeft]))")
            return
        }
        #expect(abs(x + 607.5 / 2 - 360) < 60)
        #expect(x <= 180 && x + 607.5 >= 540 && y == 0)
    }

    @Test func `a plain thing of another colour is seen too, and no window leaves the picture`() {
        var picture = Picture(Self.ground)
        picture.paint(260..<300, 70..<110) { _, _ in (30, 30, 220) }
        #expect(choice([picture]) == .corner(x: 1312.5, y: 0))
    }

    @Test func `in an upright source the window goes up and down`() {
        var picture = Picture(Self.ground, size: PixelSize(width: 180, height: 320))
        picture.paintSquares(60..<120, 230..<290)
        let found = choice(
            [picture], source: PixelSize(width: 1080, height: 1920), output: PixelSize(width: 1920, height: 1080))
        guard case .corner(let x, let y) = found else {
            Issue.record("\(found)")
            return
        }
        #expect(x == 0 && y <= 1380 && y + 607.5 >= 1740)
    }

    @Test func `what hardly differs from its ground is not seen until it moves`() {
        let pictures = (0..<5).map { index in
            var picture = Picture((80, 80, 80))
            let left = 230 + 10 * index
            picture.paint(left..<(left + 40), 60..<120) { _, _ in (92, 92, 92) }
            return picture
        }
        #expect(choice([Picture](repeating: pictures[0], count: 5)) == .centre)
        guard case .corner(let x, _) = choice(pictures) else {
            Issue.record("\(choice(pictures))")
            return
        }
        #expect(x > 1200)
    }

    @Test func `a cut is no motion, and neither is what follows a picture that was not looked at`() {
        var before = Picture((80, 80, 80))
        before.paint(230..<290, 60..<120) { _, _ in (40, 40, 40) }
        // All grew brighter by 20, and the patch by 60.
        let cut = looks([before, Picture((100, 100, 100))])[1]
        #expect(cut.columns.allSatisfy { $0 == 0 })

        var meter = AttentionMeter(size: before.size)
        _ = meter.attention(to: before.pixels)
        let plain = Picture((80, 80, 80))
        var other = meter
        other.forget()
        let (moved, forgotten) = (meter.attention(to: plain.pixels), other.attention(to: plain.pixels))
        #expect(moved.columns.reduce(0, +) > 50)
        #expect(forgotten.columns.allSatisfy { $0 == 0 })
    }

    // MARK: What is not

    @Test(arguments: [UInt64](1...3)) func `noise is looked at in its middle`(seed: UInt64) {
        var chance = SceneNoise(seed: seed)
        let pictures = (0..<2).map { _ in
            var picture = Picture(Self.ground)
            picture.paint(0..<320, 0..<180) { _, _ in
                let bits = chance.next()
                return (UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8), UInt8(bits >> 56))
            }
            return picture
        }
        #expect(looks(pictures).allSatisfy { $0.columns.reduce(0, +) > 200 && $0.plainShare == 0 })
        #expect(choice(pictures) == .centre)
    }

    @Test func `a plain picture and a gradient show nothing`() {
        var gradient = Picture(Self.ground)
        gradient.paint(0..<320, 0..<180) { x, _ in
            let grey = UInt8(x * 255 / 319)
            return (grey, grey, grey)
        }
        for picture in [Picture((0, 0, 0)), Picture(Self.ground), gradient] {
            #expect(looks([picture])[0].columns.allSatisfy { $0 == 0 })
            #expect(looks([picture])[0].plainShare == 1)
            #expect(choice([picture]) == .centre)
        }
        #expect(SalientWindow(CropWindow(source: Self.source, output: Self.portrait)).choice(for: []) == .centre)
    }

    @Test func `what is in the middle is left there`() {
        var picture = Picture(Self.ground)
        picture.paintSquares(140..<200, 60..<120)
        #expect(choice([picture]) == .centre)
    }

    @Test func `a source of the clip's own shape leaves nothing to choose`() {
        #expect(choice([squaresLeft], output: PixelSize(width: 1920, height: 1080)) == .centre)
    }

    // MARK: Print

    @Test func `crisp things spread wider than the window are shown whole`() {
        var picture = squaresLeft
        picture.paintSquares(230..<290, 60..<120)
        #expect(choice([picture]) == .whole)
    }

    @Test func `soft things spread as wide are not`() {
        var picture = Picture(Self.ground)
        for left in [30, 240] { picture.paint(left..<(left + 50), 60..<120) { _, _ in (30, 30, 220) } }
        #expect(looks([picture])[0].crispShare == 0)
        #expect(choice([picture]) != .whole)
    }

    @Test func `most of the shot decides, and not its first picture`() {
        var right = Picture(Self.ground)
        right.paintSquares(230..<290, 60..<120)
        guard case .corner(let x, _) = choice([squaresLeft] + [Picture](repeating: right, count: 30)) else {
            Issue.record("not one window")
            return
        }
        #expect(x > 1200)
    }

    // MARK: In a framing

    @Test func `each shot without faces has one still window, and shots with faces follow them`() throws {
        let scene = Scene(
            seconds: 30, cuts: [10, 20], people: [Scene.Person { $0 < 20 ? nil : (1300, 450) }])
        var samples = scene.samples()
        let look = looks([squaresLeft])[0]
        for index in samples.indices where samples[index].time < 9.9 { samples[index].attention = look }
        let framing = scene.planner.framing(samples)
        #expect(framing.segments.map(\.range.start) == [0, 10, 20])
        #expect(framing.crops.map(\.path.keyframes.count) == [1, 1, 1])
        #expect(abs(try #require(framing.corner(at: 5)).x + 303.75 - 360) < 60)
        #expect(framing.corner(at: 15)?.x == 656.25)
        #expect(abs(try #require(framing.corner(at: 25)).x + 303.75 - 1300) < 20)
        #expect(framing.travelPixelsPerSecond == 0 && framing.reversalsPerSecond == 0)
    }

    @Test func `a slide is shown whole between two speakers`() {
        let scene = Scene(
            seconds: 30, cuts: [10, 20], people: [Scene.Person { (10..<20).contains($0) ? nil : (1300, 450) }])
        var slide = squaresLeft
        slide.paintSquares(230..<290, 60..<120)
        let look = looks([slide])[0]
        var samples = scene.samples()
        for index in samples.indices where samples[index].faces.isEmpty { samples[index].attention = look }
        #expect(scene.planner.framing(samples).segments.map(\.layout.kind) == [.crop, .fit, .crop])
    }
}
