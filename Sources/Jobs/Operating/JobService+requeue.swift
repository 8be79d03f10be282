package import ClipModel
import Stages
package import Store

/// What failed for good, and is to be tried again.
extension JobService {
    /// What an operator's order to a stage came to.
    package enum Requeue: Sendable, Hashable {
        case stage(RequeueOutcome)
        /// The stage is of a clip that its job was published without.
        case clip(ReviseOutcome)
    }

    /// Makes one stage of a job ready at once, whatever it waits for. Where the job was published without the clip of
    /// a stage that failed, the clip is made again.
    package func requeue(_ key: StageKey, of id: JobID) async throws -> Requeue {
        let outcome = try await requeueStage(key, of: id)
        guard case .notPossible(_, .failed) = outcome, key.name.isOfRevisions,
            let clip = try await missingClips(of: id).first(where: { $0.stage.index == key.index })
        else { return .stage(outcome) }
        return .clip(try await makeAgain(clip.id))
    }

    /// One stage alone.
    package func requeueStage(_ key: StageKey, of id: JobID) async throws -> RequeueOutcome {
        let outcome = try await store.requeue(key, of: id)
        if case .changed(let job) = outcome { tell(job) }
        return outcome
    }

    private func missingClips(of id: JobID) async throws -> [MissingClip] {
        let clips = try await store.clips(of: id)
        let stages = try await store.stages(of: id)
        return MissingClip.all(of: clips, stages: stages, revisions: try await store.revisions(of: id, with: stages))
    }

    /// Asks for a clip once more, as it was to be: by a revision in which nothing is otherwise.
    ///
    /// Rejected: to make its failed stage ready again. The manifest is written and says that there is no such clip,
    /// and a `publish` that is done stays done. What of its stages is done is found under its cache keys.
    private func makeAgain(_ id: ClipID) async throws -> ReviseOutcome {
        guard let job = try await store.job(id.job) else { return .noSuchJob }
        guard let clip = try await store.clip(id) else { return .noSuchClip }
        let present = clip.base(in: try await store.revisions(of: id.job))
        let shown = clip.shownNumber
        guard clip.state == .error else { return .changed(number: shown) }
        // Borders and options were taken in once and are not looked at again: a clip of a very short video is shorter
        // than what a client may ask for.
        let outcome = try await store.revise(
            RevisionDraft(
                id: newRevisionID(), job: id.job, clip: id.ordinal, range: clip.range,
                title: shown == 0 ? clip.title : nil, options: present?.options ?? job.options,
                edits: try await store.edits(of: present), base: present?.number ?? shown),
            advance: Pipeline.advance)
        if case .taken(let job, _) = outcome { tell(job) }
        return outcome
    }

    // MARK: Dead letters

    /// Makes dead letters that fit begin again, newest first, at most `limit`; with `isRehearsal` nothing is changed.
    /// Safe to repeat: what was requeued fits no more.
    package func requeueDeadLetters(
        _ filter: DeadLetterFilter, limit: Int, isRehearsal: Bool
    ) async throws -> Requeued {
        let found = try await store.deadLetters(filter, before: nil, limit: limit + 1)
        var outcome = Requeued(jobs: [], clips: [], skipped: [], hasMore: found.count > limit, isRehearsal: isRehearsal)
        for letter in found.prefix(limit) {
            // Of one job no more are rendered anew at one time. The rest fits again when these have ended.
            let missing = letter.missing.prefix(StoreLimits.openRevisionsMax).map(\.id)
            if let begun = isRehearsal ? missing : try await begin(letter.job.id, missing) {
                outcome.jobs.append(letter.job.id)
                outcome.clips = (outcome.clips ?? []) + begun
            } else {
                outcome.skipped.append(letter.job.id)
            }
        }
        return outcome
    }

    /// The clips that are made again; empty: the whole job is. Nil: somebody else was first, or nothing in it can be
    /// tried again.
    private func begin(_ id: JobID, _ missing: [ClipID]) async throws -> [ClipID]? {
        guard !missing.isEmpty else {
            guard case .changed = try await retry(id) else { return nil }
            return []
        }
        var begun: [ClipID] = []
        for clip in missing {
            guard case .taken = try await makeAgain(clip) else { continue }
            begun.append(clip)
        }
        return begun.isEmpty ? nil : begun
    }

    /// What became of dead letters.
    package struct Requeued: Codable, Hashable, Sendable {
        /// Those that begin again, or would.
        package var jobs: [JobID]
        /// Of these jobs, the clips that they were published without and that are made again. Absent from nodes of an
        /// earlier release.
        package var clips: [ClipID]?
        /// Those that could not.
        package var skipped: [JobID]
        /// Whether more fit than were looked at.
        package var hasMore: Bool
        /// Nothing was changed.
        package var isRehearsal: Bool
    }
}
