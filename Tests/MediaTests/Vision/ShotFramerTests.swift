import ClipModel
import Foundation
import Media
import Testing

/// Which layout a shot gets, from people at known places.
@Suite struct ShotFramerTests {
    private typealias Person = Scene.Person

    private func layouts(_ scene: Scene) -> [Framing.Segment.Layout.Kind] {
        scene.framing().segments.map(\.layout.kind)
    }

    /// The segments of a scene of one shot in which it is known who speaks.
    private func segments(_ scene: Scene, turns: [ShotCast.Turn]) -> [Framing.Segment] {
        let samples = scene.samples()
        var tracker = FaceTracker(stepSeconds: Scene.stepSeconds)
        for sample in samples { tracker.observed(sample.faces) }
        let cast = ShotCast(
            tracks: tracker.finish(), samples: 0..<samples.count, stepSeconds: Scene.stepSeconds, source: scene.source)
        return ShotFramer(
            cast, turns: turns, times: samples.map(\.time),
            window: CropWindow(source: scene.source, output: scene.output), output: scene.output,
            stepSeconds: Scene.stepSeconds
        ).segments(over: TimeRange(start: 0, end: scene.seconds))
    }

    private var pair: Scene { Scene(people: [Person { _ in (400, 500) }, Person { _ in (1500, 520) }]) }

    /// Two in turn, each for so many samples.
    private func turns(_ each: Int, count: Int = 100) -> [ShotCast.Turn] {
        stride(from: 0, to: count, by: each).map { start in
            ShotCast.Turn(member: start / each % 2, samples: start..<min(count, start + each - 1))
        }
    }

    // MARK: One

    @Test func `a close-up is shown wider than the clip, over bars, and not cut off at the ears`() throws {
        let framing = Scene(people: [Person(size: 700) { (960 + 20 * sin($0), 540) }]).framing()
        guard case .padded(let path) = framing.segments[0].layout else { throw Missing() }
        let face = 700 * 0.75
        #expect((0.5...0.66).contains(face / path.width))
        #expect(path.keyframes.count == 1)
        #expect(framing.faceInFrame == 1)
    }

    @Test func `a face of usual size is not made smaller than it need be`() {
        #expect(layouts(Scene(people: [Person(size: 380) { _ in (960, 540) }])) == [.crop])
    }

    /// The window is 607 pixels wide. In the middle of somebody at 700 it would end at 1004, in another's face.
    @Test(arguments: [1000.0, 985, 1022])
    func `a window does not cut the face of somebody else in two`(other: Double) throws {
        let people = [Person(size: 330) { _ in (700, 540) }, Person(size: 80) { _ in (other, 560) }]
        let framing = Scene(people: people).framing()
        guard framing.segments.count == 1, case .crop(let path) = framing.segments[0].layout else { throw Missing() }
        let face = (low: other - 30, high: other + 30)
        for time in stride(from: 0.0, to: 20, by: 0.5) {
            let left = path.corner(at: time).x
            let right = left + path.width
            #expect(face.high <= right || face.low >= right, "at \(time) s the window ends at \(right)")
            #expect(left < 700 - 124 && right > 700 + 124)
        }
        // To the nearer side: in it, unless more than half of it was out.
        #expect((path.corner(at: 10).x + path.width > other) == (other < 1004))
    }

    @Test func `whom a window cannot but cut does not move it away from whom it follows`() throws {
        let people = [Person(size: 450) { _ in (700, 540) }, Person(size: 130) { _ in (1000, 560) }]
        let framing = Scene(people: people).framing()
        guard case .crop(let path) = framing.segments[0].layout else { throw Missing() }
        #expect(abs(path.corner(at: 10).x + path.width / 2 - 700) < 10)
    }

    @Test func `who paces up and down is shown by a wider window that rests`() {
        let framing = Scene(seconds: 30, people: [Person { (960 + 450 * sin(0.6 * $0), 500) }]).framing()
        #expect(framing.segments.map(\.layout.kind) == [.padded])
        #expect(framing.reversalsPerSecond <= 0.1)
        #expect(framing.faceInFrame == 1)
        let hall = Scene(seconds: 30, people: [Person { (960 + 760 * sin(0.9 * $0), 500) }]).framing()
        #expect(hall.segments.map(\.layout) == [.fit], "where even that is too narrow, all is shown")
    }

    // MARK: Several

    @Test func `a group too wide for the clip, and not for a wider window, is shown in one`() throws {
        let framing = Scene(people: [500.0, 900, 1200].map { x in Person { _ in (x, 500) } }).framing()
        guard case .padded(let path) = framing.segments[0].layout else { throw Missing() }
        #expect(path.keyframes[0].x < 500 - 83 && path.keyframes[0].x + path.width > 1200 + 83)
        #expect(path.width < 1920 * 0.6)
    }

    @Test func `another main face far away is reached by a leap`() throws {
        let framing = Scene(people: [Person { $0 < 9 ? (400, 500) : nil }, Person { $0 > 9.5 ? (1500, 500) : nil }])
            .framing()
        #expect(framing.segments.map(\.layout.kind) == [.crop, .crop])
        #expect(framing.travelPixelsPerSecond == 0)
        #expect(abs(framing.segments[1].range.start - 9.6) < 0.11)
        let after = try #require(framing.corner(at: 9.7))
        #expect(after.x < 1500 - 83 && after.x + 607 > 1500 + 83)
        #expect(framing.leads?.map(\.track) == [0, 1])
    }

    @Test func `another main face near by is reached by going there`() {
        let framing = Scene(people: [Person { $0 < 9 ? (800, 500) : nil }, Person { $0 > 9.5 ? (1090, 500) : nil }])
            .framing()
        #expect(framing.segments.count == 1)
        #expect((framing.faceInFrame ?? 0) >= 0.98)
    }

