import ClipModel
import Store
import Synchronization

/// Results that were read before. They never change, so a copy cannot be stale; what was deleted is not asked for.
final class ResultCache: Sendable {
    private struct State {
        var results: [ResultID: StageResult] = [:]
        /// Oldest first.
        var order: [ResultID] = []
        var bytes = 0
    }

    private let state = Mutex(State())
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    subscript(id: ResultID) -> StageResult? { state.withLock { $0.results[id] } }

    func insert(_ result: StageResult) {
        state.withLock { state in
            guard state.results.updateValue(result, forKey: result.id) == nil else { return }
            state.order.append(result.id)
            state.bytes += result.body.utf8.count
            var leaving = 0
            while state.bytes > bytesMax, leaving < state.order.count {
                state.bytes -= state.results.removeValue(forKey: state.order[leaving])?.body.utf8.count ?? 0
                leaving += 1
            }
            state.order.removeFirst(leaving)
        }
    }
}
