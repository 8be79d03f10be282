package import Blobs
package import ClipModel
import Stages
package import Store

/// What clients may do with uploads and jobs. Every route goes through here, on whatever node it arrives.
package struct JobService: Sendable {
    package let store: any Store
    package let blobs: any BlobStore
    /// Jobs taken in here are at home in this region, unless it is overloaded and another has room.
    package let region: Region
    /// Jobs of one client that may be under way at once, where its terms say nothing; nil: as many as it likes.
    private let jobsMax: Int?
    /// Minutes of video of one client in a month, where its terms say nothing; nil: no limit.
    package let minutesMax: Int?
    /// Those of the nodes' claims.
    let awaySeconds: Double
    private let now: WallTime
    private let chance: Chance
    /// Says where new jobs go when there is too much to do; nil: always here, and at once.
    package let overload: OverloadWatch?
    private let onChange: @Sendable (JobID, Region) -> Void

    /// - Parameter onChange: told of a job that was taken in or changed here. Must return at once.
    package init(
        store: any Store, blobs: any BlobStore, region: Region, jobsMax: Int? = nil,
        minutesMax: Int? = nil, awaySeconds: Double = ClaimTerms.awaySecondsDefault, now: @escaping WallTime,
        chance: Chance, overload: OverloadWatch? = nil,
        onChange: @escaping @Sendable (JobID, Region) -> Void = { _, _ in }
    ) {
        self.store = store
        self.blobs = blobs
        self.region = region
        self.jobsMax = jobsMax
        self.minutesMax = minutesMax
        self.awaySeconds = awaySeconds
        self.now = now
        self.chance = chance
        self.overload = overload
        self.onChange = onChange
    }

    var currentTime: Timestamp { now() }

    // MARK: Uploads

    /// A fresh identifier for an upload whose bytes are about to arrive.
    package func newUploadID() -> UploadID { chance.draw { UploadID(at: now(), using: &$0) } }

    func newRevisionID() -> RevisionID { chance.draw { RevisionID(at: now(), using: &$0) } }

    /// Where the bytes of an upload stand.
    package func blobName(of upload: UploadID) -> BlobName {
        BlobName("\(Self.prefix(of: upload))/source")!
    }

    /// Where the transcript that came with an upload stands.
    package func transcriptBlobName(of upload: UploadID) -> BlobName {
        BlobName("\(Self.prefix(of: upload))/transcript")!
    }

    /// Where the bytes of all uploads stand, and those of one.
    static let uploadsRoot = BlobName("uploads")!
    static func prefix(of upload: UploadID) -> BlobName { BlobName("\(uploadsRoot)/\(upload.ulid)")! }

    /// Takes note of bytes that stand already under `blobName(of:)`. When the store refuses, they are removed again.
    package func register(
        _ id: UploadID, fileName: String, facts: BlobFacts, transcript: SidecarTranscript? = nil
    ) async throws -> Upload {
        let upload = Upload(
            id: id, fileName: fileName, bytes: facts.bytes, sha256: facts.sha256, blob: blobName(of: id),
            transcript: transcript, createdAt: now())
        do {
            try await store.insert(upload)
        } catch {
            // Without its row nobody will ever ask for the bytes.
            try? await blobs.remove([upload.blob] + (transcript.map { [$0.blob] } ?? []))
            throw error
        }
        return upload
    }

    // MARK: Jobs

    /// Takes a job in. Throws `OptionProblem` when the options make no sense.
    package func submit(
        upload: UploadID, options: JobOptions, priority: Job.Priority = .interactive, tenant: String,
        idempotency: JobDraft.Idempotency? = nil
    ) async throws -> SubmitOutcome {
        if let problem = options.problem { throw problem }
        let id = chance.draw { JobID(at: now(), using: &$0) }
        let berth = overload?.berth ?? OverloadState.Berth(region: region, opensAfterSeconds: 0)
        let outcome = try await store.submit(
            JobDraft(
                id: id, upload: upload, region: berth.region, tenant: tenant, options: options, priority: priority,
                jobsMax: jobsMax, minutesMax: minutesMax, stages: Pipeline.firstStages,
                opensAfterSeconds: berth.opensAfterSeconds, idempotency: idempotency))
        if case .created(let job) = outcome { tell(job) }
        return outcome
    }

    package func cancel(_ id: JobID) async throws -> ChangeOutcome { told(try await store.cancel(id)) }

    /// Begins again where the job failed; what was finished is kept.
    package func retry(_ id: JobID) async throws -> ChangeOutcome { told(try await store.retry(id)) }

    private func told(_ outcome: ChangeOutcome) -> ChangeOutcome {
        if case .changed(let job) = outcome { tell(job) }
        return outcome
    }

    func tell(_ job: Job) { onChange(job.id, job.region) }

    /// Deletes a job with everything only it used. Returns false when there is no such job.
    package func delete(_ id: JobID) async throws -> Bool {
        let home = try await store.job(id)?.region
        let stages = try await store.stages(of: id)
        guard case .deleted(let unused) = try await store.delete(id) else { return false }
        if let home { onChange(id, home) }
        // Attempts that died left blobs that no result names; results that others reuse stay.
        let leftovers = try await blobs.list(under: StageAttempt.prefix(of: id), limit: Self.leftoversMax)
        try await blobs.remove(unused + Leftovers.select(leftovers, stages: stages, olderThan: now()))
        return true
    }

    /// The job as clients see it, or nil when there is none.
    package func view(_ id: JobID) async throws -> JobView? {
        guard let job = try await store.job(id), let upload = try await store.upload(job.upload) else { return nil }
        let position = job.status == .pending ? try await store.queuePosition(of: id) : nil
        let stages = try await store.stages(of: id)
        return JobView(
            job: job, upload: upload, stages: stages, clips: try await store.clips(of: id),
            revisions: try await store.revisions(of: id, with: stages), nodes: try await store.nodes(),
            queuePosition: position, now: now())
    }

    /// One clip as the answer about its job has it; nil: there is none.
    package func clipView(_ id: ClipID) async throws -> JobView.ClipView? {
        guard let clip = try await store.clip(id) else { return nil }
        let choice = try await store.stages(of: id.job).first { $0.key == StageKey(.highlights) && $0.state == .done }
        // A result that this version cannot read hides what it says, not the clip.
        let selection = choice?.result.flatMap { try? StageJSON.decode(HighlightsResult.self, from: $0.body.utf8) }
        return JobView.ClipView(clip, chosen: selection?.highlights ?? [])
    }

    /// Newest first.
    package func list(before cursor: JobID?, limit: Int) async throws -> [Job] {
        try await store.jobs(before: cursor, limit: limit)
    }

    /// Most blobs of dead attempts that one deletion removes; the sweeper takes the rest.
    private static let leftoversMax = 10_000
}
