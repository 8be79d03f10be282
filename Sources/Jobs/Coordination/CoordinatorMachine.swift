package import ClipModel

/// What the coordinator of one job does when it has looked at the job: whom it tells of work, whom it stops, and when
/// it looks again. Everything that must not be lost was decided in the store before; this makes it happen sooner.
package struct CoordinatorMachine: Sendable, Hashable {
    /// The job as the store shows it.
    package struct Picture: Sendable, Hashable {
        package var hasEnded: Bool
        package var stages: [Stage]
        package var nodes: [Node]
        package var now: Timestamp

        package init(hasEnded: Bool, stages: [Stage], nodes: [Node], now: Timestamp) {
            self.hasEnded = hasEnded
            self.stages = stages
            self.nodes = nodes
            self.now = now
        }
    }

    package enum Action: Sendable, Hashable {
        /// Tell the node that stages are ready.
        case nudge(NodeID)
        /// Tell the node that nothing of this job may go on.
        case stop(NodeID)
        /// Look again after so many seconds, unless something happens first.
        case lookAgain(afterSeconds: Double)
        /// The job has ended and nobody works on it.
        case rest
    }

    /// A ready stage that nobody has taken so long after the call is told of once more: the call may have been lost, or
    /// the node had no thread left. Seconds.
    package static let repeatSeconds = 2.0

    private let home: Region
    /// Who was seen working on the job, and was not told to stop since.
    private var holders: Set<NodeID> = []

    package init(home: Region) { self.home = home }

    /// - Parameter picture: nil when the job was deleted.
    package mutating func looked(at picture: Picture?) -> [Action] {
        let running = picture?.stages.filter { $0.state == .running } ?? []
        guard let picture, !picture.hasEnded else {
            let workers = holders.union(running.compactMap(\.holder)).sorted()
            holders = []
            return workers.map { .stop($0) } + [.rest]
        }
        holders = Set(running.compactMap(\.holder))
        let ready = picture.stages.filter { $0.state == .ready }
        let due = ready.count { $0.notBefore <= picture.now }
        let nudges = Self.workers(for: due, of: picture.nodes, home: home).map { Action.nudge($0) }
        // While every thread of the cluster is busy there is nothing to repeat: whoever ends a stage looks for more.
        let waits = nudges.isEmpty ? [] : [Self.repeatSeconds]
        let retries = ready.map { $0.notBefore.seconds(since: picture.now) }.filter { $0 > 0 }
        return nudges + ((waits + retries).min().map { [.lookAgain(afterSeconds: $0)] } ?? [])
    }

    /// Nodes with threads to spare, those at home first, then those with more of them: as many as the stages need.
    private static func workers(for stages: Int, of nodes: [Node], home: Region) -> [NodeID] {
        let open = nodes.filter { $0.isAlive && $0.schedulability == .schedulable && $0.freeThreads > 0 }
        let sorted = open.sorted { left, right in
            if (left.region == home) != (right.region == home) { return left.region == home }
            return (right.freeThreads, left.id) < (left.freeThreads, right.id)
        }
        var chosen: [NodeID] = []
        var left = stages
        for node in sorted where left > 0 {
            chosen.append(node.id)
            left -= node.freeThreads
        }
        return chosen
    }
}

extension Node {
    /// Threads without a stage, as of its last heartbeat.
    fileprivate var freeThreads: Int { threads - running.count }
}
