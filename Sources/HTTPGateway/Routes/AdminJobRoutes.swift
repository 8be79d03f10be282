import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import Membership
import Store

/// `/admin/v1/jobs` and `/admin/v1/dead-letters`: jobs of all clients as operators see them, and orders to them.
struct AdminJobRoutes: Sendable {
    static let listLimitDefault = 50
    static let listLimitMax = 500
    /// Jobs that one request requeues, each in a transaction of its own. Both limits stay below what the store lists at
    /// once, or nobody could tell whether there are more.
    static let requeueLimitDefault = 100
    static let requeueLimitMax = 500
    /// Longest text that is looked for.
    static let filterCharactersMax = 256

    let jobs: JobService
    let gate: AdminGate
    let cluster: ClusterInspection?

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/jobs", list),
            Route(.get, "/admin/v1/jobs/{id}", show),
            Route(.get, "/admin/v1/jobs/{id}/why", why),
            Route(.post, "/admin/v1/jobs/{id}/cancel", cancel),
            Route(.post, "/admin/v1/jobs/{id}/retry", retry),
            Route(.post, "/admin/v1/jobs/{id}/stages/{name}/{index}/requeue", requeue),
            Route(.get, "/admin/v1/dead-letters", deadLetters),
            Route(.post, "/admin/v1/dead-letters/requeue", requeueDeadLetters),
        ]
    }

    // MARK: Looking

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        var filter = JobFilter(tenant: try request.text("tenant"))
        if let text = request.query("status") {
            guard let status = Job.Status(rawValue: text) else {
                let allowed = Job.Status.allCases.map(\.rawValue)
                throw Problem(
                    .badRequest, code: "invalid_status", detail: "No job has this status.",
                    hint: "Use one of: \(allowed.joined(separator: ", ")).", field: "status", allowed: allowed)
            }
            filter.status = status
        }
        let page = try await page(request) { cursor, limit in
            try await jobs.store.jobs(filter, before: cursor, limit: limit).map { OperatorJob($0) }
        }
        return JSONAnswer.make(page)
    }

    @Sendable private func deadLetters(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let filter = try request.deadLetters()
        let page = try await page(request) { cursor, limit in
            try await jobs.store.deadLetters(filter, before: cursor, limit: limit).map { OperatorJob($0) }
        }
        return JSONAnswer.make(page)
    }

    private func page(
        _ request: Request, of list: (_ before: JobID?, _ limit: Int) async throws -> [OperatorJob]
    ) async throws -> OperatorJobPage {
        let cursor: JobID? = try request.cursor()
        let size = try request.limit(Self.listLimitDefault, most: Self.listLimitMax)
        // One more than asked for tells whether there is another page.
        let found = try await list(cursor, size + 1)
        let rows = Array(found.prefix(size))
        return OperatorJobPage(jobs: rows, nextCursor: found.count > size ? rows.last?.id : nil)
    }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let id = try context.jobID()
        guard let job = try await jobs.store.job(id), let view = try await jobs.view(id),
            let waterfall = try await jobs.waterfall(id)
        else { throw Problem.noSuchJob }
        return JSONAnswer.make(OperatorJobDetail(tenant: job.tenant, job: view, waterfall: waterfall))
    }

    @Sendable private func why(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let id = try context.jobID()
        // Members that are suspected or cut off are no evidence that a node lives.
        let members = cluster.map { cluster in
            let snapshot = cluster.snapshot()
            let alive = snapshot.view.members.filter { $0.status == .alive }.map(\.id)
            return Set((alive + [snapshot.local.id]).compactMap { NodeID($0.rawValue) })
        }
        do {
            guard let explanation = try await jobs.explain(id, members: members) else { throw Problem.noSuchJob }
            return JSONAnswer.make(explanation)
        } catch let error as StoreError where error.code != .refused && error.code != .corrupt {
            var problem = Problem.unavailable(retryAfterSeconds: 2)
            problem.detail =
                "This node does not reach the database, so it cannot tell; and without the database no stage is begun."
            problem.hint = "Nothing is lost. Look at PostgreSQL; tijera cluster health tells which nodes reach it."
            throw problem
        }
    }

    // MARK: Orders

    @Sendable private func cancel(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let id = try context.jobID()
        switch try await jobs.cancel(id) {
        case .changed(let job):
            note("cancel", id, context)
            return JSONAnswer.make(OperatorJob(job))
        // Sent twice means the same as sent once.
        case .notPossible(let job) where job.status == .cancelled: return JSONAnswer.make(OperatorJob(job))
        case .notPossible(let job):
            throw Problem(
                .conflict, code: "job_already_ended", detail: "The job has ended as \(job.status.rawValue).",
                hint: "DELETE /api/jobs/{id} removes a job that has ended.")
        case .noSuchJob: throw Problem.noSuchJob
        }
    }

    @Sendable private func retry(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let id = try context.jobID()
        switch try await jobs.retry(id) {
        case .changed(let job):
            note("retry", id, context)
            return JSONAnswer.make(OperatorJob(job))
        case .notPossible(let job):
            throw Problem(
                .conflict, code: "job_not_failed",
                detail: "Only a job that ended in error can be retried; this one is \(job.status.rawValue).",
                hint: "Requeue one of its stages, or start a new job from the same upload.")
        case .noSuchJob: throw Problem.noSuchJob
        }
    }

    @Sendable private func requeue(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let (id, key) = (try context.jobID(), try context.stageKey())
        let job =
            switch try await jobs.requeue(key, of: id) {
            case .stage(let outcome): try outcome.changed()
            case .clip(let outcome): try outcome.taken().0
            }
        note("requeue \(key)", id, context)
        return JSONAnswer.make(OperatorJob(job))
    }

    @Sendable private func requeueDeadLetters(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let filter = try request.deadLetters()
        let limit = try request.limit(Self.requeueLimitDefault, most: Self.requeueLimitMax)
        let rehearsal = request.query("dryRun") ?? "false"
        guard ["true", "false"].contains(rehearsal) else {
            throw Problem(
                .badRequest, code: "invalid_dry_run", detail: "dryRun must be true or false.",
                hint: "Leave it out to change things.", field: "dryRun", allowed: ["true", "false"])
        }
        let outcome = try await jobs.requeueDeadLetters(filter, limit: limit, isRehearsal: rehearsal == "true")
        if !outcome.isRehearsal {
            context.logger.notice(
                "operator requeued dead letters",
                metadata: [
                    "jobs": "\(outcome.jobs.count)", "clips": "\(outcome.clips?.count ?? 0)",
                    "skipped": "\(outcome.skipped.count)", "client": "\(context.clientAddress)",
                ])
        }
        return JSONAnswer.make(outcome)
    }

    private func note(_ order: String, _ job: JobID, _ context: GatewayContext) {
        context.logger.notice(
            "operator's order to a job",
            metadata: ["job": "\(job)", "order": "\(order)", "client": "\(context.clientAddress)"])
    }
}

