package import Jobs
package import Store

/// The keys of links as this node last read them. Every node has its own ring; the book is the cluster's.
package actor LinkKeyring {
    /// How old may be what we know: for so long a key that was revoked at another node is still good at this one.
    package static let ageSecondsMax = 10.0
    /// A key that we do not know was perhaps made by another node a moment ago. Strangers can name keys as well, so
    /// the book is asked because of them at most so often.
    package static let strangerSecondsMin = 1.0

    private let book: any LinkKeyBook
    private let chance: Chance
    private let elapsed: @Sendable () -> Double
    private var keys: [LinkKey] = []
    /// When the reading began that `keys` are from.
    private var readAt = -Double.infinity
    private var strangerAt = -Double.infinity

    /// - Parameter elapsed: seconds on a clock that never goes back.
    package init(book: any LinkKeyBook, chance: Chance, elapsed: @escaping @Sendable () -> Double) {
        self.book = book
        self.chance = chance
        self.elapsed = elapsed
    }

    /// The key that signs; made now where there is none.
    package func signing() async throws -> LinkKey {
        guard let key = try await known().first, key.retiredAt == nil else {
            throw StoreError(.corrupt, "no key of links signs")
        }
        return key
    }

    /// The key of that id, if its links are good.
    package func key(_ id: String) async throws -> LinkKey? {
        if let key = try await known().first(where: { $0.id == id }) { return key }
        guard elapsed() - strangerAt >= Self.strangerSecondsMin else { return nil }
        strangerAt = elapsed()
        return try await read().first { $0.id == id }
    }

    /// Lets a new key sign, here at once and everywhere within `ageSecondsMax`. Answers with all that are good.
    package func rotate(revoking: Bool) async throws -> [LinkKey] {
        let rotated = try await book.rotateLinkKeys(to: draft(), revoking: revoking)
        // Counted from the end: what was read meanwhile may be from before.
        (keys, readAt) = (rotated, elapsed())
        return rotated
    }

    private func known() async throws -> [LinkKey] {
        elapsed() - readAt < Self.ageSecondsMax ? keys : try await read()
    }

    private func read() async throws -> [LinkKey] {
        let start = elapsed()
        let found = try await book.linkKeys(orBegin: draft())
        // Another reading may have begun later and ended sooner, or a rotation may have come in between.
        if start >= readAt { (keys, readAt) = (found, start) }
        return keys
    }

    private func draft() -> LinkKeyDraft { chance.draw { LinkKeyDraft(using: &$0) } }
}
