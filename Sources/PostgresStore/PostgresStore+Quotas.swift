import ClipModel
package import Store

/// Plans, and minutes of video.
extension PostgresStore {
    package func usage(of tenant: String, minutesMax: Int?) async throws -> ClientUsage {
        try await database.read { connection in
            guard let now = try connection.query(Self.now.with()).first?.time("now") else {
                throw PostgresFailure(.corrupt, "the time of day answered nothing")
            }
            return try UsageTable.usage(of: tenant, in: CalendarMonth(of: now), minutesMax, on: &connection)
        }
    }

    package func plans() async throws -> [Plan] {
        try await database.read { try $0.query(UsageTable.plans.with()).map(UsageTable.plan(_:)) }
    }

    package func setPlan(_ plan: Plan) async throws -> Bool {
        try await database.write { connection, _ in
            let set = UsageTable.setPlan.with(plan.name, plan.minutesMax, StoreLimits.plansMax)
            return try connection.query(set).isEmpty ? .rollBack(false) : .commit(true)
        }
    }

    package func removePlan(_ name: String) async throws -> PlanRemoval {
        try await database.write { connection, _ in
            // Whoever gives it to a client at this moment waits for us, or we for it.
            guard let row = try connection.query(UsageTable.lockPlan.with(name)).first else {
                return .rollBack(.noSuchPlan)
            }
            let plan = try UsageTable.plan(row)
            let users = try connection.query(UsageTable.clientsOfPlan.with(name)).first?.int("count") ?? 0
            guard users == 0 else { return .rollBack(.inUse(clients: users)) }
            connection.enqueue(UsageTable.removePlan.with(name))
            return .commit(.removed(plan))
        }
    }
}

/// What clients have used. Lock order: after the rows of clients; among each other by client and month.
enum UsageTable {
    private static let allowed = """
        coalesce(tenant.minutes_max, case when tenant.plan is null then $3::integer else plan.minutes_max end)
            as minutes_max
        """
    private static let usage = Statement(
        "usage_of_tenant",
        """
        select coalesce(tenant_usage.seconds, 0) as seconds, \(allowed)
        from (select $1::text as id) as asked left join tenant on tenant.id = asked.id
            left join plan on plan.name = tenant.plan
            left join tenant_usage on tenant_usage.tenant = asked.id and tenant_usage.month = $2::date
        """)
    /// Answers with what was used before: a refusal rolls the charge back. Rounded to microseconds, for a sum that is
    /// taken back is off in the last place, and who has used exactly what is allowed is refused. In a statement of its
    /// own after the client's row is locked, so that it sees what another job was charged.
    private static let charge = Statement(
        "charge_usage",
        """
        with charged as (
            insert into tenant_usage (tenant, month, seconds) values ($1, $2::date, $4::float8)
            on conflict (tenant, month) do update set seconds = tenant_usage.seconds + excluded.seconds
            returning round((seconds - $4::float8)::numeric, 6)::float8 as seconds
        )
        select charged.seconds, \(allowed)
        from charged left join tenant on tenant.id = $1 left join plan on plan.name = tenant.plan
        """)
    /// A job that was never charged (`m0018_mixed_releases`) corrects nothing. Sums of fractions may be off by a little
    /// in the last place, but never below zero.
    private static let correct = Statement(
        "correct_usage",
        """
        update tenant_usage set seconds = greatest(0, seconds + $3::float8) where tenant = $1 and month = $2::date
            and exists (select from job where id = $4 and is_charged)
        """)
    static let plans = Statement(
        "plans", "select name, minutes_max from plan order by name limit \(StoreLimits.pageRowsMax)")
    static let setPlan = Statement(
        unprepared: """
            insert into plan (name, minutes_max) select $1, $2::integer
            where exists (select from plan where name = $1) or (select count(*) from plan) < $3::integer
            on conflict (name) do update set minutes_max = excluded.minutes_max, updated_at = now()
            returning name
            """)
    static let keepPlan = Statement(unprepared: "select name from plan where name = $1 for key share")
    static let lockPlan = Statement(unprepared: "select name, minutes_max from plan where name = $1 for update")
    static let clientsOfPlan = Statement(unprepared: "select count(*) as count from tenant where plan = $1")
    static let removePlan = Statement(unprepared: "delete from plan where name = $1")
    static let forget = Statement(
        unprepared: "delete from tenant_usage where month < now() - \(StoreLimits.usageDays) * interval '1 day'")

    static func usage(
        of tenant: String, in month: CalendarMonth, _ minutesMax: Int?, on connection: inout PostgresConnection
    ) throws -> ClientUsage {
        try read(connection.query(usage.with(tenant, date(month), minutesMax)), month)
    }

    static func charge(_ seconds: Double, to tenant: String, in month: CalendarMonth, _ minutesMax: Int?) -> Call {
        charge.with(tenant, date(month), minutesMax, seconds)
    }

    /// What a charge, or a look, answered.
    static func read(_ rows: Rows, _ month: CalendarMonth) throws -> ClientUsage {
        guard let row = rows.first else { throw PostgresFailure(.corrupt, "a client's usage answered nothing") }
        return ClientUsage(
            month: month, seconds: try row.double("seconds"),
            minutesMax: try row.readIfPresent("minutes_max") { Int($0) })
    }

    static func correct(_ seconds: Double, by job: Job) -> Call {
        correct.with(job.tenant, date(CalendarMonth(of: job.createdAt)), seconds, job.id)
    }

    static func plan(_ row: Row) throws -> Plan {
        Plan(name: try row.text("name"), minutesMax: try row.readIfPresent("minutes_max") { Int($0) })
    }

    private static func date(_ month: CalendarMonth) -> String { "\(month)-01" }
}
