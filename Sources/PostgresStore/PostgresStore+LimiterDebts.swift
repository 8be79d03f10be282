/// What a subject owes under a rate limit, as the limiter's snapshots keep it.
package struct LimiterDebtRow: Hashable, Sendable {
    package let policy: String
    package let subject: String
    /// From this moment until the bucket is full again. Counted down on the database's clock while it is kept here.
    package let nanoseconds: Int64

    package init(policy: String, subject: String, nanoseconds: Int64) {
        self.policy = policy
        self.subject = subject
        self.nanoseconds = nanoseconds
    }
}

extension PostgresStore {
    /// Keeps these debts in the name of `holder`. Saving again is harmless, and never lowers what is kept.
    package func saveLimiterDebts(_ debts: [LimiterDebtRow], holder: String) async throws {
        guard !debts.isEmpty else { return }
        let save = Self.saveDebts.with(
            holder, debts.map(\.policy), debts.map(\.subject),
            // Rounded up: who is told later may refuse a microsecond longer, never shorter.
            debts.map { $0.nanoseconds / 1000 + 1 })
        _ = try await database.read { try $0.query(save) }
    }

    /// Debts that `holder` saved last and that are not over, in the order of policy and subject, those after the given
    /// one.
    package func limiterDebts(
        holder: String, after: (policy: String, subject: String)?, limit: Int
    ) async throws -> [LimiterDebtRow] {
        let load = Self.loadDebts.with(holder, after?.policy ?? "", after?.subject ?? "", limit)
        return try await database.read { connection in
            try connection.query(load).map { row in
                LimiterDebtRow(
                    policy: try row.text("policy"), subject: try row.text("subject"),
                    nanoseconds: try row.int64("microseconds").multipliedReportingOverflow(by: 1000).partialValue)
            }
        }
    }

    /// Everybody who holds debts that are not over, in order.
    package func limiterDebtHolders() async throws -> [String] {
        try await database.read { try $0.query(Self.debtHolders.with()).map { try $0.text("holder") } }
    }

    /// Removes debts that are over, so many at a time: nobody reads them.
    package func tidyLimiterDebts(limit: Int = 10_000) async throws {
        _ = try await database.read { try $0.query(Self.tidyDebts.with(limit)) }
    }

    /// In the order of the key, so that two nodes that save the same rows do not wait for each other.
    private static let saveDebts = Statement(
        "save_limiter_debts",
        """
        insert into limiter_debt (policy, subject, holder, ends_at)
        select policy, subject, $1, clock_timestamp() + microseconds * interval '1 microsecond'
        from unnest($2::text[], $3::text[], $4::bigint[]) as given (policy, subject, microseconds)
        order by policy collate "C", subject collate "C"
        on conflict (policy, subject) do update
        set holder = excluded.holder, ends_at = greatest(limiter_debt.ends_at, excluded.ends_at)
        """)
    private static let loadDebts = Statement(
        "load_limiter_debts",
        """
        select policy, subject,
            ceil(extract(epoch from ends_at - clock_timestamp()) * 1000000)::bigint as microseconds
        from limiter_debt
        where holder = $1 and (policy, subject) > ($2, $3) and ends_at > clock_timestamp()
        order by policy, subject limit $4
        """)
    private static let debtHolders = Statement(
        "limiter_debt_holders",
        "select distinct holder from limiter_debt where ends_at > clock_timestamp() order by holder")
    private static let tidyDebts = Statement(
        "tidy_limiter_debts",
        """
        delete from limiter_debt where (policy, subject) in (
            select policy, subject from limiter_debt where ends_at <= now() limit $1 for update skip locked)
        """)
}
