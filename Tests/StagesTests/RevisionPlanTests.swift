import ClipModel
import Foundation
import Media
import Stages
import Store
import Testing

/// What follows when a client wants a clip of a finished job otherwise.
@Suite struct RevisionPlanTests {
    private static let chain = [StageName.reframe, .render, .check, .thumbnail]

    /// Everything that a job of two clips has done.
    private func finished(_ sample: SampleJob) -> [Stage] {
        sample.inputs(StageKey(.publish)).plannedKeys.map { sample.done($0) } + [sample.done(StageKey(.publish))]
    }

    private func revision(
        slot: Int, clip: Int = 1, number: Int = 2, title: String? = nil, options: JobOptions = JobOptions(),
        edits: ClipEdits = ClipEdits()
    ) -> Revision {
        Revision(
            id: RevisionID("revision_01hzzzzzzzzzzzzzzzzzzzzzz\(slot % 10)")!, slot: slot, clip: clip, number: number,
            range: TimeRange(start: 5, end: 15), title: title, options: options, hasCaptions: edits.captions != nil,
            hasScenes: edits.scenes != nil, createdAt: SampleJob.noon)
    }

    private func advance(_ stages: [Stage], _ revisions: [Revision], clips: [Clip] = []) -> JobAdvance {
        let sample = SampleJob()
        return Pipeline.advance(
            JobSnapshot(
                job: sample.job, upload: sample.upload, stages: stages.sorted { $0.key < $1.key }, clips: clips,
                revisions: revisions, changed: StageKey(.reframe, 2), now: SampleJob.noon))
    }

