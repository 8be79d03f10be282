package import Membership
import Synchronization

/// How an actor, or the node it lived on, came to its end.
package enum Termination: Hashable, Sendable {
    /// The node is dead, as far as the cluster knows.
    case nodeDied
    /// The node said that it leaves.
    case nodeLeft
    /// A newer life of the node exists.
    case nodeReplaced(by: MemberLife)
    /// The actor was released on this node, while the node lives on.
    case released
}

/// Tasks that wait for the end of a node's life, or of an actor on this node.
final class Watchers: Sendable {
    private struct State {
        var nodes: [MemberLife: Promise<Termination>] = [:]
        var actors: [ClusterActorID: Promise<Termination>] = [:]
        var waiting = 0
    }

    private let watchersMax: Int
    private let state = Mutex(State())

    init(watchersMax: Int) { self.watchersMax = watchersMax }

    /// Waits for the end. `already` is asked after the wait has begun, so that no end is missed in between.
    func wait(_ id: ClusterActorID, on life: MemberLife, isOurs: Bool, already: () -> Termination?) async throws
        -> Termination
    {
        let promise = state.withLock { state -> Promise<Termination>? in
            guard state.waiting < watchersMax else { return nil }
            state.waiting += 1
            if isOurs {
                let promise = state.actors[id] ?? Promise()
                state.actors[id] = promise
                return promise
            }
            let promise = state.nodes[life] ?? Promise()
            state.nodes[life] = promise
            return promise
        }
        guard let promise else { throw ClusterCallError(.busy, "\(watchersMax) tasks wait for the end of nodes") }
        defer { state.withLock { $0.waiting -= 1 } }
        if let ended = already() { promise.settle(.success(ended)) }
        return try await promise.wait()
    }

    func nodeEnded(_ life: MemberLife, _ termination: Termination) {
        state.withLock { $0.nodes.removeValue(forKey: life) }?.settle(.success(termination))
    }

    /// Every earlier life of the node that somebody watches is over.
    func nodeLives(_ life: MemberLife) {
        let replaced = state.withLock { state -> [Promise<Termination>] in
            let older = state.nodes.keys.filter { $0.id == life.id && $0.epoch < life.epoch }.sorted()
            return older.compactMap { state.nodes.removeValue(forKey: $0) }
        }
        for promise in replaced { promise.settle(.success(.nodeReplaced(by: life))) }
    }

    func actorEnded(_ id: ClusterActorID) {
        state.withLock { $0.actors.removeValue(forKey: id) }?.settle(.success(.released))
    }
}
