import Synchronization

/// Gathers a body up to a limit.
final class Collector: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var overflowed = false
    }

    private let limitBytes: Int
    private let state = Mutex(State())

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var overflowed: Bool { state.withLock { $0.overflowed } }

    /// False when the limit is passed.
    func append(_ more: [UInt8]) -> Bool {
        state.withLock { state in
            guard state.bytes.count + more.count <= limitBytes else {
                state.overflowed = true
                return false
            }
            state.bytes += more
            return true
        }
    }
}
