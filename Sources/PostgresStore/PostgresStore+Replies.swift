package import Store

/// The book of answers to requests with an idempotency key.
extension PostgresStore: ReplyBook {
    package func claimReply(_ claim: ReplyClaim) async throws -> ReplyClaimOutcome {
        let take = ReplyTable.claim.with(claim.tenant, claim.key, claim.route, claim.requestSHA256, claim.holder)
        let find = ReplyTable.find.with(claim.tenant, claim.key)
        return try await database.write { connection, _ in
            // Whoever comes second waits for the first, and then finds its claim.
            if try connection.query(take).first != nil { return .commit(.claimed) }
            guard let row = try connection.query(find).first else {
                throw PostgresFailure(.conflict, "the claim of this idempotency key was dropped in this moment")
            }
            return .rollBack(try ReplyTable.outcome(of: claim, row))
        }
    }

    package func renewReply(_ claim: ReplyClaim) async throws -> Bool {
        try await touch(ReplyTable.renew.with(claim.tenant, claim.key, claim.holder))
    }

    package func keepReply(_ reply: KeptReply, for claim: ReplyClaim) async throws -> Bool {
        try await touch(
            ReplyTable.keep.with(
                claim.tenant, claim.key, claim.holder, reply.status, JSON(reply.headers), reply.body))
    }

    package func dropReply(_ claim: ReplyClaim) async throws {
        let drop = ReplyTable.drop.with(claim.tenant, claim.key, claim.holder)
        try await database.write { connection, _ in
            connection.enqueue(drop)
            return .commit(())
        }
    }

    /// Whether there was a row to change.
    private func touch(_ call: Call) async throws -> Bool {
        try await database.write { connection, _ in .commit(try connection.query(call).first != nil) }
    }
}

enum ReplyTable {
    /// The row of a claim that lapsed, or of an answer that expired, is as good as none. The same holder may ask again:
    /// the answer may have been lost.
    static let claim = Statement(
        "claim_reply",
        """
        insert into idempotent_reply (tenant, key, route, request_sha256, state, holder, expires_at)
        values ($1, $2, $3, $4, 'running', $5, now() + \(StoreLimits.replyLeaseSeconds) * interval '1 second')
        on conflict (tenant, key) do update set
            route = excluded.route, request_sha256 = excluded.request_sha256, state = excluded.state,
            holder = excluded.holder, status = null, headers = null, body = null, created_at = now(),
            expires_at = excluded.expires_at
        where idempotent_reply.expires_at <= now()
            or idempotent_reply.state = 'running' and idempotent_reply.holder = excluded.holder
        returning holder
        """)
    static let find = Statement(
        "find_reply",
        """
        select route, request_sha256, state, status, headers, body from idempotent_reply
        where tenant = $1 and key = $2
        """)
    static let renew = Statement(
        "renew_reply",
        """
        update idempotent_reply set expires_at = now() + \(StoreLimits.replyLeaseSeconds) * interval '1 second'
        where tenant = $1 and key = $2 and holder = $3 and state = 'running' returning holder
        """)
    /// The same again changes nothing that matters: nobody else can have written under this holder.
    static let keep = Statement(
        "keep_reply",
        """
        update idempotent_reply set state = 'done', status = $4, headers = $5, body = $6,
            expires_at = now() + \(StoreLimits.idempotencySeconds) * interval '1 second'
        where tenant = $1 and key = $2 and holder = $3 returning holder
        """)
    static let drop = Statement(
        "drop_reply",
        "delete from idempotent_reply where tenant = $1 and key = $2 and holder = $3 and state = 'running'")
    /// So many at a time that housekeeping ends in time, whatever came in since yesterday.
    static let forget = Statement(
        unprepared: """
            delete from idempotent_reply where (tenant, key) in (
                select tenant, key from idempotent_reply where expires_at <= now()
                order by expires_at limit \(StoreLimits.forgottenRepliesMax))
            """)

    static func outcome(of claim: ReplyClaim, _ row: Row) throws -> ReplyClaimOutcome {
        let isSame =
            try row.text("route") == claim.route && row.text("request_sha256") == claim.requestSHA256
        guard isSame else { return .reused }
        guard try row.text("state") == "done" else { return .running }
        return .kept(
            KeptReply(
                status: try row.int("status"), headers: try row.json("headers"), body: try row.text("body")))
    }
}
