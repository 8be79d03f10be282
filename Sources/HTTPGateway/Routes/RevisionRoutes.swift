import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import Media
import Store

/// Clips of finished jobs: render one anew, add one, and see what of one may be edited.
struct RevisionRoutes: Sendable {
    let jobs: JobService
    let jsonBytesMax: Int

    var routes: [Route] {
        [
            Route(.post, "/api/jobs/{id}/rerender", ordersWork: true, rerender),
            Route(.post, "/api/clips", ordersWork: true, add),
            Route(.get, "/api/clips/{id}/captions", captions),
            Route(.get, "/api/clips/{id}/scenes", scenes),
        ]
    }

    private struct Taken: Encodable {
        let jobId: JobID
        let clipId: ClipID
        let revision: Int
    }

    @Sendable private func rerender(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try request.requireJSON()
        let job = try context.jobID()
        let wanted = try RevisionRequest(json: try await request.smallBody(limitBytes: jsonBytesMax), about: .clip)
        guard let clip = ClipID(wanted.subject), clip.job == job else {
            throw Problem(
                .notFound, code: "no_such_clip", detail: "The job has no clip with this id.",
                hint: "GET /api/jobs/{id} lists its clips.", field: "clipId")
        }
        return try answer(try await jobs.revise(clip, wanted.wish), context)
    }

    @Sendable private func add(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try request.requireJSON()
        let wanted = try RevisionRequest(json: try await request.smallBody(limitBytes: jsonBytesMax), about: .job)
        guard let job = JobID(wanted.subject) else {
            throw Problem(
                .unprocessableContent, code: "invalid_edit", detail: "jobId is no job id.",
                hint: "Send the jobId that POST /api/jobs answered with.", field: "jobId")
        }
        return try answer(try await jobs.addClip(to: job, wanted.wish), context)
    }

    private func answer(_ outcome: ReviseOutcome, _ context: GatewayContext) throws(Problem) -> Response {
        let (job, revision) = try outcome.taken()
        let clip = ClipID(job: job.id, ordinal: revision.clip)
        context.logger.info(
            "revision taken in", metadata: ["job": "\(job.id)", "clip": "\(clip)", "slot": "\(revision.slot)"])
        var response = JSONAnswer.make(
            Taken(jobId: job.id, clipId: clip, revision: revision.number), status: .accepted)
        response.headers[.location] = "/api/clips/\(clip)"
        return response
    }

    // MARK: What may be edited

    private struct Captions: Encodable {
        let captions: [ClipEdits.Caption]
        let isEdited: Bool
    }

    private struct Scenes: Encodable {
        let scenes: [SceneShown]
        /// What a client said of them; absent: nothing.
        let edits: [ClipEdits.Scene]?
    }

    @Sendable private func captions(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let found = try await jobs.captions(of: try context.clipID()) else { throw Problem.noSuchClip }
        return JSONAnswer.make(Captions(captions: found.captions, isEdited: found.isEdited))
    }

    @Sendable private func scenes(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let found = try await jobs.scenes(of: try context.clipID()) else { throw Problem.noSuchClip }
        return JSONAnswer.make(Scenes(scenes: found.scenes, edits: found.edits))
    }
}

extension ReviseOutcome {
    /// What was taken in; else says why not.
    func taken() throws(Problem) -> (Job, Revision) {
        switch self {
        case .taken(let job, let revision): return (job, revision)
        case .notReady(let job):
            let mayCome = !job.status.hasEnded
            throw Problem(
                .conflict, code: "job_not_ready",
                detail: "Clips can be changed once their job is ready; this one is \(job.status.rawValue).",
                hint: mayCome
                    ? "Follow GET /api/jobs/{id}/events and ask again at its end."
                    : "Retry the job, or start a new one from the same upload.",
                retryAfterSeconds: mayCome ? 5 : nil)
        case .underWay(let number):
            throw Problem(
                .conflict, code: "revision_under_way", detail: "Revision \(number) of this clip is being rendered.",
                hint: "Ask again when it is ready, or cancel the job to stop it.", retryAfterSeconds: 5)
        case .changed(let number):
            throw Problem(
                .preconditionFailed, code: "revision_changed",
                detail: "The clip shows revision \(number) by now, which is not what you asked to change.",
                hint: "Look at the clip again, and ask for your change on what it is now.", field: "ifRevision")
        case .tooMany(let limit): throw Self.problem(limit)
        case .olderNodes:
            throw Problem.upgradeUnderWay("Nodes of the release before, which cannot render this, still work here.")
        case .noSuchClip: throw .noSuchClip
        case .noSuchJob: throw .noSuchJob
        }
    }

    private static func problem(_ limit: Limit) -> Problem {
        switch limit {
        case .open:
            Problem(
                .conflict, code: "too_many_revisions_open",
                detail: "At most \(StoreLimits.openRevisionsMax) clips of a job are rendered anew at one time.",
                hint: "Ask again when one of them is ready.", retryAfterSeconds: 5)
        case .revisions:
            Problem(
                .conflict, code: "too_many_revisions",
                detail: "Clips of one job can be changed \(StoreLimits.revisionsMax) times.",
                hint: "Start a new job from the same upload.")
        case .clips:
            Problem(
                .conflict, code: "too_many_clips", detail: "A job has at most \(StoreLimits.clipsMax) clips.",
                hint: "Change one of them, or start a new job from the same upload.")
        }
    }
}

extension Problem {
    /// Ends by itself with the last node of the release before.
    static func upgradeUnderWay(_ detail: String) -> Problem {
        Problem(
            .serviceUnavailable, code: "upgrade_under_way", detail: detail,
            hint: "Nothing is lost. Ask again when the cluster is upgraded.", retryAfterSeconds: 30)
    }
}
