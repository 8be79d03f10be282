import ClipModel
import Foundation
import Media
import Testing

/// Two eyes in a plain face, drawn as what the measure must tell apart: an iris in the white of an eye below lashes, or
/// the line of closed lids.
struct DrawnEyes: Sendable {
    var middle = SIMD2(100.0, 100.0)
    /// Between the eyes.
    var distance = 40.0
    var tilt = 0.0
    var areOpen = true
    var haveGlasses = false

    var eyes: DetectedFace.Eyes {
        let half = SIMD2(cos(tilt), sin(tilt)) * (distance / 2)
        return DetectedFace.Eyes(right: middle - half, left: middle + half)
    }

    var face: DetectedFace {
        DetectedFace(
            x: middle.x - distance, y: middle.y - distance, width: 2 * distance, height: 2.5 * distance,
            confidence: 0.9, eyeLine: middle.y, eyes: eyes)
    }

    /// A picture with these eyes, on skin of one brightness.
    static func picture(_ size: PixelSize, skin: Double = 120, _ drawn: [DrawnEyes]) -> [UInt8] {
        var pixels: [UInt8] = []
        for row in 0..<size.height {
            for column in 0..<size.width {
                let shades = drawn.compactMap { $0.shade(at: SIMD2(Double(column), Double(row))) }
                let value = UInt8(min(255, skin * (shades.last ?? 1)))
                pixels += [value, value, value]
            }
        }
        return pixels
    }

    /// Against the skin; nil where there is nothing else.
    private func shade(at place: SIMD2<Double>) -> Double? {
        var shade: Double?
        for eye in [eyes.right, eyes.left] {
            let off = (place - eye) / distance
            let (x, y) = (off.x * cos(tilt) + off.y * sin(tilt), off.y * cos(tilt) - off.x * sin(tilt))
            let lids = (x / 0.24) * (x / 0.24) + (y / 0.08) * (y / 0.08)
            if areOpen {
                if lids < 1 { shade = x * x + y * y < 0.085 * 0.085 ? 0.3 : 1.15 }
                if abs(lids - 1) < 0.25, y < 0 { shade = 0.4 }
            } else if abs(x) < 0.22, abs(y - 0.02) < 0.015 {
                shade = 0.35
            }
            let frame = ((x / 0.3) * (x / 0.3) + (y / 0.22) * (y / 0.22)).squareRoot()
            if haveGlasses, abs(frame - 1) < 0.06 { shade = 0.2 }
        }
        return shade
    }
}

@Suite struct EyeMeterTests {
    private let size = PixelSize(width: 200, height: 200)

    private func openness(_ drawn: DrawnEyes, skin: Double = 120) -> EyeOpenness {
        EyeOpenness(DrawnEyes.picture(size, skin: skin, [drawn]), size: size, eyes: drawn.eyes)
    }

    @Test(arguments: [30, 60, 110.0], [45, 120, 210.0])
    func `open eyes measure much more than closed ones, at any size and on any skin`(
        distance: Double, skin: Double
    ) throws {
        for (tilt, haveGlasses) in [(0, false), (0.35, false), (-0.35, true)] {
            var drawn = DrawnEyes(distance: distance, tilt: tilt, haveGlasses: haveGlasses)
            let open = openness(drawn, skin: skin)
            drawn.areOpen = false
            let closed = openness(drawn, skin: skin)
            for eye in [\EyeOpenness.right, \.left] {
                let (seen, hidden) = (try #require(open[keyPath: eye]), try #require(closed[keyPath: eye]))
                #expect(seen > 0.35, "\(drawn)")
                #expect(hidden < 0.1, "\(drawn)")
            }
        }
    }

    @Test func `eyes that are too small or at the edge are not judged`() {
        #expect(openness(DrawnEyes(distance: 20)) == EyeOpenness(right: nil, left: nil))
        let cut = openness(DrawnEyes(middle: SIMD2(25, 100)))
        #expect(cut.right == nil)
        #expect(cut.left != nil)
        let outside = DetectedFace.Eyes(right: SIMD2(-90, 100), left: SIMD2(-40, 100))
        let nothing = EyeOpenness(DrawnEyes.picture(size, []), size: size, eyes: outside)
        #expect(nothing == EyeOpenness(right: nil, left: nil))
    }

    @Test func `closed is who is clearly less open than otherwise, by both eyes together`() {
        func both(_ value: Double) -> EyeOpenness { EyeOpenness(right: value, left: value) }
        let usual = [both(0.3), both(0.28), both(0.05)]
        #expect(both(0.1).isClosed(otherwise: usual) == true)
        #expect(both(0.2).isClosed(otherwise: usual) == false, "half closed is a look")
        #expect(EyeOpenness(right: 0.05, left: 0.3).isClosed(otherwise: usual) == false, "a wink")
        #expect(EyeOpenness(right: 0.1, left: nil).isClosed(otherwise: usual) == true)
        // Narrow eyes are held against themselves.
        #expect(both(0.13).isClosed(otherwise: [both(0.14), both(0.15), both(0.13)]) == false)
    }

    @Test func `what cannot be told is not called closed`() {
        let open = EyeOpenness(right: 0.3, left: 0.3)
        let closed = EyeOpenness(right: 0.01, left: 0.02)
        #expect(closed.isClosed(otherwise: []) == nil)
        #expect(closed.isClosed(otherwise: [open]) == nil, "one picture is not how somebody looks otherwise")
        #expect(closed.isClosed(otherwise: [closed, closed, closed]) == nil, "sunglasses")
        #expect(EyeOpenness(right: nil, left: nil).isClosed(otherwise: [open, open]) == nil)
        let halves = [EyeOpenness(right: 0.3, left: nil), EyeOpenness(right: nil, left: 0.3)]
        #expect(closed.isClosed(otherwise: halves) == nil)
    }
}

@Suite struct FrameLooksTests {
    private let size = PixelSize(width: 400, height: 200)

