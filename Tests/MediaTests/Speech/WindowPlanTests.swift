import ClipModel
import Media
import Testing

@Suite struct WindowPlanTests {
    @Test func `silence is not listened to`() {
        let activity = SpeechSamples.activity([], seconds: 60)
        #expect(WindowPlan.windows(of: TimeRange(start: 0, end: 60), activity: activity).isEmpty)
    }

    @Test func `a window begins just before the sound and ends just after it`() {
        let activity = SpeechSamples.activity([5...12], seconds: 30)
        let windows = WindowPlan.windows(of: TimeRange(start: 0, end: 30), activity: activity)
        #expect(windows.count == 1)
        #expect(abs(windows[0].start - 4.8) < 0.03 && abs(windows[0].end - 12.2) < 0.03)
    }

    @Test func `long speech is cut in its pauses`() {
        let sentences = stride(from: 0.0, to: 90, by: 5).map { $0...$0 + 4.5 }
        let activity = SpeechSamples.activity(sentences, seconds: 90)
        let windows = WindowPlan.windows(of: TimeRange(start: 0, end: 90), activity: activity)
        #expect(windows.count == 4)
        for window in windows.dropLast() {
            #expect(!sentences.contains { $0.contains(window.end - 0.1) && $0.contains(window.end + 0.1) })
        }
    }

    @Test func `a silence of seconds ends a window`() {
        let activity = SpeechSamples.activity([1...4, 12...15], seconds: 20)
        let windows = WindowPlan.windows(of: TimeRange(start: 0, end: 20), activity: activity)
        #expect(windows.count == 2)
    }

    @Test(arguments: [25.0, 29, 31, 60, 100, 300])
    func `windows of speech without a pause are in order, short enough, and leave nothing out`(seconds: Double) {
        let activity = SpeechSamples.activity([0...seconds], seconds: seconds)
        let windows = WindowPlan.windows(of: TimeRange(start: 0, end: seconds), activity: activity)
        #expect(windows.first?.start == 0)
        #expect(abs((windows.last?.end ?? 0) - seconds) < 0.001)
        for window in windows { #expect(window.duration <= 28.001 && window.duration > 5) }
        for (one, next) in zip(windows, windows.dropFirst()) { #expect(abs(one.end - next.start) < 0.001) }
    }

    @Test func `a chunk in the middle of a source keeps the times of the source`() {
        let activity = SpeechSamples.activity([103...110], seconds: 30, start: 95)
        let windows = WindowPlan.windows(of: TimeRange(start: 100, end: 120), activity: activity)
        #expect(windows.count == 1)
        #expect(abs(windows[0].start - 102.8) < 0.03)
    }

    @Test func `levels tell a tone from digital silence`() {
        let tone = (0..<16_000).map { Float($0 % 2 == 0 ? 0.1 : -0.1) }
        let levels = SpeechActivity.levels(of: tone + [Float](repeating: 0, count: 16_000))
        #expect(levels.count == 100)
        #expect(abs(levels[0] + 20) < 0.1 && levels[99] == -100)
        let activity = SpeechActivity(levels: levels, start: 10)
        #expect(abs(activity.voicedSeconds(in: TimeRange(start: 0, end: 99)) - 1) < 0.001)
        #expect(activity.onset(in: activity.range) == 10)
    }

    @Test func `a click is no sound and a closed lip is no pause`() {
        let activity = SpeechSamples.activity([2...2.02, 4...4.5, 4.58...5], seconds: 8)
        #expect(activity.onset(in: activity.range).map { abs($0 - 4) < 0.03 } == true)
        #expect(activity.sounds(in: activity.range, pauseMin: 0.14).count == 1)
    }
}
