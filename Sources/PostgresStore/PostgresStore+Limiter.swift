/// What buckets of the rate limiter owe, kept over restarts. Time is the database's: a debt comes and goes as what is
/// left of it, so nodes' clocks do not matter.
extension PostgresStore {
    /// One bucket's debt.
    package struct LimiterRow: Sendable, Hashable {
        package let policy: String
        package let subject: String
        /// Until the bucket is full again, in microseconds.
        package let debtMicroseconds: Int64

        package init(policy: String, subject: String, debtMicroseconds: Int64) {
            self.policy = policy
            self.subject = subject
            self.debtMicroseconds = debtMicroseconds
        }
    }

    /// Keeps these debts in the name of `holder`. A debt is never lowered: of two ends the later one stands. Throws
    /// `StoreError`.
    package func saveLimiterDebts(_ rows: [LimiterRow], heldBy holder: String) async throws {
        guard !rows.isEmpty else { return }
        let call = Self.save.with(
            holder, rows.map(\.policy), rows.map(\.subject), rows.map { String($0.debtMicroseconds) })
        // A repetition writes the same again.
        try await database.read { _ = try $0.query(call) }
    }

    /// Debts that `holder` was the last to save and that are not over, by policy and subject, those after `cursor`.
    package func limiterDebts(
        heldBy holder: String, after cursor: (policy: String, subject: String)?, limit: Int
    ) async throws -> [LimiterRow] {
        let call = Self.load.with(holder, cursor?.policy ?? "", cursor?.subject ?? "", limit)
        return try await database.read { connection in
            try connection.query(call).map { row in
                LimiterRow(
                    policy: try row.text("policy"), subject: try row.text("subject"),
                    debtMicroseconds: try row.int64("debt"))
            }
        }
    }

    /// Everybody who holds debts that are not over, by name.
    package func limiterHolders() async throws -> [String] {
        try await database.read { try $0.query(Self.holders.with()).map { try $0.text("holder") } }
    }

    /// Removes what is over.
    package func removePaidLimiterDebts() async throws {
        try await database.read { _ = try $0.query(Self.tidy.with()) }
    }

    /// In the order of the keys, so that two nodes that save at once never wait for each other in a circle.
    private static let save = Statement(
        "save_limiter_debts",
        """
        insert into limiter_debt (policy, subject, holder, ends_at)
        select policy, subject, $1, now() + max(debt) * interval '1 microsecond'
        from unnest($2::text[], $3::text[], $4::bigint[]) as owed(policy, subject, debt)
        group by policy, subject order by policy, subject
        on conflict (policy, subject) do update
            set holder = excluded.holder, ends_at = greatest(limiter_debt.ends_at, excluded.ends_at)
        """)
    /// No policy has an empty name, so the empty cursor stands before all of them.
    private static let load = Statement(
        "load_limiter_debts",
        """
        select policy, subject, ceil(extract(epoch from ends_at - now()) * 1000000)::bigint as debt
        from limiter_debt
        where holder = $1 and ends_at > now() and (policy, subject) > ($2, $3)
        order by policy, subject limit $4
        """)
    private static let holders = Statement(
        "limiter_holders", "select distinct holder from limiter_debt where ends_at > now() order by holder")
    private static let tidy = Statement("tidy_limiter_debts", "delete from limiter_debt where ends_at <= now()")
}
