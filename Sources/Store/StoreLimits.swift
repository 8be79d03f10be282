/// The limits that every store keeps, in memory or on a server.
package enum StoreLimits {
    /// Stages given out by one claim.
    package static let claimMax = 64
    /// Jobs that a claim may name as familiar.
    package static let familiarMax = 8
    /// How much later in turn a familiar job may be than the first that is open: about two jobs of five clips
    /// (`FairShare.cost`).
    package static let familiarSeconds = 1200.0
    /// For how long a stage that was not lost with a node is left to the nodes of its own region, if any of them may
    /// claim. Seconds: far longer than one with a free thread needs to claim it, far shorter than a stage.
    package static let homeSeconds = 1.0
    /// Rows answered by one call that lists.
    package static let pageRowsMax = 1000
    /// For how long a stage that failed for want of a resource is kept from the node it failed on.
    package static let avoidanceSeconds = 30.0
    /// The same for what waits (`Failure.waits`): another node may have what this one lacks, and this one may have it
    /// again any moment.
    package static let waitingAvoidanceSeconds = 3.0
    /// For how long a failure that waits counts no attempt, from when its stage was opened; and after how many tries at
    /// the earliest, since a job may have queued for longer than that before it was begun. Prevents that what never
    /// comes back, or never fits, keeps a job for ever.
    package static let waitingSeconds = 86_400.0
    package static let waitingTriesMin = 100
    /// Jobs that ended well last, from which the effort of a second of video is measured.
    package static let effortJobs = 50
    /// How long an idempotency key is remembered.
    package static let idempotencySeconds = 24 * 3600
    /// How long a request that runs holds its idempotency key without renewing: after that its node is taken for dead.
    package static let replyLeaseSeconds = 60
    /// The body of an answer that is kept for its idempotency key; one that is longer is not kept.
    package static let replyBodyBytesMax = 64 << 10
    /// Answers whose time is over that one round of housekeeping removes.
    package static let forgottenRepliesMax = 20_000
    /// How long events are kept.
    package static let eventDays = 30
    /// How many days ahead there is room for events, should upkeep not run.
    package static let eventDaysAhead = 7
    /// How long it is known that malware was found, after its bytes were removed.
    package static let quarantineDays = 365
    /// How often it is noted that a key was used, however many nodes see it.
    package static let keyUseSeconds = 30.0
    /// For how long links of a key are good after another took its place: the longest life of a link.
    package static let linkDays = 7
    /// Keys whose links are good at one time. Prevents one who rotates without end from making every check slow.
    package static let linkKeysMax = 32
    /// How long it is known what clients used.
    package static let usageDays = 800
    /// Plans there can be.
    package static let plansMax = 100
    /// Clips of one job, those made by hand included.
    package static let clipsMax = 20
    /// Changes to clips of one job: each keeps its files until the job is deleted.
    package static let revisionsMax = 200
    /// Of these, under way at one time.
    package static let openRevisionsMax = 5
    /// How long a node that is gone stays listed.
    package static let nodeDays = 7
    /// Signals kept for a subscriber that does not read.
    package static let signalsMax = 256
}
