import Blobs
package import ClipModel
package import Media
import Stages
package import Store

/// Clips of finished jobs: rendered anew with other borders, looks or words, and made by hand.
extension JobService {
    /// Lengths that a client may ask for, as the options of a job have them.
    package static let clipSeconds = TimeRange(start: 3, end: 180)

    /// What a client wants otherwise. Nil: as it is now.
    package struct Wish: Sendable {
        package var start: Double?
        package var end: Double?
        package var title: String?
        /// Lays what is asked for over what the clip has.
        package var options: @Sendable (JobOptions) throws -> JobOptions = { $0 }
        /// Replaced as a whole where not nil: `.some(nil)` goes back to what was heard or found.
        package var captions: [ClipEdits.Caption]??
        package var scenes: [ClipEdits.Scene]??
        /// What the client thinks that the clip shows; nil: whatever it does.
        package var ifRevision: Int?

        package init() {}
    }

    /// Asks for one clip to be rendered anew, under the id that it has. Throws `EditProblem` or `OptionProblem` when
    /// that makes no sense.
    package func revise(_ id: ClipID, _ wish: Wish) async throws -> ReviseOutcome {
        var outcome = try await reviseOnce(id, wish)
        // Somebody else's revision came between the look and the write: what is asked for is laid over that, unless its
        // client said what it knows.
        for _ in 1..<Self.looksMax {
            guard case .changed(let shown) = outcome, shown == wish.ifRevision ?? shown else { break }
            outcome = try await reviseOnce(id, wish)
        }
        return outcome
    }

    /// One clip has one revision at a time, and that takes seconds: the second look nearly always suffices.
    private static let looksMax = 3

    private func reviseOnce(_ id: ClipID, _ wish: Wish) async throws -> ReviseOutcome {
        guard let job = try await store.job(id.job) else { return .noSuchJob }
        guard let clip = try await store.clip(id) else { return .noSuchClip }
        // After the clip, so that what it shows is among them. What changes from here on is seen by the transaction.
        let revisions = try await store.revisions(of: id.job)
        // Nothing is known of the source, nor of what a wish would be laid over, before the job is done.
        guard let facts = try await sourceFacts(of: job) else { return .notReady(job) }
        let shown = clip.shownNumber
        if let known = wish.ifRevision, known != shown { return .changed(number: shown) }
        let present = clip.base(in: revisions)
        let start = wish.start ?? clip.range.start
        let range = try Self.range(start, wish.end ?? clip.range.end, of: facts)
        let options = try wish.options(present?.options ?? job.options)
        var edits = try await store.edits(of: present)
        if let captions = wish.captions { edits.captions = captions }
        if let scenes = wish.scenes { edits.scenes = scenes }
        // What never was shown has no title that would stand.
        let title = wish.title ?? (shown == 0 ? clip.title : nil)
        return try await take(
            RevisionDraft(
                id: newRevisionID(), job: id.job, clip: id.ordinal, range: range, title: title, options: options,
                edits: edits, base: present?.number ?? shown))
    }

    /// Asks for one more clip of a finished job.
    package func addClip(to id: JobID, _ wish: Wish) async throws -> ReviseOutcome {
        guard let job = try await store.job(id) else { return .noSuchJob }
        guard let facts = try await sourceFacts(of: job) else { return .notReady(job) }
        guard let start = wish.start, let end = wish.end else {
            throw EditProblem(field: wish.start == nil ? "start" : "end", detail: "is missing")
        }
        let edits = ClipEdits(captions: wish.captions ?? nil, scenes: wish.scenes ?? nil)
        return try await take(
            RevisionDraft(
                id: newRevisionID(), job: id, clip: nil, range: try Self.range(start, end, of: facts),
                title: wish.title ?? "", options: try wish.options(job.options), edits: edits))
    }

    private func take(_ draft: RevisionDraft) async throws -> ReviseOutcome {
        if let problem = draft.options.problem { throw problem }
        if let problem = draft.edits.problem { throw problem }
        let outcome = try await store.revise(draft, advance: Pipeline.advance)
        if case .taken(let job, _) = outcome { tell(job) }
        return outcome
    }

    /// Of a job whose clips are published; nil: it is not so far.
    private func sourceFacts(of job: Job) async throws -> VideoFacts? {
        guard job.status == .ready || job.status == .processing,
            let upload = try await store.upload(job.upload)
        else { return nil }
        let stages = try await store.stages(of: job.id)
        guard stages.contains(where: { $0.key == StageKey(.publish) && $0.state == .done }) else { return nil }
        return try StageInputs(job: job, upload: upload, stages: stages, key: StageKey(.publish))
            .body(ProbeResult.self).facts
    }

