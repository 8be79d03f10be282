import ClipModel
import Jobs
import Store
import Synchronization

/// A book of keys that a test can take away, and that counts how often it is asked.
final class KeyDesk: KeyBook {
    let base = InMemoryStore(now: systemWallTime)
    let touches: AsyncStream<[KeyID]>
    private let touched: AsyncStream<[KeyID]>.Continuation
    private let state = Mutex((isAway: false, questions: 0))

    init() { (touches, touched) = AsyncStream.makeStream() }

    var questions: Int { state.withLock { $0.questions } }
    func set(isAway: Bool) { state.withLock { $0.isAway = isAway } }

    private func arrive() throws {
        if state.withLock({ $0.isAway }) { throw StoreError(.unavailable, "cut") }
    }

    func createKey(_ draft: KeyDraft) async throws -> RegisteredKey {
        try arrive()
        return try await base.createKey(draft)
    }

    func keys(of client: ClientName?, after cursor: KeyID?, limit: Int) async throws -> [RegisteredKey] {
        try arrive()
        return await base.keys(of: client, after: cursor, limit: limit)
    }

    func revokeKey(_ id: KeyID) async throws -> RegisteredKey? {
        try arrive()
        return await base.revokeKey(id)
    }

    func key(sha256: String) async throws -> RegisteredKey? {
        state.withLock { $0.questions += 1 }
        try arrive()
        return await base.key(sha256: sha256)
    }

    func touchKeys(_ ids: [KeyID]) async throws {
        try arrive()
        await base.touchKeys(ids)
        touched.yield(ids)
    }
}
