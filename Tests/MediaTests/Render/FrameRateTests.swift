import Media
import Testing

@Suite struct FrameRateTests {
    @Test(arguments: [
        (23.976, "24000/1001"), (24000.0 / 1001, "24000/1001"), (24, "24"), (25, "25"), (29.97, "30000/1001"),
        (30, "30"), (30.01, "30"), (48, "24"), (50, "25"), (59.94, "30000/1001"), (60, "30"), (90, "30"), (100, "25"),
        (120, "30"), (240, "30"), (15, "30"), (12.5, "30"), (27.3, "30"), (29.8, "30"), (1, "30"), (0, "30"),
        (.infinity, "30"), (.nan, "30"), (1000, "30"),
    ])
    func `a clip runs at a standard rate that divides the source's, else at 30`(average: Double, rate: String) {
        #expect(FrameRate.ofClip(sourceAverage: average).description == rate)
    }

    @Test func `the sound is as long as the pictures to the sample`() {
        #expect(FrameRate(30).samples(of: 900, perSecond: 48_000) == 1_440_000)
        #expect(FrameRate(30000, 1001).samples(of: 30, perSecond: 48_000) == 48_048)
        #expect(FrameRate(24000, 1001).frames(in: 30) == 719)
        #expect(FrameRate(25).seconds(of: 1) == 0.04)
    }
}
