import ClipModel
import Media
import Stages
import Testing

/// How long a job will take, from what stages take on the nodes there are and from its own speed.
@Suite struct TimeLeftTests {
    /// A node on which each run of `name` took so many times what the constant says.
    private static func costs(_ factors: [StageName: Double]) -> MeasuredCosts {
        var costs = MeasuredCosts()
        for (name, factor) in factors { costs.record(name, took: factor, expected: 1) }
        return costs
    }

    private func progress(
        _ sample: SampleJob, _ stages: [Stage], revisions: [Revision] = [], running: [StageKey: Double] = [:],
        costs: MeasuredCosts = MeasuredCosts(), afterSeconds: Double = 0
    ) throws -> JobProgress {
        let plan = try JobPlan(job: sample.job, upload: sample.upload, stages: stages, revisions: revisions)
        return JobProgress(
            job: sample.job, plan: plan, running: running, costs: costs,
            now: SampleJob.noon.advanced(bySeconds: afterSeconds))
    }

    private func left(
        _ sample: SampleJob, _ stages: [Stage], revisions: [Revision] = [], running: [StageKey: Double] = [:],
        costs: MeasuredCosts = MeasuredCosts(), afterSeconds: Double = 0
    ) throws -> Double {
        let progress = try progress(
            sample, stages, revisions: revisions, running: running, costs: costs, afterSeconds: afterSeconds)
        return try #require(progress.etaSeconds)
    }

    /// Everything up to the framing, of two chunks and two clips of 30 s.
    private func framed(_ sample: SampleJob, reused: Set<StageName> = []) -> [Stage] {
        let names = StageName.allCases.filter { $0 <= .reframe }
        return names.flatMap { name in
            (0..<(name.fansOut ? 2 : 1)).map { index in
                var stage = sample.done(StageKey(name, index))
                stage.reused = reused.contains(name)
                return stage
            }
        }
    }

    private static let rendering = 2 * StageCost.seconds(.render, over: 30)
    private static let afterRendering =
        2 * StageCost.seconds(.check, over: 30) + 2 * StageCost.seconds(.thumbnail, over: 30)
        + StageCost.seconds(.publish, over: 120)
    /// What the stages of `framed` cost: so many seconds on one core.
    private static let framing =
        StageCost.seconds(.audio, over: 120) + StageCost.seconds(.shots, over: 120) + transcribing
        + StageCost.seconds(.transcript, over: 120) + StageCost.seconds(.highlights, over: 120)
        + 2 * StageCost.seconds(.reframe, over: 30)
    private static let transcribing = 2 * StageCost.seconds(.transcribe, over: 30)

