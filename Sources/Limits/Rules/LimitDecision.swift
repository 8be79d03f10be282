/// What a bucket says to a check.
package struct LimitDecision: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case allowed
        /// Not now. The same check will be admitted after this time, if nobody takes anything before.
        case refused(retryAfter: Nanoseconds)
        /// Not ever: it asks for more than a full bucket holds.
        case exceedsBurst
    }

    package let outcome: Outcome
    /// Units that could be taken right after this decision.
    package let remaining: Int
    /// Time until the bucket is full, if nobody takes anything.
    package let resetAfter: Nanoseconds

    package init(_ outcome: Outcome, remaining: Int, resetAfter: Nanoseconds) {
        self.outcome = outcome
        self.remaining = remaining
        self.resetAfter = resetAfter
    }

    package var isAllowed: Bool { outcome == .allowed }
}

/// What a check is answered with, and on whose word.
package struct LimitAnswer: Hashable, Sendable {
    package enum Source: String, Hashable, Sendable, CaseIterable {
        /// The bucket itself, here or on another node.
        case owner
        /// Units that the owner lent to this node.
        case slice
        /// The owner was out of reach, and the policy is `open`, `closed` or `local`.
        case failedOpen = "failed_open"
        case failedClosed = "failed_closed"
        case localShare = "local_share"
    }

    package let decision: LimitDecision
    package let source: Source

    package init(_ decision: LimitDecision, source: Source) {
        self.decision = decision
        self.source = source
    }

    package var isAllowed: Bool { decision.isAllowed }
}
