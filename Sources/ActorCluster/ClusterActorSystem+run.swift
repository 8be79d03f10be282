import Logging
package import Membership
import Synchronization
import WireProtocol

/// A newer life of this node exists, so this one is over: whatever it did from now on would be done by a ghost.
package struct ReplacedError: Error, Hashable, Sendable, CustomStringConvertible {
    package let life: MemberLife
    /// Nil when all that is known is that a peer knows of one.
    package let newer: MemberLife?
    package var description: String { "\(life) was replaced by \(newer.map { "\($0)" } ?? "a newer life")" }
}

extension ClusterActorSystem {
    /// Lives as long as the node does; once. Returns when the node has left after `stop`, throws `ReplacedError` when a
    /// newer life of it exists, `CancellationError` when the task is cancelled (at once: nobody is told, running calls
    /// are cancelled), and what the transport throws when it cannot listen.
    ///
    /// - Parameter seeds: addresses of nodes that may be members already.
    package func run(seeds: [PeerAddress] = []) async throws {
        let end = try await withThrowingTaskGroup(of: MembershipEnd?.self) { group in
            group.addTask {
                await self.nursery.run()
                return nil
            }
            group.addTask {
                try await self.transport.serve { await self.accept($0) }
                return nil
            }
            group.addTask {
                await self.sweepActivations()
                return nil
            }
            group.addTask { await self.runMembership(seeds: seeds) }
            defer { group.cancelAll() }
            // The others end by cancellation only, or by throwing.
            while let finished = try await group.next() {
                guard let finished else { continue }
                if case .departed = finished { await drain() }
                return finished
            }
            return MembershipEnd.cancelled
        }
        switch end {
        case .departed: return
        case .cancelled: throw CancellationError()
        case .replaced(let newer): throw ReplacedError(life: life, newer: newer)
        }
    }

    /// Begins the end: the cluster is told that this node leaves, running calls finish, virtual actors are put to
    /// sleep, and `run` returns.
    package func stop() { membership.tell(.leaveRequested) }

    // MARK: The end

    /// New calls are turned away, running ones may finish, virtual actors write what they have to.
    private func drain() async {
        isStopping = true
        let limit = timeline.now + configuration.drainTimeLimit
        let goAway = GoAway(.stopping, "\(life.id) is about to stop")
        for standing in links.withLock({ $0.standing }) { standing.connection.announceEnd(goAway) }
        await until(limit) { [self] in
            links.withLock { $0.standing }.allSatisfy {
                if case .call(let lane) = $0 { lane.stopServing() } else { true }
            }
        }
        for departure in activations.withLock({ $0.keep(.stopping) { _ in false } }) {
            _ = nursery.start { await self.putToSleep(departure) }
        }
        await until(limit) { [self] in activations.withLock { $0.count } == 0 }
        for standing in links.withLock({ $0.standing }) { standing.connection.finish(.closedHere, telling: goAway) }
    }

    /// Looks again and again, until `limit`: it is the end of a node, and nothing depends on how soon it is noticed.
    private func until(_ limit: Duration, _ isDone: () -> Bool) async {
        while !isDone(), timeline.now < limit {
            guard (try? await timeline.sleep(for: configuration.deadlineResolution)) != nil else { return }
        }
    }
}
