import Synchronization

/// The idempotency keys of requests that this node is working on.
///
/// It only answers a client that repeats itself too soon. What makes a key count once in the whole cluster is the
/// store, in one transaction.
final class KeysInFlight: Sendable {
    private let keys = Mutex<Set<String>>([])

    /// False when the key is taken.
    func begin(_ key: String) -> Bool { keys.withLock { $0.insert(key).inserted } }

    func end(_ key: String) { keys.withLock { _ = $0.remove(key) } }
}
