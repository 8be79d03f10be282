import ClipModel
import Media
import Stages
import Store
import Testing

/// Small worlds of a finished job: whatever its client asks for, whichever stages fail and whenever it is stopped, the
/// job is ready in the end and no clip that was published is lost. The rules of the store are the real ones.
@Suite struct RevisionWorldTests {
    @Test func `whatever happens, what was published stays and the job is ready in the end`() throws {
        var published = 0, failed = 0, stopped = 0
        for seed in UInt64(0)..<200 {
            var world = try RevisionWorld(seed: seed, failuresPercent: Int(seed % 4) * 8)
            try world.run(wishes: 6)
            #expect(world.record.job.status == .ready, "seed \(seed)")
            let open = world.record.orderedStages.filter { !$0.stage.state.hasEnded }
            #expect(open.isEmpty, "\(open.map(\.stage.key)) never ended, seed \(seed)")
            for clip in world.record.orderedClips {
                #expect(clip.revision?.pending == nil, "\(clip.id), seed \(seed)")
                #expect((clip.state == .ready) == (clip.files != nil), "\(clip.id), seed \(seed)")
                if clip.revision?.failure == Revision.stopped { stopped += 1 }
                if clip.revision?.failure == broken { failed += 1 }
                if clip.revision?.number ?? 0 > 1 { published += 1 }
            }
        }
        // Worlds in which nothing of this happens would say nothing.
        #expect(published > 50 && failed > 10 && stopped > 10, "\(published) \(failed) \(stopped)")
    }
}

/// A job of two clips that is done, its client and its workers.
private struct RevisionWorld {
    private(set) var record: JobRecord
    private let sample: SampleJob
    private let failuresPercent: Int
    private var random: SplitMix64
    private var held: [StageLease] = []
    private let life = NodeLife(id: NodeID("a")!, region: Region("eu")!, epoch: 1)

    init(seed: UInt64, failuresPercent: Int) throws {
        sample = SampleJob()
        self.failuresPercent = failuresPercent
        random = SplitMix64(state: seed)
        let inputs = sample.inputs(StageKey(.publish))
        let done = StageName.allCases.flatMap { inputs.keys(of: $0) } + [StageKey(.publish)]
        var job = sample.job
        job.status = .ready
        let stages = done.map { sample.done($0) }
        let clips = try JobPlan(job: job, upload: sample.upload, stages: stages).clips(of: job.id)
        record = JobRecord(
            job: job, upload: sample.upload, stages: stages.map { StageRecord(stage: $0) }, clips: clips,
            now: SampleJob.noon)
    }

    mutating func run(wishes: Int) throws {
        var wishes = wishes
        for _ in 0..<1000 {
            let before = record.orderedClips
            switch Int.random(in: 0..<40, using: &random) {
            case 0..<6 where wishes > 0:
                wishes -= 1
                try wish()
            case 6 where !record.job.status.hasEnded:
                #expect(record.cancel())
                held = []
            case 7..<23: claim()
            default: try end()
            }
            try check(since: before)
            if wishes == 0, record.job.status.hasEnded { return }
        }
    }

    private mutating func wish() throws {
        let clip = Int.random(in: 0..<4, using: &random)
        let isKnown = record.orderedClips.contains { $0.id.ordinal == clip }
        let draft = RevisionDraft(
            id: RevisionID(at: SampleJob.noon, using: &random), job: record.job.id, clip: isKnown ? clip : nil,
            range: TimeRange(start: 5, end: 15), options: JobOptions())
        _ = try record.revise(draft, advance: Pipeline.advance)
        refresh()
    }

    private mutating func claim() {
        let ready = record.orderedStages.filter { $0.stage.state == .ready }
        guard held.count < 3, var next = ready.randomElement(using: &random) else { return }
        held.append(next.claim(by: life, at: SampleJob.noon))
        refresh(with: next)
    }

    private mutating func end() throws {
        guard let lease = held.randomElement(using: &random) else { return }
        held.removeAll { $0 == lease }
        guard record.standing(of: lease, reporting: .released) == .held else { return }
        let fails = Int.random(in: 0..<100, using: &random) < failuresPercent
        let ending: JobRecord.Ending =
            fails ? .failed(broken) : .result(sample.done(lease.key).result!, reused: false)
        try record.settle(lease, as: ending, tag: "\(lease)") { Pipeline.advance($0) }
        refresh()
    }

    /// As it is read in the next transaction.
    private mutating func refresh(with changed: StageRecord? = nil) {
        let others = record.orderedStages.filter { $0.stage.key != changed?.stage.key }
        record = JobRecord(
            job: record.job, upload: record.upload, stages: others + (changed.map { [$0] } ?? []),
            clips: record.orderedClips, revisions: record.revisions, now: SampleJob.noon)
    }

    private func check(since before: [Clip]) throws {
        let ended = record.job.status.hasEnded
        #expect(!ended || record.orderedStages.allSatisfy { $0.stage.state.hasEnded }, "work in a job that has ended")
        for clip in before where clip.files != nil {
            let now = try #require(record.clips[clip.id])
            #expect(now.state == .ready && now.files != nil, "\(clip.id) was lost")
            #expect(now.revision?.number ?? 1 >= clip.revision?.number ?? 1, "\(clip.id) went back")
        }
        let publishing = record.orderedStages.filter { $0.stage.key.name == .publish && !$0.stage.state.hasEnded }
        #expect(publishing.count <= 1, "two manifests at a time")
    }
}
