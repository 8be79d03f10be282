import ClipModel
import Media
import Testing

/// People whose mouths are known: a speaker's moves in syllables, a listener's hardly.
@Suite struct ShotCastTests {
    private static let source = PixelSize(width: 1920, height: 1080)
    private static let step = 0.2

    private struct Person {
        var x: Double
        var size = 220.0
        /// Mean motion of mouth and of the rest at a time: the generator adds syllables and chance.
        var motion: (Double) -> (mouth: Double, upper: Double)
        var isSeen: (Double) -> Bool = { _ in true }
    }

    private static func speaks(_ turns: [TimeRange]) -> (Double) -> (mouth: Double, upper: Double) {
        { time in turns.contains { $0.contains(time) } ? (0.25, 0.10) : (0.05, 0.06) }
    }

    /// - Parameter heard: When there is speech; everything else is silence.
    private func cast(_ people: [Person], heard: [TimeRange], seconds: Double = 30, seed: UInt64 = 1) -> ShotCast {
        var noise = SceneNoise(seed: seed)
        func chance() -> Double { 0.3 + 1.4 * Double.random(in: 0...1, using: &noise) }
        let samples = Int(seconds / Self.step)
        var tracker = FaceTracker(stepSeconds: Self.step)
        for sample in 0..<samples {
            let time = Double(sample) * Self.step
            tracker.observed(
                people.filter { $0.isSeen(time) }.map { person in
                    let mouth = (0..<3).map { part in
                        let motion = person.motion(time + (Double(part) + 0.5) * Self.step / 3)
                        return MouthMotion(mouth: motion.mouth * chance(), upper: motion.upper * chance())
                    }
                    return DetectedFace(
                        x: person.x - person.size / 2, y: 300, width: person.size, height: person.size * 1.3,
                        confidence: 0.9, eyeLine: 400, mouth: mouth)
                })
        }
        let levels = (0..<Int(seconds * 10)).map { index -> Double in
            let isHeard = heard.contains { $0.contains((Double(index) + 0.5) / 10) }
            return (isHeard ? -24 : -58) + Double.random(in: -4...4, using: &noise)
        }
        var (silences, start) = ([TimeRange](), 0.0)
        for range in heard {
            silences.append(TimeRange(start: start, end: range.start))
            start = range.end
        }
        silences.append(TimeRange(start: start, end: seconds))
        return ShotCast(
            tracks: tracker.finish(), samples: 0..<samples, stepSeconds: Self.step, source: Self.source,
            speech: SpeechEvidence(levels: levels, stepSeconds: 0.1, silences: silences.filter { $0.duration >= 0.3 }))
    }

    private func ranges(_ pairs: (Double, Double)...) -> [TimeRange] { pairs.map { TimeRange(start: $0.0, end: $0.1) } }

