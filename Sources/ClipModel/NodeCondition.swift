/// How a region keeps its promises when more comes than its nodes can do: each level does what those before it do.
package enum OverloadLevel: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case normal
    /// Batch jobs get only what nobody else wants, and one claim in twenty.
    case delayBatch = "delay_batch"
    /// New jobs get their home in a region that has more room.
    case sendAway = "send_away"
    /// New jobs are taken in and begun later.
    case deferNew = "defer_new"
    /// Clients' orders for new work are refused with the time after which to come back.
    case refuse

    /// 0 for `normal`, 4 for `refuse`.
    package var rung: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    /// The level below; `normal` is below itself.
    package var below: OverloadLevel { Self.allCases[max(0, rung - 1)] }

    package static func < (left: Self, right: Self) -> Bool { left.rung < right.rung }
}

/// How a node is by its own account: told with every heartbeat, so that every other node can show it.
package struct NodeCondition: Hashable, Sendable, Codable {
    /// Why a node claims nothing though it may.
    package struct Pause: Hashable, Sendable, Codable {
        /// Stable: `memory_short`, `memory_pressure`, `disk_short` or `stages_stuck`.
        package let code: String
        /// One sentence with the numbers.
        package let reason: String
        package let since: Timestamp

        package init(code: String, reason: String, since: Timestamp) {
            self.code = code
            self.reason = reason
            self.since = since
        }
    }

    /// Why a node does not reach what it keeps.
    package struct Outage: Hashable, Sendable, Codable {
        /// In the words of what failed.
        package let reason: String
        package let since: Timestamp

        package init(reason: String, since: Timestamp) {
            self.reason = reason
            self.since = since
        }
    }

    /// Of its region, as it sees it. Nil: it does not look.
    package var level: OverloadLevel?
    package var levelSince: Timestamp?
    /// One sentence with the numbers; nil at `normal`.
    package var levelReason: String?
    package var pause: Pause?
    /// Living nodes that keep their blobs elsewhere. Nil: it does not look, or others cannot see yet where its own are.
    package var blobStrangers: [NodeID]?
    /// The blobs are out of its reach.
    package var blobOutage: Outage?
    /// What stages take there. Nil: it has made nothing yet, or is of an earlier release.
    package var measuredCosts: MeasuredCosts?

    package init(
        level: OverloadLevel? = nil, levelSince: Timestamp? = nil, levelReason: String? = nil, pause: Pause? = nil,
        blobStrangers: [NodeID]? = nil, blobOutage: Outage? = nil,
        measuredCosts: MeasuredCosts? = nil
    ) {
        self.level = level
        self.levelSince = levelSince
        self.levelReason = levelReason
        self.pause = pause
        self.blobStrangers = blobStrangers
        self.blobOutage = blobOutage
        self.measuredCosts = measuredCosts
    }
}
