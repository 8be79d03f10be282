import ClipModel
import Media
import Stages
import Testing

@Suite struct JobProgressTests {
    @Test func `progress never goes back while stages end one by one`() throws {
        for (chunks, clips) in [(0, 1), (2, 2), (7, 3), (3, 10)] {
            var sample = SampleJob()
            (sample.chunks, sample.clips, sample.hasSound) = (chunks, clips, chunks > 0)
            var stages: [Stage] = []
            var last = 0.0
            for name in StageName.allCases {
                for index in 0..<(name == .transcribe ? chunks : name.fansOut ? clips : 1) {
                    let key = StageKey(name, index)
                    let half = try fraction(sample, stages + [sample.stage(key, .running)], running: [key: 0.5])
                    stages.append(sample.done(key))
                    let whole = try fraction(sample, stages)
                    #expect(last <= half && half <= whole && whole < 1, "\(key)")
                    last = whole
                }
            }
            #expect(last > 0.95)
        }
    }

    @Test func `only a finished job is at 100 percent`() throws {
        var sample = SampleJob()
        sample.job.status = .ready
        #expect(try fraction(sample, []) == 1)
    }

    @Test func `a clip that was given up does not hold the progress back`() throws {
        let sample = SampleJob()
        let chosen = SampleJob().inputs(StageKey(.reframe))
        #expect(chosen.durationSeconds == 120)
        let done = StageName.allCases.filter { $0 <= .highlights }.map { sample.done(StageKey($0)) }
        let failed = done + [sample.stage(StageKey(.reframe, 0), .failed, broken)]
        #expect(try fraction(sample, failed) > fraction(sample, done))
    }

    @Test func `the time left follows the speed so far`() throws {
        let sample = SampleJob()
        let done = StageName.allCases.filter { $0 <= .transcript }.map { sample.done(StageKey($0)) }
        let quick = try progress(sample, done, afterSeconds: 20).etaSeconds
        let slow = try progress(sample, done, afterSeconds: 200).etaSeconds
        #expect(try #require(slow) > #require(quick))
        #expect(try progress(sample, [], afterSeconds: 1).etaSeconds == nil)
    }

    @Test func `the time in which a job had ended is not taken for slowness`() throws {
        var sample = SampleJob()
        let done = StageName.allCases.filter { $0 <= .transcript }.map { sample.done(StageKey($0)) }
        let straight = try progress(sample, done, afterSeconds: 200).etaSeconds
        sample.job.restedMilliseconds = 86_400_000
        #expect(try progress(sample, done, afterSeconds: 86_600).etaSeconds == straight)
    }

    @Test func `limits grow with the video and are never tight`() {
        #expect(StageCost.limitSeconds(.scan, over: 0) == StageCost.limitSecondsFloor)
        for name in StageName.allCases {
            #expect(StageCost.limitSeconds(name, over: 3600) >= 10 * StageCost.seconds(name, over: 3600))
        }
    }

    private func fraction(
        _ sample: SampleJob, _ stages: [Stage], running: [StageKey: Double] = [:]
    ) throws -> Double {
        let plan = try JobPlan(job: sample.job, upload: sample.upload, stages: stages)
        return JobProgress(job: sample.job, plan: plan, running: running, now: SampleJob.noon).fraction
    }

    private func progress(_ sample: SampleJob, _ stages: [Stage], afterSeconds: Double) throws -> JobProgress {
        let plan = try JobPlan(job: sample.job, upload: sample.upload, stages: stages)
        return JobProgress(
            job: sample.job, plan: plan, running: [:], now: SampleJob.noon.advanced(bySeconds: afterSeconds))
    }
}
