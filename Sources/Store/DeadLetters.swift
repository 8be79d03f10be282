package import ClipModel

/// What waits for somebody to look: a job that ended in an error, or one that is `ready` without some of its clips.
package struct DeadLetter: Sendable, Hashable {
    package let job: Job
    /// What a job that is ready lacks, by ordinal. Empty: the job itself failed (`Job.failure`).
    package let missing: [MissingClip]

    package init(_ job: Job, missing: [MissingClip] = []) {
        self.job = job
        self.missing = missing
    }
}

/// Which dead letters to list. Nil: any.
package struct DeadLetterFilter: Sendable, Hashable {
    package var tenant: String?
    /// Code of the failure that ended the job, or the clip. Of clips only those that it fits are told.
    package var failureCode: String?

    package init(code: String? = nil, tenant: String? = nil) {
        failureCode = code
        self.tenant = tenant
    }
}

/// A clip that its job was published without, because one of its stages failed for good. Made later by a revision, it
/// is not missing any more.
package struct MissingClip: Sendable, Hashable {
    package let id: ClipID
    /// The first of its stages that failed. Its index is the slot of what is missing.
    package let stage: StageKey
    package let failure: Failure

    package init(id: ClipID, stage: StageKey, failure: Failure) {
        self.id = id
        self.stage = stage
        self.failure = failure
    }
}

extension MissingClip {
    /// Nil: the clip is there, or none of its stages failed: what a client stopped, nobody waits for.
    init?(_ clip: Clip, stages: [Stage], revisions: [Revision]) {
        guard clip.state == .error, let slot = clip.slotMissing(in: revisions) else { return nil }
        let failed = stages.filter { stage in
            stage.state == .failed && stage.key.index == slot && stage.key.name.spoilsClips
        }
        guard let stage = failed.min(by: { $0.key < $1.key }), let failure = stage.failure else { return nil }
        self.init(id: clip.id, stage: stage.key, failure: failure)
    }

    /// What a job lacks whose clips are published.
    package static func all(of clips: [Clip], stages: [Stage], revisions: [Revision]) -> [MissingClip] {
        guard stages.contains(where: { $0.key == StageKey(.publish) && $0.state == .done }) else { return [] }
        return clips.sorted { $0.id.ordinal < $1.id.ordinal }
            .compactMap { MissingClip($0, stages: stages, revisions: revisions) }
    }
}

extension DeadLetter {
    /// Nil: it is none, or does not fit.
    init?(_ job: Job, clips: [Clip], stages: [Stage], revisions: [Revision], fitting filter: DeadLetterFilter) {
        guard filter.tenant ?? job.tenant == job.tenant else { return nil }
        func fits(_ failure: Failure?) -> Bool { filter.failureCode.map { $0 == failure?.code } ?? true }
        switch job.status {
        case .error:
            guard fits(job.failure?.failure) else { return nil }
            self.init(job)
        case .ready:
            let missing = MissingClip.all(of: clips, stages: stages, revisions: revisions).filter { fits($0.failure) }
            guard !missing.isEmpty else { return nil }
            self.init(job, missing: missing)
        case .pending, .processing, .cancelled: return nil
        }
    }
}

extension Clip {
    /// The slot whose stages would have made it: its own where the job chose it, and of a clip made by hand, which
    /// shows nothing yet, that of the wish that came last.
    fileprivate func slotMissing(in revisions: [Revision]) -> Int? {
        guard shownNumber == 0 else { return id.ordinal }
        return revisions.filter { $0.clip == id.ordinal }.max { $0.number < $1.number }?.slot
    }
}

extension StageName {
    /// Whether a clip cannot be there without it. One without a thumbnail can.
    package var spoilsClips: Bool { isOfRevisions && self != .thumbnail }
}
