/// Something durable that happened to a job. Events of one job are read in the order of `id`.
package struct Event: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case jobCreated = "job.created"
        case jobStarted = "job.started"
        case jobReady = "job.ready"
        case jobFailed = "job.failed"
        case jobCancelled = "job.cancelled"
        case jobRetried = "job.retried"
        /// A finished job goes on, because a clip of it is rendered anew or added.
        case jobRevised = "job.revised"
        case stageOpened = "stage.opened"
        case stageStarted = "stage.started"
        case stageDone = "stage.done"
        case stageRetried = "stage.retried"
        case stageFailed = "stage.failed"
        case stageReleased = "stage.released"
        case clipChanged = "clip.changed"
    }

    package let id: Int64
    package let job: JobID
    package let at: Timestamp
    package let kind: Kind
    package let stage: StageKey?
    package let node: NodeID?
    package let clip: ClipID?
    /// The failure of `stage.failed`, `stage.retried` and `job.failed`.
    package let failure: Failure?
    /// What the attempt took that `stage.done`, `stage.retried`, `stage.failed` or `stage.released` ends. Nil where
    /// nobody could report it, because the node died, and in events of before it was measured.
    package let effort: Effort?

    package init(
        id: Int64, job: JobID, at: Timestamp, kind: Kind, stage: StageKey? = nil, node: NodeID? = nil,
        clip: ClipID? = nil, failure: Failure? = nil, effort: Effort? = nil
    ) {
        self.id = id
        self.job = job
        self.at = at
        self.kind = kind
        self.stage = stage
        self.node = node
        self.clip = clip
        self.failure = failure
        self.effort = effort
    }
}
