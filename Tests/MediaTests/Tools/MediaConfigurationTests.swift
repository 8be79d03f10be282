import Media
import Testing

@Suite struct MediaConfigurationTests {
    @Test func `a pass is bounded by its length and by its silence, a question by its length alone`() {
        let configuration = MediaConfiguration(
            probeSecondsMax: 7, passSecondsFloor: 100, passSecondsPerSourceSecond: 2, silenceSecondsMax: 11)
        let pass = configuration.passLimits(overSeconds: 50)
        #expect(pass.wallSeconds == 200 && pass.silenceSeconds == 11)
        let question = configuration.probeLimits
        #expect(question.wallSeconds == 7 && question.silenceSeconds == nil)
    }

    @Test func `a limit of silence that is none is a mistake that is found where it is made`() async {
        await #expect(processExitsWith: .failure) { _ = MediaConfiguration(silenceSecondsMax: 0) }
        await #expect(processExitsWith: .failure) { _ = MediaConfiguration(silenceSecondsMax: -.infinity) }
        await #expect(processExitsWith: .failure) { _ = MediaConfiguration(silenceSecondsMax: .nan) }
    }
}
