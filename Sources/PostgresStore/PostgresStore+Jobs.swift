package import ClipModel
package import Store
import Synchronization

/// Uploads, jobs and their events.
extension PostgresStore {
    // MARK: Uploads

    package func insert(_ upload: Upload) async throws {
        let stored = try await database.read { connection in
            let insert = UploadTable.insert.with(
                upload.id, upload.fileName, upload.bytes, upload.sha256, upload.blob,
                upload.transcript.map { JSON($0) }, upload.createdAt)
            return try connection.queries([insert, UploadTable.one.with(upload.id)])[1].first.map {
                try UploadTable.upload($0)
            }
        }
        guard let stored, stored.sha256 == upload.sha256, stored.blob == upload.blob else {
            throw StoreError(.refused, "upload \(upload.id) exists with other contents")
        }
    }

    package func upload(_ id: UploadID) async throws -> Upload? {
        try await database.read { try $0.query(UploadTable.one.with(id)).first.map { try UploadTable.upload($0) } }
    }

    package func removeUnusedUploads(olderThanSeconds seconds: Int, limit: Int) async throws -> [Upload] {
        try await database.write { connection, _ in
            let ids = try connection.query(UploadTable.lockUnused.with(seconds, max(0, limit))).map {
                try $0.text("id")
            }
            guard !ids.isEmpty else { return .rollBack([]) }
            return .commit(
                try connection.query(UploadTable.removeUnused.with(ids)).map { try UploadTable.upload($0) })
        }
    }

    // MARK: Jobs

    package func submit(_ draft: JobDraft) async throws -> SubmitOutcome {
        try await database.write { [self] connection, attempt in
            if attempt > 1, let row = try connection.query(JobTables.one.with(draft.id)).first {
                return .rollBack(.created(try JobTables.job(row)))
            }
            if let key = draft.idempotency, let outcome = try Self.earlier(draft, key, on: &connection) {
                return .rollBack(outcome)
            }
            let answers = try connection.queries([
                UploadTable.keep.with(draft.upload), Self.now.with(), Self.unknowingNode(draft.options),
            ])
            guard let upload = try answers[0].first.map({ try UploadTable.upload($0) }),
                let now = try answers[1].first?.time("now")
            else { return .rollBack(.noSuchUpload) }
            guard answers[2].isEmpty else { return .rollBack(.olderNodes) }
            let estimate = FairShare.estimate(of: upload, options: draft.options)
            let take = try TenantTable.takeRank.with(
                draft.tenant, estimate, draft.priority == .batch, claimFloor(on: &connection).rank)
            let month = CalendarMonth(of: now)
            let charge = UsageTable.charge(
                ClientUsage.guessedSeconds(of: upload), to: draft.tenant, in: month, draft.minutesMax)
            let taken = try connection.queries([take, charge])
            guard let place = taken[0].first else {
                throw PostgresFailure(.corrupt, "taking a rank answered nothing")
            }
            if let refusal = SubmitOutcome(refusing: try UsageTable.read(taken[1], month)) { return .rollBack(refusal) }
            let rank = try place.double("rank")
            floor.withLock { $0.lower(to: rank) }
            let jobsMax = try place.readIfPresent("jobs_max") { Int($0) } ?? draft.jobsMax
            let held = try jobsMax.map { try Self.isFull(draft.tenant, jobsMax: $0, on: &connection) } ?? false
            let record = JobRecord(taking: draft, held: held, upload: upload, now: now)
            let job = record.job
            connection.enqueue(
                JobTables.insertJob.with(
                    job.id, job.upload, job.region, job.tenant, JSON(job.options), job.status.rawValue,
                    JSON(job.notes), job.createdAt, rank, job.priority.rawValue, held))
            JobTables.enqueue([(record, before: [:])], on: &connection)
            return .commit(.created(job))
        }
    }

    /// Whether a job of that client that comes now has to wait.
    private static func isFull(
        _ tenant: String, jobsMax: Int, on connection: inout PostgresConnection
    ) throws -> Bool {
        guard let crowd = try connection.query(TenantTable.crowd.with(tenant)).first else { return false }
        return try crowd.int("under_way") >= jobsMax || crowd.int("held") > 0
    }

