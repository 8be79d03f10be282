import Synchronization

/// Hands every signal to every subscriber. Each has a buffer of its own, so a slow one delays nobody and loses the
/// oldest first.
package final class SignalFan: Sendable {
    private struct State {
        var subscribers: [Int: AsyncStream<StoreSignal>.Continuation] = [:]
        var next = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    package init() {}

    package func subscribe() -> AsyncStream<StoreSignal> {
        AsyncStream(bufferingPolicy: .bufferingNewest(StoreLimits.signalsMax)) { continuation in
            let number = state.withLock { state -> Int? in
                guard !state.isClosed else { return nil }
                state.next += 1
                state.subscribers[state.next] = continuation
                return state.next
            }
            guard let number else { return continuation.finish() }
            continuation.onTermination = { [weak self] _ in
                _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
            }
        }
    }

    package func send(_ signals: some Sequence<StoreSignal>) {
        // Yield outside the lock: a subscriber that ends meanwhile takes it to unsubscribe.
        let subscribers = state.withLock { Array($0.subscribers.values) }
        for signal in signals {
            for subscriber in subscribers { subscriber.yield(signal) }
        }
    }

    /// Ends every stream, those still to come included.
    package func close() {
        let subscribers = state.withLock { state in
            state.isClosed = true
            defer { state.subscribers = [:] }
            return Array(state.subscribers.values)
        }
        for subscriber in subscribers { subscriber.finish() }
    }
}
