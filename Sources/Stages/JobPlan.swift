package import ClipModel
package import Media

/// The stages of one job as far as they are known, and the arrows between them.
///
/// ```
/// scan -> probe -> audio -> transcribe[i] -> transcript -> highlights -> reframe[i] -> render[i] -> check[i]
///             `--> shots ------------------------------------^                             `-> thumbnail[i]
/// ```
/// and `publish`, when all clips have ended. How many `transcribe` there are is known once `audio` is done, how many
/// clips once `highlights` is. A transcript that came with the upload replaces all recognition: then there is one
/// `transcribe`, which waits for nothing but `probe`.
///
/// Once that is published, a client may want a clip otherwise (`Revision`). Each revision has the stages of one clip
/// under an index of its own, its slot, and a `publish` of its own, one after the other. So nothing that is done is
/// done again or undone, and which files a clip shows is decided by the newest of its revisions that is published.
package struct JobPlan: Sendable {
    package let stages: [StageKey: Stage]
    /// Pieces of sound to transcribe, with the length of each; nil until `audio` is done.
    package let chunks: [TimeRange]?
    /// What will become clips; nil until `highlights` is done.
    package let highlights: [Highlight]?
    package let highlightNotes: [Note]
    /// In the order of their slots.
    package let revisions: [Revision]
    /// The slot that is being published: a manifest is written before its `publish` is done.
    let publishing: Int?
    let jobHasEnded: Bool
    private let scanNotes: [Note]
    package let durationSeconds: Double?
    package let hasSound: Bool?
    private let hasSidecar: Bool
    let inputs: StageInputs

    /// Whether its sound is, or may turn out to be, what the words are taken from.
    var listens: Bool { !hasSidecar && hasSound != false }

    /// Throws when a result cannot be read by this version.
    package init(
        job: Job, upload: Upload, stages: [Stage], revisions: [Revision] = [], publishing: Int? = nil
    ) throws(Failure) {
        self.revisions = revisions
        self.publishing = publishing
        jobHasEnded = job.status.hasEnded
        self.stages = Dictionary(stages.map { ($0.key, $0) }) { first, _ in first }
        let inputs = StageInputs(job: job, upload: upload, stages: stages, key: StageKey(.publish))
        func body<Body: StageBody>(_ type: Body.Type) throws(Failure) -> Body? {
            guard inputs.keys(of: type.stage).first != nil else { return nil }
            return try inputs.body(type)
        }
        self.inputs = inputs
        hasSidecar = upload.transcript != nil
        // The name is the upload's, so what is said of it is no part of a result that jobs share.
        let scan = try body(ScanResult.self)
        let format = scan.flatMap { SniffedFormat(rawValue: $0.format) }
        let isNamedWrong = format.map { !DeclaredType.agrees(upload.fileName, with: $0) } ?? false
        scanNotes = (scan?.notes ?? []) + (isNamedWrong ? [Self.otherType] : [])
        let facts = try body(ProbeResult.self)?.facts
        let sound = try body(AudioResult.self)
        let selection = try body(HighlightsResult.self)
        durationSeconds = facts?.durationSeconds
        hasSound = facts.map { $0.audioStream != nil }
        chunks = hasSidecar ? facts.map { [TimeRange(start: 0, end: $0.durationSeconds)] } : sound?.chunks
        highlights = selection?.highlights
        highlightNotes = selection?.notes ?? []
    }

    /// Every stage that is known to belong to the job, in the order of the keys.
    package var keys: [StageKey] {
        // What was stopped goes no further, though there is more that it could do.
        let wanted = revisions.filter { [.open, .published].contains(standing(of: $0)) }.map(\.slot)
        return StageName.allCases.flatMap { name in
            if name.isOfClips { return ((highlights ?? []).indices + wanted).map { StageKey(name, $0) } }
            if name == .publish { return [StageKey(name)] + wanted.map { StageKey(name, $0) } }
            return (0..<(name.fansOut ? chunks?.count ?? 0 : 1)).map { StageKey(name, $0) }
        }
    }

    /// The indices of the stages of clips: those that the job chose, then the revisions.
    package var slots: [Int] { Array((highlights ?? []).indices) + revisions.map(\.slot) }

    /// What must be done before `key` can begin; nil while that is not known yet.
    package func needs(_ key: StageKey) -> [StageKey]? {
        switch key.name {
        case .scan: return []
        case .probe: return [StageKey(.scan)]
        case .audio, .shots: return [StageKey(.probe)]
        case .transcribe: return [StageKey(hasSidecar ? .probe : .audio)]
        case .transcript:
            guard let chunks else { return nil }
            return [StageKey(.audio)] + chunks.indices.map { StageKey(.transcribe, $0) }
        // Borders of clips are better where cuts are known, and `shots` runs beside the transcription anyway.
        case .highlights: return [StageKey(.transcript), StageKey(.audio), StageKey(.shots)]
        case .reframe: return [StageKey(.highlights), StageKey(.shots)]
        case .render: return [StageKey(.reframe, key.index), StageKey(.transcript)]
        case .check, .thumbnail: return [StageKey(.render, key.index)]
        case .publish where key.index > 0:
            // One at a time, so that each manifest tells of those before it.
            let others = revisions.map(\.slot).filter { $0 != key.index }.compactMap { stages[StageKey(.publish, $0)] }
            guard chain(key.index) == .succeeded, others.allSatisfy(\.state.hasEnded) else { return nil }
            let isNext = !revisions.contains { $0.slot < key.index && awaitsPublishing($0) }
            return isNext ? [StageKey(.publish)] : nil
        case .publish:
            guard let highlights, highlights.indices.allSatisfy({ chain($0) != .open }) else { return nil }
            guard highlights.indices.contains(where: { chain($0) == .succeeded }) else { return nil }
            return [StageKey(.highlights)]
        }
    }

    /// Whether `key` could begin now.
    package func isReady(_ key: StageKey) -> Bool { needs(key)?.allSatisfy { isDone($0) } ?? false }

    package func isDone(_ key: StageKey) -> Bool { stages[key]?.state == .done }

    /// How the stages of one clip stand as a whole.
    package enum Chain: Sendable, Hashable { case open, succeeded, failed }

    /// A clip stands or falls with its picture and its check. A missing thumbnail alone does not spoil it.
    package func chain(_ index: Int) -> Chain {
        if chainFailure(index) != nil { return .failed }
        guard isDone(StageKey(.check, index)), stages[StageKey(.thumbnail, index)]?.state.hasEnded == true else {
            return .open
        }
        return .succeeded
    }

    private func awaitsPublishing(_ revision: Revision) -> Bool {
        chain(revision.slot) == .succeeded && stages[StageKey(.publish, revision.slot)] == nil
    }

    /// What ended the clip, with the stage it happened in.
    package func chainFailure(_ index: Int) -> JobFailure? {
        for name in [StageName.reframe, .render, .check] {
            let key = StageKey(name, index)
            if let stage = stages[key], stage.state == .failed, let failure = stage.failure {
                return JobFailure(stage: key, failure: failure)
            }
        }
        return nil
    }

    private static let otherType = Note(
        code: "other_type", text: "The file is of another type than its name says; it was read as what it is.")

    /// What the client should know though the job goes on.
    package var notes: [Note] {
        var notes = scanNotes
        if hasSound == false {
            notes.append(Note(code: "no_sound", text: "The video has no sound, so nothing was transcribed."))
        }
        notes += highlightNotes
        notes += clipNotes
        return notes
    }

    /// Of every clip as it is shown.
    private var clipNotes: [Note] {
        var notes: [Note] = []
        let byHand = Set(revisions.map(\.clip)).filter { $0 >= (highlights ?? []).count }
        for ordinal in Array((highlights ?? []).indices) + byHand.sorted() {
            guard let slot = slot(of: ordinal) else { continue }
            if let failure = chainFailure(slot)?.failure {
                notes.append(
                    Note(code: "clip_failed", text: "Clip \(ordinal + 1) could not be made: \(failure.reason)"))
                continue
            }
            if isDone(StageKey(.render, slot)), let render = try? inputs.body(RenderResult.self, slot),
                render.captionsUnwritable == true
            {
                notes.append(
                    Note(
                        code: "captions_not_burned",
                        text: "Clip \(ordinal + 1) has no captions in its picture: no font here has their script. "
                            + "The subtitle files hold them."))
            }
            if stages[StageKey(.thumbnail, slot)]?.state == .failed {
                notes.append(Note(code: "thumbnail_missing", text: "Clip \(ordinal + 1) has no thumbnail."))
            }
        }
        return notes
    }
}
