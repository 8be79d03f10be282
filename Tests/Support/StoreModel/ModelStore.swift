package import ClipModel
package import Store
import Synchronization

/// A `Store` at the near end of a link to the model of PostgreSQL.
package struct ModelStore: Store {
    package let database: ModelDatabase
    package let link: ModelDatabase.Link

    package init(_ database: ModelDatabase, _ link: ModelDatabase.Link) {
        self.database = database
        self.link = link
    }

    /// A caller that waits, and is answered once.
    private final class Caller<Answer: Sendable>: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Answer, any Error>?
            var isCancelled = false
        }

        private let state = Mutex(State())

        func waits(_ continuation: CheckedContinuation<Answer, any Error>) {
            state.withLock { $0.continuation = continuation }
        }

        func cancel() { state.withLock { $0.isCancelled = true } }
        var isCancelled: Bool { state.withLock { $0.isCancelled } }

        func resume(_ result: Result<Answer, any Error>) {
            let waiting = state.withLock { state in
                defer { state.continuation = nil }
                return state.continuation
            }
            waiting?.resume(with: result)
        }
    }

    /// One transaction that the ledger need not know of.
    private func ask<Answer: Sendable>(
        _ body: @escaping @Sendable (any Store) async throws -> Answer
    ) async throws -> Answer { try await ask(noting: { _ in nil }, body) }

    /// One transaction; `name` says what it did, for the ledger.
    private func ask<Answer: Sendable>(
        noting name: @escaping @Sendable (Answer) -> Deed?,
        _ body: @escaping @Sendable (any Store) async throws -> Answer
    ) async throws -> Answer {
        // As the adapter does before it looks for a connection.
        try Task.checkCancellation()
        let caller = Caller<Answer>()
        let (database, link) = (database, link)
        let request = ModelDatabase.Request(
            link: link,
            carryOut: {
                let result: Result<Answer, any Error>
                do {
                    let answer = try await body(database.base)
                    result = .success(answer)
                    if let deed = name(answer) { await database.ledger.observe(deed, by: link.name) }
                } catch { result = .failure(error) }
                return { caller.resume(result) }
            },
            fail: { caller.resume(.failure($0)) }, isCancelled: { caller.isCancelled })
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                caller.waits(continuation)
                database.begin(request)
            }
        } onCancel: {
            caller.cancel()
        }
    }

    package func signals() -> AsyncStream<StoreSignal> { database.subscribe(link) }

    // MARK: Uploads

    package func insert(_ upload: Upload) async throws { try await ask { try await $0.insert(upload) } }
    package func open(_ draft: UploadSessionDraft, quota: UploadQuota) async throws -> UploadOpening {
        try await ask { try await $0.open(draft, quota: quota) }
    }
    package func uploadSession(_ id: UploadID) async throws -> UploadSession? {
        try await ask { try await $0.uploadSession(id) }
    }
    package func change(_ id: UploadID, by event: UploadSession.Event) async throws -> UploadChange? {
        try await ask { try await $0.change(id, by: event) }
    }
    package func parts(of id: UploadID) async throws -> [UploadPart] { try await ask { try await $0.parts(of: id) } }
    package func removeExpiredSessions(limit: Int) async throws -> [BlobName] {
        try await ask { try await $0.removeExpiredSessions(limit: limit) }
    }
    package func upload(_ id: UploadID) async throws -> Upload? { try await ask { try await $0.upload(id) } }
    package func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) async throws -> [Upload] {
        try await ask { try await $0.removeUnusedUploads(olderThanSeconds: seconds, limit: limit) }
    }

    // MARK: Keys of links

    package func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey] {
        try await ask { try await $0.linkKeys(orBegin: draft) }
    }
    package func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey] {
        try await ask { try await $0.rotateLinkKeys(to: draft, revoking: revoking) }
    }

    // MARK: Jobs

    package func submit(_ draft: JobDraft) async throws -> SubmitOutcome {
        try await ask(noting: { if case .created = $0 { .submitted(draft.id) } else { nil } }) {
            try await $0.submit(draft)
        }
    }
    package func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome {
        try await ask { try await $0.revise(draft, advance: advance) }
    }
    package func revisions(of job: JobID) async throws -> [Revision] {
        try await ask { try await $0.revisions(of: job) }
    }
    package func edits(of revision: RevisionID) async throws -> ClipEdits? {
        try await ask { try await $0.edits(of: revision) }
    }
    package func job(_ id: JobID) async throws -> Job? { try await ask { try await $0.job(id) } }
    package func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) async throws -> [Job] {
        try await ask { try await $0.jobs(filter, before: cursor, limit: limit) }
    }
    package func deadLetters(
        _ filter: DeadLetterFilter, before cursor: JobID?, limit: Int
    ) async throws -> [DeadLetter] {
        try await ask { try await $0.deadLetters(filter, before: cursor, limit: limit) }
    }
    package func jobsUnderWay(after cursor: JobID?, limit: Int) async throws -> [HomedJob] {
        try await ask { try await $0.jobsUnderWay(after: cursor, limit: limit) }
    }
    package func queuePosition(of job: JobID) async throws -> Int {
        try await ask { try await $0.queuePosition(of: job) }
    }
    package func cancel(_ id: JobID) async throws -> ChangeOutcome {
        try await ask(noting: { _ in .cancelled(id) }) { try await $0.cancel(id) }
    }
    package func retry(_ id: JobID) async throws -> ChangeOutcome {
        try await ask(noting: { _ in .retried(id) }) { try await $0.retry(id) }
    }
    package func delete(_ id: JobID) async throws -> DeleteOutcome {
        try await ask(noting: { _ in .deleted(id) }) { try await $0.delete(id) }
    }
    package func requeue(_ key: StageKey, of job: JobID) async throws -> RequeueOutcome {
        try await ask(noting: { _ in .requeued(job, key) }) { try await $0.requeue(key, of: job) }
    }
    package func waits(of job: JobID, awaySeconds: Double) async throws -> JobWaits {
        try await ask { try await $0.waits(of: job, awaySeconds: awaySeconds) }
    }
    package func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) async throws -> [HomedJob] {
        try await ask(noting: { $0.isEmpty ? nil : .admitted($0.map(\.id)) }) {
            try await $0.admitHeldJobs(opening: first, jobsMax: jobsMax)
        }
    }
    package func clients(after tenant: String?, limit: Int) async throws -> [ClientShare] {
        try await ask { try await $0.clients(after: tenant, limit: limit) }
    }
    package func setTerms(of tenant: String, to terms: ClientTerms) async throws -> TermsOutcome {
        try await ask { try await $0.setTerms(of: tenant, to: terms) }
    }
    package func usage(of tenant: String, minutesMax: Int?) async throws -> ClientUsage {
        try await ask { try await $0.usage(of: tenant, minutesMax: minutesMax) }
    }
    package func plans() async throws -> [Plan] { try await ask { try await $0.plans() } }
    package func setPlan(_ plan: Plan) async throws -> Bool { try await ask { try await $0.setPlan(plan) } }
    package func removePlan(_ name: String) async throws -> PlanRemoval {
        try await ask { try await $0.removePlan(name) }
    }
    package func stages(of job: JobID) async throws -> [Stage] { try await ask { try await $0.stages(of: job) } }
    package func clips(of job: JobID) async throws -> [Clip] { try await ask { try await $0.clips(of: job) } }
    package func clip(_ id: ClipID) async throws -> Clip? { try await ask { try await $0.clip(id) } }
    package func events(of job: JobID, after: Int64, limit: Int) async throws -> [Event] {
        try await ask { try await $0.events(of: job, after: after, limit: limit) }
    }

    // MARK: Stages

    package func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease] {
        try await ask(noting: { $0.isEmpty ? nil : .claimed($0, life) }) { try await $0.claim(terms, for: life) }
    }
    package func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: @escaping Advance
    ) async throws -> CompleteOutcome {
        try await ask(noting: { .completed(lease, outcome, $0) }) {
            try await $0.complete(lease, with: outcome, effort: effort, advance: advance)
        }
    }
    package func result(cachedUnder key: String) async throws -> StageResult? {
        try await ask { try await $0.result(cachedUnder: key) }
    }
    package func unnamed(_ blobs: [BlobName]) async throws -> [BlobName] {
        try await ask { try await $0.unnamed(blobs) }
    }

    // MARK: Nodes

    package func register(_ node: NodeDraft) async throws -> NodeLife {
        try await ask(noting: { .registered($0, node) }) { try await $0.register(node) }
    }
    package func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) async throws -> HeartbeatOutcome {
        try await ask(noting: { .beat(life, running, $0) }) {
            try await $0.heartbeat(life, running: running, condition: condition)
        }
    }
    package func countEffects(limit: Int) async throws -> Int {
        try await ask { try await $0.countEffects(limit: limit) }
    }
    package func tally(days: Int) async throws -> [TallyRow] { try await ask { try await $0.tally(days: days) } }
    package func queues() async throws -> QueueReading { try await ask { try await $0.queues() } }
    package func openDeferred(in region: Region, costSeconds: Double) async throws -> Int {
        try await ask { try await $0.openDeferred(in: region, costSeconds: costSeconds) }
    }
    package func leave(_ life: NodeLife) async throws {
        try await ask(noting: { _ in .left(life) }) { try await $0.leave(life) }
    }
    package func freeStagesOfDeadNodes() async throws -> Int {
        try await ask(noting: { $0 > 0 ? .freedExpired : nil }) { try await $0.freeStagesOfDeadNodes() }
    }
    package func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) async throws -> DeathOutcome {
        try await ask(noting: { if case .freed(let stages) = $0, stages > 0 { .freedDead(node) } else { nil } }) {
            try await $0.freeStages(ofDead: node, memberEpoch: memberEpoch, unheardForSeconds: unheardForSeconds)
        }
    }
    package func nodes() async throws -> [Node] { try await ask { try await $0.nodes() } }
    package func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) async throws -> Node? {
        try await ask { try await $0.setSchedulability(of: node, to: schedulability) }
    }
    package func ping() async throws { try await ask { try await $0.ping() } }
    package func upkeep() async throws { try await ask { try await $0.upkeep() } }
}
