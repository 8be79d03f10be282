package import Store

/// Keys of links.
extension PostgresStore {
    package func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey] {
        let keys = try await database.read { try LinkKeyTable.keys(on: &$0) }
        if let first = keys.first, first.retiredAt == nil { return keys }
        // Whoever comes second waits for the first, and then finds its key.
        let insert = LinkKeyTable.insert.with(draft.id, draft.secret)
        return try await database.write { connection, _ in
            connection.enqueue(insert)
            return .commit(try LinkKeyTable.keys(on: &connection))
        }
    }

    package func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey] {
        try await database.write { connection, _ in
            // One rotation after the other, or two would leave two keys that sign. Readers do not wait.
            connection.enqueue(LinkKeyTable.lock.with())
            let isKnown = try connection.query(LinkKeyTable.find.with(draft.id)).first != nil
            if isKnown { return .rollBack(try LinkKeyTable.keys(on: &connection)) }
            connection.enqueue(revoking ? LinkKeyTable.clear.with() : LinkKeyTable.retire.with())
            connection.enqueue(LinkKeyTable.insert.with(draft.id, draft.secret))
            return .commit(try LinkKeyTable.keys(on: &connection))
        }
    }
}

enum LinkKeyTable {
    static let lock = Statement(unprepared: "lock table link_key in share row exclusive mode")
    static let find = Statement(unprepared: "select id from link_key where id = $1")
    static let clear = Statement(unprepared: "delete from link_key")
    static let retire = Statement(unprepared: "update link_key set retired_at = now() where retired_at is null")
    static let insert = Statement(
        unprepared: "insert into link_key (id, secret) values ($1, $2) on conflict do nothing")
    static let good = Statement(
        "good_link_keys",
        """
        select id, secret, ms_of(created_at) as created_at, ms_of(retired_at) as retired_at from link_key
        where retired_at is null or retired_at > now() - \(StoreLimits.linkDays) * interval '1 day'
        order by retired_at desc nulls first, created_at desc, id limit \(StoreLimits.linkKeysMax)
        """)
    static let forget = Statement(
        unprepared: """
            delete from link_key where retired_at <= now() - \(StoreLimits.linkDays) * interval '1 day'
            """)

    static func keys(on connection: inout PostgresConnection) throws -> [LinkKey] {
        try connection.query(good.with()).map { row in
            LinkKey(
                id: try row.text("id"), secret: try row.text("secret"), createdAt: try row.time("created_at"),
                retiredAt: try row.timeIfPresent("retired_at"))
        }
    }
}