extension Request {
    /// A text to look for.
    func text(_ name: String) throws(Problem) -> String? {
        guard let text = query(name) else { return nil }
        guard (1...AdminJobRoutes.filterCharactersMax).contains(text.unicodeScalars.count) else {
            throw Problem(
                .badRequest, code: "invalid_\(name)",
                detail: "\(name) must have 1 to \(AdminJobRoutes.filterCharactersMax) characters.",
                hint: "Leave it out to get all.", field: name)
        }
        return text
    }

    /// After which entry a page begins; nil: with the first.
    func cursor<Kind>() throws(Problem) -> Identifier<Kind>? {
        guard let text = query("cursor") else { return nil }
        guard let id = Identifier<Kind>(text) else {
            throw Problem(
                .badRequest, code: "invalid_cursor", detail: "cursor is not one that this list gave out.",
                hint: "Begin without a cursor.", field: "cursor")
        }
        return id
    }

    fileprivate func deadLetters() throws(Problem) -> DeadLetterFilter {
        DeadLetterFilter(code: try text("code"), tenant: try text("tenant"))
    }

    func limit(_ usual: Int, most: Int) throws(Problem) -> Int {
        guard let text = query("limit") else { return usual }
        guard let limit = Int(text), (1...most).contains(limit) else {
            throw Problem(
                .badRequest, code: "invalid_limit", detail: "limit must be from 1 to \(most).",
                hint: "Leave it out to get \(usual).", field: "limit")
        }
        return limit
    }
}

extension GatewayContext {
    /// The stage named in the address. Text that names none is the same as a stage that is not there.
    fileprivate func stageKey() throws(Problem) -> StageKey {
        let parameters = coreContext.parameters
        guard let name = parameters.get("name").flatMap({ StageName(rawValue: $0) }),
            let index = parameters.get("index").flatMap({ Int($0) }), index >= 0
        else { throw .noSuchStage }
        return StageKey(name, index)
    }
}

extension RequeueOutcome {
    /// The job that goes on; else says why it does not.
    fileprivate func changed() throws(Problem) -> Job {
        switch self {
        case .changed(let job): return job
        case .notPossible(let job, let state):
            throw Problem(
                .conflict, code: "stage_not_requeueable",
                detail: "The stage is \(state.rawValue) in a job that is \(job.status.rawValue).",
                hint: "Stages can be requeued while they wait or run, or when they failed and the job is not being "
                    + "published; in a job that is ready, while the clip is missing. A retry of the job brings back "
                    + "those that were given up.")
        case .noSuchStage: throw .noSuchStage
        case .noSuchJob: throw .noSuchJob
        }
    }
}

extension Problem {
    static let noSuchStage = Problem(
        .notFound, code: "no_such_stage", detail: "The job has no such stage.",
        hint: "GET /admin/v1/jobs/{id} lists the stages there are; those that do not fan out have index 0.")
}
