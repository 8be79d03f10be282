import Media
import Testing

@Suite struct FaceTrackerTests {
    private func face(_ x: Double, _ y: Double = 300, size: Double = 100, confidence: Double = 0.9) -> DetectedFace {
        DetectedFace(x: x, y: y, width: size, height: size, confidence: confidence, eyeLine: y + 0.4 * size)
    }

    private func tracks(_ samples: [[DetectedFace]], cutBefore: Set<Int> = []) -> [FaceTrack] {
        var tracker = FaceTracker(stepSeconds: 0.2)
        for (index, faces) in samples.enumerated() {
            if cutBefore.contains(index) { tracker.cut() }
            tracker.observed(faces)
        }
        return tracker.finish()
    }

    @Test func `two people who pass each other keep their tracks`() {
        let samples = (0..<20).map { step in
            [face(200 + 40 * Double(step)), face(1000 - 40 * Double(step), 340)]
        }
        let tracks = tracks(samples)
        #expect(tracks.count == 2)
        #expect(tracks.map { $0.sightings.map(\.face.x) } == [0, 1].map { index in samples.map { $0[index].x } })
    }

    @Test func `the order in which a detector names the faces does not matter`() {
        let samples = (0..<10).map { step in [face(200 + Double(step)), face(600), face(900)] }
        let shuffled = samples.enumerated().map { index, faces in
            index == 0 ? faces : Array(faces[(index % 3)...] + faces[..<(index % 3)])
        }
        #expect(tracks(shuffled) == tracks(samples))
    }

    @Test(arguments: [(missing: 5, tracks: 1), (missing: 15, tracks: 1), (missing: 16, tracks: 2)])
    func `a face that is gone for three seconds comes back as itself, later as another`(missing: Int, tracks count: Int)
    {
        let seen = [[DetectedFace]](repeating: [face(500)], count: 5)
        let tracks = tracks(seen + [[DetectedFace]](repeating: [], count: missing) + seen)
        #expect(tracks.count == count)
    }

    @Test(arguments: [(x: 560.0, size: 110.0, tracks: 1), (650, 100, 2), (500, 170, 2)])
    func `after two seconds a face is itself only where and as large as it was`(
        x: Double, size: Double, tracks count: Int
    ) {
        let seen = [[DetectedFace]](repeating: [face(500)], count: 5)
        let back = [[DetectedFace]](repeating: [face(x, 300 + (100 - size) / 2, size: size)], count: 5)
        #expect(tracks(seen + [[DetectedFace]](repeating: [], count: 10) + back).count == count)
    }

    @Test func `who walks behind somebody comes out as himself`() {
        let samples = (0..<30).map { step -> [DetectedFace] in
            let x = 100 + 35 * Double(step)
            // Hidden for 1.6 s behind the one who stands at 600.
            return (abs(x - 600) < 140 ? [] : [face(x, 310)]) + [face(600, 250, size: 150)]
        }
        let tracks = tracks(samples)
        #expect(tracks.count == 2)
        #expect(tracks.map { [$0.first, $0.last] } == [[0, 29], [0, 29]])
    }

    @Test func `one of two who swap places is not joined to the other`() {
        let samples = (0..<20).map { step -> [DetectedFace] in
            [face(step < 10 ? 300 : 305)] + (step < 6 || step > 12 ? [face(step < 6 ? 700 : 705)] : [])
        }
        let tracks = tracks(samples)
        #expect(
            tracks.count == 2 && tracks.allSatisfy { track in Set(track.sightings.map { $0.face.x > 500 }).count == 1 })
    }

    @Test func `a cut ends every track`() {
        let samples = [[DetectedFace]](repeating: [face(500)], count: 12)
        #expect(tracks(samples, cutBefore: [6]).map { [$0.first, $0.last] } == [[0, 5], [6, 11]])
    }

    @Test func `a face of another size is another face`() {
        let samples = (0..<10).map { [face(500, size: $0 < 5 ? 60 : 200)] }
        #expect(tracks(samples).count == 2)
    }

    @Test func `a hit that does not last is dropped unless the detector was sure`() {
        func brief(_ confidence: Double) -> [[DetectedFace]] {
            (0..<10).map { [face(500)] + ($0 == 4 || $0 == 5 ? [face(1200, confidence: confidence)] : []) }
        }
        #expect(tracks(brief(0.75)).count == 1)
        #expect(tracks(brief(0.95)).count == 2)
    }

    @Test func `a shot of one sample keeps a sure face`() {
        #expect(tracks([[face(500)], [face(900)]], cutBefore: [1]).count == 2)
    }

    @Test func `between two sightings a face is on the line, outside of them nowhere`() throws {
        let track = try #require(tracks([[], [face(100)], [], [face(140)], [face(150)]]).first)
        let places = track.places(in: 0..<6)
        #expect(places.map { $0?.face.x } == [nil, 100, 120, 140, 150, nil])
        #expect(places.map { $0?.isSeen } == [nil, true, false, true, true, nil])
    }
}
