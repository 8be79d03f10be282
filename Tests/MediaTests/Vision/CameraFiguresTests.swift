import Foundation
import Media
import Testing

/// What a camera is judged by, on people whose true place is known. The bounds are those of the quality gate.
@Suite struct CameraFiguresTests {
    struct Subject: Sendable, CustomStringConvertible {
        var description: String
        /// Of the way travelled, in pixels a second of a clip 1080 wide.
        var travelMax: Double
        /// The middle of the face at a time, in a source 1920 wide.
        var place: @Sendable (Double) -> Double
        /// Standard deviation of the detector's error, in pixels.
        var noise = 8.0
        /// Share of the samples in which the detector is wrong by up to 250 pixels.
        var wrongShare = 0.0
        /// Share of the samples in which it sees nothing.
        var blindShare = 0.0
    }

    static let subjects = [
        Subject(description: "a still speaker", travelMax: 0) { _ in 1000 },
        Subject(description: "a still speaker, seen badly", travelMax: 0, place: { _ in 1000 }, noise: 25),
        Subject(description: "a still speaker and wrong boxes", travelMax: 0, place: { _ in 1000 }, wrongShare: 0.04),
        Subject(description: "a speaker who sways", travelMax: 5) { 1000 + 60 * sin(1.3 * $0) + 30 * sin(0.31 * $0) },
        Subject(description: "a speaker who fidgets", travelMax: 10) { 960 + 130 * sin(0.9 * $0) * sin(0.23 * $0) },
        Subject(
            description: "a speaker lost now and then", travelMax: 40, place: { 960 + 200 * sin(0.3 * $0) },
            blindShare: 0.4),
        Subject(description: "a walker", travelMax: 140) { time in
            time < 8 ? 250 + 150 * time : time < 15 ? 1450 : max(300, 1450 - 120 * (time - 15))
        },
    ]

    private static let (window, source, step, face) = (607.5, 1920.0, 0.2, 165.0)

    private struct Figures {
        var reversalsPerSecond: Double
        var travelPixelsPerSecond: Double
        var inside: Double

        init(_ positions: [Double], middles: [Double]) {
            let (window, face) = (CameraFiguresTests.window, CameraFiguresTests.face)
            let seconds = Double(positions.count) * CameraFiguresTests.step
            let moves = zip(positions.dropFirst(), positions).map { $0 - $1 }
            let turns = moves.filter { abs($0) > 0.05 }
            reversalsPerSecond = Double(zip(turns.dropFirst(), turns).count { ($0 < 0) != ($1 < 0) }) / seconds
            travelPixelsPerSecond = moves.reduce(0) { $0 + abs($1) } * 1080 / window / seconds
            let held = zip(positions, middles).count { $1 - face / 2 >= $0 && $1 + face / 2 <= $0 + window }
            inside = Double(held) / Double(positions.count)
        }

        func isWithinBounds(travelMax: Double) -> Bool {
            reversalsPerSecond <= 0.10 && travelPixelsPerSecond <= travelMax + 2 && inside >= 0.98
        }
    }

    private func seen(_ subject: Subject, seed: UInt64) -> (middles: [Double], targets: [CameraTarget?]) {
        var chance = SceneNoise(seed: seed)
        let middles = (0..<150).map { subject.place(Double($0) * Self.step) }
        let targets = middles.map { middle -> CameraTarget? in
            if Double.random(in: 0..<1, using: &chance) < subject.blindShare { return nil }
            let error =
                (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &chance) } * subject.noise
            let isWrong = Double.random(in: 0..<1, using: &chance) < subject.wrongShare
            let seen = middle + (isWrong ? Double.random(in: -250...250, using: &chance) : error)
            return CameraTarget(middle: seen, low: seen - Self.face * 0.58, high: seen + Self.face * 0.58)
        }
        return (middles, targets)
    }

    @Test(arguments: subjects, [UInt64](1...12))
    func `the camera rests where it can, follows where it must, and keeps the face`(subject: Subject, seed: UInt64) {
        let (middles, targets) = seen(subject, seed: seed)
        let camera = CameraPath(window: Self.window, source: Self.source, stepSeconds: Self.step)
        let figures = Figures(camera.positions(for: targets), middles: middles)
        #expect(figures.isWithinBounds(travelMax: subject.travelMax), "\(figures)")
    }

    /// What everybody tries first must be told from it: else the figures could not be lost.
    @Test(arguments: subjects)
    func `centres that are merely smoothed do not pass`(subject: Subject) {
        let (middles, targets) = seen(subject, seed: 1)
        var smooth: Double?
        let positions = targets.map { target in
            if let target { smooth = (smooth ?? target.middle) + 0.2 * (target.middle - (smooth ?? target.middle)) }
            return min(max(0, (smooth ?? Self.source / 2) - Self.window / 2), Self.source - Self.window)
        }
        #expect(!Figures(positions, middles: middles).isWithinBounds(travelMax: subject.travelMax))
    }

    @Test func `a leap is begun softly, ended softly, and never faster than allowed`() {
        let targets = (0..<150).map { sample in
            let middle = sample < 75 ? 500.0 : 1400
            return CameraTarget(middle: middle, low: middle - 90, high: middle + 90)
        }
        let positions = CameraPath(window: Self.window, source: Self.source, stepSeconds: Self.step)
            .positions(for: targets)
        let speeds = zip(positions.dropFirst(), positions).map { ($0 - $1) / Self.window / Self.step }
        #expect(speeds.allSatisfy { $0 >= 0 && $0 <= 1.201 })
        let changes = zip(speeds.dropFirst(), speeds).map { abs($0 - $1) / Self.step }
        #expect(changes.allSatisfy { $0 <= 2.41 })
        #expect(changes.contains { $0 > 0 })
    }
}
