package import ClipModel
import Synchronization

/// The requests of this node that are adding to an upload right now, so that each can be told to stop.
package final class ActiveUploads: Sendable {
    private struct State {
        var stops: [UploadID: [Int: @Sendable () -> Void]] = [:]
        var next = 0
        var isDraining = false
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter stop: ends the request's bytes; may be called more than once, from anywhere.
    func begin(_ id: UploadID, stop: @escaping @Sendable () -> Void) -> Int {
        let (number, isDraining) = state.withLock { state in
            state.next += 1
            state.stops[id, default: [:]][state.next] = stop
            return (state.next, state.isDraining)
        }
        if isDraining { stop() }
        return number
    }

    func end(_ id: UploadID, _ number: Int) {
        state.withLock { state in
            state.stops[id]?[number] = nil
            if state.stops[id]?.isEmpty == true { state.stops[id] = nil }
        }
    }

    /// Whoever adds to it here keeps what has come and lets go.
    package func stop(_ id: UploadID) {
        let stops = state.withLock { Array(($0.stops[id] ?? [:]).values) }
        for stop in stops { stop() }
    }

    /// The node ends: all let go, and those that come are sent away at once. Their clients go on at another node.
    package func drain() {
        let stops = state.withLock { state in
            state.isDraining = true
            return state.stops.values.flatMap(\.values)
        }
        for stop in stops { stop() }
    }

    /// How many there are.
    package var count: Int { state.withLock { $0.stops.values.reduce(0) { $0 + $1.count } } }
}
