package import ClipModel

/// A key to register. The store never gets to see the key itself.
package struct KeyDraft: Sendable, Hashable {
    package let id: KeyID
    /// SHA-256 of the key, in hexadecimal digits.
    package let sha256: String
    package let client: ClientName
    /// For operators: where it is used, who has it.
    package let note: String?
    /// Nil: it is good until it is revoked.
    package let expiresInSeconds: Int?

    package init(id: KeyID, sha256: String, client: ClientName, note: String?, expiresInSeconds: Int?) {
        self.id = id
        self.sha256 = sha256
        self.client = client
        self.note = note
        self.expiresInSeconds = expiresInSeconds
    }
}

/// A client's key as it stands. A client may have several: the next one is handed out before the last is revoked.
package struct RegisteredKey: Sendable, Hashable {
    package enum Standing: String, Sendable, Hashable, Codable, CaseIterable {
        /// Can become `revoked` or `expired`; those two are for ever.
        case active
        case revoked, expired
    }

    package let id: KeyID
    package let client: ClientName
    package let note: String?
    package let createdAt: Timestamp
    package let expiresAt: Timestamp?
    package var revokedAt: Timestamp?
    /// To within a minute or two: nodes gather what they saw.
    package var lastUsedAt: Timestamp?
    /// The store's time when this was read. The clock of a node does not decide whether a key has expired.
    package var readAt: Timestamp

    package init(
        id: KeyID, client: ClientName, note: String?, createdAt: Timestamp, expiresAt: Timestamp?,
        revokedAt: Timestamp? = nil, lastUsedAt: Timestamp? = nil, readAt: Timestamp
    ) {
        self.id = id
        self.client = client
        self.note = note
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
        self.readAt = readAt
    }

    package var standing: Standing {
        if revokedAt != nil { return .revoked }
        if let expiresAt, expiresAt <= readAt { return .expired }
        return .active
    }

    /// For how long it is good from `readAt` on, if nobody revokes it; nil: for ever.
    package var secondsLeft: Double? { expiresAt.map { max(0, $0.seconds(since: readAt)) } }
}

/// The book of clients' keys. Rows stay when keys are revoked or expire: they tell whose jobs were whose.
package protocol KeyBook: Sendable {
    /// Registers a key, with the store's own time. The same draft again is answered with the same key.
    func createKey(_ draft: KeyDraft) async throws -> RegisteredKey
    /// Newest first, those that come after `cursor`; of one client or, with nil, of all; at most `limit`.
    func keys(of client: ClientName?, after cursor: KeyID?, limit: Int) async throws -> [RegisteredKey]
    /// It is good no more, from now on; the first revocation stays. Nil: there is none. Safe to repeat.
    func revokeKey(_ id: KeyID) async throws -> RegisteredKey?
    /// The key with this SHA-256, whatever its standing.
    func key(sha256: String) async throws -> RegisteredKey?
    /// These were used a moment ago. Does nothing to those of which that was said less than `StoreLimits.keyUseSeconds`
    /// ago.
    func touchKeys(_ ids: [KeyID]) async throws
}

extension InMemoryStore: KeyBook {
    struct KeyEntry {
        let draft: KeyDraft
        var key: RegisteredKey
    }

    package func createKey(_ draft: KeyDraft) throws -> RegisteredKey {
        let now = clock()
        if let known = keyBook[draft.id], known.draft.sha256 == draft.sha256 { return read(known.key, at: now) }
        guard keyBook[draft.id] == nil, !keyBook.values.contains(where: { $0.draft.sha256 == draft.sha256 }) else {
            throw StoreError(.refused, "key \(draft.id) exists already")
        }
        let key = RegisteredKey(
            id: draft.id, client: draft.client, note: draft.note, createdAt: now,
            expiresAt: draft.expiresInSeconds.map { now.advanced(bySeconds: Double($0)) }, readAt: now)
        keyBook[draft.id] = KeyEntry(draft: draft, key: key)
        return key
    }

    package func keys(of client: ClientName?, after cursor: KeyID?, limit: Int) -> [RegisteredKey] {
        let now = clock()
        let newest = keyBook.values.map(\.key).filter { key in client.map { $0 == key.client } ?? true }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        var page = newest[...]
        if let cursor {
            guard let last = keyBook[cursor]?.key else { return [] }
            page = page.drop { ($0.createdAt, $0.id) >= (last.createdAt, last.id) }
        }
        return page.prefix(min(max(0, limit), StoreLimits.pageRowsMax)).map { read($0, at: now) }
    }

    package func revokeKey(_ id: KeyID) -> RegisteredKey? {
        guard let key = keyBook[id]?.key else { return nil }
        let now = clock()
        keyBook[id]?.key.revokedAt = key.revokedAt ?? now
        return keyBook[id].map { read($0.key, at: now) }
    }

    package func key(sha256: String) -> RegisteredKey? {
        keyBook.values.first { $0.draft.sha256 == sha256 }.map { read($0.key, at: clock()) }
    }

    package func touchKeys(_ ids: [KeyID]) {
        let now = clock(), oldest = now.advanced(bySeconds: -StoreLimits.keyUseSeconds)
        for id in ids {
            guard let key = keyBook[id]?.key, key.lastUsedAt.map({ $0 < oldest }) ?? true else { continue }
            keyBook[id]?.key.lastUsedAt = now
        }
    }

    private func read(_ key: RegisteredKey, at now: Timestamp) -> RegisteredKey {
        var key = key
        key.readAt = now
        return key
    }
}
