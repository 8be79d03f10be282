/// The steps of a job, in the order in which a reader meets them. `Stages` holds the arrows between them.
package enum StageName: String, Sendable, Codable, CaseIterable, Hashable, Comparable {
    case scan, probe, audio, shots, transcribe, transcript, highlights, reframe, render, check, thumbnail, publish

    /// Whether there is one of it for every chunk of sound or every clip.
    package var fansOut: Bool {
        switch self {
        case .transcribe, .reframe, .render, .check, .thumbnail: true
        case .scan, .probe, .audio, .shots, .transcript, .highlights, .publish: false
        }
    }

    /// Whether there is one of it for every clip, revisions included.
    package var isOfClips: Bool {
        switch self {
        case .reframe, .render, .check, .thumbnail: true
        case .scan, .probe, .audio, .shots, .transcribe, .transcript, .highlights, .publish: false
        }
    }

    /// Whether a revision has one of it.
    package var isOfRevisions: Bool { isOfClips || self == .publish }

    package static func < (left: Self, right: Self) -> Bool { left.order < right.order }
    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Which stage of a job: `render[2]`, or `probe` for those that do not fan out (index 0).
package struct StageKey: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let name: StageName
    package let index: Int

    package init(_ name: StageName, _ index: Int = 0) {
        precondition(index >= 0, "stage index \(index) is negative")
        self.name = name
        self.index = index
    }

    /// `publish[7]` publishes one revision.
    package var description: String {
        name.fansOut || index > 0 ? "\(name.rawValue)[\(index)]" : name.rawValue
    }
    package static func < (left: Self, right: Self) -> Bool { (left.name, left.index) < (right.name, right.index) }
}

/// One row of a job's plan.
package struct Stage: Hashable, Sendable, Codable {
    /// `ready` -> `running` (claimed), `cancelled`
    /// `running` -> `done` (result published), `ready` (retry, or its node died), `failed`, `cancelled`
    /// `failed` -> `ready` (tried again, or somebody asked for a retry)
    /// `cancelled` -> `ready` (it was abandoned because another stage failed, and somebody asked for a retry)
    /// `done` -> nothing
    package enum State: String, Sendable, Codable, CaseIterable {
        case ready, running, done, failed, cancelled

        package var hasEnded: Bool { self == .done || self == .failed || self == .cancelled }
    }

    package let job: JobID
    package let key: StageKey
    package var state: State
    /// Raised by every claim. A result or a heartbeat under an older epoch is refused.
    package var epoch: Int
    /// How often it was claimed and neither given back nor cancelled.
    package var attempts: Int
    /// How many of these attempts a node died under.
    package var crashes: Int
    package var holder: NodeID?
    package var result: StageResult?
    /// True when the result came from an earlier run with the same inputs, options and tools.
    package var reused: Bool
    package var failure: Failure?
    package var openedAt: Timestamp
    /// Not claimed before this moment: how a retry waits.
    package var notBefore: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?

    package init(
        job: JobID, key: StageKey, state: State = .ready, epoch: Int = 0, attempts: Int = 0, crashes: Int = 0,
        holder: NodeID? = nil, result: StageResult? = nil, reused: Bool = false, failure: Failure? = nil,
        openedAt: Timestamp, notBefore: Timestamp, startedAt: Timestamp? = nil, endedAt: Timestamp? = nil
    ) {
        self.job = job
        self.key = key
        self.state = state
        self.epoch = epoch
        self.attempts = attempts
        self.crashes = crashes
        self.holder = holder
        self.result = result
        self.reused = reused
        self.failure = failure
        self.openedAt = openedAt
        self.notBefore = notBefore
        self.startedAt = startedAt
        self.endedAt = endedAt
    }
}

/// What a stage made: a small JSON body, and the blobs it points at. Never changed once published.
package struct StageResult: Hashable, Sendable, Codable {
    package static let bodyBytesMax = 256 * 1024
    package let id: ResultID
    /// JSON of the stage's own result type.
    package let body: String
    package let blobs: [BlobName]
    /// SHA-256 over inputs, options and tool versions; the same key means the same result. Nil: never reused.
    package let cacheKey: String?

    package init(id: ResultID, body: String, blobs: [BlobName], cacheKey: String?) {
        self.id = id
        self.body = body
        self.blobs = blobs
        self.cacheKey = cacheKey
    }
}

/// The right of one node, in one of its lives, to run one stage under one epoch.
package struct StageLease: Hashable, Sendable, Codable {
    package let job: JobID
    package let key: StageKey
    package let epoch: Int
    package let node: NodeID
    /// Raised by every start of the node, so that a restarted node does not inherit the leases of its former life.
    package let nodeEpoch: Int
    /// Counts this one.
    package let attempts: Int
    /// How many of the earlier attempts a node died under.
    package let crashes: Int

    package init(
        job: JobID, key: StageKey, epoch: Int, node: NodeID, nodeEpoch: Int, attempts: Int, crashes: Int = 0
    ) {
        self.job = job
        self.key = key
        self.epoch = epoch
        self.node = node
        self.nodeEpoch = nodeEpoch
        self.attempts = attempts
        self.crashes = crashes
    }
}