    /// Takes the key for this draft; answers when an earlier request holds it.
    private static func earlier(
        _ draft: JobDraft, _ key: JobDraft.Idempotency, on connection: inout PostgresConnection
    ) throws -> SubmitOutcome? {
        let take = takeKey.with(
            draft.tenant, key.key, key.requestSHA256, draft.id, StoreLimits.idempotencySeconds)
        guard try connection.query(take).isEmpty else { return nil }
        guard let row = try connection.query(keyHolder.with(draft.tenant, key.key)).first else {
            throw PostgresFailure(.conflict, "the job of this idempotency key was deleted in this moment")
        }
        let isSame = try row.text("request_sha256") == key.requestSHA256
        return isSame ? .replayed(try JobTables.job(row)) : .idempotencyMismatch
    }

    package func job(_ id: JobID) async throws -> Job? {
        try await database.read { try $0.query(JobTables.one.with(id)).first.map(JobTables.job(_:)) }
    }

    package func jobs(_ filter: JobFilter, before cursor: JobID?, limit: Int) async throws -> [Job] {
        let limit = min(max(0, limit), StoreLimits.pageRowsMax)
        let page = JobTables.page.with(cursor, limit, filter.status?.rawValue, filter.tenant)
        return try await database.read { try $0.query(page).map(JobTables.job(_:)) }
    }

    package func jobsUnderWay(after cursor: JobID?, limit: Int) async throws -> [HomedJob] {
        let limit = min(max(0, limit), StoreLimits.pageRowsMax)
        return try await database.read { connection in
            try connection.query(JobTables.underWay.with(cursor, limit)).map {
                HomedJob(id: try $0.read("id", JobID.init), region: try $0.read("region", Region.init))
            }
        }
    }

    package func queuePosition(of job: JobID) async throws -> Int {
        try await database.read { try $0.query(Self.queuePosition.with(job)).first?.int("count") ?? 0 }
    }

    package func cancel(_ id: JobID) async throws -> ChangeOutcome { try await change(id) { $0.cancel() } }
    package func retry(_ id: JobID) async throws -> ChangeOutcome { try await change(id) { $0.retry() } }

    /// A job that had ended goes on.
    func catchUp(_ job: Job, on connection: inout PostgresConnection) throws {
        guard !job.status.hasEnded else { return }
        connection.enqueue(TenantTable.catchUp.with(job.id, try claimFloor(on: &connection).rank))
    }

    private func change(
        _ id: JobID, _ rule: @escaping @Sendable (inout JobRecord) -> Bool
    ) async throws -> ChangeOutcome {
        try await database.write { [self] connection, _ in
            guard let loaded = try JobTables.load(id, on: &connection, cache: cache, lockingStages: true) else {
                return .rollBack(.noSuchJob)
            }
            var record = loaded
            guard rule(&record) else { return .rollBack(.notPossible(record.job)) }
            if loaded.job.status.hasEnded { try catchUp(record.job, on: &connection) }
            JobTables.enqueue([(record, before: loaded.stages)], on: &connection)
            return .commit(.changed(record.job))
        }
    }

    package func delete(_ id: JobID) async throws -> DeleteOutcome {
        try await database.write { connection, _ in
            guard let row = try connection.query(Self.lockForDeletion.with(id)).first else {
                return .rollBack(.noSuchJob)
            }
            let (upload, createdAt) = (try row.text("upload"), try row.time("created_at"))
            let locked = try connection.queries([UploadTable.lock.with(upload), Self.lockResults.with(id)])
            let results = try locked[1].map { try $0.text("id") }
            // The stages go with the job, which waits for claims that are under way; then their events are there too.
            connection.enqueue(Self.deleteJob.with(id))
            connection.enqueue(Self.deleteEvents.with(id, createdAt))
            // One after the other, so that each sees what the one before left.
            let gone = try connection.queries([Self.deleteUpload.with(upload), Self.deleteResults.with(results)])
            let candidates = try gone.flatMap { try $0.map { try $0.text("blob") } }
            let loose = try connection.query(Self.looseBlobs.with(candidates))
            EventTable.announce([.stop(id), .job(id)], on: &connection)
            return .commit(.deleted(blobs: try loose.map { try $0.read("blob", BlobName.init) }))
        }
    }

