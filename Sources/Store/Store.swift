package import ClipModel

/// The port to durable truth. Two adapters: PostgreSQL in production, memory in tests; one conformance suite for both.
///
/// Every method is one transaction. Time is the store's own (database time): callers never pass a clock. A method
/// throws `StoreError` when the store cannot answer; everything a caller has to expect is a case of its outcome.
package protocol Store: UploadSessionStore, LinkKeyBook, QuotaBook {
    // MARK: Uploads

    func insert(_ upload: Upload) async throws
    func upload(_ id: UploadID) async throws -> Upload?
    /// Deletes up to `limit` uploads that no job uses and that are older than `seconds`, and returns them: their bytes
    /// are the caller's to remove.
    func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) async throws -> [Upload]

    // MARK: Jobs

    /// Takes a job in with its first stages, or without them (`Job.isHeld`) when its client has as many jobs under
    /// way as it may, or others of it are held already. Nothing is stored when its minutes of this month are used up
    /// (`ClientUsage`). The same idempotency key and the same draft answer with the
    /// first job.
    func submit(_ draft: JobDraft) async throws -> SubmitOutcome
    /// Opens the `first` stages of held jobs whose clients may have another under way, in the order of their ranks.
    /// Returns the jobs.
    /// - Parameter jobsMax: for clients whose terms say nothing; nil: as many as they like.
    func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) async throws -> [HomedJob]
    func job(_ id: JobID) async throws -> Job?
    /// Jobs whose work has begun and has not ended, oldest first, those younger than `cursor`; at most `limit`.
    func jobsUnderWay(after cursor: JobID?, limit: Int) async throws -> [HomedJob]
    /// Those that fit, newest first, older than `cursor`; at most `limit`.
    func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) async throws -> [Job]
    /// Jobs in an error, and those that are ready without all of their clips, newest first, older than `cursor`; at
    /// most `limit`.
    func deadLetters(_ filter: DeadLetterFilter, before cursor: JobID?, limit: Int) async throws -> [DeadLetter]
    /// How many jobs that wait for their first stage come before this one, by the rank that clients' shares gave them.
    /// A held job comes before nobody but the held ones of its own client.
    func queuePosition(of job: JobID) async throws -> Int
    /// Ends the job and every stage that has not ended. Running stages learn of it by signal and by heartbeat. A job
    /// whose clips are published stays `ready`: then only the revisions that are under way are ended.
    func cancel(_ id: JobID) async throws -> ChangeOutcome
    /// Makes failed stages ready again with a fresh count of attempts, and the job `processing`.
    func retry(_ id: JobID) async throws -> ChangeOutcome
    /// Deletes the job, its events and clips, the results no other job uses, and its upload when it was the last user.
    /// Running stages lose their leases.
    func delete(_ id: JobID) async throws -> DeleteOutcome

    /// Takes in a wish for a clip of a job that ended well (`JobRecord.revise`), with what `advance` opens for it. The
    /// job queues behind its client's other work once more, for what a clip costs.
    func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome
    /// In the order of their slots.
    func revisions(of job: JobID) async throws -> [Revision]
    /// What a client wrote in a revision; nil: there is none of that id.
    func edits(of revision: RevisionID) async throws -> ClipEdits?

    /// Makes one stage of a job that has not ended well ready at once, with a fresh count of attempts: one that failed
    /// (and with it what was abandoned because of it), one that waits for a retry, or one that runs, whose holder loses
    /// its lease. A job in `error` becomes `processing`; its other failed stages stay failed.
    func requeue(_ key: StageKey, of job: JobID) async throws -> RequeueOutcome
    /// What the ready stages of a job wait for, and how many stages a claim takes before them.
    /// - Parameter awaySeconds: those of the nodes' claims (`ClaimTerms`).
    func waits(of job: JobID, awaySeconds: Double) async throws -> JobWaits

    // MARK: Clients

    /// Clients with jobs in the house, with usage in this month or with terms of their own, by name; at most `limit`.
    func clients(after tenant: String?, limit: Int) async throws -> [ClientShare]
    /// Grants a client these terms, for jobs that it sends from now on and for those that are held. Safe to repeat.
    @discardableResult
    func setTerms(of tenant: String, to terms: ClientTerms) async throws -> TermsOutcome

    // MARK: Overload

    /// What waits and who could do it, in one cheap statement: every node asks every few seconds.
    func queues() async throws -> QueueReading
    /// Opens jobs of that region that were taken in to be begun later (`JobDraft.opensAfterSeconds`), by their ranks,
    /// until those opened cost so much together; at least one when there is any and the cost is above zero. Whatever it
    /// is, those are opened whose turn comes before that of work that is open already: a client that asks for little
    /// does not wait until what another has asked for is done. Returns how many.
    func openDeferred(in region: Region, costSeconds: Double) async throws -> Int

    // MARK: Stages

    /// Every stage of a job, in the order of their keys, results included.
    func stages(of job: JobID) async throws -> [Stage]
    /// Clips in the order of their ordinals.
    func clips(of job: JobID) async throws -> [Clip]
    func clip(_ id: ClipID) async throws -> Clip?

    /// Gives ready stages to a living node: those of its region first, and with them those of other regions that have
    /// waited for `awaySeconds`, in the order of their jobs' ranks (`FairShare`), then older jobs first; then others.
    /// Of these, what a schedulable node of their region may claim is left to it for `homeSeconds`, but for what was
    /// lost with a node before.
    /// A stage that last failed on this node for want of a resource is offered to others for its first 30 seconds.
    /// The first claim of a job makes it `processing`. A life that was replaced, has left or whose lease ran out gets
    /// nothing, and neither does a node that is cordoned or draining. May give fewer than there are while another
    /// transaction holds them.
    func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease]
    /// Ends one attempt under its lease, and in the same transaction applies what `advance` decides from the job as it
    /// then is. `advance` is pure and may run more than once. Refused, without effect, when the lease is not the
    /// latest. Safe to repeat: the same outcome under the same lease is answered as it was the first time and not
    /// applied twice. `effort`, what the attempt took, is kept with the event that ends it.
    func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: @escaping Advance
    ) async throws -> CompleteOutcome
    /// A result published under this key by any job.
    func result(cachedUnder key: String) async throws -> StageResult?
    /// Those of `blobs` that no result, no upload, no upload on its way and no quarantine that is kept points at.
    func unnamed(_ blobs: [BlobName]) async throws -> [BlobName]

    // MARK: Effects

    /// Counts up to `limit` ends of jobs that were published and not counted yet, each once whoever asks and however
    /// often. Returns how many.
    func countEffects(limit: Int) async throws -> Int
    /// What was counted in the last `days` days (UTC), today included; in the order of days, regions and names.
    func tally(days: Int) async throws -> [TallyRow]

    // MARK: Nodes

    /// Starts a new life of this node: raises its epoch and frees the stages of its earlier life.
    func register(_ node: NodeDraft) async throws -> NodeLife
    /// Renews the node's lease and writes its progress, in one statement. Answers with the leases it must drop, because
    /// they were cancelled, deleted or taken over.
    func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) async throws -> HeartbeatOutcome
    /// Says goodbye: frees its stages without counting an attempt and marks it gone.
    func leave(_ life: NodeLife) async throws
    /// Frees every stage of nodes whose lease has run out, in one statement. Returns how many. The attempt counts, so a
    /// stage that kills its node shows in `StageLease.crashes`. A stage that its living holder does not report a whole
    /// lease after the claim is freed too: the answer to that claim was lost on its way.
    func freeStagesOfDeadNodes() async throws -> Int
    /// The same for one life of a node that the cluster has seen die, without waiting for the end of its lease. Does
    /// nothing while its last heartbeat is younger than `unheardForSeconds`: what others believe of a node costs it its
    /// work only when the node says nothing itself.
    func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) async throws -> DeathOutcome
    func nodes() async throws -> [Node]
    /// Writes down what the operator wants of a node, whether it lives or not; restarts do not change it. Once this has
    /// answered, a node that is not schedulable gets nothing from `claim`, and its next heartbeat tells it so. Answers
    /// with the node as it then is, nil when there is none of that name. Safe to repeat.
    func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) async throws -> Node?

    // MARK: Events

    /// Events of a job with an id above `after`, oldest first.
    func events(of job: JobID, after: Int64, limit: Int) async throws -> [Event]
    /// What changed, as it happens. A buffer of the newest 256; a slow reader misses some and must treat any element
    /// as "look again". Ends when the store is shut down.
    func signals() -> AsyncStream<StoreSignal>
    /// Answers when the store can be read and written; throws why not.
    func ping() async throws
    /// Housekeeping, to be called every few minutes by any node or all: makes room for the coming days' events, drops
    /// what is past its retention (`StoreLimits`). Does nothing while another node is at it.
    func upkeep() async throws
}

