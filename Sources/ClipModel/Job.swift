/// One video on its way to clips.
package struct Job: Hashable, Sendable {
    /// The states a job can be in and where each may go.
    ///
    /// `pending` -> `processing` (a stage was claimed), `cancelled`
    /// `processing` -> `ready` (published), `error` (a stage failed for good), `cancelled`
    /// `error` -> `processing` (somebody asked for a retry)
    /// `ready` -> `processing` (a clip of it is revised)
    /// `cancelled` -> nothing
    package enum Status: String, Sendable, Codable, CaseIterable {
        case pending, processing, ready, error, cancelled

        package var hasEnded: Bool { self == .ready || self == .error || self == .cancelled }

        package func mayBecome(_ next: Status) -> Bool {
            switch (self, next) {
            case (.pending, .processing), (.pending, .cancelled), (.pending, .error): true
            case (.processing, .ready), (.processing, .error), (.processing, .cancelled): true
            case (.error, .processing), (.ready, .processing): true
            default: false
            }
        }
    }

    /// How much the client minds waiting.
    package enum Priority: String, Sendable, Codable, CaseIterable {
        /// Somebody waits for it.
        case interactive
        /// When there is room: comes after what others are waiting for, and is the first to be put off.
        case batch
    }

    package let id: JobID
    package let upload: UploadID
    /// Where the job was taken in; its stages prefer nodes of this region.
    package let region: Region
    /// Who asked: `ClientName.tenant` of a registered key, else an address.
    package let tenant: String
    package let options: JobOptions
    package let priority: Priority
    package var status: Status
    /// Not begun, because its client has as many jobs under way as it may. Its stages are opened when one of them ends.
    package var isHeld: Bool
    /// Why the job ended in `error`, with the stage that failed.
    package var failure: JobFailure?
    /// Things the client should know though the job goes on or ended well ("fewer clips than asked, because ...").
    package var notes: [Note]
    package let createdAt: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    /// How long the job had ended, and was over for all that was known, before it went on: for a revision, or tried
    /// again.
    package var restedMilliseconds: Int64

    package init(
        id: JobID, upload: UploadID, region: Region, tenant: String, options: JobOptions,
        priority: Priority = .interactive, status: Status = .pending, isHeld: Bool = false,
        failure: JobFailure? = nil, notes: [Note] = [], createdAt: Timestamp, startedAt: Timestamp? = nil,
        endedAt: Timestamp? = nil, restedMilliseconds: Int64 = 0
    ) {
        self.id = id
        self.upload = upload
        self.region = region
        self.tenant = tenant
        self.options = options
        self.priority = priority
        self.status = status
        self.isHeld = isHeld
        self.failure = failure
        self.notes = notes
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.restedMilliseconds = restedMilliseconds
    }

    /// How long it was worked on, or waited in the middle, from its beginning to its end; nil before either. The time
    /// in which it had ended already does not count.
    package var tookSeconds: Double? {
        guard let startedAt, let endedAt else { return nil }
        return max(0, endedAt.seconds(since: startedAt) - Double(restedMilliseconds) / 1000)
    }
}

/// A failure and the stage it happened in.
package struct JobFailure: Hashable, Sendable, Codable {
    package let stage: StageKey
    package let failure: Failure

    package init(stage: StageKey, failure: Failure) {
        self.stage = stage
        self.failure = failure
    }
}

/// Something worth saying that is not an error: `code` is stable, `text` is for people.
package struct Note: Hashable, Sendable, Codable {
    package let code: String
    package let text: String

    package init(code: String, text: String) {
        self.code = code
        self.text = text
    }
}