    // MARK: Two in turn

    @Test func `two who take quick turns are shown above each other, the left one first`() throws {
        let segments = segments(pair, turns: turns(10))
        #expect(segments.map(\.range) == [TimeRange(start: 0, end: 20)])
        guard case .split(let upper, let lower) = segments[0].layout else { throw Missing() }
        for (path, middle) in [(upper, 400.0), (lower, 1500)] {
            #expect(abs(path.width / path.height - 1.125) < 0.001, "the shape of half the clip")
            #expect(path.keyframes[0].x < middle - 83 && path.keyframes[0].x + path.width > middle + 83)
        }
        #expect(upper.keyframes[0].x + upper.width < 1500 - 83, "nobody is seen twice")
        #expect(lower.keyframes[0].x > 400 + 83)
    }

    @Test func `long turns are followed and not split`() {
        #expect(!segments(pair, turns: turns(30)).contains { $0.layout.kind == .split })
    }

    @Test func `a split ends with the exchange`() {
        let segments = segments(pair, turns: turns(8, count: 48))
        #expect(segments.map(\.layout.kind) == [.split, .crop])
        #expect(abs(segments[0].range.end - 9.4) < 0.3)
        #expect(segments[1].range == TimeRange(start: segments[0].range.end, end: 20))
    }

    @Test func `where a split does not work out, its own samples say how wide all must be shown`() {
        // The other one comes late and leaves for the far end when the exchange is over. With the first samples, which
        // are too few to be shown by themselves, both are seen in less than half of it.
        @Sendable func other(_ time: Double) -> (x: Double, y: Double)? {
            guard time > 4.7 else { return nil }
            let x: Double = 800 + 300 * (time - 10)
            return (x: min(1780, max(800, x)), y: 520)
        }
        let scene = Scene(people: [Person { _ in (100, 500) }, Person(size: 150, place: other)])
        let turns = [(0, 7..<16), (1, 17..<26), (0, 27..<36), (1, 37..<47)].map {
            ShotCast.Turn(member: $0.0, samples: $0.1)
        }
        let segments = segments(scene, turns: turns)
        #expect(segments.map(\.layout.kind) == [.padded, .crop])
        #expect(segments[0].range.start == 0 && abs(segments[0].range.end - 9.4) < 0.001)
    }

    @Test func `two who fit into one window need no split`() {
        let near = Scene(people: [Person { _ in (900, 500) }, Person(size: 180) { _ in (1200, 520) }])
        #expect(segments(near, turns: turns(10)).map(\.layout.kind) == [.crop])
    }

    @Test func `a clip that is wide has no room for two above each other`() {
        var wide = pair
        wide.source = PixelSize(width: 1920, height: 800)
        wide.output = PixelSize(width: 1920, height: 1080)
        #expect(!segments(wide, turns: turns(10)).contains { $0.layout.kind == .split })
    }

    @Test(arguments: [UInt64](1...30))
    func `whatever the turns, segments cover the shot in order`(seed: UInt64) {
        var chance = SceneNoise(seed: seed)
        var (turns, sample) = ([ShotCast.Turn](), 0)
        while sample < 95 {
            let end = min(100, sample + .random(in: 1...25, using: &chance))
            turns.append(ShotCast.Turn(member: .random(in: 0...1, using: &chance), samples: sample..<end))
            sample = end + .random(in: 0...8, using: &chance)
        }
        let segments = segments(pair, turns: turns)
        #expect(segments.first?.range.start == 0 && segments.last?.range.end == 20)
        #expect(zip(segments, segments.dropFirst()).allSatisfy { $0.range.end == $1.range.start })
        #expect(segments.allSatisfy { $0.range.duration >= 1.4 }, "\(segments.map(\.range))")
    }

    private struct Missing: Error {}
}

@Suite struct InsetFinderTests {
    private typealias Person = Scene.Person

    @Test func `a small steady face in a corner is shown below the whole screen`() throws {
        let scene = Scene(
            cuts: [7, 13], people: [Person(size: 90) { (1780 + 10 * sin($0), 960 + 5 * sin(2 * $0)) }])
        let framing = scene.framing()
        #expect(framing.segments.count == 1, "what is cut on the screen is no reason to change")
        guard case .inset(let screen, let face) = framing.segments[0].layout else { throw Missing() }
        #expect(screen.width == 1920 && screen.height == 1080)
        #expect(face.keyframes[0].x < 1780 - 40 && face.keyframes[0].x + face.width > 1780 + 40)
        #expect(face.keyframes[0].y >= 0 && face.keyframes[0].y + face.height <= 1080)
        #expect(framing.faceInFrame == 1)
    }

    private func scene(of other: String) -> Scene {
        let inset = Person(size: 90) { _ in (1780, 960) }
        return switch other {
        case "in the middle": Scene(people: [Person(size: 90) { _ in (960, 540) }])
        case "large": Scene(people: [Person(size: 300) { _ in (1700, 900) }])
        case "on its way": Scene(people: [Person(size: 90) { (1800 - 12 * $0, 960) }])
        case "seldom": Scene(people: [Person(size: 90) { $0 < 8 ? (1780, 960) : nil }])
        case "beside a guest": Scene(people: [inset, Person(size: 300) { _ in (700, 500) }])
        default: Scene(output: PixelSize(width: 1920, height: 1080), people: [inset])
        }
    }

    @Test(arguments: ["in the middle", "large", "on its way", "seldom", "beside a guest", "in a wide clip"])
    func `another face is not taken for one`(other: String) {
        #expect(!scene(of: other).framing().segments.contains { $0.layout.kind == .inset })
    }

    private struct Missing: Error {}
}
