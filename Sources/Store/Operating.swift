package import ClipModel

/// Which jobs to list. Nil: any.
package struct JobFilter: Sendable, Hashable {
    package var status: Job.Status?
    package var tenant: String?

    package init(status: Job.Status? = nil, tenant: String? = nil) {
        self.status = status
        self.tenant = tenant
    }

    package func fits(_ job: Job) -> Bool {
        (status ?? job.status) == job.status && (tenant ?? job.tenant) == job.tenant
    }
}

/// What the ready stages of a job wait for, as far as the store alone knows it, at one moment of its own time.
package struct JobWaits: Sendable, Hashable {
    /// A stage that is ready.
    package struct StageWait: Sendable, Hashable {
        package let key: StageKey
        /// Until it may be claimed: a retry that waits. Zero when it may be claimed now.
        package let opensIn: Duration
        /// The node that failed it for want of a resource, and for how long others go first.
        package let avoided: NodeID?
        package let avoidedFor: Duration
        /// Whether it has waited so long that nodes of every region claim it by its rank.
        package let isRipe: Bool

        package init(
            key: StageKey, opensIn: Duration = .zero, avoided: NodeID? = nil, avoidedFor: Duration = .zero,
            isRipe: Bool = false
        ) {
            self.key = key
            self.opensIn = opensIn
            self.avoided = avoided
            self.avoidedFor = avoidedFor
            self.isRipe = isRipe
        }
    }

    /// Stages of all jobs of one priority that may be claimed now, in one region.
    package struct Crowd: Sendable, Hashable {
        package let region: Region
        package let priority: Job.Priority
        package let stages: Int
        /// Those of jobs that a claim takes before this one's.
        package let ahead: Int
        /// Of those ahead, the ones that nodes of other regions claim by their ranks too.
        package let ripeAhead: Int

        package init(
            region: Region, priority: Job.Priority = .interactive, stages: Int, ahead: Int, ripeAhead: Int = 0
        ) {
            self.region = region
            self.priority = priority
            self.stages = stages
            self.ahead = ahead
            self.ripeAhead = ripeAhead
        }
    }

    /// In the order of their keys.
    package let stages: [StageWait]
    /// By region and then by priority; those with nothing to claim may be missing.
    package let crowds: [Crowd]

    package init(stages: [StageWait] = [], crowds: [Crowd] = []) {
        self.stages = stages
        self.crowds = crowds
    }
}

package enum RequeueOutcome: Sendable, Hashable {
    case changed(Job)
    /// The stage, or its job, is in a state from which this cannot be done.
    case notPossible(Job, Stage.State)
    case noSuchStage
    case noSuchJob
}

extension Store {
    /// What the ready stages of a job wait for where nodes claim with the defaults.
    package func waits(of job: JobID) async throws -> JobWaits {
        try await waits(of: job, awaySeconds: ClaimTerms.awaySecondsDefault)
    }

    /// All jobs, newest first, those older than `cursor`; at most `limit`.
    package func jobs(before cursor: JobID?, limit: Int) async throws -> [Job] {
        try await jobs(JobFilter(), before: cursor, limit: limit)
    }
}