    @Test func `where rendering takes three times as long, what is left of it does`() throws {
        let (sample, slow) = (SampleJob(), Self.costs([.render: 3]))
        let stages = framed(sample)
        // Before there is a speed, one after the other.
        #expect(try left(sample, stages) == (Self.rendering + Self.afterRendering).rounded())
        #expect(try left(sample, stages, costs: slow) == (3 * Self.rendering + Self.afterRendering).rounded())
        // And at half that speed, which was measured on stages that are no slower here.
        let elapsed = 2 * Self.framing
        #expect(
            try left(sample, stages, afterSeconds: elapsed) == (2 * (Self.rendering + Self.afterRendering)).rounded())
        #expect(
            try left(sample, stages, costs: slow, afterSeconds: elapsed)
                == (2 * (3 * Self.rendering + Self.afterRendering)).rounded())
    }

    @Test func `before the clips are known rendering is slow already`() throws {
        let sample = SampleJob()
        let stages = [sample.done(StageKey(.scan)), sample.done(StageKey(.probe))]
        let options = sample.job.options
        let rendering =
            Double(options.clipCount) * StageCost.seconds(.render, over: min(120, options.clipSeconds.middle))
        let more = try left(sample, stages, costs: Self.costs([.render: 3])) - left(sample, stages)
        // Each is rounded.
        #expect(abs(more - 2 * rendering) <= 1)
    }

    @Test func `a job that is as slow as the nodes are is at their speed`() throws {
        let (sample, slow) = (SampleJob(), Self.costs([.render: 3]))
        let key = StageKey(.render, 0)
        let stages = framed(sample) + [sample.stage(key, .running)]
        // It did all that one after the other, and half of a clip at a third of the speed.
        let elapsed = Self.framing + 3 * Self.rendering / 4
        let left = try left(sample, stages, running: [key: 0.5], costs: slow, afterSeconds: elapsed)
        #expect(abs(left - (3 * Self.rendering * 0.75 + Self.afterRendering)) <= 1)
    }

    @Test func `what was reused is no sign of speed`() throws {
        let sample = SampleJob()
        let open = Self.rendering + Self.afterRendering
        let all = framed(sample, reused: Set(StageName.allCases))
        // Without a stage of its own the job has no speed yet, however much is done.
        #expect(try left(sample, all, afterSeconds: 6) == open.rounded())
        let elapsed = Self.framing - Self.transcribing
        let some = framed(sample, reused: [.transcribe])
        #expect(try left(sample, some, afterSeconds: elapsed) == open.rounded())
        #expect(try left(sample, framed(sample), afterSeconds: elapsed) < open - 10)
    }

    @Test func `what failed was not done`() throws {
        let sample = SampleJob()
        let stages = framed(sample) + [sample.stage(StageKey(.render, 0), .failed, broken)]
        let open = (Self.rendering + Self.afterRendering - StageCost.seconds(.publish, over: 120)) / 2
        let expected = (open + StageCost.seconds(.publish, over: 120)).rounded()
        #expect(try left(sample, stages) == expected)
        #expect(try left(sample, stages, afterSeconds: Self.framing) == expected)
    }

    @Test func `speed is judged only when there is enough of it`() throws {
        let sample = SampleJob()
        let whole = try left(sample, framed(sample))
        // A moment in which much was done, and a long time in which next to nothing was.
        #expect(try left(sample, framed(sample), afterSeconds: 5) == whole)
        #expect(try left(sample, framed(sample), afterSeconds: 5.1) < whole)
        let begun = framed(sample).filter { $0.key.name <= .audio }
        let first = try left(sample, begun)
        #expect(try left(sample, begun, afterSeconds: 600) == first)
    }

    @Test func `words that nobody listens for take no time`() throws {
        let facts = [StageKey(.scan), StageKey(.probe)]
        let spoken = SampleJob(), written = SampleJob(sidecar: SampleJob.sidecar)
        var silent = SampleJob()
        (silent.hasSound, silent.chunks) = (false, 0)
        let whole = try left(spoken, facts.map { spoken.done($0) })
        let listening = StageCost.seconds(.transcribe, over: 120)
        for sample in [written, silent] {
            let left = try left(sample, facts.map { sample.done($0) }, costs: Self.costs([.transcribe: 40]))
            #expect(abs(whole - left - listening) <= 1)
        }
        // Nor are they a sign of speed.
        let stages = facts.map { silent.done($0) } + [silent.done(StageKey(.audio))]
        #expect(try left(silent, stages, afterSeconds: 6) == left(silent, stages))
    }

    @Test func `a revision takes what the nodes take, and goes at its own speed`() throws {
        let (sample, slow) = (SampleJob(), Self.costs([.render: 3]))
        let revision = Revision(
            id: RevisionID("revision_01hzzzzzzzzzzzzzzzzzzzzzz2")!, slot: 2, clip: 1, number: 2,
            range: TimeRange(start: 5, end: 35), title: nil, options: JobOptions(), createdAt: SampleJob.noon)
        let finished =
            framed(sample) + [sample.done(StageKey(.publish))]
            + [StageName.render, .check, .thumbnail].flatMap { name in
                (0..<2).map { sample.done(StageKey(name, $0)) }
            }
        let cost = { (name: StageName) in StageCost.seconds(name, over: 30) }
        let rest = cost(.check) + cost(.thumbnail) + cost(.publish)
        let whole = cost(.reframe) + cost(.render) + rest
        #expect(try left(sample, finished, revisions: [revision], afterSeconds: 9000) == whole.rounded())
        #expect(
            try left(sample, finished, revisions: [revision], costs: slow) == (whole + 2 * cost(.render)).rounded())

        var reframed = sample.done(StageKey(.reframe, 2))
        reframed.startedAt = SampleJob.noon.advanced(bySeconds: 9000)
        let (stages, after) = (finished + [reframed], 9000 + 2 * cost(.reframe))
        #expect(
            try left(sample, stages, revisions: [revision], costs: slow, afterSeconds: after)
                == (2 * (3 * cost(.render) + rest)).rounded())
        reframed.reused = true
        #expect(
            try left(sample, finished + [reframed], revisions: [revision], costs: slow, afterSeconds: after)
                == (3 * cost(.render) + rest).rounded())
    }

    @Test func `what the nodes take moves no bar`() throws {
        let sample = SampleJob()
        let factors = zip(StageName.allCases, stride(from: 0.5, to: 9, by: 0.5))
        let slow = Self.costs(Dictionary(uniqueKeysWithValues: factors))
        let stages = framed(sample)
        for count in 0...stages.count {
            let some = Array(stages.prefix(count))
            let plain = try progress(sample, some).fraction
            #expect(try progress(sample, some, costs: slow, afterSeconds: 60).fraction == plain)
        }
        // Though they are told of it.
        #expect(try left(sample, stages, costs: slow) != left(sample, stages))
    }

    @Test func `a stage is compared only with what the constant is about`() {
        let spoken = SampleJob(), written = SampleJob(sidecar: SampleJob.sidecar)
        var silent = SampleJob()
        (silent.hasSound, silent.chunks) = (false, 0)
        #expect(spoken.inputs(StageKey(.transcribe)).costSeconds == StageCost.seconds(.transcribe, over: 30))
        #expect(spoken.inputs(StageKey(.audio)).costSeconds == StageCost.seconds(.audio, over: 120))
        #expect(spoken.inputs(StageKey(.render, 1)).costSeconds == StageCost.seconds(.render, over: 30))
        #expect(written.inputs(StageKey(.transcribe)).costSeconds == nil)
        #expect(written.inputs(StageKey(.audio)).costSeconds != nil)
        #expect(silent.inputs(StageKey(.audio)).costSeconds == nil)
        #expect(silent.inputs(StageKey(.shots)).costSeconds != nil)
    }
}
