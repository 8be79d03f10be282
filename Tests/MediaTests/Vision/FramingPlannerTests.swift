import ClipModel
import Foundation
import Media
import Testing

@Suite struct FramingPlannerTests {
    private typealias Person = Scene.Person

    @Test(arguments: [UInt64](1...10))
    func `a still speaker with a noisy detector gives one still window`(seed: UInt64) throws {
        let scene = Scene(people: [Person { (1300 + 25 * sin(1.3 * $0), 400 + 10 * sin(2 * $0)) }])
        let framing = scene.framing(seed: seed)
        #expect(framing.crops.map(\.path.keyframes.count) == [1])
        #expect(framing.faceInFrame == 1)
        #expect(framing.travelPixelsPerSecond == 0)
        #expect(framing.reversalsPerSecond == 0)
        let corner = try #require(framing.corner(at: 10))
        #expect(abs(corner.x + 607.5 / 2 - 1300) < 20)
        #expect(corner.y == 0)
    }

    @Test func `a walker is kept in the window with few keyframes`() {
        // To the right for 8 s, stands 5 s, back again: one change of direction is the truth.
        let scene = Scene(
            seconds: 21,
            people: [
                Person { time in (time < 8 ? 200 + 180 * time : time < 13 ? 1640 : 1640 - 180 * (time - 13), 500) }
            ])
        let framing = scene.framing()
        #expect((framing.faceInFrame ?? 0) >= 0.98)
        #expect(framing.reversalsPerSecond <= 1.0 / 21 + 0.001)
        #expect(framing.crops.reduce(0) { $0 + $1.path.keyframes.count } <= 2 * 21)
    }