extension Store {
    /// Ends an attempt of which nobody measured what it took.
    package func complete(
        _ lease: StageLease, with outcome: StageOutcome, advance: @escaping Advance
    ) async throws -> CompleteOutcome {
        try await complete(lease, with: outcome, effort: nil, advance: advance)
    }

    /// A heartbeat of a node that has nothing to say of itself.
    package func heartbeat(_ life: NodeLife, running: [StageProgress]) async throws -> HeartbeatOutcome {
        try await heartbeat(life, running: running, condition: NodeCondition())
    }
}

/// Decides what follows from the job as it stands after an outcome was applied to it.
package typealias Advance = @Sendable (JobSnapshot) -> JobAdvance

/// A job to take in.
package struct JobDraft: Sendable, Hashable {
    package let id: JobID
    package let upload: UploadID
    package let region: Region
    package let tenant: String
    package let options: JobOptions
    package let priority: Job.Priority
    /// Jobs of one client that may be under way at once when its terms say nothing; nil: as many as it likes.
    package let jobsMax: Int?
    /// Minutes of video of one client in a month when its terms say nothing; nil: no limit.
    package let minutesMax: Int?
    /// The stages that need nothing before them.
    package let stages: [StageKey]
    /// After how long they may be claimed; `openDeferred` may open them sooner.
    package let opensAfterSeconds: Double
    /// The client's `Idempotency-Key` with a digest of the request it came with.
    package let idempotency: Idempotency?

    package struct Idempotency: Sendable, Hashable {
        package let key: String
        package let requestSHA256: String

        package init(key: String, requestSHA256: String) {
            self.key = key
            self.requestSHA256 = requestSHA256
        }
    }

    package init(
        id: JobID, upload: UploadID, region: Region, tenant: String, options: JobOptions,
        priority: Job.Priority = .interactive, jobsMax: Int? = nil, minutesMax: Int? = nil, stages: [StageKey],
        opensAfterSeconds: Double = 0, idempotency: Idempotency? = nil
    ) {
        self.id = id
        self.upload = upload
        self.region = region
        self.tenant = tenant
        self.options = options
        self.priority = priority
        self.jobsMax = jobsMax
        self.minutesMax = minutesMax
        self.stages = stages
        self.opensAfterSeconds = opensAfterSeconds
        self.idempotency = idempotency
    }
}

