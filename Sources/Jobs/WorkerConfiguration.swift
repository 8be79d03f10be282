import Store

/// How a node takes part in the work.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `leaseSeconds` | seconds | 6 | a dead node holds its stages |
/// | `leaseMargin` | duration | 1.5 s | two nodes run one stage, because a clock or a process stood still |
/// | `heartbeatInterval` | duration | 1 s | one lost heartbeat costs the lease |
/// | `pollInterval` | duration | 2 s | a lost signal leaves work lying |
/// | `slotPollInterval` | duration | 25 ms | a free core goes unseen: nobody is told of a lock given back |
/// | `gatherDelay` | duration | 100 ms | a stage takes all cores though another is about to become ready |
/// | `yieldMin`, `yieldMax` | duration | 20, 60 ms | one of several nodes on a machine takes every stage |
/// | `drainGrace` | duration | 10 s | a node that should go works on for minutes |
/// | `handBackAfter` | duration | 10 min | a node that its operator drains never gets empty |
/// | `awaySeconds` | seconds | 60 | the work of a region without nodes waits for ever (`ClaimTerms`) |
/// | `silenceSecondsMax` | seconds | 240 | a step that hangs holds its stage for the hours that it may take |
/// | `letGoAfter` | duration | 10 s | a step that heeds no cancellation holds its stage for ever |
/// | `reconnectDelayMax` | duration | 2 s | a database that comes back is met by a herd |
/// | `machineInterval` | duration | 250 ms | memory and disk are read for each of a thousand claims |
/// | `youngAge` | duration | 5 s | a stage that has not taken its memory yet is taken for a small one |
/// | `claimGuard` | see `ClaimGuard.Limits` | | |
/// | `schedule` | see `Schedule` | | |
package struct WorkerConfiguration: Sendable, Hashable {
    package var leaseSeconds: Int
    package var leaseMargin: Duration
    package var heartbeatInterval: Duration
    package var pollInterval: Duration
    package var slotPollInterval: Duration
    package var gatherDelay: Duration
    package var yieldMin: Duration
    package var yieldMax: Duration
    package var drainGrace: Duration
    package var handBackAfter: Duration
    package var awaySeconds: Double
    package var silenceSecondsMax: Double
    package var letGoAfter: Duration
    package var reconnectDelayMax: Duration
    package var machineInterval: Duration
    package var youngAge: Duration
    package var claimGuard: ClaimGuard.Limits
    package var schedule: Schedule

    package init(
        leaseSeconds: Int = 6, leaseMargin: Duration = .milliseconds(1500), heartbeatInterval: Duration = .seconds(1),
        pollInterval: Duration = .seconds(2), slotPollInterval: Duration = .milliseconds(25),
        gatherDelay: Duration = .milliseconds(100), yieldMin: Duration = .milliseconds(20),
        yieldMax: Duration = .milliseconds(60), drainGrace: Duration = .seconds(10),
        handBackAfter: Duration = .seconds(600), awaySeconds: Double = ClaimTerms.awaySecondsDefault,
        silenceSecondsMax: Double = 240, letGoAfter: Duration = .seconds(10),
        reconnectDelayMax: Duration = .seconds(2), machineInterval: Duration = .milliseconds(250),
        youngAge: Duration = .seconds(5), claimGuard: ClaimGuard.Limits = ClaimGuard.Limits(),
        schedule: Schedule = Schedule()
    ) {
        precondition(leaseSeconds > 0 && leaseMargin < .seconds(leaseSeconds), "the margin eats the whole lease")
        precondition(heartbeatInterval > .zero && pollInterval > .zero, "intervals must be positive")
        precondition(silenceSecondsMax > 0 && letGoAfter > .zero, "limits must be positive")
        precondition(.zero <= yieldMin && yieldMin <= yieldMax, "yields out of order")
        self.leaseSeconds = leaseSeconds
        self.leaseMargin = leaseMargin
        self.heartbeatInterval = heartbeatInterval
        self.pollInterval = pollInterval
        self.slotPollInterval = slotPollInterval
        self.gatherDelay = gatherDelay
        self.yieldMin = yieldMin
        self.yieldMax = yieldMax
        self.drainGrace = drainGrace
        self.handBackAfter = handBackAfter
        self.awaySeconds = awaySeconds
        self.silenceSecondsMax = silenceSecondsMax
        self.letGoAfter = letGoAfter
        self.reconnectDelayMax = reconnectDelayMax
        self.machineInterval = machineInterval
        self.youngAge = youngAge
        self.claimGuard = claimGuard
        self.schedule = schedule
    }

    /// After a call that brought nothing, until it is looked once more: what is left to another region for a second is
    /// not any more then.
    var secondLook: Duration { min(pollInterval, .seconds(StoreLimits.homeSeconds) + yieldMin) }
}
