import ClipModel
import Stages
import Store
import Testing

/// Small worlds: whatever order stages end in and whichever fail, a job comes to an end and never does a thing twice.
/// The rules of the store are the real ones (`JobRecord`), only the clock and the workers are played.
@Suite struct PipelineWorldTests {
    @Test(arguments: [(1, 1), (2, 2), (3, 1), (0, 2)])
    func `every single failure ends the job`(chunks: Int, clips: Int) throws {
        for failing in keys(chunks, clips) {
            for seed in UInt64(0)..<4 {
                let end = try run(chunks: chunks, clips: clips, seed: seed) { $0 == failing }
                let isOneOfManyClips = [.reframe, .render, .check].contains(failing.name) && clips > 1
                let spoils = !isOneOfManyClips && failing.name != .thumbnail
                #expect(end.status == (spoils ? .error : .ready), "\(failing), seed \(seed)")
                #expect((end.failure != nil) == spoils)
            }
        }
    }

    @Test func `random orders with random failures always end`() throws {
        var chance = SplitMix64(state: 7)
        for seed in UInt64(0)..<100 {
            let rate = Int.random(in: 0...30, using: &chance)
            var dice = SplitMix64(state: seed ^ 0xABCD)
            let end = try run(
                chunks: Int.random(in: 0...4, using: &chance), clips: Int.random(in: 1...4, using: &chance), seed: seed
            ) { _ in Int.random(in: 0..<100, using: &dice) < rate }
            #expect(end.status == .ready || end.status == .error, "seed \(seed)")
        }
    }

    @Test func `a job that failed goes on where it stopped when it is retried`() throws {
        for failing in keys(2, 2) where failing.name != .thumbnail {
            for seed in UInt64(0)..<2 {
                var isBroken = true
                let end = try run(chunks: 2, clips: 2, seed: seed, retries: 1) { key in
                    defer { if key == failing { isBroken = false } }
                    return key == failing && isBroken
                }
                #expect(end.status == .ready, "\(failing), seed \(seed)")
            }
        }
    }

    // MARK: The world

    /// Plays one job to its end and checks on the way that nothing is opened twice or too early.
    private func run(
        chunks: Int, clips: Int, seed: UInt64, retries: Int = 0, fails: (StageKey) -> Bool
    ) throws -> Job {
        var sample = SampleJob()
        (sample.chunks, sample.clips) = (chunks, clips)
        sample.hasSound = chunks > 0
        let world = sample
        var random = SplitMix64(state: seed)
        let life = NodeLife(id: NodeID("a")!, region: Region("eu")!, epoch: 1)
        let draft = JobDraft(
            id: sample.job.id, upload: sample.upload.id, region: life.region, tenant: "test",
            options: sample.job.options, stages: Pipeline.firstStages)
        var record = JobRecord(taking: draft, upload: sample.upload, now: SampleJob.noon)
        var held: [StageLease] = []
        var retries = retries
        for _ in 0..<1000 {
            let ready = record.orderedStages.filter { $0.stage.state == .ready }
            if record.job.status.hasEnded {
                guard record.job.status == .error, retries > 0, record.retry() else { break }
                retries -= 1
                held = []
                continue
            }
            // Claims and endings come in any order, up to three stages at a time.
            if let next = ready.randomElement(using: &random), held.count < 3,
                Bool.random(using: &random) || held.isEmpty
            {
                (record, held) = claim(next, record, held, life)
                continue
            }
            guard let lease = held.randomElement(using: &random) else { break }
            held.removeAll { $0 == lease }
            let ending: JobRecord.Ending =
                fails(lease.key) ? .failed(broken) : .result(sample.done(lease.key).result!, reused: false)
            let before = record
            guard record.standing(of: lease, reporting: .released) == .held else { continue }
            try record.settle(lease, as: ending, tag: "\(lease)") { snapshot in
                let advance = Pipeline.advance(snapshot)
                check(advance, snapshot, world)
                return advance
            }
            #expect(record.stages.count >= before.stages.count)
        }
        let open = record.orderedStages.filter { !$0.stage.state.hasEnded }
        #expect(open.isEmpty, "\(open.map(\.stage.key)) never ended, seed \(seed)")
        return record.job
    }

    private func claim(
        _ next: StageRecord, _ record: JobRecord, _ held: [StageLease], _ life: NodeLife
    ) -> (JobRecord, [StageLease]) {
        var claimed = next
        let lease = claimed.claim(by: life, at: SampleJob.noon)
        let others = record.orderedStages.filter { $0.stage.key != next.stage.key }
        let renewed = JobRecord(
            job: record.job, upload: record.upload, stages: others + [claimed], clips: record.orderedClips,
            now: SampleJob.noon)
        return (renewed, held + [lease])
    }

    private func check(_ advance: JobAdvance, _ snapshot: JobSnapshot, _ sample: SampleJob) {
        #expect(Set(advance.open).count == advance.open.count)
        let known = Set(snapshot.stages.map(\.key))
        #expect(known.isDisjoint(with: advance.open), "opened twice")
        guard let plan = try? JobPlan(job: sample.job, upload: sample.upload, stages: snapshot.stages) else { return }
        for key in advance.open {
            #expect(plan.needs(key)?.allSatisfy { plan.isDone($0) } == true, "\(key) opened too early")
        }
    }

    private func keys(_ chunks: Int, _ clips: Int) -> [StageKey] {
        StageName.allCases.flatMap { name in
            (0..<(name == .transcribe ? chunks : name.fansOut ? clips : 1)).map { StageKey(name, $0) }
        }
    }
}
