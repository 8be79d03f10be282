package import ClipModel
package import Store

/// Plants a bug between the model and the store behind it. The product has no switches for this; a bug that is planted
/// here is one that a store, or whoever calls it, might have.
package struct MeddlingStore: Store {
    package let base: InMemoryStore
    package var completes:
        @Sendable (InMemoryStore, StageLease, StageOutcome, @escaping Advance) async throws -> CompleteOutcome = {
            try await $0.complete($1, with: $2, advance: $3)
        }
    package var claims: @Sendable (InMemoryStore, ClaimTerms, NodeLife) async throws -> [StageLease] = {
        await $0.claim($1, for: $2)
    }
    package var registers: @Sendable (InMemoryStore, NodeDraft) async throws -> NodeLife = { try await $0.register($1) }
    package var beats: @Sendable (InMemoryStore, NodeLife, [StageProgress]) async throws -> HeartbeatOutcome = {
        try await $0.heartbeat($1, running: $2)
    }
    package var revises: @Sendable (InMemoryStore, RevisionDraft, @escaping Advance) async throws -> ReviseOutcome = {
        try await $0.revise($1, advance: $2)
    }
    package var frees: @Sendable (InMemoryStore) async throws -> Int = { await $0.freeStagesOfDeadNodes() }

    package init(_ base: InMemoryStore) { self.base = base }

    package func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: @escaping Advance
    ) async throws -> CompleteOutcome { try await completes(base, lease, outcome, advance) }
    package func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease] {
        try await claims(base, terms, life)
    }
    package func register(_ node: NodeDraft) async throws -> NodeLife { try await registers(base, node) }
    package func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) async throws -> HeartbeatOutcome {
        try await beats(base, life, running)
    }
    package func freeStagesOfDeadNodes() async throws -> Int { try await frees(base) }

    package func signals() -> AsyncStream<StoreSignal> { base.signals() }

    // MARK: What goes through

    package func insert(_ upload: Upload) async throws { try await base.insert(upload) }
    package func upload(_ id: UploadID) async throws -> Upload? { await base.upload(id) }
    package func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) async throws -> [Upload] {
        await base.removeUnusedUploads(olderThanSeconds: seconds, limit: limit)
    }
    package func open(_ draft: UploadSessionDraft, quota: UploadQuota) async throws -> UploadOpening {
        try await base.open(draft, quota: quota)
    }
    package func uploadSession(_ id: UploadID) async throws -> UploadSession? { await base.uploadSession(id) }
    package func change(_ id: UploadID, by event: UploadSession.Event) async throws -> UploadChange? {
        try await base.change(id, by: event)
    }
    package func parts(of id: UploadID) async throws -> [UploadPart] { await base.parts(of: id) }
    package func removeExpiredSessions(limit: Int) async throws -> [BlobName] {
        await base.removeExpiredSessions(limit: limit)
    }
    package func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey] { await base.linkKeys(orBegin: draft) }
    package func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey] {
        await base.rotateLinkKeys(to: draft, revoking: revoking)
    }
    package func submit(_ draft: JobDraft) async throws -> SubmitOutcome { try await base.submit(draft) }
    package func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome {
        try await revises(base, draft, advance)
    }
    package func revisions(of job: JobID) async throws -> [Revision] { await base.revisions(of: job) }
    package func edits(of revision: RevisionID) async throws -> ClipEdits? { await base.edits(of: revision) }
    package func job(_ id: JobID) async throws -> Job? { await base.job(id) }
    package func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) async throws -> [Job] {
        await base.jobs(filter, before: cursor, limit: limit)
    }
    package func deadLetters(
        _ filter: DeadLetterFilter, before cursor: JobID?, limit: Int
    ) async throws -> [DeadLetter] { await base.deadLetters(filter, before: cursor, limit: limit) }
    package func jobsUnderWay(after cursor: JobID?, limit: Int) async throws -> [HomedJob] {
        await base.jobsUnderWay(after: cursor, limit: limit)
    }
    package func queuePosition(of job: JobID) async throws -> Int { await base.queuePosition(of: job) }
    package func cancel(_ id: JobID) async throws -> ChangeOutcome { try await base.cancel(id) }
    package func retry(_ id: JobID) async throws -> ChangeOutcome { try await base.retry(id) }
    package func delete(_ id: JobID) async throws -> DeleteOutcome { await base.delete(id) }
    package func requeue(_ key: StageKey, of job: JobID) async throws -> RequeueOutcome {
        try await base.requeue(key, of: job)
    }
    package func waits(of job: JobID, awaySeconds: Double) async throws -> JobWaits {
        await base.waits(of: job, awaySeconds: awaySeconds)
    }
    package func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) async throws -> [HomedJob] {
        try await base.admitHeldJobs(opening: first, jobsMax: jobsMax)
    }
    package func clients(after tenant: String?, limit: Int) async throws -> [ClientShare] {
        await base.clients(after: tenant, limit: limit)
    }
    package func setTerms(of tenant: String, to terms: ClientTerms) async throws -> TermsOutcome {
        await base.setTerms(of: tenant, to: terms)
    }
    package func usage(of tenant: String, minutesMax: Int?) async throws -> ClientUsage {
        await base.usage(of: tenant, minutesMax: minutesMax)
    }
    package func plans() async throws -> [Plan] { await base.plans() }
    package func setPlan(_ plan: Plan) async throws -> Bool { await base.setPlan(plan) }
    package func removePlan(_ name: String) async throws -> PlanRemoval { await base.removePlan(name) }
    package func stages(of job: JobID) async throws -> [Stage] { await base.stages(of: job) }
    package func clips(of job: JobID) async throws -> [Clip] { await base.clips(of: job) }
    package func clip(_ id: ClipID) async throws -> Clip? { await base.clip(id) }
    package func result(cachedUnder key: String) async throws -> StageResult? { await base.result(cachedUnder: key) }
    package func unnamed(_ blobs: [BlobName]) async throws -> [BlobName] { await base.unnamed(blobs) }
    package func leave(_ life: NodeLife) async throws { await base.leave(life) }
    package func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) async throws -> DeathOutcome {
        await base.freeStages(ofDead: node, memberEpoch: memberEpoch, unheardForSeconds: unheardForSeconds)
    }
    package func nodes() async throws -> [Node] { await base.nodes() }
    package func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) async throws -> Node? {
        await base.setSchedulability(of: node, to: schedulability)
    }
    package func events(of job: JobID, after: Int64, limit: Int) async throws -> [Event] {
        await base.events(of: job, after: after, limit: limit)
    }
    package func countEffects(limit: Int) async throws -> Int { await base.countEffects(limit: limit) }
    package func tally(days: Int) async throws -> [TallyRow] { await base.tally(days: days) }
    package func queues() async throws -> QueueReading { await base.queues() }
    package func openDeferred(in region: Region, costSeconds: Double) async throws -> Int {
        await base.openDeferred(in: region, costSeconds: costSeconds)
    }
    package func ping() async throws { await base.ping() }
    package func upkeep() async throws { await base.upkeep() }
}
