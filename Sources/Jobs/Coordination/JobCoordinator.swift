package import ActorCluster
import ClipModel
package import Distributed
import Store

/// Looks after one job: tells nodes with threads to spare that stages are ready, wakes retries when their time has
/// come, and stops what runs of a job that has ended.
///
/// A virtual actor under the job's id, on the node that `Placement` names in the job's region. It keeps nothing that
/// the store does not know, so it is made anew wherever it is called, and two of them for a moment do no harm: what
/// follows from an outcome is decided inside the store's transaction (`Schedule.advance`), never here.
package distributed actor JobCoordinator {
    package typealias ActorSystem = ClusterActorSystem

    package static let kind = "job"

    /// What other nodes may call, by mangled name.
    package static let callTargets = ["$s4Jobs14JobCoordinatorC4lookyyYaKFTE"]

    private let job: HomedJob
    private let coordination: Coordination
    private var machine: CoordinatorMachine
    private var isLooking = false
    private var looksAgain = false

    init(_ job: HomedJob, _ coordination: Coordination, actorSystem: ClusterActorSystem) {
        self.job = job
        self.coordination = coordination
        self.actorSystem = actorSystem
        machine = CoordinatorMachine(home: job.region)
    }

    /// Something has changed in the job. Safe to repeat; calls that come while one is under way become one more look.
    package distributed func look() async throws {
        looksAgain = true
        guard !isLooking else { return }
        isLooking = true
        defer { isLooking = false }
        while looksAgain {
            looksAgain = false
            let picture = try await coordination.picture(of: job)
            await coordination.carryOut(machine.looked(at: picture), for: job)
        }
    }
}
