import ClipModel
import Crypto
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import Store
import Uploads

/// `/api/jobs`: take in, list, show, cancel, retry, delete.
struct JobRoutes: Sendable {
    static let listLimitDefault = 20
    static let listLimitMax = 100

    let jobs: JobService
    let uploads: UploadService
    let downloads: DownloadGate
    let configuration: GatewayConfiguration
    let quota: QuotaGate
    let inFlight = KeysInFlight()

    var routes: [Route] {
        [
            Route(.post, "/api/jobs", ordersWork: true, submit),
            Route(.get, "/api/jobs", list),
            Route(.get, "/api/jobs/{id}", show),
            Route(.get, "/api/jobs/{id}/waterfall", waterfall),
            Route(.delete, "/api/jobs/{id}", delete),
            Route(.post, "/api/jobs/{id}/cancel", cancel),
            Route(.post, "/api/jobs/{id}/retry", ordersWork: true, retry),
        ]
    }

    private struct Accepted: Encodable { let jobId: JobID }

    @Sendable private func submit(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try request.requireJSON()
        let body = try await request.smallBody(limitBytes: configuration.jsonBytesMax)
        let wanted = try JobRequest(json: body)
        let tenant = request.client(context)
        let idempotency = try idempotency(of: request, body: body)
        guard let key = idempotency.map({ tenant + " " + $0.key }) else {
            return try await submit(wanted, tenant: tenant, idempotency: nil, context)
        }
        guard inFlight.begin(key) else {
            throw Problem(
                .conflict, code: "idempotency_key_in_use", detail: "A request with this key is still running.",
                hint: "Wait for its answer, then send the same request again.", field: "Idempotency-Key",
                retryAfterSeconds: 1)
        }
        defer { inFlight.end(key) }
        return try await submit(wanted, tenant: tenant, idempotency: idempotency, context)
    }

    private func submit(
        _ wanted: JobRequest, tenant: String, idempotency: JobDraft.Idempotency?, _ context: GatewayContext
    ) async throws -> Response {
        var outcome = try await take(wanted, tenant, idempotency)
        if outcome == .noSuchUpload, try await isUploadNow(wanted.upload) {
            outcome = try await take(wanted, tenant, idempotency)
        }
        switch outcome {
        case .created(let job):
            quota.forget(tenant)
            context.logger.info("job taken in", metadata: ["job": "\(job.id)", "upload": "\(job.upload)"])
            return accepted(job, replayed: false)
        case .replayed(let job):
            return accepted(job, replayed: true)
        case .idempotencyMismatch:
            throw Problem.idempotencyKeyReused
        case .noSuchUpload:
            throw Problem(
                .notFound, code: "no_such_upload", detail: "No upload has this id.",
                hint: "Uploads that no job uses are removed after a while; send the video again.", field: "uploadId")
        case .olderNodes:
            throw Problem.upgradeUnderWay(
                "Nodes of the release before, which do not know these options, still work here.")
        case .quotaExhausted(let used, let most, let resetsAt):
            quota.forget(tenant)
            quota.countRefusedJob()
            throw Problem.quotaExhausted(used, most, resetsAt)
        }
    }

    private func take(
        _ wanted: JobRequest, _ tenant: String, _ idempotency: JobDraft.Idempotency?
    ) async throws -> SubmitOutcome {
        try await jobs.submit(
            upload: wanted.upload, options: wanted.options, priority: wanted.priority, tenant: tenant,
            idempotency: idempotency)
    }

    /// A resumable upload may have all of its bytes and be none yet, because the node that joined them died: then it is
    /// made one now. Says so when it needs more bytes or a moment.
    private func isUploadNow(_ id: UploadID) async throws -> Bool {
        guard let session = try? await uploads.find(id), session.kind != .partial else { return false }
        guard session.isWhole else {
            throw Problem(
                .conflict, code: "upload_incomplete", detail: "The upload has not all of its bytes yet.",
                hint: "HEAD its address to see where it stands, and send the rest.", field: "uploadId")
        }
        do {
            if try await uploads.look(id).state == .finished { return true }
            throw UploadError.finishing(received: session.received)
        } catch let error as UploadError {
            throw Problem(upload: error, in: .tus)
        }
    }

    private func accepted(_ job: Job, replayed: Bool) -> Response {
        var response = JSONAnswer.make(Accepted(jobId: job.id), status: .accepted)
        response.headers[.location] = "/api/jobs/\(job.id)"
        if replayed { response.headers[.idempotencyReplayed] = "true" }
        return response
    }

    private struct Page: Encodable {
        let jobs: [JobSummary]
        /// Send it as `cursor` to get the next page; absent on the last one.
        let nextCursor: JobID?
    }

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let cursor: JobID? = try request.cursor()
        let limit = try request.query("limit").map { text throws(Problem) in
            guard let limit = Int(text), (1...Self.listLimitMax).contains(limit) else {
                throw Problem(
                    .badRequest, code: "invalid_limit", detail: "limit must be from 1 to \(Self.listLimitMax).",
                    hint: "Leave it out to get \(Self.listLimitDefault).", field: "limit")
            }
            return limit
        }
        let size = limit ?? Self.listLimitDefault
        // One more than asked for tells whether there is another page.
        let found = try await jobs.list(before: cursor, limit: size + 1)
        var rows: [JobSummary] = []
        for job in found.prefix(size) {
            rows.append(JobSummary(job, fileName: try await jobs.store.upload(job.upload)?.fileName))
        }
        return JSONAnswer.make(Page(jobs: rows, nextCursor: found.count > size ? rows.last?.id : nil))
    }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await answer(try context.jobID())
    }

    private struct Waterfall: Encodable { let waterfall: JobWaterfall }

    @Sendable private func waterfall(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let waterfall = try await jobs.waterfall(try context.jobID()) else { throw Problem.noSuchJob }
        return JSONAnswer.make(Waterfall(waterfall: waterfall))
    }

    @Sendable private func delete(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let id = try context.jobID()
        guard try await jobs.delete(id) else { throw Problem.noSuchJob }
        context.logger.info("job deleted", metadata: ["job": "\(id)"])
        return Response(status: .noContent)
    }

    @Sendable private func cancel(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let id = try context.jobID()
        switch try await jobs.cancel(id) {
        case .changed: break
        // Sent twice means the same as sent once.
        case .notPossible(let job) where job.status == .cancelled: break
        case .notPossible(let job):
            throw Problem(
                .conflict, code: "job_already_ended", detail: "The job has ended as \(job.status.rawValue).",
                hint: "DELETE removes a job that has ended.")
        case .noSuchJob: throw Problem.noSuchJob
        }
        return try await answer(id)
    }

    @Sendable private func retry(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let id = try context.jobID()
        switch try await jobs.retry(id) {
        case .changed: break
        case .notPossible(let job):
            throw Problem(
                .conflict, code: "job_not_failed",
                detail: "Only a job that ended in error can be retried; this one is \(job.status.rawValue).",
                hint: "Start a new job from the same upload.")
        case .noSuchJob: throw Problem.noSuchJob
        }
        return try await answer(id)
    }

    private func answer(_ id: JobID) async throws -> Response {
        guard let view = try await jobs.view(id) else { throw Problem.noSuchJob }
        return JSONAnswer.make(JobBody(view, try await downloads.addresses()))
    }

    private func idempotency(of request: Request, body: [UInt8]) throws(Problem) -> JobDraft.Idempotency? {
        guard let key = try request.idempotencyKey() else { return nil }
        return JobDraft.Idempotency(key: key, requestSHA256: hexadecimal(SHA256.hash(data: body)))
    }
}

/// Lower-case, two characters a byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
