package import ClipModel
package import Store

/// The book of clients' keys.
extension PostgresStore: KeyBook {
    package func createKey(_ draft: KeyDraft) async throws -> RegisteredKey {
        let insert = KeyTable.insert.with(draft.id, draft.sha256, draft.client, draft.note, draft.expiresInSeconds)
        let created: RegisteredKey? = try await database.write { connection, _ in
            guard let row = try connection.query(insert).first else { return .rollBack(nil) }
            return .commit(try KeyTable.key(row))
        }
        guard let created else { throw StoreError(.refused, "key \(draft.id) exists already") }
        return created
    }

    package func keys(of client: ClientName?, after cursor: KeyID?, limit: Int) async throws -> [RegisteredKey] {
        let page = KeyTable.page.with(client, cursor, min(max(0, limit), StoreLimits.pageRowsMax))
        return try await database.read { connection in try connection.query(page).map(KeyTable.key) }
    }

    package func revokeKey(_ id: KeyID) async throws -> RegisteredKey? {
        let revoke = KeyTable.revoke.with(id)
        return try await database.write { connection, _ in
            guard let row = try connection.query(revoke).first else { return .rollBack(nil) }
            return .commit(try KeyTable.key(row))
        }
    }

    package func key(sha256: String) async throws -> RegisteredKey? {
        let find = KeyTable.find.with(sha256)
        // A client waits for the answer, and one that is known needs none: no long patience here.
        return try await database.read(attemptsMax: 2) { connection in
            try connection.query(find).first.map(KeyTable.key)
        }
    }

    package func touchKeys(_ ids: [KeyID]) async throws {
        guard !ids.isEmpty else { return }
        let touch = KeyTable.touch.with(ids)
        try await database.write { connection, _ in
            connection.enqueue(touch)
            return .commit(())
        }
    }
}

enum KeyTable {
    private static let columns = """
        id, client, note, ms_of(created_at) as created_at, ms_of(expires_at) as expires_at,
            ms_of(revoked_at) as revoked_at, ms_of(last_used_at) as last_used_at, ms_of(now()) as read_at
        """
    /// The update changes nothing: it makes a draft that came twice answer with its row. One with another digest under
    /// the same id answers without a row.
    static let insert = Statement(
        "insert_api_key",
        """
        insert into api_key (id, sha256, client, note, expires_at)
        values ($1, $2, $3, $4, now() + $5::bigint * interval '1 second')
        on conflict (id) do update set client = api_key.client where api_key.sha256 = excluded.sha256
        returning \(columns)
        """)
    static let page = Statement(
        "api_key_page",
        """
        select \(columns) from api_key
        where ($1::text is null or client = $1)
            and ($2::text is null
                or (created_at, id) < (select last.created_at, last.id from api_key as last where last.id = $2))
        order by created_at desc, id desc limit $3
        """)
    static let revoke = Statement(
        "revoke_api_key",
        "update api_key set revoked_at = coalesce(revoked_at, now()) where id = $1 returning \(columns)")
    static let find = Statement("find_api_key", "select \(columns) from api_key where sha256 = $1")
    /// In the order of ids, and past those that another node is at: two nodes never wait for each other.
    static let touch = Statement(
        "touch_api_keys",
        """
        with due as (
            select id from api_key
            where id = any($1::text[])
                and (last_used_at is null
                    or last_used_at < now() - \(StoreLimits.keyUseSeconds) * interval '1 second')
            order by id for no key update skip locked
        )
        update api_key set last_used_at = now() from due where api_key.id = due.id
        """)

    static func key(_ row: Row) throws -> RegisteredKey {
        RegisteredKey(
            id: try row.read("id", KeyID.init), client: try row.read("client", ClientName.init),
            note: try row.optional("note"), createdAt: try row.time("created_at"),
            expiresAt: try row.timeIfPresent("expires_at"), revokedAt: try row.timeIfPresent("revoked_at"),
            lastUsedAt: try row.timeIfPresent("last_used_at"), readAt: try row.time("read_at"))
    }
}
