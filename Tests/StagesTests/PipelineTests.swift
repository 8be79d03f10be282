import ClipModel
import Stages
import Store
import Testing

@Suite struct PipelineTests {
    /// What opens when the last of `done` ends, with everything named before done as well.
    struct Step: Sendable, CustomTestStringConvertible {
        let done: [StageKey]
        let opens: [StageKey]
        var testDescription: String { "\(done.map(\.description)) opens \(opens.map(\.description))" }
    }

    private static let upToShots = [StageKey(.scan), StageKey(.probe), StageKey(.audio), StageKey(.shots)]
    private static let heard = [StageKey(.transcribe, 0), StageKey(.transcribe, 1)]
    private static let chosen = upToShots + heard + [StageKey(.transcript), StageKey(.highlights)]
    private static let reframed = [StageKey(.reframe, 0), StageKey(.reframe, 1)]
    private static let rendered = [StageKey(.render, 0), StageKey(.render, 1)]
    private static let checks = [0, 1].flatMap { [StageKey(.check, $0), StageKey(.thumbnail, $0)] }.sorted()

    private static let steps = [
        Step(done: [StageKey(.scan)], opens: [StageKey(.probe)]),
        Step(done: [StageKey(.scan), StageKey(.probe)], opens: [StageKey(.audio), StageKey(.shots)]),
        Step(done: Array(upToShots.dropLast()), opens: [StageKey(.shots)] + heard),
        Step(done: upToShots + [heard[1]], opens: [heard[0]]),
        Step(done: upToShots + heard, opens: [StageKey(.transcript)]),
        Step(done: chosen.dropLast(), opens: [StageKey(.highlights)]),
        Step(done: chosen, opens: reframed),
        Step(done: chosen + [reframed[1]], opens: [reframed[0], StageKey(.render, 1)]),
        Step(
            done: chosen + reframed + [rendered[0]],
            opens: [rendered[1], StageKey(.check, 0), StageKey(.thumbnail, 0)]),
        Step(done: chosen + reframed + rendered, opens: checks),
        Step(done: chosen + reframed + rendered + checks.dropLast(), opens: [checks[3]]),
        Step(done: chosen + reframed + rendered + checks, opens: [StageKey(.publish)]),
    ]

    @Test(arguments: steps) func `a stage opens when all it needs is done`(step: Step) {
        let sample = SampleJob()
        let advance = Pipeline.advance(snapshot(sample, step.done.map { sample.done($0) }))
        #expect(advance.open == step.opens)
        #expect(advance.status == nil)
    }

    @Test func `how long the video is becomes known when its probe ends, and is said once`() {
        var sample = SampleJob()
        sample.durationSeconds = 90
        let lengths = Self.steps.map { step in
            Pipeline.advance(snapshot(sample, step.done.map { sample.done($0) })).sourceSeconds
        }
        #expect(lengths.compactMap(\.self) == [90])
        #expect(lengths[1] == 90)
    }

    @Test func `the highlights wait for the cuts`() {
        let sample = SampleJob()
        let done = Self.chosen.filter { $0.name != .shots && $0.name != .highlights }.map { sample.done($0) }
        let advance = Pipeline.advance(snapshot(sample, done + [sample.stage(StageKey(.shots), .running)]))
        #expect(advance.open.isEmpty)
    }

    @Test func `a video without sound is not transcribed, and the client is told`() {
        var sample = SampleJob()
        sample.hasSound = false
        let advance = Pipeline.advance(snapshot(sample, Self.upToShots.map { sample.done($0) }))
        #expect(advance.open == [StageKey(.transcript)])
        #expect(advance.notes?.map(\.code) == ["no_sound"])
    }

    @Test func `a transcript that came along replaces recognition and waits for nothing but probe`() {
        let sample = SampleJob(sidecar: SampleJob.sidecar)
        let probed = [StageKey(.scan), StageKey(.probe)].map { sample.done($0) }
        let advance = Pipeline.advance(snapshot(sample, probed))
        #expect(advance.open == [StageKey(.audio), StageKey(.shots), StageKey(.transcribe, 0)])
        let heard = (Self.upToShots + [StageKey(.transcribe, 0)]).map { sample.done($0) }
        #expect(Pipeline.advance(snapshot(sample, heard)).open == [StageKey(.transcript)])
    }

    @Test(arguments: [StageName.scan, .probe, .audio, .shots, .transcribe, .transcript, .highlights])
    func `a stage that everything needs ends the job and stops the rest`(name: StageName) {
        let sample = SampleJob()
        let running = sample.stage(StageKey(name == .shots ? .audio : .shots), .running)
        let advance = Pipeline.advance(snapshot(sample, [sample.stage(StageKey(name), .failed, broken), running]))
        #expect(advance.status == .error)
        #expect(advance.failure == JobFailure(stage: StageKey(name), failure: broken))
        #expect(advance.abandon == [running.key])
        #expect(advance.open.isEmpty)
    }

