import ClipModel
import Foundation
import Media
import Testing

/// Who speaks when, over all shots of a clip: one number is one person, or there is none.
@Suite struct SpeakerIdentityTests {
    private static let step = 0.2

    private struct Face {
        /// Its middle.
        var x: Double
        var size = 220.0
        var speaks: Bool
    }

    /// - Parameter faces: What is seen at a time.
    private func framing(_ seconds: Double, cuts: [Double] = [], _ faces: (Double) -> [Face]) -> Framing {
        let samples = (0..<Int((seconds / Self.step).rounded())).map { index in
            let time = Double(index) * Self.step
            // A little later, so that sums of fifths do not decide on which side of a change a sample is.
            let seen = faces(time + 0.01).map { face in
                DetectedFace(
                    x: face.x - face.size / 2, y: 300, width: face.size, height: 1.3 * face.size, confidence: 0.9,
                    eyeLine: 400,
                    mouth: [MouthMotion](
                        repeating: MouthMotion(mouth: face.speaks ? 0.25 : 0.05, upper: face.speaks ? 0.10 : 0.06),
                        count: 3))
            }
            return FaceSample(time: time, faces: seen)
        }
        let speech = SpeechEvidence(
            levels: [Double](repeating: -24, count: Int(seconds.rounded(.up))), stepSeconds: 1, silences: [])
        return FramingPlanner(
            source: PixelSize(width: 1920, height: 1080), output: PixelSize(width: 1080, height: 1920),
            clip: TimeRange(start: 0, end: seconds), cuts: cuts, stepSeconds: Self.step
        ).framing(samples, speech: speech)
    }

    private func speakers(_ framing: Framing) -> [Int]? { framing.turns.map { $0.map(\.speaker) } }

    @Test func `two in one shot are numbered as they begin to speak, and their turns have times of the clip`() throws {
        let framing = framing(20) { time in
            [Face(x: 500, speaks: time >= 12), Face(x: 1400, speaks: time < 12)]
        }
        let turns = try #require(framing.turns)
        #expect(turns.map(\.speaker) == [1, 2])
        #expect(turns[0].range.start == 0 && turns[1].range.end == 20)
        #expect(abs(turns[0].range.end - 12) <= 0.41 && abs(turns[1].range.start - 12) <= 0.41)
        #expect(try JSONDecoder().decode(Framing.self, from: JSONEncoder().encode(framing)).turns == turns)
    }

    @Test func `after a jump cut both are who they were`() {
        // The second take is a little closer, and they lean.
        let framing = framing(12, cuts: [6]) { time in
            let isSecond = (3..<9).contains(time)
            let (lean, size) = time < 6 ? (0.0, 220.0) : (40, 230)
            return [
                Face(x: 500 + lean, size: size, speaks: !isSecond), Face(x: 1400 + lean, size: size, speaks: isSecond),
            ]
        }
        #expect(speakers(framing) == [1, 2, 2, 1])
    }

    @Test func `the camera that comes back after a close-up finds the same people, and the close-up is nobody's`() {
        let framing = framing(16, cuts: [6, 10]) { time in
            if (6..<10).contains(time) { return [Face(x: 960, size: 400, speaks: true)] }
            let isFirst = time < 3 || time >= 13
            return [Face(x: 500, speaks: isFirst), Face(x: 1400, speaks: !isFirst)]
        }
        #expect(speakers(framing) == [1, 2, 2, 1])
        #expect(framing.turns?.allSatisfy { $0.range.end <= 6 || $0.range.start >= 10 } == true)
    }

    /// Two others in another place, one where the first was and a stranger, and the same places from much nearer.
    @Test(arguments: [[700.0, 1700, 220], [500, 1000, 220], [500, 1400, 300]])
    func `who cannot be told from those before gets no number`(second: [Double]) {
        let framing = framing(14, cuts: [8]) { time in
            let isLeft = time < 4 || (8..<11).contains(time)
            let places = time < 8 ? [500, 1400, 220] : second
            return [
                Face(x: places[0], size: places[2], speaks: isLeft),
                Face(x: places[1], size: places[2], speaks: !isLeft),
            ]
        }
        #expect(speakers(framing) == [1, 2])
        #expect(framing.turns?.allSatisfy { $0.range.end <= 8 } == true)
    }

    @Test func `a third who joins two that are known is the third`() {
        let framing = framing(12, cuts: [6]) { time in
            let pair = [
                Face(x: 500, speaks: time < 3 || time >= 9), Face(x: 1400, speaks: (3..<6).contains(time)),
            ]
            return time < 6 ? pair : pair + [Face(x: 960, speaks: (6..<9).contains(time))]
        }
        #expect(speakers(framing) == [1, 2, 3, 1])
    }

    @Test func `who was away for long and is where he was is the same`() {
        let framing = framing(24) { time in
            let other = Face(x: 1400, speaks: (8..<14).contains(time))
            return (8..<14).contains(time) ? [other] : [Face(x: 500, speaks: true), other]
        }
        #expect(speakers(framing) == [1, 2, 1])
    }

    @Test func `one person in two places of a dissolve is not two`() {
        let framing = framing(12) { time in
            let (before, after) = (Face(x: 500, speaks: true), Face(x: 1400, speaks: true))
            return (time < 6 ? [before] : []) + (time >= 5.6 ? [after] : [])
        }
        #expect(framing.turns == nil)
    }

    @Test func `without two who speak nobody is told apart`() {
        #expect(framing(10) { _ in [Face(x: 900, speaks: true)] }.turns == nil)
        #expect(framing(10) { _ in [Face(x: 500, speaks: true), Face(x: 1400, speaks: false)] }.turns == nil)
        #expect(framing(10) { _ in [] }.turns == nil)
    }
}