    private static func range(_ start: Double, _ end: Double, of facts: VideoFacts) throws(EditProblem) -> TimeRange {
        guard start.isFinite, start >= 0, start < facts.durationSeconds else {
            throw EditProblem(field: "start", detail: "must lie inside the video, which has \(facts.durationSeconds) s")
        }
        // What is rounded to a tenth of a second may lie a little behind the end.
        guard end.isFinite, end <= facts.durationSeconds + 0.1 else {
            throw EditProblem(field: "end", detail: "must lie inside the video, which has \(facts.durationSeconds) s")
        }
        let end = min(end, facts.durationSeconds)
        guard end - start >= clipSeconds.start, end - start <= clipSeconds.end else {
            throw EditProblem(
                field: "end",
                detail: "must lie \(Int(clipSeconds.start)) to \(Int(clipSeconds.end)) s behind start")
        }
        return TimeRange(start: start, end: end)
    }

    // MARK: What may be edited

    /// The captions of a clip, in seconds of the source, and whether a client wrote them; nil: there is no such clip.
    package func captions(of id: ClipID) async throws -> (captions: [ClipEdits.Caption], isEdited: Bool)? {
        guard let (clip, plan, inputs) = try await look(at: id) else { return nil }
        // All of them, those outside of the borders, too: what comes back replaces what is here.
        let edits = try await store.edits(of: clip.base(in: plan.revisions))
        if let edited = edits.captions { return (edited, true) }
        let blob = try inputs.body(TranscriptResult.self).transcript
        let transcript = try await read(Transcript.self, blob)
        let kept = clip.figures?.kept.flatMap { KeptSpans(inSource: $0, clip: clip.range) }
        // Line by line as the files have them: grouped in the time of the clip, and by who speaks.
        let words = kept?.tightened(transcript.words, of: clip.range) ?? transcript.words
        let shown = kept?.tightened(clip: clip.range) ?? clip.range
        var track = CaptionTrack(words: words, clip: shown, language: transcript.language)
        if (clip.revision?.options ?? inputs.job.options).tellsSpeakers, let slot = plan.slot(of: id.ordinal),
            plan.isDone(StageKey(.render, slot))
        {
            let framing = try inputs.body(RenderResult.self, slot).framing
            let found = try inputs.body(ReframeResult.self, slot).framing
            track = track.spoken(by: try await read(Framing.self, framing ?? found).turns ?? [])
        }
        return (track.captions(of: clip.range, kept: kept), false)
    }

    /// How a clip is framed, in seconds of the source, and what a client said of that; nil: there is no such clip.
    package func scenes(of id: ClipID) async throws -> (scenes: [SceneShown], edits: [ClipEdits.Scene]?)? {
        guard let (clip, plan, inputs) = try await look(at: id) else { return nil }
        let edits = try await store.edits(of: clip.base(in: plan.revisions)).scenes
        guard let slot = plan.slot(of: id.ordinal) else { return ([], edits) }
        let kept = clip.figures?.kept.flatMap { KeptSpans(inSource: $0, clip: clip.range) }
        // A framing in tight time that nothing else was changed of tells less than the one that it was made from.
        let isAsFound = kept != nil && clip.figures?.repairs == nil
        let rendered =
            plan.isDone(StageKey(.render, slot)) && !isAsFound
            ? try inputs.body(RenderResult.self, slot).framing : nil
        let framing = try await read(Framing.self, rendered ?? inputs.body(ReframeResult.self, slot).framing)
        let source = try inputs.body(ProbeResult.self).facts.displaySize
        return (framing.scenes(of: clip.range, source: source, kept: isAsFound ? nil : kept), edits)
    }

    private func look(at id: ClipID) async throws -> (Clip, JobPlan, StageInputs)? {
        guard let clip = try await store.clip(id), let job = try await store.job(id.job),
            let upload = try await store.upload(job.upload)
        else { return nil }
        let stages = try await store.stages(of: id.job)
        let revisions = try await store.revisions(of: id.job, with: stages)
        let inputs = StageInputs(
            job: job, upload: upload, stages: stages, revisions: revisions, key: StageKey(.publish))
        return (clip, try inputs.plan(), inputs)
    }

    private func read<Value: Decodable & Sendable>(_ type: Value.Type, _ blob: BlobName) async throws -> Value {
        let bytes = try await blobs.bytes(of: blob, limitBytes: Self.documentBytesMax)
        return try await Self.decoded(type, bytes)
    }

    @concurrent private static func decoded<Value: Decodable & Sendable>(
        _ type: Value.Type, _ bytes: [UInt8]
    ) async throws(Failure) -> Value { try StageJSON.decode(type, from: bytes) }

    /// The words of four hours of speech take about 5 MB.
    private static let documentBytesMax = 64 << 20
}

extension Store {
    /// The revisions of a job with these stages, which has none before its clips are published.
    func revisions(of job: JobID, with stages: [Stage]) async throws -> [Revision] {
        guard stages.contains(where: { $0.key == StageKey(.publish) && $0.state == .done }) else { return [] }
        return try await revisions(of: job)
    }

    /// What a client wrote in a revision. Asked for only where there is something.
    func edits(of revision: Revision?) async throws -> ClipEdits {
        guard let revision, revision.hasEdits else { return ClipEdits() }
        return try await edits(of: revision.id) ?? ClipEdits()
    }
}