    @Test(arguments: [StageName.reframe, .render, .check])
    func `a clip that cannot be made leaves the others their chance`(name: StageName) throws {
        let sample = SampleJob()
        var stages = Self.chosen.map { sample.done($0) } + [sample.stage(StageKey(name, 0), .failed, broken)]
        stages += [StageName.reframe, .render].filter { $0 < name }.map { sample.done(StageKey($0, 0)) }
        let advance = Pipeline.advance(snapshot(sample, stages))
        #expect(advance.status == nil)
        #expect(advance.notes?.map(\.code) == ["clip_failed"])
        let clip = try #require(advance.clips.first)
        #expect(clip.state == .error)
        #expect(clip.failure == broken)
    }

    @Test func `the thumbnail of a clip that failed its check is given up`() {
        let sample = SampleJob()
        let stages =
            Self.chosen.map { sample.done($0) } + [StageName.reframe, .render].map { sample.done(StageKey($0, 0)) }
            + [sample.stage(StageKey(.thumbnail, 0), .running), sample.stage(StageKey(.check, 0), .failed, broken)]
        #expect(Pipeline.advance(snapshot(sample, stages)).abandon == [StageKey(.thumbnail, 0)])
    }

    @Test func `one good clip is enough to publish`() {
        let sample = SampleJob()
        let stages =
            Self.chosen.map { sample.done($0) } + [sample.stage(StageKey(.render, 0), .failed, broken)]
            + [StageName.reframe, .render, .check, .thumbnail].map { sample.done(StageKey($0, 1)) }
        #expect(Pipeline.advance(snapshot(sample, stages)).open.contains(StageKey(.publish)))
    }

    @Test func `a clip without a thumbnail is a clip`() throws {
        var sample = SampleJob()
        sample.clips = 1
        let stages =
            Self.chosen.map { sample.done($0) }
            + [StageName.reframe, .render, .check].map { sample.done(StageKey($0)) }
            + [sample.stage(StageKey(.thumbnail), .failed, broken)]
        let advance = Pipeline.advance(snapshot(sample, stages))
        #expect(advance.open == [StageKey(.publish)])
        #expect(advance.clips.first?.state == .ready)
        #expect(advance.notes?.map(\.code) == ["thumbnail_missing"])
    }

    @Test func `when no clip can be made the job says why`() {
        let sample = SampleJob()
        let stages =
            Self.chosen.map { sample.done($0) } + [0, 1].map { sample.stage(StageKey(.reframe, $0), .failed, broken) }
        let advance = Pipeline.advance(snapshot(sample, stages))
        #expect(advance.status == .error)
        #expect(advance.failure == JobFailure(stage: StageKey(.reframe, 0), failure: broken))
    }

    @Test func `a clip grows with its stages`() throws {
        var sample = SampleJob()
        sample.clips = 1
        var stages = Self.chosen.map { sample.done($0) }
        var states: [Clip.State] = []
        for name in [StageName.reframe, .render, .thumbnail, .check] {
            states.append(try clip(sample, stages).state)
            stages.append(sample.done(StageKey(name)))
        }
        let clip = try clip(sample, stages)
        states.append(clip.state)
        #expect(states == [.planned, .rendering, .rendering, .rendering, .ready])
        #expect(clip.files?.thumbnail != nil && clip.files?.srt != nil)
        #expect(clip.figures?.width == 1080)
    }

    @Test func `clips that did not change are not written again`() {
        let sample = SampleJob()
        let stages = Self.chosen.map { sample.done($0) }
        let first = Pipeline.advance(snapshot(sample, stages))
        #expect(first.clips.count == 2)
        #expect(Pipeline.advance(snapshot(sample, stages, clips: first.clips)).clips.isEmpty)
    }

    @Test func `a result that cannot be read ends the job with a reason`() {
        let sample = SampleJob()
        var probe = sample.done(StageKey(.probe))
        probe.result = StageResult(id: probe.result!.id, body: "{}", blobs: [], cacheKey: nil)
        let advance = Pipeline.advance(snapshot(sample, [sample.done(StageKey(.scan)), probe]))
        #expect(advance.status == .error)
        #expect(advance.failure?.failure.code == "result_unreadable")
    }

    @Test(arguments: [Job.Status.ready, .error, .cancelled])
    func `nothing follows once a job has ended`(status: Job.Status) {
        var sample = SampleJob()
        sample.job.status = status
        #expect(Pipeline.advance(snapshot(sample, [sample.done(StageKey(.scan))])) == JobAdvance())
    }

    private func clip(_ sample: SampleJob, _ stages: [Stage]) throws -> Clip {
        try #require(Pipeline.advance(snapshot(sample, stages)).clips.first)
    }
}

func snapshot(_ sample: SampleJob, _ stages: [Stage], clips: [Clip] = []) -> JobSnapshot {
    JobSnapshot(
        job: sample.job, upload: sample.upload, stages: stages.sorted { $0.key < $1.key }, clips: clips,
        changed: stages.last?.key ?? StageKey(.scan), now: SampleJob.noon)
}