    @Test func `a cut to another person moves the window at once, not along a line`() throws {
        let scene = Scene(
            cuts: [5, 10, 15], people: [Person { (Int($0 / 5) % 2 == 0 ? 500 : 1500, 450) }])
        let framing = scene.framing()
        #expect(framing.segments.map(\.range.start) == [0, 5, 10, 15])
        #expect(framing.crops.allSatisfy { $0.path.keyframes.count == 1 })
        #expect(framing.faceInFrame == 1)
        #expect(framing.travelPixelsPerSecond == 0)
        let (before, after) = (try #require(framing.corner(at: 4.999)), try #require(framing.corner(at: 5)))
        #expect(abs(before.x + 303.75 - 500) < 20)
        #expect(abs(after.x + 303.75 - 1500) < 20)
    }

    @Test func `a face that is lost for two seconds is waited for`() {
        let scene = Scene(people: [Person { time in (6..<8).contains(time) ? nil : (600 + 10 * sin(time), 450) }])
        let framing = scene.framing()
        #expect(framing.crops.map(\.path.keyframes.count) == [1])
        #expect(framing.faceInFrame == 1)
    }

    @Test func `two faces that fit are framed together`() throws {
        let scene = Scene(people: [Person { _ in (900, 500) }, Person(size: 180) { _ in (1200, 520) }])
        let corner = try #require(scene.framing().corner(at: 3))
        #expect(corner.x < 900 - 90 && corner.x + 607.5 > 1200 + 70)
    }

    @Test func `of two faces too far apart the larger is followed, and not the other`() throws {
        let scene = Scene(people: [Person { _ in (400, 500) }, Person(size: 150) { _ in (1500, 520) }])
        let framing = scene.framing()
        #expect(abs(try #require(framing.corner(at: 3)).x + 303.75 - 400) < 20)
        #expect(framing.travelPixelsPerSecond == 0)
        #expect(Set(framing.faces.map(\.track)) == [0, 1])
    }

    @Test func `a passer-by does not draw the camera`() {
        let scene = Scene(
            people: [
                Person { _ in (600, 500) },
                Person(size: 60) { time in (4..<12).contains(time) ? (100 + 200 * (time - 4), 600) : nil },
            ])
        let framing = scene.framing()
        #expect(framing.crops.map(\.path.keyframes.count) == [1])
    }

    @Test func `a small face in the background does not stand in for a speaker who looks away`() {
        let scene = Scene(
            people: [
                Person { time in (6..<7.5).contains(time) ? nil : (600, 500) }, Person(size: 70) { _ in (1500, 300) },
            ])
        #expect(scene.framing().crops.map(\.path.keyframes.count) == [1])
    }

    @Test func `a group spread wide is shown whole`() {
        let scene = Scene(people: [300.0, 900, 1600].map { x in Person { _ in (x, 500) } })
        #expect(scene.framing().segments.map(\.layout) == [.fit])
        #expect(scene.framing().faceInFrame == 1)
    }

    @Test func `without a face the window rests in the centre, and shots that show the same are joined`() {
        let framing = Scene(cuts: [4, 9], people: []).framing()
        #expect(framing.segments.count == 1)
        #expect(framing.corner(at: 7)?.x == (1920 - 607.5) / 2)
        #expect(framing.faceInFrame == nil)
    }

    @Test(arguments: [
        (PixelSize(width: 2560, height: 720), false, "very wide, and nobody to centre on"),
        (PixelSize(width: 100, height: 100), true, "too small to be enlarged"),
        (PixelSize(width: 4000, height: 400), true, "a banner"),
    ])
    func `the whole picture is shown where a crop makes no sense`(source: PixelSize, hasFace: Bool, why: String) {
        let people = hasFace ? [Person(size: 50) { _ in (50, 50) }] : []
        #expect(Scene(source: source, people: people).framing().segments.map(\.layout) == [.fit], "\(why)")
    }

    @Test func `a portrait source of the same shape is shown whole`() {
        let scene = Scene(source: PixelSize(width: 720, height: 1280), people: [Person { _ in (300, 400) }])
        let crop = scene.framing().crops[0].path
        #expect(crop == CropPath(width: 720, height: 1280, keyframes: [.init(time: 0, x: 0, y: 0)]))
    }

    @Test func `a portrait source in a landscape clip has the eyes at two fifths from the top`() throws {
        let scene = Scene(
            source: PixelSize(width: 1080, height: 1920), output: PixelSize(width: 1920, height: 1080),
            people: [Person { _ in (540, 700) }])
        let framing = scene.framing()
        let path = framing.crops[0].path
        #expect(path.width == 1080 && path.height == 607.5)
        let eyes = 700 - 0.1 * 220
        #expect(abs((eyes - path.keyframes[0].y) / path.height - 0.4) < 0.03)
    }

    @Test func `without smart crop the centre is shown`() {
        let framing = Scene(people: []).planner.centred()
        #expect(framing.segments.map(\.range) == [TimeRange(start: 0, end: 20)])
        #expect(framing.crops[0].path.keyframes == [.init(time: 0, x: 656.25, y: 0)])
        let cinema = Scene(source: PixelSize(width: 2560, height: 1070), people: []).planner.centred()
        #expect(cinema.crops.count == 1)
    }

    @Test func `a file that ends before its clip still has a framing to the end`() {
        let scene = Scene(cuts: [12], people: [Person { _ in (700, 500) }])
        let framing = scene.planner.framing(Array(scene.samples().prefix(30)))
        #expect(framing.segments.map(\.range.end) == [12, 20])
        #expect(scene.planner.framing([]).segments.last?.range.end == 20)
    }

    @Test func `cuts outside of the clip and flashes are no shots`() {
        let scene = Scene(
            cuts: [-3, 0.1, 5, 5.1, 5.2, 5.3, 19.9, 40], people: [Person { ($0 < 5 ? 500 : 1300, 500) }])
        #expect(scene.framing().segments.map(\.range.start) == [0, 5])
    }

    @Test func `a long clip of a crowd is told in a small document`() throws {
        let crowd = (0..<20).map { index in Person(size: 60) { _ in (90 * Double(index) + 60, 500) } }
        let framing = Scene(seconds: 180, cuts: (1..<90).map { Double($0) * 2 }, people: crowd).framing()
        #expect((1000...1500).contains(framing.faces.count))
        #expect(Set(framing.faces.map(\.track)).count > 1000 / 20)
        #expect(try JSONEncoder().encode(framing).count < StageResult.bodyBytesMax)
    }

    @Test(arguments: [UInt64](1...25))
    func `any scene: segments cover the clip, windows stay inside, times rise, and the faces stay in`(seed: UInt64) {
        var chance = SceneNoise(seed: seed)
        let people = (0..<Int.random(in: 1...3, using: &chance)).map { _ in
            let (x, y) = (Double.random(in: 200...1700, using: &chance), Double.random(in: 200...800, using: &chance))
            let (sway, pace) = (
                Double.random(in: 0...300, using: &chance), Double.random(in: 0.1...0.8, using: &chance)
            )
            let (leaves, back) = (Double.random(in: 0...20, using: &chance), Double.random(in: 0...20, using: &chance))
            return Person(size: .random(in: 60...400, using: &chance)) { time in
                (min(leaves, back)..<max(leaves, back)).contains(time) && sway < 100
                    ? nil : (min(1850, max(70, x + sway * sin(pace * time))), y)
            }
        }
        let cuts = (0..<Int.random(in: 0...6, using: &chance)).map { _ in Double.random(in: 0...20, using: &chance) }
        let scene = Scene(cuts: cuts, people: people)
        let framing = scene.framing(seed: seed)

        #expect(framing.segments.first?.range.start == 0 && framing.segments.last?.range.end == 20)
        for (left, right) in zip(framing.segments, framing.segments.dropFirst()) {
            #expect(left.range.end == right.range.start)
        }
        for (range, path) in framing.crops {
            #expect(zip(path.keyframes, path.keyframes.dropFirst()).allSatisfy { $0.time < $1.time })
            #expect(path.keyframes.allSatisfy { $0.time >= 0 && $0.time <= range.end })
            #expect(path.keyframes.allSatisfy { $0.x >= 0 && $0.x + path.width <= 1920.001 && $0.y == 0 })
        }
        #expect((framing.faceInFrame ?? 1) >= 0.98)
        #expect(framing == scene.framing(seed: seed))
    }
}
