/// How much of something one subject may have: `limit` units in a `window`, and up to `burst` of them at once.
package struct LimitPolicy: Hashable, Sendable {
    /// What happens to a check while the owner of its key cannot be reached.
    package enum OnFailure: String, Hashable, Sendable, Codable, CaseIterable {
        /// Everything is admitted. For limits that protect comfort: being late is worse than being generous.
        case open
        /// Everything is refused. For limits that protect money or a third party's quota.
        case closed
        /// This node alone admits its share, the limit divided by the number of members.
        case local
    }

    /// 1...10^9 units a window.
    package static let limitMax = 1_000_000_000
    /// 1...10^9 units at once.
    package static let burstMax = 1_000_000_000
    /// A window is at least this long: a shorter one is a mistyped unit.
    package static let windowMin = Duration.milliseconds(1)
    /// And at most this long: a month of memory belongs into a ledger and not into a limiter.
    package static let windowMax = Duration.seconds(31 * 86_400)
    /// The longest time a spent burst may take to come back. Keeps every debt far inside 64 bits of nanoseconds.
    package static let refillMax = Duration.seconds(366 * 86_400)

    /// 1 to 63 of `a-z`, `0-9`, `-`, `_`. Part of the key that placement looks at, so the same on all nodes.
    package let name: String
    /// Units that come back in each window, evenly, not all at its end.
    package let limit: Int
    package let window: Duration
    /// Units that a subject may have at once after a rest. Default: `limit`.
    package let burst: Int
    /// Units that one check of quantity 1 takes. Default 1.
    package let cost: Int
    /// Default `local`.
    package let onFailure: OnFailure
    /// Units of one subject that may be lent out at a time, over all other nodes; the most by which any window may be
    /// passed while the cluster is well (docs/limits.md, "The bound"). Default: half of `burst`. With 0 the bound is
    /// exact and every check of another node's key is a call.
    package let lentUnitsMax: Int

    package init(
        _ name: String, limit: Int, per window: Duration, burst: Int? = nil, cost: Int = 1,
        onFailure: OnFailure = .local, lentUnitsMax: Int? = nil
    ) throws(LimitsError) {
        let burst = burst ?? limit
        let lentUnitsMax = lentUnitsMax ?? burst / 2
        func require(_ holds: Bool, _ detail: @autoclosure () -> String) throws(LimitsError) {
            if !holds { throw LimitsError(.invalidPolicy, "policy \(name.prefix(80)): \(detail())") }
        }
        try require(Self.isName(name), "a name is 1 to 63 of a-z, 0-9, -, _")
        try require((1...Self.limitMax).contains(limit), "a limit of \(limit) is outside 1...\(Self.limitMax)")
        try require((1...Self.burstMax).contains(burst), "a burst of \(burst) is outside 1...\(Self.burstMax)")
        try require(
            (Self.windowMin...Self.windowMax).contains(window),
            "a window of \(window) is outside \(Self.windowMin)...\(Self.windowMax)")
        try require((1...burst).contains(cost), "a cost of \(cost) is outside 1...\(burst), the burst")
        try require(
            (0...burst).contains(lentUnitsMax), "lentUnitsMax of \(lentUnitsMax) is outside 0...\(burst), the burst")
        let refill = Int128(window.wholeNanoseconds) * Int128(burst) / Int128(limit)
        try require(
            refill <= Int128(Self.refillMax.wholeNanoseconds),
            "a burst of \(burst) takes longer than \(Self.refillMax) to come back")
        self.name = name
        self.limit = limit
        self.window = window
        self.burst = burst
        self.cost = cost
        self.onFailure = onFailure
        self.lentUnitsMax = lentUnitsMax
    }

    private static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
