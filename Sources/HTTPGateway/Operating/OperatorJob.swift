package import ClipModel
package import Jobs
package import Store

/// A job as operators see it in lists: a row of `GET /admin/v1/jobs` and of `/admin/v1/dead-letters`.
///
/// Field names are part of the API: add, do not rename.
package struct OperatorJob: Codable, Hashable, Sendable {
    /// A clip that a job is ready without.
    package struct MissingClip: Codable, Hashable, Sendable {
        package var id: ClipID
        package var ordinal: Int
        package var failureClass: Failure.Class
        /// With the stage that failed, and that may be requeued.
        package var error: JobView.ErrorView
    }

    package var id: JobID
    package var status: Job.Status
    package var tenant: String
    package var region: Region
    /// Absent from nodes of an earlier release.
    package var priority: Job.Priority?
    /// Waits until fewer jobs of its client are under way.
    package var isHeld: Bool?
    /// Of the job's failure: whether it is worth another try as it is.
    package var failureClass: Failure.Class?
    package var error: JobView.ErrorView?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    /// As in `JobView`.
    package var tookSeconds: Double?
    /// Of dead letters that are ready: by ordinal. Absent everywhere else.
    package var missingClips: [MissingClip]?

    package init(_ job: Job) {
        id = job.id
        status = job.status
        tenant = job.tenant
        region = job.region
        priority = job.priority
        isHeld = job.isHeld
        failureClass = job.failure?.failure.class
        error = job.failure.map { JobView.ErrorView($0.failure, stage: $0.stage) }
        createdAt = job.createdAt
        startedAt = job.startedAt
        endedAt = job.endedAt
        tookSeconds = job.tookSeconds
    }

    package init(_ letter: DeadLetter) {
        self.init(letter.job)
        guard !letter.missing.isEmpty else { return }
        missingClips = letter.missing.map { clip in
            MissingClip(
                id: clip.id, ordinal: clip.id.ordinal, failureClass: clip.failure.class,
                error: JobView.ErrorView(clip.failure, stage: clip.stage))
        }
    }
}

package struct OperatorJobPage: Codable, Hashable, Sendable {
    package var jobs: [OperatorJob]
    /// Send it as `cursor` to get the next page; absent on the last one.
    package var nextCursor: JobID?
}

/// `GET /admin/v1/jobs/{id}`
package struct OperatorJobDetail: Codable, Hashable, Sendable {
    package var tenant: String
    package var job: JobView
    package var waterfall: JobWaterfall
}
