package import ClipModel
import ClusterSimulation
import Store
import Synchronization

/// Keeps the books of a run: every transaction that took effect, in order, and whether it was allowed to do what it
/// did.
///
/// It knows the rules of leases, attempts and epochs a second time, written from the contract (`Store`) and not from
/// the code (`JobRecord`), and compares the stages before and after each transaction.
package final class Ledger: Sendable {
    /// What is known of one attempt's right.
    package struct Lease: Sendable, Hashable {
        package let job: JobID
        package let key: StageKey
        package let epoch: Int
        package let node: NodeID
        package let nodeEpoch: Int
        package let grantedAt: Duration
        /// When the store took it back or saw it end.
        package internal(set) var endedAt: Duration?
        package internal(set) var ending: Ending?
    }

    package enum Ending: Sendable, Hashable {
        /// It reported how it ended.
        case reported
        /// Its node's lease ran out, or the node never reported it.
        case expired
        /// Its node began a new life, or said goodbye.
        case replaced, left
        /// The cluster saw its node die, and the node said nothing either.
        case seenDead
        /// Somebody ordered it: by cancelling, deleting, requeueing; or the job ended without it.
        case ordered
    }

    package struct LeaseID: Sendable, Hashable {
        let job: JobID
        let key: StageKey
        let epoch: Int
    }

    package struct Life: Sendable, Hashable {
        package let id: NodeID
        package let epoch: Int
        package let memberEpoch: UInt64
        package let leaseSeconds: Int
        /// When the store heard of it.
        package internal(set) var renewals: [Duration]
        var hasEnded = false
    }

    struct State {
        var jobs: [JobID: Job] = [:]
        var stages: [JobID: [StageKey: Stage]] = [:]
        var leases: [LeaseID: Lease] = [:]
        var lives: [Int: Life] = [:]
        var lastLife: [NodeID: Int] = [:]
        /// By node: what its last heartbeat reported, as leases.
        var reported: [NodeID: Set<LeaseID>] = [:]
        /// Reports that were taken, by lease: how they ended.
        var taken: [LeaseID: String] = [:]
        var lines: [String] = []
        var violations: [String] = []
        var counts: [String: Int] = [:]
    }

    let truth: InMemoryStore
    let scheduler: Scheduler
    let state = Mutex(State())

    init(_ truth: InMemoryStore, _ scheduler: Scheduler) {
        self.truth = truth
        self.scheduler = scheduler
    }

    package var violations: [String] { state.withLock { $0.violations } }
    /// The history: what took effect, when, and through whom.
    package var lines: [String] { state.withLock { $0.lines } }
    package var leases: [Lease] { state.withLock { Array($0.leases.values) } }
    package var jobs: [Job] { state.withLock { $0.jobs.values.sorted { $0.id < $1.id } } }
    package func job(_ id: JobID) -> Job? { state.withLock { $0.jobs[id] } }
    package var lives: [Life] { state.withLock { $0.lives.values.sorted { $0.epoch < $1.epoch } } }
    /// How often deeds of a kind happened, by the first word of their line.
    package var counts: [String: Int] { state.withLock { $0.counts } }

    package func lease(_ job: JobID, _ key: StageKey, _ epoch: Int) -> Lease? {
        state.withLock { $0.leases[LeaseID(job: job, key: key, epoch: epoch)] }
    }

    /// Stages that may be claimed now, by their jobs' regions.
    package func readyStages(at now: Timestamp) -> [Stage] {
        state.withLock { state in
            state.stages.sorted { $0.key < $1.key }.flatMap(\.value.values)
                .filter { $0.state == .ready && $0.notBefore <= now }
        }
    }

    package func stages(of job: JobID) -> [Stage] {
        state.withLock { ($0.stages[job] ?? [:]).values.sorted { $0.key < $1.key } }
    }

    /// Called by the server after every deed, before the next.
    func observe(_ deed: Deed, by caller: String) async {
        var after: [JobID: (job: Job?, stages: [Stage])] = [:]
        for id in deed.jobs ?? state.withLock({ Set($0.jobs.keys) }) {
            after[id] = (await truth.job(id), await truth.stages(of: id))
        }
        let seen = after
        state.withLock { state in
            let line = "\(scheduler.now) \(caller): \(deed.line)"
            state.lines.append(line)
            state.counts[String(deed.line.prefix { $0 != " " }), default: 0] += 1
            state.note(deed, at: scheduler.now)
            for (id, picture) in seen.sorted(by: { $0.key < $1.key }) {
                state.compare(id, picture.job, picture.stages, deed, at: scheduler.now)
            }
            state.close(deed)
        }
    }

    /// At the end: nothing has changed that no deed accounts for.
    package func audit() async {
        for id in state.withLock({ $0.jobs.keys.sorted() }) {
            let stages = await truth.stages(of: id)
            let job = await truth.job(id)
            state.withLock { state in
                if job != state.jobs[id] { state.violations.append("\(id) has changed and nobody did it") }
                let known = (state.stages[id] ?? [:]).values.sorted { $0.key < $1.key }
                if known != stages { state.violations.append("stages of \(id) have changed and nobody did it") }
            }
        }
    }
}
