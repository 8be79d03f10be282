package import ClipModel

/// The store for tests of everything above it: the same rules without a server. Gone when the process ends.
package actor InMemoryStore: Store {
    struct Entry {
        var job: Job
        var stages: [StageKey: StageRecord] = [:]
        var clips: [ClipID: Clip] = [:]
        var revisions: [Revision] = []
        var edits: [RevisionID: ClipEdits] = [:]
        var events: [Event] = []
        /// Its place (`FairShare`).
        var rank = 0.0
        var startTag: Double { rank - (job.priority == .batch ? FairShare.batchHandicap : 0) }
    }

    struct NodeEntry {
        var draft: NodeDraft
        var epoch: Int
        var startedAt: Timestamp
        var seenAt: Timestamp
        var hasLeft = false
        /// Outlives the entry's lives.
        var schedulability = NodeSchedulability.schedulable
        var running: [StageProgress] = []
        var condition = NodeCondition()

        func isAlive(at now: Timestamp) -> Bool {
            !hasLeft && now < seenAt.advanced(bySeconds: Double(draft.leaseSeconds))
        }
    }

    struct IdempotencyEntry {
        let requestSHA256: String
        let job: JobID
        let expiresAt: Timestamp
    }

    struct IdempotencyKey: Hashable {
        let tenant: String
        let key: String
    }

    struct TallyKey: Hashable {
        let day: String
        let region: Region
        let name: String
    }

    /// A client: its terms, and when everything it has asked for so far will have had its turn (`FairShare`).
    struct Tenant {
        var terms = ClientTerms()
        var finish: [Job.Priority: Double] = [:]

        var latest: Double { finish.values.max() ?? 0 }
    }

    nonisolated let clock: @Sendable () -> Timestamp
    nonisolated let fan = SignalFan()
    var uploads: [UploadID: Upload] = [:]
    var sessions: [UploadID: SessionEntry] = [:]
    var entries: [JobID: Entry] = [:]
    var results: [ResultID: StageResult] = [:]
    var cached: [String: ResultID] = [:]
    var knownNodes: [NodeID: NodeEntry] = [:]
    var idempotency: [IdempotencyKey: IdempotencyEntry] = [:]
    var tenants: [String: Tenant] = [:]
    var planBook: [String: Plan] = [:]
    /// Seconds of video.
    var usedSeconds: [UsageKey: Double] = [:]
    /// Effects that were not counted yet.
    var outbox: [(JobEffect, day: String)] = []
    var tallies: [TallyKey: Int] = [:]
    var quarantineBook: [UploadID: QuarantineEntry] = [:]
    var keyBook: [KeyID: KeyEntry] = [:]
    var replyBook: [IdempotencyKey: ReplyEntry] = [:]
    /// The one that signs first.
    var linkKeyBook: [LinkKey] = []
    var lastEvent: Int64 = 0
    var lastNodeEpoch = 0

    /// `now` plays the part of database time.
    package init(now: @escaping @Sendable () -> Timestamp) { clock = now }

    package nonisolated func signals() -> AsyncStream<StoreSignal> { fan.subscribe() }
    package func ping() {}
    /// Ends every stream of signals.
    package nonisolated func shutdown() { fan.close() }

    package func upkeep() {
        let now = clock()
        let oldestEvent = now.advanced(bySeconds: Double(-StoreLimits.eventDays * 86_400))
        let oldestNode = now.advanced(bySeconds: Double(-StoreLimits.nodeDays * 86_400))
        idempotency = idempotency.filter { $0.value.expiresAt > now }
        replyBook = replyBook.filter { $0.value.expiresAt > now }
        for id in entries.keys { entries[id]?.events.removeAll { $0.at < oldestEvent } }
        knownNodes = knownNodes.filter { $0.value.seenAt > oldestNode }
        let oldestEmptied = now.advanced(bySeconds: Double(-StoreLimits.quarantineDays * 86_400))
        quarantineBook = quarantineBook.filter { entry in entry.value.emptiedAt.map { $0 >= oldestEmptied } ?? true }
        let oldestKey = now.advanced(bySeconds: Double(-StoreLimits.linkDays * 86_400))
        linkKeyBook = linkKeyBook.filter { key in key.retiredAt.map { $0 > oldestKey } ?? true }
        forgetTenants()
        forgetUsage()
    }

    // MARK: Uploads

    package func insert(_ upload: Upload) throws {
        guard uploads[upload.id] == nil || uploads[upload.id] == upload else {
            throw StoreError(.refused, "upload \(upload.id) exists with other contents")
        }
        uploads[upload.id] = upload
    }

    package func upload(_ id: UploadID) -> Upload? { uploads[id] }

    package func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) -> [Upload] {
        let oldest = clock().advanced(bySeconds: Double(-seconds))
        let used = Set(entries.values.map(\.job.upload))
        let unused = uploads.values.filter { !used.contains($0.id) && $0.createdAt < oldest }
        let removed = unused.sorted { $0.id < $1.id }.prefix(max(0, limit))
        for upload in removed { uploads[upload.id] = nil }
        return Array(removed)
    }

    // MARK: Jobs

    package func submit(_ draft: JobDraft) throws -> SubmitOutcome {
        let now = clock()
        let key = draft.idempotency.map { IdempotencyKey(tenant: draft.tenant, key: $0.key) }
        if let key, let known = idempotency[key], known.expiresAt > now, let entry = entries[known.job] {
            let isSame = known.requestSHA256 == draft.idempotency?.requestSHA256
            return isSame ? .replayed(entry.job) : .idempotencyMismatch
        }
        guard let upload = uploads[draft.upload] else { return .noSuchUpload }
        guard entries[draft.id] == nil else { throw StoreError(.refused, "job \(draft.id) exists already") }
        let usage = usage(of: draft.tenant, in: CalendarMonth(of: now), minutesMax: draft.minutesMax)
        if let refusal = SubmitOutcome(refusing: usage) { return refusal }
        if let key, let requestSHA256 = draft.idempotency?.requestSHA256 {
            let expiresAt = now.advanced(bySeconds: Double(StoreLimits.idempotencySeconds))
            idempotency[key] = IdempotencyEntry(requestSHA256: requestSHA256, job: draft.id, expiresAt: expiresAt)
        }
        let rank = takeRank(draft.tenant, draft.priority, FairShare.estimate(of: upload, options: draft.options))
        charge(ClientUsage.guessedSeconds(of: upload), to: draft.tenant, at: now)
        let record = JobRecord(taking: draft, held: holds(draft), upload: upload, now: now)
        entries[draft.id] = Entry(job: record.job, rank: rank)
        write(record)
        return .created(record.job)
    }

    package func job(_ id: JobID) -> Job? { entries[id]?.job }

    package func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) -> [Job] {
        let older = entries.values.map(\.job).filter { job in
            filter.fits(job) && (cursor.map { job.id < $0 } ?? true)
        }
        return Array(older.sorted { $0.id > $1.id }.prefix(min(max(0, limit), StoreLimits.pageRowsMax)))
    }

    package func jobsUnderWay(after cursor: JobID?, limit: Int) -> [HomedJob] {
        let open = entries.values.map(\.job).filter { job in
            job.status == .processing && cursor.map { job.id > $0 } ?? true
        }
        let page = open.sorted { $0.id < $1.id }.prefix(min(max(0, limit), StoreLimits.pageRowsMax))
        return page.map { HomedJob(id: $0.id, region: $0.region) }
    }

    package func queuePosition(of job: JobID) -> Int {
        guard let own = entries[job] else { return 0 }
        return entries.values.count { other in
            guard other.job.status == .pending, (other.rank, other.job.id) < (own.rank, job) else { return false }
            return !other.job.isHeld || (own.job.isHeld && other.job.tenant == own.job.tenant)
        }
    }

    package func cancel(_ id: JobID) throws -> ChangeOutcome { try change(id) { $0.cancel() } }
    package func retry(_ id: JobID) throws -> ChangeOutcome { try change(id) { $0.retry() } }

    package func revise(_ draft: RevisionDraft, advance: Advance) throws -> ReviseOutcome {
        guard var record = record(of: draft.job) else { return .noSuchJob }
        let outcome = try record.revise(draft, advance: advance)
        guard !record.newRevisions.isEmpty else { return outcome }
        let rank = takeRank(record.job.tenant, record.job.priority, FairShare.secondsPerClip)
        entries[draft.job]?.rank = rank
        write(record)
        return outcome
    }

    package func revisions(of job: JobID) -> [Revision] { entries[job]?.revisions ?? [] }

    package func edits(of revision: RevisionID) -> ClipEdits? {
        entries.values.lazy.compactMap { $0.edits[revision] }.first
    }

    package func delete(_ id: JobID) -> DeleteOutcome {
        guard let entry = entries.removeValue(forKey: id) else { return .noSuchJob }
        idempotency = idempotency.filter { $0.value.job != id }
        let stillUsed = Set(entries.values.flatMap { $0.stages.values.compactMap(\.stage.result?.id) })
        let own = Set(entry.stages.values.compactMap(\.stage.result?.id)).subtracting(stillUsed)
        var blobs: Set<BlobName> = []
        for result in own.compactMap({ results.removeValue(forKey: $0) }) {
            blobs.formUnion(result.blobs)
            if let key = result.cacheKey { cached[key] = nil }
        }
        if !entries.values.contains(where: { $0.job.upload == entry.job.upload }),
            let upload = uploads.removeValue(forKey: entry.job.upload)
        {
            blobs.formUnion(upload.blobs)
        }
        blobs.subtract(results.values.flatMap(\.blobs))
        blobs.subtract(uploads.values.flatMap(\.blobs))
        fan.send([.stop(id), .job(id)])
        return .deleted(blobs: blobs.sorted())
    }

    package func stages(of job: JobID) -> [Stage] {
        (entries[job]?.stages.values.map(\.stage) ?? []).sorted { $0.key < $1.key }
    }

    package func clips(of job: JobID) -> [Clip] {
        (entries[job]?.clips.values.map(\.self) ?? []).sorted { $0.id.ordinal < $1.id.ordinal }
    }

    package func clip(_ id: ClipID) -> Clip? { entries[id.job]?.clips[id] }

    package func events(of job: JobID, after: Int64, limit: Int) -> [Event] {
        let later = entries[job]?.events.filter { $0.id > after } ?? []
        return Array(later.prefix(min(max(0, limit), StoreLimits.pageRowsMax)))
    }

    // MARK: Reading and writing records

    func record(of id: JobID) -> JobRecord? {
        guard let entry = entries[id], let upload = uploads[entry.job.upload] else { return nil }
        return JobRecord(
            job: entry.job, upload: upload, stages: Array(entry.stages.values), clips: Array(entry.clips.values),
            revisions: entry.revisions, now: clock())
    }

    func write(_ record: JobRecord) {
        let id = record.job.id
        entries[id]?.job = record.job
        entries[id]?.stages = record.stages
        entries[id]?.clips = record.clips
        entries[id]?.revisions = record.revisions
        for (revision, edits) in record.newRevisions { entries[id]?.edits[revision.id] = edits }
        correct(record)
        correctUsage(record)
        note(record)
        append(record.events, to: id, at: record.now)
        fan.send(record.signals)
    }

    func append(_ drafts: [JobRecord.EventDraft], to job: JobID, at now: Timestamp) {
        for draft in drafts {
            lastEvent += 1
            let event = Event(
                id: lastEvent, job: job, at: now, kind: draft.kind, stage: draft.stage, node: draft.node,
                clip: draft.clip, failure: draft.failure, effort: draft.effort)
            entries[job]?.events.append(event)
        }
    }

    private func change(_ id: JobID, _ rule: (inout JobRecord) -> Bool) throws -> ChangeOutcome {
        guard var record = record(of: id) else { return .noSuchJob }
        guard rule(&record) else { return .notPossible(record.job) }
        catchUp(record.job)
        write(record)
        return .changed(record.job)
    }
}

extension Upload {
    /// Everything of it that stands in the blob store.
    package var blobs: [BlobName] { [blob] + (transcript.map { [$0.blob] } ?? []) }
}
