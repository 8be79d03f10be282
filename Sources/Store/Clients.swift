/// What an operator grants a client, over or under what everybody gets. Outlives its jobs.
package struct ClientTerms: Sendable, Hashable {
    /// Its share of the work while others wait too, as a multiple of theirs (`FairShare.weights`).
    package var weight: Double
    /// Jobs of it that may be under way at once; those beyond wait unopened, in the order of their ranks. Nil: as
    /// many as the configuration gives to everybody.
    package var jobsMax: Int?
    /// The name of its plan; nil: it has none.
    package var plan: String?
    /// Minutes of video in a month, instead of those of its plan. Nil: the plan's, and without one as many as the
    /// configuration gives to everybody.
    package var minutesMax: Int?

    package static let jobsMaxRange = 1...1_000_000

    package init(weight: Double = 1, jobsMax: Int? = nil, plan: String? = nil, minutesMax: Int? = nil) {
        self.weight = weight
        self.jobsMax = jobsMax
        self.plan = plan
        self.minutesMax = minutesMax
    }

    /// What is wrong with them, or nil.
    package var problem: String? {
        if !FairShare.weights.contains(weight) {
            let (low, high) = (FairShare.weights.lowerBound, FairShare.weights.upperBound)
            return "weight must be from \(low) to \(high), is \(weight)"
        }
        if let jobsMax, !Self.jobsMaxRange.contains(jobsMax) {
            return "jobsMax must be from 1 to \(Self.jobsMaxRange.upperBound), is \(jobsMax)"
        }
        return Plan.problem(ofMinutes: minutesMax)
    }

    /// What is in force.
    /// - Parameter otherwise: for clients whose terms say nothing. Nil, here and there: no limit.
    package func minutesMax(on plan: Plan?, otherwise: Int?) -> Int? {
        if let minutesMax { return minutesMax }
        return if let plan { plan.minutesMax } else { otherwise }
    }
}

/// A client as it stands: its terms, and what it has in the house.
package struct ClientShare: Sendable, Hashable {
    package let tenant: String
    package let terms: ClientTerms
    /// Jobs that are waiting for their first claim or are being worked on.
    package let underWay: Int
    /// Jobs that wait until one of those ends.
    package let held: Int
    /// Seconds of video, by its weight, that it has asked for beyond virtual time: how far it queues behind itself.
    package let aheadSeconds: Double
    /// The plan that its terms name.
    package let plan: Plan?
    /// Seconds of video in this month (`ClientUsage`).
    package let usedSeconds: Double

    package init(
        tenant: String, terms: ClientTerms, underWay: Int, held: Int, aheadSeconds: Double, plan: Plan? = nil,
        usedSeconds: Double = 0
    ) {
        self.tenant = tenant
        self.terms = terms
        self.underWay = underWay
        self.held = held
        self.aheadSeconds = aheadSeconds
        self.plan = plan
        self.usedSeconds = usedSeconds
    }
}
