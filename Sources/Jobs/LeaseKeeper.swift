/// Until when this node may believe that its leases are its own.
///
/// The store counts a lease from when it received the heartbeat; we count from when we began to send it, and stop a
/// margin earlier. So the node always stops before another may start, whatever the network did in between.
package struct LeaseKeeper: Sendable, Hashable {
    package let lease: Duration
    package let margin: Duration
    /// On the node's own clock, counted from its start.
    package private(set) var trustedUntil: Duration

    /// A life begins with its registration, which renews the lease like a heartbeat.
    package init(lease: Duration, margin: Duration, registrationStartedAt: Duration) {
        precondition(.zero <= margin && margin < lease, "a margin of \(margin) leaves nothing of a lease of \(lease)")
        self.lease = lease
        self.margin = margin
        trustedUntil = registrationStartedAt + lease - margin
    }

    /// A heartbeat was answered. Answers may overtake each other: an older one never shortens the trust.
    package mutating func renewed(attemptStartedAt start: Duration) {
        trustedUntil = max(trustedUntil, start + lease - margin)
    }

    package func isTrusted(at now: Duration) -> Bool { now < trustedUntil }

    /// How long to wait before looking whether the trust is over; nil when it is.
    package func wait(at now: Duration) -> Duration? { isTrusted(at: now) ? trustedUntil - now : nil }

    /// Whether a stage may be begun whose claim was asked for at `start` and answered only now. What no heartbeat has
    /// reported a lease after its claim, the store gives to another.
    package func mayBegin(claimAskedAt start: Duration, at now: Duration) -> Bool { now < start + lease - margin }
}
