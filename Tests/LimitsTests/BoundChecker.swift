import Limits

/// Holds what a whole cluster admitted of one key against the bound, in every window.
///
/// "In every window of length w at most b units and what comes back in w" is the same as: a leaky bucket into which all
/// admissions fall never rises above b. So one pass over the admissions, in the order of time, sees every window.
struct BoundChecker: Hashable {
    private let limit: Int128
    private let window: Int128
    private let burst: Int
    /// Units times `window`.
    private var level: Int128 = 0
    private var last: Nanoseconds?
    /// The most that any window held above its burst and what came back in it, in units, rounded up; 0 for none.
    private(set) var excess = 0
    private(set) var admitted = 0

    /// - Parameter driftPerMillion: how much faster the quickest clock runs than the true one.
    init(_ policy: LimitPolicy, driftPerMillion: Int = 0) {
        limit = Int128(policy.limit) * Int128(1_000_000 + driftPerMillion)
        window = Int128(policy.window / .nanoseconds(1)) * 1_000_000
        burst = policy.burst
    }

    mutating func admit(_ units: Int, at now: Nanoseconds) {
        if let last {
            precondition(now >= last, "admissions come in the order of time")
            level = max(0, level - Int128(now - last) * limit)
        }
        last = now
        level += Int128(units) * window
        admitted += units
        let above = level - Int128(burst) * window
        if above > 0 { excess = max(excess, Int((above + window - 1) / window)) }
    }
}
