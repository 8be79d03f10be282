import ClipModel
import Store
import Synchronization

/// The way from one node to the store, which a test can cut.
final class FaultyStore: Store {
    enum Weather: Sendable {
        case fine
        /// Every call is refused at once.
        case down
        /// Calls take effect, and their answers are lost.
        case answersLost
    }

    private let base: InMemoryStore
    private let weather = Mutex(Weather.fine)
    private let heartbeats = Mutex(0)
    private let claims = Mutex<[ClaimTerms]>([])

    init(_ base: InMemoryStore) { self.base = base }

    func set(_ next: Weather) { weather.withLock { $0 = next } }
    /// What claims asked for, in order.
    var claimTerms: [ClaimTerms] { claims.withLock { $0 } }
    /// Heartbeats that reached the store.
    var heartbeatCount: Int { heartbeats.withLock { $0 } }

    private func pass<Answer>(_ call: (InMemoryStore) async throws -> Answer) async throws -> Answer {
        if weather.withLock({ $0 }) == .down { throw StoreError(.unavailable, "cut") }
        let answer = try await call(base)
        if weather.withLock({ $0 }) != .fine { throw StoreError(.unavailable, "the answer was lost") }
        return answer
    }

    func insert(_ upload: Upload) async throws { try await pass { try await $0.insert(upload) } }
    func upload(_ id: UploadID) async throws -> Upload? { try await pass { await $0.upload(id) } }
    func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) async throws -> [Upload] {
        try await pass { await $0.removeUnusedUploads(olderThanSeconds: seconds, limit: limit) }
    }
    func open(_ draft: UploadSessionDraft, quota: UploadQuota) async throws -> UploadOpening {
        try await pass { try await $0.open(draft, quota: quota) }
    }
    func uploadSession(_ id: UploadID) async throws -> UploadSession? { try await pass { await $0.uploadSession(id) } }
    func change(_ id: UploadID, by event: UploadSession.Event) async throws -> UploadChange? {
        try await pass { try await $0.change(id, by: event) }
    }
    func parts(of id: UploadID) async throws -> [UploadPart] { try await pass { await $0.parts(of: id) } }
    func removeExpiredSessions(limit: Int) async throws -> [BlobName] {
        try await pass { await $0.removeExpiredSessions(limit: limit) }
    }
    func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey] {
        try await pass { await $0.linkKeys(orBegin: draft) }
    }
    func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey] {
        try await pass { await $0.rotateLinkKeys(to: draft, revoking: revoking) }
    }
    func usage(of tenant: String, minutesMax: Int?) async throws -> ClientUsage {
        try await pass { await $0.usage(of: tenant, minutesMax: minutesMax) }
    }
    func plans() async throws -> [Plan] { try await pass { await $0.plans() } }
    func setPlan(_ plan: Plan) async throws -> Bool { try await pass { await $0.setPlan(plan) } }
    func removePlan(_ name: String) async throws -> PlanRemoval { try await pass { await $0.removePlan(name) } }
    func submit(_ draft: JobDraft) async throws -> SubmitOutcome { try await pass { try await $0.submit(draft) } }
    func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome {
        try await pass { try await $0.revise(draft, advance: advance) }
    }
    func revisions(of job: JobID) async throws -> [Revision] { try await pass { await $0.revisions(of: job) } }
    func edits(of revision: RevisionID) async throws -> ClipEdits? { try await pass { await $0.edits(of: revision) } }
    func job(_ id: JobID) async throws -> Job? { try await pass { await $0.job(id) } }
    func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) async throws -> [Job] {
        try await pass { await $0.jobs(filter, before: cursor, limit: limit) }
    }
    func deadLetters(_ filter: DeadLetterFilter, before cursor: JobID?, limit: Int) async throws -> [DeadLetter] {
        try await pass { await $0.deadLetters(filter, before: cursor, limit: limit) }
    }
    func jobsUnderWay(after cursor: JobID?, limit: Int) async throws -> [HomedJob] {
        try await pass { await $0.jobsUnderWay(after: cursor, limit: limit) }
    }
    func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) async throws -> DeathOutcome {
        try await pass {
            await $0.freeStages(ofDead: node, memberEpoch: memberEpoch, unheardForSeconds: unheardForSeconds)
        }
    }
    func requeue(_ key: StageKey, of job: JobID) async throws -> RequeueOutcome {
        try await pass { try await $0.requeue(key, of: job) }
    }
    func waits(of job: JobID, awaySeconds: Double) async throws -> JobWaits {
        try await pass { await $0.waits(of: job, awaySeconds: awaySeconds) }
    }
    func clients(after tenant: String?, limit: Int) async throws -> [ClientShare] {
        try await pass { await $0.clients(after: tenant, limit: limit) }
    }
    func setTerms(of tenant: String, to terms: ClientTerms) async throws -> TermsOutcome {
        try await pass { await $0.setTerms(of: tenant, to: terms) }
    }
    func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) async throws -> [HomedJob] {
        try await pass { try await $0.admitHeldJobs(opening: first, jobsMax: jobsMax) }
    }
    func unnamed(_ blobs: [BlobName]) async throws -> [BlobName] { try await pass { await $0.unnamed(blobs) } }
    func queuePosition(of job: JobID) async throws -> Int { try await pass { await $0.queuePosition(of: job) } }
    func cancel(_ id: JobID) async throws -> ChangeOutcome { try await pass { try await $0.cancel(id) } }
    func retry(_ id: JobID) async throws -> ChangeOutcome { try await pass { try await $0.retry(id) } }
    func delete(_ id: JobID) async throws -> DeleteOutcome { try await pass { await $0.delete(id) } }
    func queues() async throws -> QueueReading { try await pass { await $0.queues() } }
    func openDeferred(in region: Region, costSeconds: Double) async throws -> Int {
        try await pass { await $0.openDeferred(in: region, costSeconds: costSeconds) }
    }
    func countEffects(limit: Int) async throws -> Int { try await pass { await $0.countEffects(limit: limit) } }
    func tally(days: Int) async throws -> [TallyRow] { try await pass { await $0.tally(days: days) } }
    func stages(of job: JobID) async throws -> [Stage] { try await pass { await $0.stages(of: job) } }
    func clips(of job: JobID) async throws -> [Clip] { try await pass { await $0.clips(of: job) } }
    func clip(_ id: ClipID) async throws -> Clip? { try await pass { await $0.clip(id) } }
    func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease] {
        claims.withLock { $0.append(terms) }
        return try await pass { await $0.claim(terms, for: life) }
    }
    func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: Advance
    ) async throws -> CompleteOutcome {
        try await pass { try await $0.complete(lease, with: outcome, effort: effort, advance: advance) }
    }
    func result(cachedUnder key: String) async throws -> StageResult? {
        try await pass { await $0.result(cachedUnder: key) }
    }
    func register(_ node: NodeDraft) async throws -> NodeLife { try await pass { try await $0.register(node) } }
    func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) async throws -> HeartbeatOutcome {
        try await pass { base in
            heartbeats.withLock { $0 += 1 }
            return await base.heartbeat(life, running: running, condition: condition)
        }
    }
    func leave(_ life: NodeLife) async throws { try await pass { await $0.leave(life) } }
    func freeStagesOfDeadNodes() async throws -> Int { try await pass { await $0.freeStagesOfDeadNodes() } }
    func nodes() async throws -> [Node] { try await pass { await $0.nodes() } }
    func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) async throws -> Node? {
        try await pass { await $0.setSchedulability(of: node, to: schedulability) }
    }
    func events(of job: JobID, after: Int64, limit: Int) async throws -> [Event] {
        try await pass { await $0.events(of: job, after: after, limit: limit) }
    }
    func signals() -> AsyncStream<StoreSignal> { base.signals() }
    func ping() async throws { try await pass { await $0.ping() } }
    func upkeep() async throws { try await pass { await $0.upkeep() } }
}