package enum SubmitOutcome: Sendable, Hashable {
    case created(Job)
    /// The same key came with the same request before.
    case replayed(Job)
    /// The same key came with another request before.
    case idempotencyMismatch
    case noSuchUpload
    /// Nodes of a release that does not know these options still work here.
    case olderNodes
    /// The client has used up its minutes of this month.
    case quotaExhausted(usedMinutes: Double, maxMinutes: Int, resetsAt: Timestamp)

    /// Nil: another job may come.
    package init?(refusing usage: ClientUsage) {
        guard usage.isExhausted, let most = usage.minutesMax else { return nil }
        self = .quotaExhausted(usedMinutes: usage.minutes, maxMinutes: most, resetsAt: usage.resetsAt)
    }
}

package enum ChangeOutcome: Sendable, Hashable {
    case changed(Job)
    /// The job is in a state from which this cannot be done.
    case notPossible(Job)
    case noSuchJob
}

package enum DeleteOutcome: Sendable, Hashable {
    /// Bytes that nothing points at any more: the caller's to remove.
    case deleted(blobs: [BlobName])
    case noSuchJob
}

/// How an attempt ended.
package enum StageOutcome: Sendable, Hashable {
    /// Made something. When its cache key was published by another attempt meanwhile, that earlier result wins.
    case produced(StageResult)
    /// A result that stands already serves. When it was deleted meanwhile, the attempt ends as `released`.
    case reused(ResultID)
    case failed(Failure)
    /// Given back unfinished, because the node is leaving. Does not count as an attempt.
    case released
}

package enum CompleteOutcome: Sendable, Hashable {
    /// The attempt counted. `orphans` are blobs of this attempt that lost against an earlier result.
    case published(orphans: [BlobName])
    /// The lease is not the latest: nothing was written. The blobs of this attempt are the caller's to remove.
    case stale
}

/// A job, its upload and all its stages inside one transaction.
package struct JobSnapshot: Sendable, Hashable {
    package let job: Job
    package let upload: Upload
    package let stages: [Stage]
    package let clips: [Clip]
    package let revisions: [Revision]
    /// The stage whose outcome was just applied.
    package let changed: StageKey
    package let now: Timestamp

    package init(
        job: Job, upload: Upload, stages: [Stage], clips: [Clip], revisions: [Revision] = [], changed: StageKey,
        now: Timestamp
    ) {
        self.job = job
        self.upload = upload
        self.stages = stages
        self.clips = clips
        self.revisions = revisions
        self.changed = changed
        self.now = now
    }
}

