/// What the limiter of a node has done and holds, for its metrics.
package struct LimiterCounts: Hashable, Sendable {
    package var shards = LimiterShard.Counts()
    package var table = LimiterTable.Counts()
    /// Buckets right now.
    package var buckets = 0
    /// Slices lent to others, and keys of which slices are held, right now.
    package var slicesOut = 0
    package var keysHeld = 0
    /// Calls to other nodes, and those that failed.
    package var calls = 0
    package var callsFailed = 0
    /// Checks in those calls.
    package var checksForwarded = 0
    /// Checks that were answered without the owner.
    package var failedOpen = 0
    package var failedClosed = 0
    package var decidedAlone = 0
    /// Debts written to the snapshots, and taken from them.
    package var debtsSaved = 0
    package var debtsLoaded = 0
    package var snapshotsFailed = 0

    package init() {}
}

extension LimiterShard.Counts {
    static func += (left: inout Self, right: Self) {
        left.allowed += right.allowed
        left.refused += right.refused
        left.slicesLent += right.slicesLent
        left.unitsLent += right.unitsLent
        left.slicesReturned += right.slicesReturned
        left.unitsBorrowed += right.unitsBorrowed
        left.bucketsHandedOver += right.bucketsHandedOver
        left.bucketsInherited += right.bucketsInherited
        left.misdirected += right.misdirected
    }
}

extension LimiterTable.Counts {
    static func += (left: inout Self, right: Self) {
        left.droppedIdle += right.droppedIdle
        left.droppedInDebt += right.droppedInDebt
        left.unitsForgotten += right.unitsForgotten
    }
}
