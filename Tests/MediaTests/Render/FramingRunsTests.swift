import ClipModel
import Media
import Testing

@Suite struct FramingRunsTests {
    private let rate = FrameRate(25)

    private func runs(_ segments: [Framing.Segment], frames: Int = 250, lateness: Double = 0) -> [FramingRuns.Run] {
        FramingRuns(.of(segments), rate: rate, frameCount: frames, lateness: lateness).runs
    }

    @Test func `shots with a window of the same size are one run in which the window jumps`() throws {
        let runs = runs([
            .crop(0, 4, width: 405, height: 720, (0, 100)), .crop(4, 10, width: 405, height: 720, (4, 300), (6, 400)),
        ])
        let run = try #require(runs.first)
        #expect(runs.count == 1)
        #expect(run.frames == 0..<250)
        guard case .window(let window) = run.look else { return #expect(Bool(false), "\(run.look)") }
        // Frame 99 is at 3.96 s, frame 100 at 4 s.
        #expect(window.x.value(at: 3.96) == 100)
        #expect(window.x.value(at: 4) == 300)
        #expect(window.x.value(at: 5) == 350)
        #expect(window.y.isConstant)
    }

    @Test func `another size or another layout begins a run at the frame nearest to the cut`() {
        let runs = runs([
            .crop(0, 2.01, width: 405, height: 720, (0, 0)), .fit(2.01, 5), .fit(5, 6.03),
            .crop(6.03, 10, width: 300, height: 533, (6, 0)),
        ])
        #expect(runs.map(\.frames) == [0..<50, 50..<151, 151..<250])
    }

    @Test func `a segment without a frame of its own is left out`() {
        let runs = runs([.fit(0, 3), .crop(3, 3.01, width: 405, height: 720, (3, 0)), .fit(3.01, 10)])
        #expect(runs == [FramingRuns.Run(frames: 0..<250, look: .fit)])
    }

    @Test(arguments: [[], [TimeRange(start: 1, end: 2)], [TimeRange(start: 20, end: 30)]])
    func `what the framing leaves out is shown all the same`(ranges: [TimeRange]) {
        let runs = runs(ranges.map { Framing.Segment(range: $0, layout: .fit) })
        #expect(runs.map(\.frames) == [0..<250])
    }

    /// The seek is written in milliseconds; a cut half a millisecond off a frame's border must not change sides.
    @Test func `cuts are counted from where the seek lands`() {
        let segments = [Framing.Segment.fit(0, 2.02), .crop(2.02, 10, width: 405, height: 720, (0, 0))]
        #expect(runs(segments, lateness: 0.0004)[0].frames == 0..<50)
        #expect(runs(segments, lateness: -0.0004)[0].frames == 0..<51)
    }

    @Test func `every frame belongs to one run, whatever the cuts`() {
        var generator = Pseudorandom(state: 7)
        for _ in 0..<200 {
            var (time, segments): (Double, [Framing.Segment]) = (0, [])
            while time < 10 {
                let end = time + generator.next(upTo: 2)
                segments.append(
                    generator.next(upTo: 1) < 0.5
                        ? .fit(time, end) : .crop(time, end, width: 400, height: 700, (time, 5), (end, 9)))
                time = end
            }
            let runs = runs(segments)
            #expect(runs.first?.frames.lowerBound == 0)
            #expect(runs.last?.frames.upperBound == 250)
            #expect(zip(runs, runs.dropFirst()).allSatisfy { $0.frames.upperBound == $1.frames.lowerBound })
            #expect(runs.allSatisfy { !$0.frames.isEmpty })
        }
    }
}

/// The same numbers in every run of the tests.
private struct Pseudorandom {
    var state: UInt64

    mutating func next(upTo limit: Double) -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 33) / Double(1 << 31) * limit
    }
}
