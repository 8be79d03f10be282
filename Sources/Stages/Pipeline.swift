package import ClipModel
package import Store

/// What follows from the state of a job. Pure: the store may ask more than once inside one transaction.
///
/// A stage that is `failed` here has failed for good; whether it is tried again is decided before, by the schedule.
package enum Pipeline {
    /// What a new job begins with.
    package static let firstStages = [StageKey(.scan)]

    /// Decides what to write next to the outcome that was just applied.
    package static func advance(_ snapshot: JobSnapshot) -> JobAdvance {
        var advance = JobAdvance()
        // What has ended stays as it is. A retry makes the failed stages of a job in `error` ready again, and when they
        // end, all that can be opened is opened, whatever was missed before.
        guard !snapshot.job.status.hasEnded else { return advance }
        do {
            let plan = try JobPlan(
                job: snapshot.job, upload: snapshot.upload, stages: snapshot.stages, revisions: snapshot.revisions)
            let clips = try plan.clips(of: snapshot.job.id)
            advance.clips = clips.filter { !snapshot.clips.contains($0) }
            if snapshot.changed == StageKey(.probe), let seconds = plan.durationSeconds {
                advance.cost = FairShare.cost(seconds: seconds, of: snapshot.upload, options: snapshot.job.options)
                advance.sourceSeconds = seconds
            }
            let notes = plan.notes
            if notes != snapshot.job.notes { advance.notes = notes }
            if plan.isPublished {
                // From here on nothing can spoil the job: a revision that fails leaves its clip as it was.
                if plan.revisions.allSatisfy({ plan.standing(of: $0) != .open }) {
                    advance.status = .ready
                } else {
                    advance.open = plan.keys.filter { plan.stages[$0] == nil && plan.isReady($0) }
                }
                advance.abandon = useless(plan)
            } else if let failure = ending(plan) {
                (advance.status, advance.failure) = (.error, failure)
                // What still runs is stopped: a retry makes it ready again.
                advance.abandon = plan.stages.values.filter { !$0.state.hasEnded }.map(\.key).sorted()
            } else {
                advance.open = plan.keys.filter { plan.stages[$0] == nil && plan.isReady($0) }
                advance.abandon = useless(plan)
            }
        } catch {
            // Clips that are published stand, whatever becomes of a revision.
            let stands = snapshot.stages.contains { $0.key == StageKey(.publish) && $0.state == .done }
            advance.status = stands ? .ready : .error
            if !stands { advance.failure = JobFailure(stage: snapshot.changed, failure: error) }
            advance.abandon = snapshot.stages.filter { !$0.state.hasEnded }.map(\.key)
        }
        return advance
    }

    /// What ends the whole job: a stage that everything needs, or the last of its clips.
    private static func ending(_ plan: JobPlan) -> JobFailure? {
        for (key, stage) in plan.stages.sorted(by: { $0.key < $1.key }) where stage.state == .failed {
            switch key.name {
            case .reframe, .render, .check, .thumbnail: continue
            case .scan, .probe, .audio, .shots, .transcribe, .transcript, .highlights, .publish:
                if let failure = stage.failure { return JobFailure(stage: key, failure: failure) }
            }
        }
        guard let highlights = plan.highlights else { return nil }
        guard !highlights.isEmpty else { return JobFailure(stage: StageKey(.highlights), failure: nothingChosen) }
        guard highlights.indices.allSatisfy({ plan.chain($0) == .failed }) else { return nil }
        return plan.chainFailure(0)
    }

    /// The rest of clips that cannot be finished any more: the thumbnail of one that failed its check.
    private static func useless(_ plan: JobPlan) -> [StageKey] {
        plan.slots.filter { plan.chain($0) == .failed }
            .flatMap { [StageKey(.check, $0), StageKey(.thumbnail, $0)] }
            .filter { plan.stages[$0]?.state.hasEnded == false }
    }

    private static let nothingChosen = Failure(
        .poison, code: "no_highlights", reason: "No moment of the video could become a clip.",
        hint: "Send a longer video, or ask for shorter clips.")
}