    // MARK: What belongs to a job

    package func stages(of job: JobID) async throws -> [Stage] {
        let records = try await database.read { [cache] in try JobTables.stages(of: job, on: &$0, cache: cache) }
        return records.map(\.stage).sorted { $0.key < $1.key }
    }

    package func clips(of job: JobID) async throws -> [Clip] {
        try await database.read { try $0.query(JobTables.clips.with([job])).map(JobTables.clip(_:)) }
    }

    package func clip(_ id: ClipID) async throws -> Clip? {
        try await database.read {
            try $0.query(JobTables.clip.with(id.job, id.ordinal)).first.map(JobTables.clip(_:))
        }
    }

    package func events(of job: JobID, after: Int64, limit: Int) async throws -> [Event] {
        let limit = min(max(0, limit), StoreLimits.pageRowsMax)
        return try await database.read { connection in
            try connection.query(EventTable.after.with(job, after, limit)).map(EventTable.event(_:)).compactMap(\.self)
        }
    }

    static let now = Statement("now", "select ms_of(clock_timestamp()) as now")
    private static let takeKey = Statement(
        "take_idempotency_key",
        """
        insert into idempotency (tenant, key, request_sha256, job, expires_at)
        values ($1, $2, $3, $4, now() + $5::bigint * interval '1 second')
        on conflict (tenant, key) do update set request_sha256 = excluded.request_sha256, job = excluded.job,
            expires_at = excluded.expires_at
        where idempotency.expires_at <= now()
        returning 1
        """)
    private static let keyHolder = Statement(
        "idempotency_key_holder",
        """
        select idempotency.request_sha256, \(JobTables.jobColumns)
        from idempotency join job on job.id = idempotency.job
        where idempotency.tenant = $1 and idempotency.key = $2
        """)
    private static let queuePosition = Statement(
        "queue_position",
        """
        select count(*) as count from job, (select rank, id, held, tenant from job where id = $1) as own
        where job.status = 'pending' and (job.rank, job.id) < (own.rank, own.id)
            and (not job.held or (own.held and job.tenant = own.tenant))
        """)
    private static let lockForDeletion = Statement(
        "lock_job_for_deletion", "select upload, ms_of(created_at) as created_at from job where id = $1 for update")
    /// Waits for stages that are just taking one of these results, so that the next statement sees them.
    private static let lockResults = Statement(
        "lock_results_of_job",
        """
        select id from result where id in (select result from job_result where job = $1) order by id for update
        """)
    private static let deleteEvents = Statement(
        "delete_events", "delete from event where job = $1 and at >= time_of($2) - interval '1 minute'")
    private static let deleteJob = Statement("delete_job", "delete from job where id = $1")
    private static let deleteUpload = Statement(
        "delete_upload_without_jobs",
        """
        with gone as (
            delete from upload where id = $1 and not exists (select from job where job.upload = upload.id)
            returning blob, transcript->>'blob' as transcript_blob
        )
        select blob from gone union select transcript_blob from gone where transcript_blob is not null
        """)
    private static let deleteResults = Statement(
        "delete_unused_results",
        """
        with gone as (
            delete from result
            where id = any($1::text[]) and not exists (select from job_result where job_result.result = result.id)
            returning blobs
        )
        select distinct blob from gone, unnest(blobs) as blob
        """)
    /// Of these blobs, those that nothing points at.
    private static let looseBlobs = Statement(
        "loose_blobs",
        """
        select distinct blob collate "C" as blob from unnest($1::text[]) as blob
        where not exists (select from result where result.blobs @> array[blob])
            and not exists (select from upload where upload.blob = blob.blob)
        order by 1
        """)
}
