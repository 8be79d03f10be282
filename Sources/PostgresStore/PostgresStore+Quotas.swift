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

/// What clients have used: a sum for each month, and what came to it since (`m0021_usage_entries`). Whoever charges or
/// corrects adds an entry and waits for nobody.
enum UsageTable {
    private static let allowed = """
        select coalesce(tenant.minutes_max, case when tenant.plan is null then $3::integer else plan.minutes_max end)
            as minutes_max
        from (select $1::text as id) as asked left join tenant on tenant.id = asked.id
            left join plan on plan.name = tenant.plan
        """
    private static let used = """
        (coalesce((select seconds from tenant_usage where tenant = $1 and month = $2::date), 0)
            + coalesce((select sum(seconds) from usage_entry where tenant = $1 and month = $2::date), 0))
        """
    private static let usage = Statement(
        "usage_of_tenant", "select minutes_max, \(used) as seconds from (\(allowed)) as allowed")
    /// Answers with what was used before, as a statement does not see what it adds: a refusal rolls the charge back.
    /// In a statement of its own after the client's row is locked, so that it sees what another job was charged. Where
    /// nothing is limited nothing is added up, and zero is the answer.
    private static let charge = Statement(
        "charge_usage",
        """
        with charged as (insert into usage_entry (tenant, month, seconds) values ($1, $2::date, $4::float8))
        select minutes_max, case when minutes_max is null then 0 else \(used) end as seconds
        from (\(allowed)) as allowed
        """)
    /// A job that was never charged (`m0018_mixed_releases`) corrects nothing.
    private static let correct = Statement(
        "correct_usage",
        """
        insert into usage_entry (tenant, month, seconds) select $1, $2::date, $3::float8
        where exists (select from job where id = $4 and is_charged)
        """)
    static let isAnyEntry = "exists (select from usage_entry)"
    /// Several nodes at one time take different entries, and lock what they add to in one order.
    static let addUp = Statement(
        "add_up_usage",
        """
        with taken as (
            delete from usage_entry where id in (select id from usage_entry order by id limit $1 for update skip locked)
            returning tenant, month, seconds
        ), added as (
            insert into tenant_usage (tenant, month, seconds)
            select tenant, month, sum(seconds) from taken group by tenant, month order by tenant, month
            on conflict (tenant, month) do update set seconds = tenant_usage.seconds + excluded.seconds
        )
        select count(*) as taken from taken
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

    /// Adds to what that client used, and looks at what it was.
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
