/// What the limiter of one node may cost, and how long it waits. Every limit says which accident it prevents.
package struct LimiterConfiguration: Hashable, Sendable {
    // MARK: Buckets

    /// Buckets of one node, some 150 bytes each; 1,000,000. A client that makes up a new key for every request would
    /// fill the memory. What happens at the bound: `LimiterTable`.
    package var keysMax = 1_000_000
    /// Parts of the table with a lock each; 16, rounded up to a power of two. One lock would make all cores wait.
    package var shardCount = 16

    // MARK: Asking the owner

    /// How long a check waits for another node's answer; 50 ms. Then its policy's `onFailure` decides: a limiter that
    /// makes every request wait for a dead node is worse than none.
    package var patience = Duration.milliseconds(50)
    /// After a call that failed, its owner is left alone for this long, and twice as long after each further failure,
    /// up to `pauseMax`; 100 ms. Without it every request would wait `patience` for as long as the owner is silent.
    package var pause = Duration.milliseconds(100)
    /// 2 s. How long a healed owner may go unnoticed.
    package var pauseMax = Duration.seconds(2)
    /// Different checks in one call; 512, which is 150 kB of the longest subjects. Keeps a call far below a frame.
    package var itemsPerCallMax = 512
    /// Checks that may wait for one owner; 10,000. Above it they fail at once: a queue that cannot be served within
    /// `patience` only costs memory.
    package var waitingMax = 10_000

    // MARK: Slices

    /// Checks of one key in one call from which on it is hot and a slice is wished for; 4. Calls fill up when a key is
    /// asked for more often than the way there and back takes, which is when a slice pays.
    package var hotChecksMin = 4
    /// How long a slice may be spent; 500 ms. Longer saves calls, and keeps units from others for longer.
    package var sliceLease = Duration.milliseconds(500)
    /// How much longer the owner counts it as outstanding; 50 ms, far above what two clocks drift apart in one lease.
    package var sliceMargin = Duration.milliseconds(50)
    /// A slice below this many units is not worth its bookkeeping; 8.
    package var sliceUnitsMin = 8
    /// Slices that a node has lent at a time; 4,096.
    package var slicesMax = 4096
    /// Keys of which a node holds slices; 4,096.
    package var heldKeysMax = 4096

    // MARK: Moves

    /// The part of its burst, in per cent, that a moved key may spend before its former owner has told what it owes;
    /// 10.
    /// With 100 every drained node would give each client a second burst; with 0 a drain would refuse everybody for a
    /// moment.
    package var takeoverPercent = 10
    /// How long a former owner is waited for; 3 s, enough for a view to settle and for several tries.
    package var inheritancePeriod = Duration.seconds(3)
    /// Keys whose admissions are counted while their former owner is waited for; 100,000.
    package var heirsMax = 100_000
    /// Buckets handed over in one call; 1,000, which is 300 kB of the longest subjects.
    package var handoverKeysMax = 1000
    /// How long a new owner may take for one handover; 1 s.
    package var handoverTimeLimit = Duration.seconds(1)
    /// Between two tries to hand over; 250 ms.
    package var handoverPause = Duration.milliseconds(250)

    // MARK: Snapshots

    /// Between two snapshots; 1 s. A crash forgets what was admitted since.
    package var snapshotInterval = Duration.seconds(1)
    /// Debts shorter than this are not written; 5 s. They would be over before a restart is, and they are nearly all.
    package var snapshotDebtMin = Duration.seconds(5)
    /// Buckets written at a time; 2,000. Bounds what a snapshot asks of the database.
    package var snapshotRowsMax = 2000

    /// Between two removals of saved debts that are over; 10 minutes.
    package var tidyInterval = Duration.seconds(600)

    // MARK: Upkeep

    /// Between two looks at slices that nobody spends; 100 ms.
    package var returnInterval = Duration.milliseconds(100)
    /// Between two sweeps for buckets that are full again; 1 s.
    package var sweepInterval = Duration.seconds(1)
    /// Buckets looked at in one sweep, over all parts; 100,000, about a millisecond of work.
    package var sweepKeysMax = 100_000

    package init() {}

    /// Fails on values that contradict each other.
    func validate() {
        precondition(1...1024 ~= shardCount, "\(shardCount) shards")
        precondition(keysMax >= shardCount, "\(keysMax) keys in \(shardCount) shards")
        precondition(patience > .zero && pause > .zero && pauseMax >= pause, "\(patience), \(pause)...\(pauseMax)")
        precondition(1...CheckBatch.itemsMax ~= itemsPerCallMax, "\(itemsPerCallMax) items in a call")
        precondition(sliceLease > .zero && sliceMargin >= .zero, "slices of \(sliceLease) and \(sliceMargin)")
        precondition(0...100 ~= takeoverPercent, "\(takeoverPercent) % of a burst")
        precondition(handoverKeysMax > 0 && snapshotRowsMax > 0, "\(handoverKeysMax), \(snapshotRowsMax) rows")
        let intervals = [returnInterval, sweepInterval, snapshotInterval, tidyInterval, handoverPause]
        precondition(intervals.allSatisfy { $0 > .zero }, "intervals of \(intervals)")
    }

    /// Nodes in one room.
    package static let local = LimiterConfiguration()

    /// Nodes some 100 ms apart: more patience, longer slices.
    package static var wan: LimiterConfiguration {
        var configuration = LimiterConfiguration()
        configuration.patience = .milliseconds(400)
        configuration.pause = .milliseconds(500)
        configuration.pauseMax = .seconds(5)
        configuration.sliceLease = .seconds(2)
        configuration.sliceMargin = .milliseconds(200)
        configuration.inheritancePeriod = .seconds(10)
        configuration.handoverPause = .seconds(1)
        return configuration
    }
}
