import ClipModel
import ClusterSimulation
import Synchronization

/// What the nodes of a run worked on, and when: seen by the played stages themselves.
final class WorkLog: Sendable {
    /// One run of a stage's work.
    struct Work: Sendable, Hashable {
        let node: String
        /// The member life of the node, which tells its lives apart.
        let life: UInt64
        let job: JobID
        let key: StageKey
        let epoch: Int
        let threads: Int
        let start: Duration
        var end: Duration?
        /// What it needed was there.
        var hadInputs = true
    }

    /// A time in which a node stood still.
    struct Pause: Sendable, Hashable {
        let node: String
        let start: Duration
        var end: Duration?
    }

    private let scheduler: Scheduler
    private let works = Mutex<[Work]>([])
    private let pauses = Mutex<[Pause]>([])
    /// Nodes that a stage has taken with it.
    private let crashes = Mutex<[String]>([])

    init(_ scheduler: Scheduler) { self.scheduler = scheduler }

    var all: [Work] { works.withLock { $0 } }

    func began(_ work: Work) -> Int {
        works.withLock { works in
            works.append(work)
            return works.count - 1
        }
    }

    func ended(_ index: Int) {
        let now = scheduler.now
        // Of a node that was killed it is known already.
        works.withLock { if $0[index].end == nil { $0[index].end = now } }
    }

    /// The process is gone, and its work with it.
    func died(_ node: String) {
        let now = scheduler.now
        works.withLock { works in
            for index in works.indices where works[index].node == node && works[index].end == nil {
                works[index].end = now
            }
        }
        resumed(node)
    }

    func paused(_ node: String) { pauses.withLock { $0.append(Pause(node: node, start: scheduler.now)) } }

    func resumed(_ node: String) {
        let now = scheduler.now
        pauses.withLock { pauses in
            for index in pauses.indices where pauses[index].node == node && pauses[index].end == nil {
                pauses[index].end = now
            }
        }
    }

    func wantsCrash(_ node: String) { crashes.withLock { $0.append(node) } }
    var hasCrashes: Bool { crashes.withLock { !$0.isEmpty } }
    func takeCrashes() -> [String] {
        crashes.withLock { crashes in
            defer { crashes = [] }
            return crashes
        }
    }

    /// How long the node did not stand still between two moments.
    func activeTime(of node: String, from start: Duration, to end: Duration) -> Duration {
        guard end > start else { return .zero }
        let still = pauses.withLock { pauses in
            pauses.filter { $0.node == node }.reduce(Duration.zero) { sum, pause in
                sum + max(.zero, min(end, pause.end ?? end) - max(start, pause.start))
            }
        }
        return end - start - still
    }
}
