package import ClipModel
import Store

/// What a node does with the stages it holds, in one of its lives.
///
/// `working` -> `draining` (asked to go), `over` (the life is lost)
/// `draining` -> `over` (the last run has ended, or the life is lost)
///
/// Beside it stands what the operator wants (`schedulability`). A drain by the operator empties the node and does not
/// end it: the process goes on and can be made schedulable again. `draining` above is the end of the process.
package struct WorkerMachine: Sendable, Hashable {
    package enum State: Sendable, Hashable { case working, draining, over }

    package enum Event: Sendable, Hashable {
        /// The store gave us a stage.
        case claimed(StageLease)
        /// The same, so long ago that the store may have taken it back.
        case claimedLate(StageLease)
        /// A run has ended and what it had to report is reported.
        case finished(StageLease)
        /// A job was cancelled or deleted.
        case stopped(JobID)
        /// The store says that these leases are not ours any more.
        case dropped([StageProgress])
        /// A newer life of this node exists, or we cannot renew this one: nothing we hold is ours.
        case lifeLost
        /// What the operator wants of this node, as the store knows it.
        case wanted(NodeSchedulability)
        /// The operator's drain of that number has waited for the runs for as long as it may.
        case patienceEnded(drain: Int)
        /// The node was asked to go.
        case drainBegan
        /// It has waited for its runs for as long as it may.
        case graceEnded
    }

    package enum Action: Sendable, Hashable {
        case start(StageLease)
        /// Ends a run at once. When `giveBack`, the stage goes back to the store unfinished, without counting.
        case stop(StageLease, giveBack: Bool)
        /// A stage that we got and do not want.
        case giveBack(StageLease)
        /// A stage that must not run again; report this failure.
        case refuse(StageLease, Failure)
        /// Nothing runs any more: leave the store, if the life is still ours, and end.
        case end
    }

    package private(set) var state = State.working
    package private(set) var isLifeLost = false
    package private(set) var schedulability: NodeSchedulability
    /// Counts the operator's drains, so that the patience of one that was taken back ends nothing in the next.
    package private(set) var drains = 0
    private var runs: Set<StageLease> = []
    private var stopping: Set<StageLease> = []
    private let schedule: Schedule

    /// - Parameter schedulability: what was known of it in the life before; the first heartbeat tells.
    package init(schedule: Schedule, schedulability: NodeSchedulability = .schedulable) {
        self.schedule = schedule
        self.schedulability = schedulability
    }

    package var claimsAllowed: Bool { state == .working && schedulability == .schedulable }
    package var isIdle: Bool { runs.isEmpty }

    package mutating func received(_ event: Event) -> [Action] {
        switch event {
        case .claimed(let lease): return claimed(lease)
        case .claimedLate(let lease): return state == .over ? [] : [.giveBack(lease)]
        case .finished(let lease):
            runs.remove(lease)
            stopping.remove(lease)
            return endIfIdle()
        case .stopped(let job):
            // What is given back is refused, as long as the job has ended. A stop that comes late, when the job was
            // begun anew, must not leave a stage that says it runs here.
            return stop(giveBack: true) { $0.job == job }
        case .dropped(let gone):
            return stop(giveBack: false) { lease in
                gone.contains { $0.job == lease.job && $0.key == lease.key && $0.epoch == lease.epoch }
            }
        case .lifeLost:
            guard state != .over else { return [] }
            isLifeLost = true
            state = .over
            return stop(giveBack: false) { _ in true } + [.end]
        case .wanted(let wanted):
            if wanted == .draining, schedulability != .draining { drains += 1 }
            schedulability = wanted
            return []
        case .patienceEnded(let drain):
            guard schedulability == .draining, drain == drains else { return [] }
            return stop(giveBack: true) { _ in true }
        case .drainBegan:
            guard state == .working else { return [] }
            state = .draining
            return endIfIdle()
        case .graceEnded:
            guard state == .draining else { return [] }
            return stop(giveBack: true) { _ in true }
        }
    }

    private mutating func claimed(_ lease: StageLease) -> [Action] {
        switch state {
        case .over: return []  // Fenced: the store has given it to somebody else, or will.
        case .draining: return [.giveBack(lease)]
        // A cordon keeps what was granted before it; a drain does not begin what it would only hand back.
        case .working where schedulability == .draining: return [.giveBack(lease)]
        case .working:
            if let failure = schedule.refusal(of: lease) { return [.refuse(lease, failure)] }
            // A claim whose answer was repeated starts nothing twice.
            guard runs.insert(lease).inserted else { return [] }
            return [.start(lease)]
        }
    }

    private mutating func stop(giveBack: Bool, where isMeant: (StageLease) -> Bool) -> [Action] {
        let meant = runs.filter { isMeant($0) && !stopping.contains($0) }
        stopping.formUnion(meant)
        return meant.sorted { ($0.job, $0.key) < ($1.job, $1.key) }.map { .stop($0, giveBack: giveBack) }
    }

    private mutating func endIfIdle() -> [Action] {
        guard state == .draining, runs.isEmpty else { return [] }
        state = .over
        return [.end]
    }
}
