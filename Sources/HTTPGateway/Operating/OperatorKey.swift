package import ClipModel
package import Store

/// A key as operators see it: a row of `GET /admin/v1/keys`.
///
/// Field names are part of the API: add, do not rename.
package struct OperatorKey: Codable, Hashable, Sendable {
    package var id: KeyID
    /// Its jobs have `key:` and this as their `tenant`.
    package var client: ClientName
    package var note: String?
    package var state: RegisteredKey.Standing
    package var createdAt: Timestamp
    /// Absent: it is good until it is revoked.
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?
    /// To within a minute or two; absent: never.
    package var lastUsedAt: Timestamp?

    package init(_ key: RegisteredKey) {
        id = key.id
        client = key.client
        note = key.note
        state = key.standing
        createdAt = key.createdAt
        expiresAt = key.expiresAt
        revokedAt = key.revokedAt
        lastUsedAt = key.lastUsedAt
    }
}

package struct OperatorKeyPage: Codable, Hashable, Sendable {
    package var keys: [OperatorKey]
    /// Send it as `cursor` to get the next page; absent on the last one.
    package var nextCursor: KeyID?
}

/// `POST /admin/v1/keys`
package struct CreatedKey: Codable, Hashable, Sendable {
    /// The key itself. No other answer ever holds it.
    package var secret: String
    package var key: OperatorKey
}