    /// The share of closed eyes of one candidate: for each face and picture whether its eyes are open.
    private func closedEyes(
        _ faces: [(drawn: DrawnEyes, areOpen: [Bool])], lostAfter: Int = 4, skin: [Double] = [120, 120, 120, 120]
    ) -> Double {
        var looks = FrameLooks(size: size, picturesEach: 4)
        for picture in 0..<4 {
            let drawn = faces.map { face in
                var drawn = face.drawn
                drawn.areOpen = face.areOpen[picture]
                return drawn
            }
            let found = picture < lostAfter ? drawn.map(\.face) : []
            looks.add(DrawnEyes.picture(size, skin: skin[picture], drawn), faces: found)
        }
        return looks.finished()[0].closedEyes
    }

    private let left = DrawnEyes(middle: SIMD2(110, 100))
    private let right = DrawnEyes(middle: SIMD2(290, 100))

    @Test func `a blink in the candidate's own picture counts, one in those after it does not`() {
        #expect(closedEyes([(left, [false, true, true, true])]) == 1)
        #expect(closedEyes([(left, [true, true, true, true])]) == 0)
        #expect(closedEyes([(left, [true, false, true, true])]) == 0)
    }

    @Test func `of two faces each is held against itself`() {
        let (blinks, looks) = ([false, true, true, true], [true, true, true, true])
        #expect(closedEyes([(left, blinks), (right, looks)]) == 0.5)
        #expect(closedEyes([(left, blinks), (right, blinks)]) == 1)
    }

    @Test func `who is in the background may blink`() {
        let small = DrawnEyes(middle: SIMD2(290, 100), distance: 26)
        let (blinks, looks) = ([false, true, true, true], [true, true, true, true])
        #expect(closedEyes([(DrawnEyes(middle: SIMD2(110, 100), distance: 50), looks), (small, blinks)]) == 0)
        #expect(closedEyes([(small, blinks)]) == 1)
    }

    @Test func `a face that is lost, or asleep, is not told from one that looks`() {
        #expect(closedEyes([(left, [false, true, true, true])], lostAfter: 1) == 0)
        #expect(closedEyes([(left, [false, false, false, false])]) == 0)
    }

    @Test func `who stands at the same place after a cut is somebody else`() {
        let blinks = [false, true, true, true]
        #expect(closedEyes([(left, blinks)], skin: [120, 220, 120, 120]) == 0, "nor is who comes back trusted")
        #expect(closedEyes([(left, blinks)], skin: [120, 130, 140, 130]) == 1, "a lamp is no cut")
    }

    @Test func `there is a look for each candidate, with or without faces`() {
        var looks = FrameLooks(size: size, picturesEach: 4)
        let (open, closed) = (left, DrawnEyes(middle: left.middle, areOpen: false))
        for areOpen in [false, true, true, true, true, true, true, true] {
            let drawn = areOpen ? open : closed
            looks.add(DrawnEyes.picture(size, [drawn]), faces: [drawn.face])
        }
        let found = looks.finished()
        #expect(found.map(\.closedEyes) == [1, 0])
        var alone = FrameLooks(size: size, picturesEach: 1)
        let picture = DrawnEyes.picture(size, [open])
        for _ in 0..<3 { alone.add(picture, faces: []) }
        let faceless = alone.finished()
        #expect(faceless == [FrameLook](repeating: FrameLook(pixels: picture, size: size), count: 3))
        #expect(faceless[0].sharpness == found[1].sharpness)
    }
}

/// The real model, and somebody who blinks: `TIJERA_FACE_MODEL` and `TIJERA_FIXTURES`, as for the detector.
private let faceModel = ProcessInfo.processInfo.environment["TIJERA_FACE_MODEL"]
private let fixtures = ProcessInfo.processInfo.environment["TIJERA_FIXTURES"]

@Suite(.enabled(if: faceModel != nil && fixtures != nil, "set TIJERA_FACE_MODEL and TIJERA_FIXTURES"))
struct BlinkTests {
    @Test func `a real blink is told from the looks before and after it`() async throws {
        let size = PixelSize(width: 640, height: 360)
        let sampler = FrameSampler(
            path: "\(fixtures ?? "")/single_face.mp4", stream: "v:0", range: TimeRange(start: 0, end: 2.4),
            framesPerSecond: 30, size: size, threads: 1)
        var pictures: [[UInt8]] = []
        try await sampler.frames(Toolbox(MediaConfiguration())) { pixels, _ throws(MediaError) in
            pictures.append(pixels)
        }
        try #require(pictures.count > 36 + 27)
        let detector = try FaceDetector(modelPath: faceModel ?? "")
        var looks = FrameLooks(size: size, picturesEach: 4)
        // Seen by eye: closed from 26 to 28, open before 24 and after 34. Each with those of the second after it.
        for own in [10, 20, 27, 36] {
            for step in [0, 9, 18, 27] {
                let pixels = pictures[own + step]
                looks.add(pixels, faces: try detector.faces(in: pixels, size: size))
            }
        }
        let found = looks.finished().map(\.closedEyes)
        #expect(found == [0, 0, 1, 0])
    }
}
