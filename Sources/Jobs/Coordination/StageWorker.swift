package import ActorCluster
import ClipModel
package import Distributed

/// The ear of a node's worker: whoever coordinates a job tells it that there is work, or that some must end.
///
/// One per node, hosted under `name`. It claims nothing by itself and nothing is pushed on it: a call only makes the
/// worker look at the store sooner than its next poll, which decides as always.
package distributed actor StageWorker {
    package typealias ActorSystem = ClusterActorSystem

    package static let name = "stage-worker"

    /// What other nodes may call, by mangled name.
    package static let callTargets = [
        "$s4Jobs11StageWorkerC11workIsReadyyyYaKFTE",
        "$s4Jobs11StageWorkerC4stopyySSYaKFTE",
    ]

    private let lookForWork: @Sendable () -> Void
    private let stop: @Sendable (JobID) async -> Void

    init(
        lookForWork: @escaping @Sendable () -> Void, stop: @escaping @Sendable (JobID) async -> Void,
        actorSystem: ClusterActorSystem
    ) {
        self.lookForWork = lookForWork
        self.stop = stop
        self.actorSystem = actorSystem
    }

    /// Stages may be ready. Safe to repeat.
    package distributed func workIsReady() { lookForWork() }

    /// No stage of that job may go on. Safe to repeat, and of no effect when nothing of it runs here.
    package distributed func stop(_ job: String) async {
        guard let job = JobID(job) else { return }
        await stop(job)
    }
}