    @Test func `only the stages of the clip are done again, then it is published and the job ready`() {
        let sample = SampleJob()
        let revision = revision(slot: 2)
        var stages = finished(sample)
        var opened: [[StageKey]] = []
        for _ in 0..<4 {
            let advance = advance(stages, [revision])
            #expect(advance.status == nil && advance.abandon.isEmpty && advance.failure == nil)
            opened.append(advance.open)
            stages += advance.open.map { sample.done($0) }
        }
        #expect(
            opened == [
                [StageKey(.reframe, 2)], [StageKey(.render, 2)], [StageKey(.check, 2), StageKey(.thumbnail, 2)],
                [StageKey(.publish, 2)],
            ])
        let end = advance(stages, [revision])
        #expect(end.status == .ready && end.open.isEmpty)
    }

    @Test func `the clip shows what it was until the revision is published, and keeps its id`() throws {
        let sample = SampleJob()
        var options = JobOptions()
        options.aspect = .square
        let revision = revision(slot: 2, title: "Mine", options: options, edits: ClipEdits(captions: []))
        var stages = finished(sample)
        let before = advance(stages, []).clips
        stages += Self.chain.map { sample.done(StageKey($0, 2)) }
        let pending = advance(stages, [revision]).clips
        #expect(pending.count == 2 && pending[0] == before[0])
        #expect(pending[1].files == before[1].files && pending[1].range == before[1].range)
        #expect(pending[1].state == .ready && pending[1].revision == ClipRevision(number: 1, pending: 2))
        stages.append(sample.done(StageKey(.publish, 2)))
        let after = advance(stages, [revision], clips: pending).clips
        #expect(after.map(\.id) == [before[1].id], "the other is as it was")
        #expect(after[0].range == revision.range && after[0].title == "Mine")
        #expect(after[0].files?.video != before[1].files?.video)
        #expect(after[0].revision == ClipRevision(number: 2, options: options, hasCaptions: true))
    }

    @Test(arguments: [StageName.reframe, .render, .check, .publish])
    func `a revision that fails leaves the clip and says why`(name: StageName) throws {
        let sample = SampleJob()
        let revision = revision(slot: 2)
        let stages =
            finished(sample)
            + Self.chain.filter { $0 < name }.map { sample.done(StageKey($0, 2)) }
            + [sample.stage(StageKey(name, 2), .failed, broken)]
        let advance = advance(stages, [revision])
        #expect(advance.status == .ready && advance.failure == nil)
        #expect(advance.notes == nil, "what a revision lacks is no note of the job")
        let clip = try #require(advance.clips.last)
        #expect(clip.state == .ready && clip.range == TimeRange(start: 30, end: 60))
        #expect(clip.revision == ClipRevision(number: 1, failure: broken) && clip.failure == nil)
    }

    @Test func `the next revision of a clip stands above the one before`() throws {
        let sample = SampleJob()
        let revisions = [revision(slot: 2), revision(slot: 3, number: 3)]
        let stages =
            finished(sample)
            + (Self.chain + [.publish]).flatMap { name in
                [2, 3].map { sample.done(StageKey(name, $0)) }
            }
        let clip = try #require(advance(stages, revisions).clips.last)
        let video = StageAttempt(job: sample.job.id, key: StageKey(.render, 3), epoch: 1).blobName("file")
        #expect(clip.files?.video == video && clip.revision?.number == 3)
    }

    @Test func `a clip made by hand is shown when it is published, and not before`() throws {
        let sample = SampleJob()
        let revision = revision(slot: 2, clip: 2, number: 1, title: "By hand")
        var stages = finished(sample)
        func clip() throws -> Clip { try #require(advance(stages, [revision]).clips.last) }
        // What it is to be made with is known before there is anything to show.
        let byHand = ClipRevision(number: 0, pending: 1, options: JobOptions())
        #expect(try clip().state == .planned && clip().revision == byHand)
        stages += Self.chain.map { sample.done(StageKey($0, 2)) }
        #expect(try clip().state == .rendering && clip().files == nil)
        stages.append(sample.done(StageKey(.publish, 2)))
        #expect(try clip().state == .ready && clip().files != nil && clip().title == "By hand")
        #expect(try clip().id.ordinal == 2 && clip().range == revision.range)
    }

    @Test func `revisions are published one after the other`() {
        let sample = SampleJob()
        let revisions = [revision(slot: 2, clip: 0), revision(slot: 3, clip: 1)]
        var stages = finished(sample) + [2, 3].flatMap { slot in Self.chain.map { sample.done(StageKey($0, slot)) } }
        #expect(advance(stages, revisions).open == [StageKey(.publish, 2)])
        stages.append(sample.stage(StageKey(.publish, 2), .running))
        #expect(advance(stages, revisions).open.isEmpty)
        stages[stages.count - 1] = sample.done(StageKey(.publish, 2))
        #expect(advance(stages, revisions).open == [StageKey(.publish, 3)])
        #expect(advance(stages, revisions).status == nil)
    }

    @Test func `one that waits for another's publishing comes first though it is not the next to be done`() {
        let sample = SampleJob()
        let revisions = [revision(slot: 2, clip: 0), revision(slot: 3, clip: 1)]
        let stages =
            finished(sample) + [sample.stage(StageKey(.reframe, 2), .running)]
            + Self.chain.map { sample.done(StageKey($0, 3)) }
        #expect(advance(stages, revisions).open == [StageKey(.publish, 3)])
    }

    @Test func `what failed names no clip, and takes its thumbnail along`() throws {
        let sample = SampleJob()
        var stages =
            finished(sample) + [
                sample.done(StageKey(.reframe, 2)), sample.done(StageKey(.render, 2)),
                sample.stage(StageKey(.check, 2), .failed, broken), sample.stage(StageKey(.thumbnail, 2), .running),
            ]
        let failed = revision(slot: 2, title: "Never shown")
        let end = advance(stages, [failed])
        #expect(end.status == .ready && end.abandon == [StageKey(.thumbnail, 2)])
        stages[stages.count - 1] = sample.stage(StageKey(.thumbnail, 2), .cancelled)
        stages += (Self.chain + [.publish]).map { sample.done(StageKey($0, 3)) }
        let before = try #require(advance(finished(sample), []).clips.first { $0.id.ordinal == 1 }).title
        let after = advance(stages, [failed, revision(slot: 3, number: 3)]).clips.first { $0.id.ordinal == 1 }
        #expect(after?.title == before && after?.revision?.number == 3)
    }

    @Test func `captions that cannot be written are told by the number of the clip that shows them`() throws {
        let sample = SampleJob()
        var render = sample.done(StageKey(.render, 2))
        var body = RenderResult(
            video: BlobName("uploads/a/video")!, videoBytes: 1, videoSHA256: String(repeating: "0", count: 64))
        body.captionsUnwritable = true
        render.result = StageResult(
            id: render.result!.id, body: String(decoding: try JSONEncoder().encode(body), as: UTF8.self), blobs: [],
            cacheKey: nil)
        let own = Self.chain.filter { $0 != .render }.map { sample.done(StageKey($0, 2)) } + [render]
        let stages = finished(sample) + own + [sample.done(StageKey(.publish, 2))]
        #expect(advance(stages, [revision(slot: 2)]).notes?.allSatisfy { $0.text.hasPrefix("Clip 2") } == true)
        #expect(advance(stages, [revision(slot: 2)]).notes?.map(\.code) == ["captions_not_burned"])
    }

    @Test func `a result that cannot be read does not take the clips away`() {
        let sample = SampleJob()
        var render = sample.done(StageKey(.render, 2))
        render.result = StageResult(id: render.result!.id, body: "{}", blobs: [], cacheKey: nil)
        let stages =
            finished(sample) + [
                sample.done(StageKey(.reframe, 2)), render, sample.stage(StageKey(.check, 2), .running),
            ]
            + [sample.done(StageKey(.publish, 2))]
        let advance = advance(stages, [revision(slot: 2)])
        #expect(advance.status == .ready && advance.failure == nil)
        #expect(advance.abandon == [StageKey(.check, 2)])
    }

    @Test func `a clip that failed and was made anew is no note any more`() {
        let sample = SampleJob()
        let stages =
            finished(sample).filter { $0.key != StageKey(.check, 1) }
            + [sample.stage(StageKey(.check, 1), .failed, broken)]
        #expect(advance(stages, []).notes?.map(\.code) == ["clip_failed"])
        let anew = stages + (Self.chain + [.publish]).map { sample.done(StageKey($0, 2)) }
        let advance = advance(anew, [revision(slot: 2)])
        #expect(advance.notes == nil && advance.clips.last?.state == .ready)
    }

    @Test func `what was stopped stays stopped`() throws {
        let sample = SampleJob()
        let revisions = [revision(slot: 2, clip: 0), revision(slot: 3, clip: 1)]
        let stages =
            finished(sample) + [
                sample.done(StageKey(.reframe, 2)), sample.stage(StageKey(.publish, 2), .cancelled),
            ]
        let advance = advance(stages, revisions)
        #expect(advance.open == [StageKey(.reframe, 3)])
        #expect(try #require(advance.clips.first).revision?.failure == Revision.stopped)
    }

    @Test func `the stages of a revision see its range, its options and its edits, and others do not`() throws {
        let sample = SampleJob()
        var options = JobOptions()
        options.aspect = .landscape
        let edits = ClipEdits(scenes: [])
        let revision = revision(slot: 2, options: options, edits: edits)
        func inputs(_ key: StageKey) -> StageInputs {
            let isOwn = StageInputs.revision(of: key, in: [revision]) != nil
            return StageInputs(
                job: sample.job, upload: sample.upload, stages: finished(sample), revisions: [revision],
                edits: isOwn ? edits : ClipEdits(), key: key)
        }
        #expect(try inputs(StageKey(.render, 2)).clipRange() == revision.range)
        #expect(inputs(StageKey(.render, 2)).options == options && inputs(StageKey(.render, 2)).edits.scenes == [])
        #expect(try inputs(StageKey(.render, 1)).clipRange() == TimeRange(start: 30, end: 60))
        #expect(inputs(StageKey(.render, 1)).options == sample.job.options)
        #expect(inputs(StageKey(.publish, 2)).options == sample.job.options)
        #expect(inputs(StageKey(.transcribe, 2)).edits == ClipEdits())
    }

    @Test func `what is edited enters the keys of what it changes`() throws {
        let sample = SampleJob()
        let versions = ToolVersions(ffmpeg: "5.1", speechModel: "s", faceModel: "f")
        func key(_ name: StageName, _ edits: ClipEdits) throws -> String? {
            let revision = revision(slot: 2, edits: edits)
            let stages = finished(sample) + [sample.done(StageKey(.reframe, 2))]
            return try name.step.cacheKey(
                StageInputs(
                    job: sample.job, upload: sample.upload, stages: stages, revisions: [revision], edits: edits,
                    key: StageKey(name, 2)), versions)
        }
        let none = ClipEdits()
        let words = ClipEdits(captions: [.init(start: 6, end: 7, text: "a")])
        let others = ClipEdits(captions: [.init(start: 6, end: 7, text: "b")])
        let scenes = ClipEdits(scenes: [.init(start: 6, end: 7, layout: .fit)])
        #expect(try key(.reframe, none) == key(.reframe, words))
        #expect(try key(.reframe, none) != key(.reframe, scenes))
        #expect(try Set([none, words, others].map { try key(.render, $0) }).count == 3)
    }

    @Test func `the manifest of a revision tells of it`() throws {
        let sample = SampleJob()
        var options = JobOptions()
        options.captionStyle = .boxed
        let stages = finished(sample) + Self.chain.map { sample.done(StageKey($0, 2)) }
        let manifest = try Manifest(
            StageInputs(
                job: sample.job, upload: sample.upload, stages: stages,
                revisions: [revision(slot: 2, options: options)], key: StageKey(.publish, 2)),
            tools: ToolVersions(ffmpeg: "5.1", speechModel: "s", faceModel: "f"), publishedAt: SampleJob.noon)
        #expect(manifest.clips.map(\.revision) == [nil, 2])
        #expect(manifest.clips[1].start == 5 && manifest.clips[1].options == options)
        #expect(manifest.options == sample.job.options)
    }

    @Test func `the progress of a revision is its own`() throws {
        let sample = SampleJob()
        let revision = revision(slot: 2)
        func fraction(_ more: [Stage]) throws -> Double {
            let plan = try JobPlan(
                job: sample.job, upload: sample.upload, stages: finished(sample) + more, revisions: [revision])
            return JobProgress(job: sample.job, plan: plan, running: [:], now: SampleJob.noon).fraction
        }
        let begun = try fraction([]), reframed = try fraction([sample.done(StageKey(.reframe, 2))])
        #expect(begun == 0 && reframed > 0 && reframed < 1)
    }
}

extension StageInputs {
    /// Every stage before this one.
    fileprivate var plannedKeys: [StageKey] { StageName.allCases.flatMap { keys(of: $0) } }
}
