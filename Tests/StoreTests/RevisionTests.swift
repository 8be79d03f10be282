import ClipModel
import Store
import Synchronization
import Testing

/// Clips of finished jobs are rendered anew, and added by hand.
@Suite struct RevisionTests {
    /// A job that is ready, with as many clips.
    private func ready(_ world: World, clips: Int = 2) async throws -> (Job, NodeLife) {
        let job = try await world.job(stages: [StageKey(.publish)])
        let life = try await world.node()
        _ = try await world.complete(try await world.claimOne(life), .produced(world.result())) { snapshot in
            var advance = JobAdvance()
            advance.status = .ready
            advance.clips = (0..<clips).map { clip(job.id, $0) }
            return advance
        }
        return (job, life)
    }

    private func draft(_ job: JobID, _ clip: Int?, _ numbers: Numbers = Numbers()) -> RevisionDraft {
        var options = JobOptions()
        options.aspect = .square
        let edits = ClipEdits(
            captions: [.init(start: 1, end: 2, text: "¡Mañana, 'otra' \"vez\"!")],
            scenes: [.init(start: 0, end: 3, layout: .crop, x: 0.25)])
        return RevisionDraft(
            id: numbers.identifier(), job: job, clip: clip, range: TimeRange(start: 1, end: 9.25), title: "Neu",
            options: options, edits: edits)
    }

    /// As the pipeline would: opens the first stage, and says that the clip is being made.
    private static let opens: Advance = { snapshot in
        var advance = JobAdvance()
        advance.open = [snapshot.changed]
        for revision in snapshot.revisions where snapshot.changed.index == revision.slot {
            var changed = clip(snapshot.job.id, revision.clip)
            changed.revision = ClipRevision(number: revision.number - 1, pending: revision.number)
            advance.clips = [changed]
        }
        return advance
    }

    /// As the pipeline would when the last stage of a revision has ended.
    private static let ends: Advance = { snapshot in
        var advance = JobAdvance()
        advance.clips = snapshot.clips.filter { $0.revision?.pending != nil }.map { clip in
            var clip = clip
            clip.revision = ClipRevision(number: clip.revision?.pending ?? 0)
            return clip
        }
        advance.status = .ready
        return advance
    }

