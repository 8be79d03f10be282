package import ClipModel

/// A wish for a clip of a finished job.
package struct RevisionDraft: Sendable, Hashable {
    /// Sent twice, it is taken in once.
    package let id: RevisionID
    package let job: JobID
    /// Ordinal of the clip; nil: a new one.
    package let clip: Int?
    package let range: TimeRange
    package let title: String?
    package let options: JobOptions
    package let edits: ClipEdits
    /// Of an existing clip: the number of the revision that the wish was laid over (`Clip.base`), so that nobody undoes
    /// unknowingly what another client has asked for meanwhile. Nil: whatever there is.
    package let base: Int?

    package init(
        id: RevisionID, job: JobID, clip: Int?, range: TimeRange, title: String? = nil, options: JobOptions,
        edits: ClipEdits = ClipEdits(), base: Int? = nil
    ) {
        self.id = id
        self.job = job
        self.clip = clip
        self.range = range
        self.title = title
        self.options = options
        self.edits = edits
        self.base = base
    }
}

package enum ReviseOutcome: Sendable, Hashable {
    case taken(Job, Revision)
    /// The job is not finished, or did not end well.
    case notReady(Job)
    /// The clip is being rendered anew already.
    case underWay(number: Int)
    /// Another revision than the wish was laid over, or than its client knows, is shown by now: this one.
    case changed(number: Int)
    case tooMany(Limit)
    /// Nodes of a release that knows no revisions, or not these options, still work here.
    case olderNodes
    case noSuchClip
    case noSuchJob

    package enum Limit: Sendable, Hashable, CaseIterable {
        /// `StoreLimits.openRevisionsMax`, `revisionsMax` and `clipsMax`.
        case open, revisions, clips
    }
}

extension JobRecord {
    /// Takes a wish in, and opens what `advance` says that it begins with. The job goes back to `processing` until all
    /// its revisions have ended, so that claims, leases and reports are those of any job that is under way.
    package mutating func revise(_ draft: RevisionDraft, advance: Advance) throws(StoreError) -> ReviseOutcome {
        if let taken = revisions.first(where: { $0.id == draft.id }) { return .taken(job, taken) }
        guard isPublished, job.status == .ready || job.status == .processing else { return .notReady(job) }
        if let clip = draft.clip {
            guard let known = clips[ClipID(job: job.id, ordinal: clip)] else { return .noSuchClip }
            if let number = known.pending(in: job) { return .underWay(number: number) }
            if let base = draft.base, base != known.baseNumber(in: revisions) {
                return .changed(number: known.shownNumber)
            }
        } else if clips.count >= StoreLimits.clipsMax {
            return .tooMany(.clips)
        }
        guard revisions.count < StoreLimits.revisionsMax else { return .tooMany(.revisions) }
        let open = clips.values.count { $0.pending(in: job) != nil }
        guard open < StoreLimits.openRevisionsMax else { return .tooMany(.open) }
        let last = orderedClips.last?.id.ordinal ?? -1
        let clip = draft.clip ?? last + 1
        let before = revisions.filter { $0.clip == clip }.map(\.number).max() ?? (draft.clip == nil ? 0 : 1)
        let revision = Revision(
            id: draft.id, slot: max(last, revisions.map(\.slot).max() ?? 0, highestIndexOfClips) + 1, clip: clip,
            number: before + 1, range: draft.range, title: draft.title, options: draft.options,
            hasCaptions: draft.edits.captions != nil, hasScenes: draft.edits.scenes != nil, createdAt: now)
        begin(revision, edits: draft.edits)
        try apply(advance(snapshot(changed: StageKey(.reframe, revision.slot))))
        return .taken(job, revision)
    }

    private var highestIndexOfClips: Int { stages.keys.filter(\.name.isOfClips).map(\.index).max() ?? 0 }

    /// The clips that the job chose stand; what goes on, if anything, are revisions.
    package var isPublished: Bool { stages[StageKey(.publish)]?.stage.state == .done }
}

extension Clip {
    /// Of what its files show: 1 as the job made it, 0 while nothing of a clip made by hand is there.
    package var shownNumber: Int { revision?.number ?? 1 }

    /// What a wish for it is laid over: what its files show, and while a clip made by hand shows nothing, what was
    /// asked for last. Nil: as the job made it.
    package func base(in revisions: [Revision]) -> Revision? {
        let own = revisions.filter { $0.clip == id.ordinal }
        return shownNumber == 0 ? own.max { $0.number < $1.number } : own.first { $0.number == shownNumber }
    }

    package func baseNumber(in revisions: [Revision]) -> Int { base(in: revisions)?.number ?? shownNumber }

    /// What is being made of it. Nothing is in a job that has ended, whatever a node of an earlier release left here.
    fileprivate func pending(in job: Job) -> Int? { job.status.hasEnded ? nil : revision?.pending }
}