    /// Share of the speech time in which the one who speaks leads; tracks are numbered like the people.
    private func share(_ cast: ShotCast, _ turns: [(person: Int, range: TimeRange)]) -> Double {
        var (right, all) = (0, 0)
        for (sample, lead) in cast.leads.enumerated() {
            let time = (Double(sample) + 0.5) * Self.step
            guard let turn = turns.first(where: { $0.range.contains(time) }) else { continue }
            all += 1
            right += lead.map { cast.members[$0].track } == turn.person ? 1 : 0
        }
        return Double(right) / Double(max(1, all))
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `who speaks leads, and the lead changes within 0.6 s`(seed: UInt64) {
        let left = ranges((0.5, 5), (9.2, 12), (16, 21))
        let right = ranges((5.3, 9), (12, 15.5), (21.4, 29))
        let cast = cast(
            [Person(x: 500, motion: Self.speaks(left)), Person(x: 1400, motion: Self.speaks(right))],
            heard: (left + right).sorted { $0.start < $1.start }, seed: seed)
        let turns = (left.map { (0, $0) } + right.map { (1, $0) })
        #expect(share(cast, turns) >= 0.95)
        for (person, range) in turns {
            let settled = Int((range.start + 0.6) / Self.step)
            #expect(cast.leads[settled].map { cast.members[$0].track } == person, "at \(range.start)")
        }
        #expect(cast.turns.map { cast.members[$0.member].track } == [0, 1, 0, 1, 0, 1], "\(cast.turns)")
        #expect(cast.turns.allSatisfy { !$0.samples.isEmpty && $0.samples.upperBound <= cast.leads.count })
    }

    @Test func `a pause is held by who spoke`() {
        let cast = cast(
            [
                Person(x: 500, motion: Self.speaks(ranges((1, 6)))),
                Person(x: 960, size: 300, motion: Self.speaks(ranges((12, 20)))),
            ], heard: ranges((1, 6), (12, 20)), seconds: 20)
        let lead = cast.leads.map { $0.map { cast.members[$0].track } }
        #expect(lead[10..<58].allSatisfy { $0 == 0 })
        #expect(lead[63...].allSatisfy { $0 == 1 })
    }

    @Test func `a laugh, a nod and chewing do not take the lead`() {
        let speech = ranges((0.5, 9), (10, 19), (20, 29))
        let listener = { (time: Double) -> (mouth: Double, upper: Double) in
            if (4..<4.6).contains(time) || (14..<14.6).contains(time) { return (0.3, 0.12) }
            return (7..<8.5).contains(time) ? (0.16, 0.28) : (0.05, 0.06)
        }
        let chewer = { (_: Double) in (mouth: 0.2, upper: 0.1) }
        for other in [listener, chewer] {
            let cast = cast(
                [Person(x: 500, motion: Self.speaks(speech)), Person(x: 1000, size: 260, motion: other)], heard: speech)
            #expect(share(cast, speech.map { (0, $0) }) >= 0.95)
        }
    }

    @Test func `a word in between does not move the camera`() {
        let speech = ranges((0.5, 10), (10.6, 20))
        let cast = cast(
            [Person(x: 500, motion: Self.speaks(speech)), Person(x: 1400, motion: Self.speaks(ranges((10, 10.6))))],
            heard: ranges((0.5, 20)))
        #expect(Set(cast.leads.compactMap { $0 }.map { cast.members[$0].track }) == [0])
    }

    @Test func `a printed face never leads a living one, however large`() {
        let poster = Person(x: 960, size: 500, motion: { _ in (0.006, 0.005) })
        let speech = ranges((5, 12))
        let person = Person(x: 400, motion: Self.speaks(speech), isSeen: { $0 < 20 })
        for heard in [speech, []] {
            let cast = cast([poster, person], heard: heard)
            #expect(cast.members.map(\.track) == [1, 0])
            #expect(cast.leads[..<95].allSatisfy { $0 == 0 })
            #expect(cast.leads[100...].allSatisfy { $0 != 1 })
            #expect(cast.companions.isEmpty)
        }
    }

    @Test func `a voice from outside of the picture is nobody's turn`() {
        let still = { (_: Double) in (mouth: 0.04, upper: 0.06) }
        let cast = cast([Person(x: 500, motion: still), Person(x: 1400, motion: still)], heard: ranges((2, 28)))
        #expect(cast.turns.isEmpty)
    }

    @Test func `without sound and with one face all is as the faces have it`() {
        let two = [Person(x: 500, motion: Self.speaks([])), Person(x: 960, size: 320, motion: Self.speaks([]))]
        let silent = ShotCast(
            tracks: [], samples: 0..<10, stepSeconds: Self.step, source: Self.source,
            speech: SpeechEvidence(levels: [-20], stepSeconds: 10, silences: []))
        #expect(silent.leads.allSatisfy { $0 == nil } && silent.turns.isEmpty)
        let alone = cast([two[0]], heard: ranges((0, 30)))
        #expect(alone.leads.allSatisfy { $0 == 0 } && alone.turns.isEmpty)
    }

    @Test func `a face in the crowd does not lead by moving its mouth`() {
        let cast = cast(
            [
                Person(x: 700, size: 300, motion: Self.speaks([])),
                Person(x: 1500, size: 60, motion: { _ in (0.6, 0.1) }),
                Person(x: 300, size: 280, motion: Self.speaks([])),
            ], heard: ranges((1, 29)))
        #expect(cast.leads.allSatisfy { $0.map { cast.members[$0].track } != 1 })
    }
}