    @Test(arguments: Adapter.allCases)
    func `a finished job goes on for a revision and is ready again`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            let draft = draft(job.id, 1)
            guard case .taken(let going, let revision) = try await world.store.revise(draft, advance: Self.opens)
            else { throw Surprise("not taken") }
            #expect(going.status == .processing && going.endedAt == nil)
            #expect(revision.slot == 2 && revision.clip == 1 && revision.number == 2)
            #expect(revision.hasCaptions && revision.hasScenes && revision.options == draft.options)
            #expect(revision.title == "Neu" && revision.range == draft.range)
            #expect(try await world.store.edits(of: revision.id) == draft.edits)
            #expect(try await world.store.revisions(of: job.id) == [revision])
            #expect(try await world.store.clip(ClipID(job: job.id, ordinal: 1))?.revision?.pending == 2)
            #expect(try await world.store.clip(ClipID(job: job.id, ordinal: 0))?.revision == nil)
            let lease = try await world.claimOne(life)
            #expect(lease.key == StageKey(.reframe, 2))
            let seen = Seen()
            _ = try await world.complete(lease, .produced(world.result())) { snapshot in
                seen.note(snapshot.revisions)
                return Self.ends(snapshot)
            }
            #expect(seen.revisions == [revision])
            let ended = try await world.job(job.id)
            #expect(ended.status == .ready && ended.endedAt != nil)
            #expect(try await world.store.clip(ClipID(job: job.id, ordinal: 1))?.revision == ClipRevision(number: 2))
            let kinds = try await world.kinds(job.id)
            #expect(kinds.count { $0 == .jobRevised } == 1 && kinds.count { $0 == .jobReady } == 2)
            #expect(kinds.last == .jobReady)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the same wish sent twice is taken in once, and of one clip one at a time`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            let draft = draft(job.id, 0)
            let first = try await world.store.revise(draft, advance: Self.opens)
            guard case .taken(_, let revision) = try await world.store.revise(draft, advance: Self.opens),
                case .taken(_, let known) = first
            else { throw Surprise("not taken") }
            #expect(revision == known)
            #expect(try await world.store.revisions(of: job.id).count == 1)
            #expect(
                try await world.store.revise(self.draft(job.id, 0), advance: Self.opens) == .underWay(number: 2))
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result()), advance: Self.ends)
            guard case .taken(_, let next) = try await world.store.revise(self.draft(job.id, 0), advance: Self.opens)
            else { throw Surprise("not taken") }
            #expect(next.number == 3 && next.slot == 3)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a clip made by hand gets the next ordinal and a slot of its own`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, _) = try await ready(world)
            var taken: [Revision] = []
            for clip in [nil, 0, nil] as [Int?] {
                let outcome = try await world.store.revise(draft(job.id, clip), advance: Self.opens)
                guard case .taken(_, let revision) = outcome else { throw Surprise("\(outcome)") }
                taken.append(revision)
            }
            #expect(taken.map(\.clip) == [2, 0, 3])
            #expect(taken.map(\.number) == [1, 2, 1])
            #expect(taken.map(\.slot) == [2, 3, 4])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what is not there, not ready or too much is refused without a trace`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let waiting = try await world.job()
            #expect(
                try await world.store.revise(draft(waiting.id, 0), advance: Self.opens) == .notReady(waiting))
            _ = try await world.store.cancel(waiting.id)
            #expect(try await world.store.revise(draft(world.newJobID(), 0), advance: Self.opens) == .noSuchJob)
            let (job, _) = try await ready(world, clips: StoreLimits.clipsMax - 1)
            let before = try await world.job(job.id)
            #expect(try await world.store.revise(draft(job.id, 50), advance: Self.opens) == .noSuchClip)
            #expect(try await world.job(job.id) == before)
            guard case .taken = try await world.store.revise(draft(job.id, nil), advance: Self.opens) else {
                throw Surprise("not taken")
            }
            #expect(try await world.store.revise(draft(job.id, nil), advance: Self.opens) == .tooMany(.clips))
            for clip in 1..<StoreLimits.openRevisionsMax {
                _ = try await world.store.revise(draft(job.id, clip), advance: Self.opens)
            }
            #expect(try await world.store.revise(draft(job.id, 9), advance: Self.opens) == .tooMany(.open))
            #expect(try await world.store.revisions(of: job.id).count == StoreLimits.openRevisionsMax)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the clips of a job are changed so often and not once more`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, _) = try await ready(world)
            // Each is over as soon as it is taken in, so that none is under way.
            let isOver: Advance = { _ in
                var advance = JobAdvance()
                advance.status = .ready
                return advance
            }
            let numbers = Numbers()
            for count in 1...StoreLimits.revisionsMax {
                let outcome = try await world.store.revise(draft(job.id, 0, numbers), advance: isOver)
                guard case .taken(_, let revision) = outcome else { throw Surprise("\(count): \(outcome)") }
                try #require(revision.number == count + 1)
            }
            let before = try await world.job(job.id)
            for clip in [0, 1, nil] as [Int?] {
                #expect(
                    try await world.store.revise(draft(job.id, clip, numbers), advance: isOver) == .tooMany(.revisions))
            }
            #expect(try await world.job(job.id) == before)
            #expect(try await world.store.revisions(of: job.id).count == StoreLimits.revisionsMax)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what a client wrote is read apart, and of a wish without words nothing is said`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let (job, _) = try await ready(world)
            let numbers = Numbers()
            let cleared = RevisionDraft(
                id: numbers.identifier(), job: job.id, clip: 0, range: TimeRange(start: 1, end: 9),
                options: JobOptions())
            let silenced = RevisionDraft(
                id: numbers.identifier(), job: job.id, clip: 1, range: TimeRange(start: 1, end: 9),
                options: JobOptions(), edits: ClipEdits(captions: []))
            for draft in [cleared, silenced] { _ = try await world.store.revise(draft, advance: Self.opens) }
            let revisions = try await world.store.revisions(of: job.id)
            #expect(revisions.map(\.hasCaptions) == [false, true] && revisions.map(\.hasScenes) == [false, false])
            #expect(revisions.map(\.id) == [cleared.id, silenced.id] && revisions.allSatisfy { $0.title == nil })
            #expect(try await world.store.edits(of: cleared.id) == ClipEdits())
            #expect(try await world.store.edits(of: silenced.id) == ClipEdits(captions: []))
            #expect(try await world.store.edits(of: numbers.identifier()) == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a wish that was laid over what is not shown any more changes nothing`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            let numbers = Numbers()
            func ask(_ clip: Int?, base: Int?) async throws -> ReviseOutcome {
                try await world.store.revise(
                    RevisionDraft(
                        id: numbers.identifier(), job: job.id, clip: clip, range: TimeRange(start: 1, end: 9),
                        options: JobOptions(), base: base), advance: Self.opens)
            }
            #expect(try await ask(0, base: 2) == .changed(number: 1))
            guard case .taken = try await ask(0, base: 1) else { throw Surprise("not taken") }
            #expect(try await ask(0, base: 1) == .underWay(number: 2))
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result()), advance: Self.ends)
            let before = try await world.job(job.id)
            #expect(try await ask(0, base: 1) == .changed(number: 2))
            #expect(try await world.job(job.id) == before)
            #expect(try await world.store.revisions(of: job.id).count == 1)
            guard case .taken(_, let next) = try await ask(0, base: 2) else { throw Surprise("not taken") }
            #expect(next.number == 3)
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result()), advance: Self.ends)
            // One made by hand that shows nothing yet is laid over what was asked for last.
            guard case .taken(_, let byHand) = try await ask(nil, base: nil) else { throw Surprise("not taken") }
            _ = try await world.complete(try await world.claimOne(life), .failed(.test(.poison))) { snapshot in
                var advance = JobAdvance()
                advance.status = .ready
                advance.clips = snapshot.clips.filter { $0.id.ordinal == byHand.clip }.map { clip in
                    var clip = clip
                    clip.revision = ClipRevision(number: 0, failure: .test(.poison))
                    return clip
                }
                return advance
            }
            #expect(try await ask(byHand.clip, base: 0) == .changed(number: 0))
            guard case .taken(_, let again) = try await ask(byHand.clip, base: 1) else { throw Surprise("not taken") }
            #expect(again.number == 2 && again.clip == byHand.clip)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the time in which a job had ended is no time that it took`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, _) = try await ready(world)
            let life = try await world.node(leaseSeconds: 100_000)
            try await world.pass(seconds: 50_000)
            _ = try await world.store.revise(draft(job.id, 0), advance: Self.opens)
            try await world.pass(seconds: 200)
            #expect(try await world.job(job.id).tookSeconds == nil)
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result()), advance: Self.ends)
            let revised = try await world.job(job.id)
            #expect(abs((revised.tookSeconds ?? 0) - 200) < 40)
            // The same for one that is tried again.
            let failing = try await world.job()
            _ = try await world.complete(try await world.claimOne(life), .failed(.test(.poison))) { snapshot in
                var advance = JobAdvance()
                (advance.status, advance.failure) = (
                    .error, JobFailure(stage: snapshot.changed, failure: .test(.poison))
                )
                return advance
            }
            try await world.pass(seconds: 3000)
            guard case .changed(let again) = try await world.store.retry(failing.id) else { throw Surprise("kept") }
            #expect(abs(again.restedMilliseconds - 3_000_000) < 40_000)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `cancelling stops what is revised and leaves the job ready`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            _ = try await world.store.revise(draft(job.id, 0), advance: Self.opens)
            _ = try await world.store.revise(draft(job.id, nil), advance: Self.opens)
            let lease = try await world.claimOne(life)
            guard case .changed(let stopped) = try await world.store.cancel(job.id) else { throw Surprise("kept") }
            #expect(stopped.status == .ready && stopped.endedAt != nil)
            #expect(try await world.complete(lease, .produced(world.result())) == .stale)
            #expect(try await world.store.claim(9, for: life).isEmpty)
            let clips = try await world.store.clips(of: job.id)
            #expect(clips[0].state == .ready && clips[0].revision?.failure == Revision.stopped)
            #expect(clips[2].state == .error && clips.allSatisfy { $0.revision?.pending == nil })
            // Its last stage says so for good: another revision does not bring it back.
            #expect(try await world.stage(job.id, StageKey(.publish, 2)).state == .cancelled)
            #expect(try await world.stage(job.id, StageKey(.publish, 3)).state == .cancelled)
            guard case .taken = try await world.store.revise(draft(job.id, 0), advance: Self.opens) else {
                throw Surprise("not taken")
            }
            #expect(try await world.store.claim(9, for: life).map(\.key) == [StageKey(.reframe, 4)])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a job in revision is deleted with all that belongs to it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            _ = try await world.store.revise(draft(job.id, 0), advance: Self.opens)
            _ = try await world.complete(
                try await world.claimOne(life), .produced(world.result(blobs: ["jobs/x/framing"])))
            guard case .deleted(let blobs) = try await world.store.delete(job.id) else { throw Surprise("kept") }
            #expect(blobs.contains(.named("jobs/x/framing")))
            #expect(try await world.store.revisions(of: job.id).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a revision comes behind what its client asked for before`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            let other = try await world.job(stages: [StageKey(.probe)])
            _ = try await world.store.revise(draft(job.id, 0), advance: Self.opens)
            #expect(try await world.store.claim(9, for: life).map(\.job) == [other.id, job.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a job that was revised is counted once`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let (job, life) = try await ready(world)
            _ = try await world.store.revise(draft(job.id, 0), advance: Self.opens)
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result())) { snapshot in
                var advance = JobAdvance()
                advance.open = [StageKey(.publish, 2)]
                return advance
            }
            _ = try await world.complete(try await world.claimOne(life), .produced(world.result()), advance: Self.ends)
            _ = try await world.store.countEffects(limit: 100)
            let rows = try await world.store.tally(days: 2)
            #expect(rows.first { $0.name == "jobs_ready" }?.count == 1)
            #expect(rows.first { $0.name == "clips_revised" }?.count == 1)
        }
    }
}

/// What a pure function was asked with.
private final class Seen: Sendable {
    private let state = Mutex<[Revision]>([])
    var revisions: [Revision] { state.withLock { $0 } }
    func note(_ revisions: [Revision]) { state.withLock { $0 = revisions } }
}

private func clip(_ job: JobID, _ ordinal: Int) -> Clip {
    let blob = BlobName.named("jobs/clip-\(ordinal)")
    return Clip(
        id: ClipID(job: job, ordinal: ordinal), state: .ready, range: TimeRange(start: 0, end: 20), title: "t",
        score: 1, reason: "r", signals: [:],
        files: ordinal < 2 ? ClipFiles(video: blob, videoBytes: 1, videoSHA256: "aa") : nil)
}
