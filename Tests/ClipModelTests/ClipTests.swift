import ClipModel
import Testing

@Suite struct ClipTests {
    private func clip(_ start: Double, _ end: Double, kept: [TimeRange]? = nil) -> Clip {
        var figures = ClipFigures(
            durationSeconds: 0, width: 1080, height: 1920, framesPerSecond: 25, videoCodec: "h264", audioCodec: "aac",
            loudnessLUFS: -14, truePeakDBTP: -1, blackSeconds: 0, frozenSeconds: 0, faceInFrame: nil,
            reversalsPerSecond: 0, flags: [])
        figures.kept = kept
        return Clip(
            id: ClipID(job: JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!, ordinal: 0), state: .ready,
            range: TimeRange(start: start, end: end), title: "", score: 0, reason: "", signals: [:], figures: figures)
    }

    @Test func `a clip plays as long as what is left of it, to the millisecond`() {
        // In doubles 49.13 - 25.15 is 23.980000000000004.
        #expect(clip(25.15, 49.13).durationSeconds == 23.98)
        let kept = [(69.09, 73.13), (73.49, 74.09), (74.81, 85.25), (86.09, 97.57)]
        let tight = clip(69.09, 97.57, kept: kept.map { TimeRange(start: $0.0, end: $0.1) })
        #expect(tight.durationSeconds == 26.56)
    }
}