/// What to write next to an outcome. Everything in it is idempotent.
package struct JobAdvance: Sendable, Hashable {
    /// Stages to open; those that exist already are left alone. Nothing opens in a job that has ended.
    package var open: [StageKey] = []
    /// Failed stages to make ready again after so many seconds. Nothing reopens in a job that has ended.
    package var reopen: [StageKey: Double] = [:]
    /// Stages that will never run because what they need has failed: ready and running ones become `cancelled`, and a
    /// retry of the job brings them back. When a job ends, what is still ready is abandoned without being named.
    package var abandon: [StageKey] = []
    /// Clips to insert, or to replace where they differ.
    package var clips: [Clip] = []
    /// The job's new status, if it changes.
    package var status: Job.Status?
    package var failure: JobFailure?
    /// Replaces the job's notes when not nil.
    package var notes: [Note]?
    /// What the job costs, now that it is known (`FairShare`): its client's next jobs come sooner or later by what the
    /// estimate was wrong.
    package var cost: Double?
    /// How long the video is, now that it is known (`ClientUsage`): what was guessed is corrected.
    package var sourceSeconds: Double?

    package init() {}
}

/// A node that starts.
package struct NodeDraft: Sendable, Hashable {
    package let id: NodeID
    package let region: Region
    package let http: String
    package let version: String
    package let threads: Int
    /// How long the node counts as alive after a heartbeat.
    package let leaseSeconds: Int
    /// Its life as a member of the cluster; 0 when it is none.
    package let memberEpoch: UInt64
    /// Counts the registrations of that life: one that arrives after a later one is refused, or it would end what the
    /// later one began.
    package var registration = 0

    package init(
        id: NodeID, region: Region, http: String, version: String, threads: Int, leaseSeconds: Int,
        memberEpoch: UInt64 = 0
    ) {
        self.id = id
        self.region = region
        self.http = http
        self.version = version
        self.threads = threads
        self.leaseSeconds = leaseSeconds
        self.memberEpoch = memberEpoch
    }
}

/// One life of a node, from its start to its end.
package struct NodeLife: Sendable, Hashable {
    package let id: NodeID
    package let region: Region
    package let epoch: Int

    package init(id: NodeID, region: Region, epoch: Int) {
        self.id = id
        self.region = region
        self.epoch = epoch
    }
}

package enum HeartbeatOutcome: Sendable, Hashable {
    /// The lease is renewed. The named leases are no longer ours (`drop`): stop the work and write nothing. With it
    /// comes what the operator wants of this node.
    case renewed(drop: [StageProgress], schedulability: NodeSchedulability = .schedulable)
    /// A newer life of this node exists, or its row is gone: stop everything.
    case replaced
}

/// What became of a node that was said to be dead.
package enum DeathOutcome: Sendable, Hashable {
    case freed(stages: Int)
    /// It renewed its lease a moment ago: ask again.
    case heard
    /// That life has left, was replaced, or never was.
    case unknown
}

/// A job, and the region where it is at home.
package struct HomedJob: Sendable, Hashable {
    package let id: JobID
    package let region: Region

    package init(id: JobID, region: Region) {
        self.id = id
        self.region = region
    }
}

/// Something changed. Sent after commit; may be lost or repeated, never wrong.
package enum StoreSignal: Sendable, Hashable {
    /// Stages may be ready.
    case work
    /// This job has new events.
    case job(JobID)
    /// No stage of this job may go on, because it was cancelled, deleted or has failed: drop its leases now.
    case stop(JobID)
    /// Somebody waits for whoever adds to this upload to let go.
    case upload(UploadID)
    /// The connection that listens was renewed: anything may have happened meanwhile.
    case resynchronise
}

/// The store could not answer.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No connection, or it broke. Whether the transaction took effect is unknown.
        case unavailable
        /// Every connection was busy for longer than the pool waits.
        case poolExhausted
        /// The server took too long.
        case timedOut
        /// The server refused the statement: a bug, or a schema of another version.
        case refused
        /// The database holds something this version cannot read.
        case corrupt
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "store \(code.rawValue): \(detail)" }

    /// A registration that was under way for so long that the same process has registered again since.
    package static func overtaken(_ draft: NodeDraft) -> Self {
        Self(.refused, "node \(draft.id) has registered again since registration \(draft.registration) was sent")
    }
}
