package import ClipModel

/// A job inside one transaction: takes an event, decides what follows by the rules of `Store`, and remembers what
/// changed. Both adapters use it, so they cannot disagree; all that is left to them is to read and to write it.
package struct JobRecord: Sendable {
    /// An event that has no number yet.
    package struct EventDraft: Hashable, Sendable {
        package let kind: Event.Kind
        package var stage: StageKey?
        package var node: NodeID?
        package var clip: ClipID?
        package var failure: Failure?
        package var effort: Effort?

        package init(
            _ kind: Event.Kind, stage: StageKey? = nil, node: NodeID? = nil, clip: ClipID? = nil,
            failure: Failure? = nil, effort: Effort? = nil
        ) {
            self.kind = kind
            self.stage = stage
            self.node = node
            self.clip = clip
            self.failure = failure
            self.effort = effort
        }
    }

    /// How an attempt ended, with its result looked up.
    package enum Ending: Sendable {
        case result(StageResult, reused: Bool)
        case failed(Failure)
        case released
    }

    /// What a report under a lease is worth.
    package enum Standing: Hashable, Sendable {
        /// The lease is the latest: the report counts.
        case held
        /// The same report was taken before and is answered as it was then.
        case settled
        case stale
    }

    package private(set) var job: Job
    package let upload: Upload
    package private(set) var stages: [StageKey: StageRecord]
    package private(set) var clips: [ClipID: Clip]
    /// In the order of their slots.
    package private(set) var revisions: [Revision]
    package let now: Timestamp

    package private(set) var jobChanged = false
    package private(set) var changedStages: Set<StageKey> = []
    package private(set) var changedClips: Set<ClipID> = []
    package private(set) var newRevisions: [(revision: Revision, edits: ClipEdits)] = []
    /// Seconds of video by which the job costs more than was guessed when it was taken in.
    package private(set) var costCorrection: Double?
    /// Seconds by which its video is longer than was guessed when the job was taken in.
    package private(set) var usageCorrection: Double?
    /// In the order in which they happened.
    package private(set) var events: [EventDraft] = []
    package private(set) var signals: Set<StoreSignal> = []

    package init(
        job: Job, upload: Upload, stages: [StageRecord], clips: [Clip], revisions: [Revision] = [], now: Timestamp
    ) {
        self.job = job
        self.upload = upload
        self.stages = Dictionary(uniqueKeysWithValues: stages.map { ($0.stage.key, $0) })
        self.clips = Dictionary(uniqueKeysWithValues: clips.map { ($0.id, $0) })
        self.revisions = revisions.sorted { $0.slot < $1.slot }
        self.now = now
    }

    /// A job that comes into being.
    package init(taking draft: JobDraft, held: Bool = false, upload: Upload, now: Timestamp) {
        let job = Job(
            id: draft.id, upload: draft.upload, region: draft.region, tenant: draft.tenant, options: draft.options,
            priority: draft.priority, isHeld: held, createdAt: now)
        self.init(job: job, upload: upload, stages: [], clips: [], now: now)
        jobChanged = true
        log(EventDraft(.jobCreated))
        if !held { for key in draft.stages { open(key, afterSeconds: draft.opensAfterSeconds) } }
    }

    /// Stages in the order of their keys.
    package var orderedStages: [StageRecord] { stages.values.sorted { $0.stage.key < $1.stage.key } }
    /// Clips in the order of their ordinals.
    package var orderedClips: [Clip] { clips.values.sorted { $0.id.ordinal < $1.id.ordinal } }

    // MARK: Attempts

    package func standing(of lease: StageLease, reporting outcome: StageOutcome) -> Standing {
        guard let record = stages[lease.key] else { return .stale }
        if record.isHeld(under: lease) { return .held }
        let settlement = StageRecord.Settlement(epoch: lease.epoch, outcome: outcome.tag)
        return record.settlement == settlement ? .settled : .stale
    }

    /// Blobs of `outcome` that lost against the result that stands.
    package func orphans(of outcome: StageOutcome, at key: StageKey) -> [BlobName] {
        guard case .produced(let offered) = outcome, let kept = stages[key]?.stage.result else { return [] }
        return kept.id == offered.id ? [] : offered.blobs.filter { !kept.blobs.contains($0) }
    }

    /// Ends the attempt that runs under `lease`, which took `effort`, and does what `advance` makes of it.
    package mutating func settle(
        _ lease: StageLease, as ending: Ending, tag: String, effort: Effort? = nil, advance: Advance
    ) throws(StoreError) {
        guard var record = stages[lease.key], record.isHeld(under: lease) else {
            preconditionFailure("\(lease.key) of \(job.id) is not held under epoch \(lease.epoch)")
        }
        // A claimer that died between its two steps leaves a pending job with a running stage.
        start()
        record.settlement = StageRecord.Settlement(epoch: lease.epoch, outcome: tag)
        finish(&record, under: lease, as: ending, effort)
        put(record)
        let decision = advance(snapshot(changed: lease.key))
        if case .failed(let failure) = ending {
            let again = decision.reopen[lease.key] != nil && !(decision.status ?? job.status).hasEnded
            log(
                EventDraft(
                    again ? .stageRetried : .stageFailed, stage: lease.key, node: lease.node, failure: failure,
                    effort: effort))
        }
        try apply(decision)
    }

    private mutating func finish(
        _ record: inout StageRecord, under lease: StageLease, as ending: Ending, _ effort: Effort?
    ) {
        switch ending {
        case .result(let result, let reused):
            record.stage.state = .done
            record.stage.result = result
            record.stage.reused = reused
            record.stage.endedAt = now
            record.avoidance = nil
            log(EventDraft(.stageDone, stage: lease.key, node: lease.node, effort: effort))
        case .failed(let failure):
            record.stage.state = .failed
            record.stage.failure = failure
            record.stage.endedAt = now
            let waits = failure.waits && !record.stage.hasWaitedLongEnough(at: now)
            if failure.class == .cancelled || waits { record.stage.attempts -= 1 }
            if failure.class == .resource {
                let until = now.advanced(bySeconds: StageRecord.avoidanceSeconds(after: failure))
                record.avoidance = StageRecord.Avoidance(node: lease.node, until: until)
            }
        case .released:
            record.release(countingAttempt: false, jobHasEnded: job.status.hasEnded, at: now)
            log(EventDraft(.stageReleased, stage: lease.key, node: lease.node, effort: effort))
            signals.insert(.work)
        }
    }

    func snapshot(changed: StageKey) -> JobSnapshot {
        JobSnapshot(
            job: job, upload: upload, stages: orderedStages.map(\.stage), clips: orderedClips, revisions: revisions,
            changed: changed, now: now)
    }

    mutating func apply(_ decision: JobAdvance) throws(StoreError) {
        for clip in decision.clips where clips[clip.id] != clip { write(clip) }
        if !(decision.status ?? job.status).hasEnded {
            for key in decision.open { open(key) }
            for (key, seconds) in decision.reopen.sorted(by: { $0.key < $1.key }) { reopen(key, afterSeconds: seconds) }
        }
        for key in decision.abandon { abandon(key) }
        if let cost = decision.cost {
            let correction = cost - FairShare.estimate(of: upload, options: job.options)
            if correction != 0 { costCorrection = correction }
        }
        if let seconds = decision.sourceSeconds {
            let correction = seconds - ClientUsage.guessedSeconds(of: upload)
            if correction != 0 { usageCorrection = correction }
        }
        if let notes = decision.notes, notes != job.notes {
            job.notes = notes
            jobChanged = true
        }
        if let status = decision.status, status != job.status { try become(status, because: decision.failure) }
        // The nodes that run abandoned stages learn of it by heartbeat; at once only when nothing may go on, because
        // the signal names the whole job.
        let stopsAll = job.status.hasEnded && stages.values.allSatisfy { $0.stage.state.hasEnded }
        if stopsAll, !decision.abandon.isEmpty { signals.insert(.stop(job.id)) }
    }

    // MARK: The job

    /// The first of its stages was claimed.
    package mutating func start() {
        guard job.status == .pending else { return }
        job.status = .processing
        job.startedAt = now
        jobChanged = true
        log(EventDraft(.jobStarted))
    }

    /// Begins a held job. False when it is not held, or has ended.
    package mutating func admit(opening first: [StageKey]) -> Bool {
        guard job.isHeld, job.status == .pending else { return false }
        job.isHeld = false
        jobChanged = true
        for key in first { open(key) }
        return true
    }

    /// False when the job has ended already.
    package mutating func cancel() -> Bool {
        guard job.status.mayBecome(.cancelled) else { return false }
        guard !isPublished else {
            stopRevisions()
            return true
        }
        job.status = .cancelled
        job.isHeld = false
        job.endedAt = now
        jobChanged = true
        for record in orderedStages where !record.stage.state.hasEnded { abandon(record.stage.key) }
        log(EventDraft(.jobCancelled))
        signals.insert(.stop(job.id))
        return true
    }

    /// The clips of a job that is being revised stand: only what is under way for them ends.
    private mutating func stopRevisions() {
        for record in orderedStages where !record.stage.state.hasEnded { abandon(record.stage.key) }
        // Told by its last stage, so that a revision that was stopped between two stages does not go on with the next.
        for revision in revisions {
            let key = StageKey(.publish, revision.slot)
            guard stages[key] == nil else { continue }
            put(StageRecord(stage: Stage(job: job.id, key: key, state: .cancelled, openedAt: now, notBefore: now)))
        }
        stopPendingClips()
        job.status = .ready
        job.endedAt = now
        jobChanged = true
        log(EventDraft(.jobReady))
        signals.insert(.stop(job.id))
    }

    /// Nothing is made of a clip in a job that has ended.
    private mutating func stopPendingClips() {
        for clip in orderedClips where clip.revision?.pending != nil {
            var stopped = clip
            stopped.revision?.pending = nil
            stopped.revision?.failure = Revision.stopped
            if clip.files == nil { (stopped.state, stopped.failure) = (.error, Revision.stopped) }
            write(stopped)
        }
    }

    /// Writes a wish down, and lets a job that had ended go on.
    mutating func begin(_ revision: Revision, edits: ClipEdits) {
        revisions.append(revision)
        newRevisions.append((revision, edits))
        if job.status == .ready {
            rest()
            job.status = .processing
            job.endedAt = nil
            jobChanged = true
        }
        log(EventDraft(.jobRevised, clip: ClipID(job: job.id, ordinal: revision.clip)))
        signals.insert(.work)
    }

    /// False when the job did not end in an error.
    package mutating func retry() -> Bool {
        var again = orderedStages.filter { $0.stage.state == .failed || $0.stage.state == .cancelled }
        // A job that had come so far goes on without the clips that failed; tried again beside, they would come too
        // late.
        if let publish = again.first(where: { $0.stage.key == StageKey(.publish) }) { again = [publish] }
        guard job.status == .error, !again.isEmpty else { return false }
        resume()
        for record in again { restart(record) }
        signals.insert(.work)
        return true
    }

    /// False when the stage cannot be made ready again: it is done, it was abandoned (a retry of the job brings it
    /// back), its job ended without an error, or its clip's job is being published without it.
    package mutating func requeue(_ key: StageKey) -> Bool {
        guard let record = stages[key], !job.status.hasEnded || job.status == .error else { return false }
        switch record.stage.state {
        case .done, .cancelled: return false
        case .ready: restart(record)
        case .running: takeBack(record)
        case .failed:
            guard job.status == .error || stages[StageKey(.publish)] == nil else { return false }
            resume()
            restart(record)
            // What was abandoned was abandoned for a failure, and nobody else would ever open it again. What another
            // failure makes useless is abandoned again with the next outcome.
            for abandoned in orderedStages where abandoned.stage.state == .cancelled { restart(abandoned) }
        }
        signals.insert(.work)
        return true
    }

    /// From `error` back to `processing`.
    private mutating func resume() {
        guard job.status == .error else { return }
        job.status = .processing
        job.failure = nil
        rest()
        job.endedAt = nil
        jobChanged = true
        log(EventDraft(.jobRetried))
    }

    /// It goes on now: since its end nothing was done for it.
    private mutating func rest() {
        guard let endedAt = job.endedAt else { return }
        job.restedMilliseconds += max(0, now.millisecondsSinceEpoch - endedAt.millisecondsSinceEpoch)
    }

    /// Ready at once, as if nothing had been tried.
    private mutating func restart(_ before: StageRecord) {
        var record = before
        record.reopen(afterSeconds: 0, at: now)
        record.stage.attempts = 0
        record.stage.crashes = 0
        record.stage.failure = nil
        record.avoidance = nil
        put(record)
        log(EventDraft(.stageOpened, stage: record.stage.key))
    }

    /// Takes a running stage from its holder, which hears of it with its next heartbeat and is fenced until then.
    private mutating func takeBack(_ before: StageRecord) {
        var record = before
        record.release(countingAttempt: false, jobHasEnded: false, at: now)
        record.stage.attempts = 0
        record.stage.crashes = 0
        put(record)
        log(EventDraft(.stageReleased, stage: record.stage.key, node: before.stage.holder))
    }

    private mutating func become(_ status: Job.Status, because failure: JobFailure?) throws(StoreError) {
        guard job.status.mayBecome(status) else {
            throw StoreError(.refused, "job \(job.id) cannot go from \(job.status.rawValue) to \(status.rawValue)")
        }
        job.status = status
        job.failure = failure
        jobChanged = true
        guard status.hasEnded else { return }
        job.endedAt = now
        for record in orderedStages where record.stage.state == .ready { abandon(record.stage.key) }
        if isPublished { stopPendingClips() }
        switch status {
        case .ready: log(EventDraft(.jobReady))
        case .error: log(EventDraft(.jobFailed, stage: failure?.stage, failure: failure?.failure))
        case .cancelled: log(EventDraft(.jobCancelled))
        case .pending, .processing: break
        }
    }

    // MARK: Stages

    private mutating func open(_ key: StageKey, afterSeconds seconds: Double = 0) {
        guard stages[key] == nil else { return }
        let notBefore = now.advanced(bySeconds: max(0, seconds))
        put(StageRecord(stage: Stage(job: job.id, key: key, openedAt: now, notBefore: notBefore)))
        log(EventDraft(.stageOpened, stage: key))
        signals.insert(.work)
    }

    private mutating func reopen(_ key: StageKey, afterSeconds seconds: Double) {
        guard var record = stages[key], record.stage.state == .failed else { return }
        record.reopen(afterSeconds: seconds, at: now)
        put(record)
        signals.insert(.work)
    }

    private mutating func abandon(_ key: StageKey) {
        guard var record = stages[key], !record.stage.state.hasEnded else { return }
        record.cancel(at: now)
        put(record)
    }

    private mutating func write(_ clip: Clip) {
        clips[clip.id] = clip
        changedClips.insert(clip.id)
        log(EventDraft(.clipChanged, clip: clip.id))
    }

    private mutating func put(_ record: StageRecord) {
        stages[record.stage.key] = record
        changedStages.insert(record.stage.key)
    }

    private mutating func log(_ event: EventDraft) {
        events.append(event)
        signals.insert(.job(job.id))
    }
}

extension StageOutcome {
    /// Tells this report from another under the same lease.
    package var tag: String {
        switch self {
        case .produced(let result): "produced \(result.id)"
        case .reused(let result): "reused \(result)"
        case .failed(let failure): "failed \(failure.code)"
        case .released: "released"
        }
    }
}

extension StageResult {
    /// Refuses a body that is too long: results travel with every look at a job, so long things belong into blobs.
    package func checkLength() throws(StoreError) {
        guard body.utf8.count <= Self.bodyBytesMax else {
            throw StoreError(
                .refused,
                "the body of result \(id) has \(body.utf8.count) bytes, at most \(Self.bodyBytesMax) are allowed: "
                    + "put it into a blob and point at that")
        }
    }
}
