import ClipModel
import Store

/// A store that answers everything with one error, except what a test lets it do.
struct BrokenStore: Store {
    let error: any Error & Sendable
    /// What `submit` does instead.
    var submitting: @Sendable () async throws -> SubmitOutcome
    /// What `nodes` does instead.
    var listing: @Sendable () async throws -> [Node]

    init(
        _ error: any Error & Sendable, submitting: (@Sendable () async throws -> SubmitOutcome)? = nil,
        listing: (@Sendable () async throws -> [Node])? = nil
    ) {
        self.error = error
        self.submitting = submitting ?? { throw error }
        self.listing = listing ?? { throw error }
    }

    private func fail<Answer>() throws -> Answer { throw error }

    func insert(_ upload: Upload) async throws { throw error }
    func upload(_ id: UploadID) async throws -> Upload? { try fail() }
    func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) async throws -> [Upload] { try fail() }
    func open(_ draft: UploadSessionDraft, quota: UploadQuota) async throws -> UploadOpening { try fail() }
    func uploadSession(_ id: UploadID) async throws -> UploadSession? { try fail() }
    func change(_ id: UploadID, by event: UploadSession.Event) async throws -> UploadChange? { try fail() }
    func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey] { try fail() }
    func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey] { try fail() }
    func parts(of id: UploadID) async throws -> [UploadPart] { try fail() }
    func removeExpiredSessions(limit: Int) async throws -> [BlobName] { try fail() }
    func submit(_ draft: JobDraft) async throws -> SubmitOutcome { try await submitting() }
    func revise(_ draft: RevisionDraft, advance: @escaping Advance) async throws -> ReviseOutcome { try fail() }
    func revisions(of job: JobID) async throws -> [Revision] { try fail() }
    func edits(of revision: RevisionID) async throws -> ClipEdits? { try fail() }
    func job(_ id: JobID) async throws -> Job? { try fail() }
    func jobsUnderWay(after cursor: JobID?, limit: Int) async throws -> [HomedJob] { try fail() }
    func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) async throws -> DeathOutcome { try fail() }
    func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) async throws -> [Job] { try fail() }
    func deadLetters(_ filter: DeadLetterFilter, before cursor: JobID?, limit: Int) async throws -> [DeadLetter] {
        try fail()
    }
    func requeue(_ key: StageKey, of job: JobID) async throws -> RequeueOutcome { try fail() }
    func waits(of job: JobID, awaySeconds: Double) async throws -> JobWaits { try fail() }
    func clients(after tenant: String?, limit: Int) async throws -> [ClientShare] { try fail() }
    func setTerms(of tenant: String, to terms: ClientTerms) async throws -> TermsOutcome { try fail() }
    func usage(of tenant: String, minutesMax: Int?) async throws -> ClientUsage { try fail() }
    func plans() async throws -> [Plan] { try fail() }
    func setPlan(_ plan: Plan) async throws -> Bool { try fail() }
    func removePlan(_ name: String) async throws -> PlanRemoval { try fail() }
    func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) async throws -> [HomedJob] { try fail() }
    func unnamed(_ blobs: [BlobName]) async throws -> [BlobName] { try fail() }
    func queuePosition(of job: JobID) async throws -> Int { try fail() }
    func cancel(_ id: JobID) async throws -> ChangeOutcome { try fail() }
    func retry(_ id: JobID) async throws -> ChangeOutcome { try fail() }
    func delete(_ id: JobID) async throws -> DeleteOutcome { try fail() }
    func queues() async throws -> QueueReading { try fail() }
    func countEffects(limit: Int) async throws -> Int { try fail() }
    func tally(days: Int) async throws -> [TallyRow] { try fail() }
    func openDeferred(in region: Region, costSeconds: Double) async throws -> Int { try fail() }
    func stages(of job: JobID) async throws -> [Stage] { try fail() }
    func clips(of job: JobID) async throws -> [Clip] { try fail() }
    func clip(_ id: ClipID) async throws -> Clip? { try fail() }
    func claim(_ terms: ClaimTerms, for life: NodeLife) async throws -> [StageLease] { try fail() }
    func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: @escaping Advance
    ) async throws -> CompleteOutcome { try fail() }
    func result(cachedUnder key: String) async throws -> StageResult? { try fail() }
    func register(_ node: NodeDraft) async throws -> NodeLife { try fail() }
    func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) async throws -> HeartbeatOutcome { try fail() }
    func leave(_ life: NodeLife) async throws { throw error }
    func freeStagesOfDeadNodes() async throws -> Int { try fail() }
    func nodes() async throws -> [Node] { try await listing() }
    func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) async throws -> Node? {
        try fail()
    }
    func events(of job: JobID, after: Int64, limit: Int) async throws -> [Event] { try fail() }
    func signals() -> AsyncStream<StoreSignal> { AsyncStream { $0.finish() } }
    func ping() async throws { throw error }
    func upkeep() async throws { throw error }
}
