import ClipModel
import Store

/// Clients: their terms, and how far they have queued behind themselves (`FairShare`).
///
/// A row is written when its client submits, and when a job of it turns out to cost more or less than was guessed. Lock
/// order: after idempotency, before job, with one exception: a report that holds its job's lock corrects the client.
/// That cannot close a circle, because whoever holds a client's lock waits for no row of a job that exists.
enum TenantTable {
    /// Read without a lock: a moment's error in virtual time is a moment's unfairness. `floor` keeps it from walking
    /// over what has ended (`ClaimFloor`).
    private static func virtual(from floor: String) -> String {
        """
        coalesce(
            (select min(tag) from (\(lowest(.interactive, floor)) union all \(lowest(.batch, floor))) as lowest),
            (select \(startTag) from job where \(open) and rank >= \(floor) and \(has("'ready'"))
                order by rank limit 1),
            (select max(greatest(finish, finish_batch)) from tenant), 0)
        """
    }
    private static let startTag = "rank - case when priority = 'batch' then \(FairShare.batchHandicap) else 0 end"
    private static let open = "status in ('pending', 'processing') and not held"
    private static func has(_ states: String) -> String {
        "exists (select from stage where stage.job = job.id and stage.state in (\(states)))"
    }
    /// Of what runs. Each priority has its part of an index.
    private static func lowest(_ priority: Job.Priority, _ floor: String) -> String {
        """
        (select \(startTag) as tag from job
            where status = 'processing' and priority = '\(priority.rawValue)' and rank >= \(floor)
                and \(has("'running'"))
            order by rank limit 1)
        """
    }
    /// The start tag of a new job that costs `$2`, batch if `$3`, and the client's limit; `$4` is the floor.
    static let takeRank = Statement(
        "take_rank",
        """
        with moment as (select \(virtual(from: "$4::float8")) as virtual)
        insert into tenant (id, finish, finish_batch)
        select $1, virtual + case when $3 then 0 else $2::float8 end,
            virtual + case when $3 then $2::float8 else 0 end
        from moment
        on conflict (id) do update set
            finish = case when $3 then tenant.finish
                else greatest(tenant.finish, (select virtual from moment)) + $2::float8 / tenant.weight end,
            finish_batch = case when not $3 then tenant.finish_batch
                else greatest(tenant.finish_batch, (select virtual from moment)) + $2::float8 / tenant.weight end
        returning jobs_max,
            case when $3 then finish_batch + \(FairShare.batchHandicap) else finish end - $2::float8 / weight as rank
        """)
    /// Asked after the client's row is locked, in a statement of its own, so that it sees what others took in
    /// meanwhile.
    static let crowd = Statement(
        "jobs_of_tenant",
        """
        select count(*) filter (where not held) as under_way, count(*) filter (where held) as held from job
        where tenant = $1 and status in ('pending', 'processing')
        """)
    static let correct = Statement(
        "correct_tenant",
        """
        update tenant set
            finish = finish + case when $3 then 0 else $2::float8 / weight end,
            finish_batch = finish_batch + case when $3 then $2::float8 / weight else 0 end
        where id = $1
        """)
    /// Without terms of its own.
    private static let ordinary =
        "tenant.weight = 1 and tenant.jobs_max is null and tenant.plan is null and tenant.minutes_max is null"
    static let setTerms = Statement(
        "set_terms",
        """
        insert into tenant (id, finish, weight, jobs_max, plan, minutes_max)
        select $1, \(virtual(from: "'-infinity'")), $2, $3, $4, $5
        on conflict (id) do update set weight = excluded.weight, jobs_max = excluded.jobs_max, plan = excluded.plan,
            minutes_max = excluded.minutes_max
        """)
    static let shares = Statement(
        "shares",
        """
        with open as (
            select tenant as id, count(*) filter (where not held) as under_way, count(*) filter (where held) as held
            from job where status in ('pending', 'processing') group by tenant
        ), used as (
            select tenant, greatest(0, sum(seconds)) as seconds from (
                select tenant, month, seconds from tenant_usage union all select tenant, month, seconds from usage_entry
            ) as parts
            where month = date_trunc('month', now() at time zone 'UTC')::date group by tenant
        ), names as (
            select id from open union select id from tenant where not (\(ordinary)) union select tenant from used
        ), moment as (select \(virtual(from: "'-infinity'")) as virtual)
        select names.id, coalesce(tenant.weight, 1) as weight, tenant.jobs_max,
            coalesce(open.under_way, 0) as under_way, coalesce(open.held, 0) as held,
            greatest(0, coalesce(tenant.finish, virtual) - virtual) as ahead_seconds,
            tenant.plan, plan.minutes_max as plan_minutes_max, tenant.minutes_max,
            coalesce(used.seconds, 0) as used_seconds
        from moment, names left join tenant using (id) left join open using (id)
            left join used on used.tenant = names.id left join plan on plan.name = tenant.plan
        where $1::text is null or names.id collate "C" > $1 order by names.id collate "C" limit $2
        """)
    /// Clients with held jobs and with room for one; `$1` is everybody's limit.
    private static let withRoom = """
        (select tenant as id from job where held group by tenant) as waiting left join tenant using (id)
        where coalesce(tenant.jobs_max, $1::integer) is null or coalesce(tenant.jobs_max, $1::integer) > (
            select count(*) from job
            where job.tenant = waiting.id and not held and status in ('pending', 'processing'))
        """
    /// They are locked so that nothing of theirs is taken in meanwhile.
    static let lockWaiting = Statement(
        "lock_waiting_tenants",
        """
        insert into tenant (id, finish) select id, 0 from \(withRoom) order by id collate "C"
        on conflict (id) do update set jobs_max = tenant.jobs_max
        returning id
        """)
    static let anyWithRoom = Statement("any_with_room", "select exists (select from \(withRoom)) as any_with_room")
    /// What comes in after a wait, or again after its end, has its turn with what is taken in now: with the rank of
    /// long ago it would pull virtual time back for as long as it runs, and everybody who comes meanwhile would pass
    /// those who wait. `rank` is the one that it had.
    private static let caughtUp = """
        greatest(job.rank, (select virtual from moment)
            + case when job.priority = 'batch' then \(FairShare.batchHandicap) else 0 end)
        """
    /// `$2` is the floor.
    static let catchUp = Statement(
        "catch_up",
        """
        with moment as (select \(virtual(from: "$2::float8")) as virtual)
        update job set rank = \(caughtUp) where id = $1
        """)
    /// `$3` is the floor.
    static let admit = Statement(
        "admit_held",
        """
        with moment as (select \(virtual(from: "$3::float8")) as virtual), room as (
            select tenant.id, coalesce(tenant.jobs_max, $2::integer) as most,
                (select count(*) from job where tenant = tenant.id and not held and status in ('pending', 'processing'))
                    as under_way
            from tenant where id = any($1::text[])
        ), chosen as (
            select next.id from room cross join lateral (
                select job.id from job where job.tenant = room.id and job.held
                order by job.rank, job.id
                limit case when most is null then \(StoreLimits.pageRowsMax) else greatest(0, most - under_way) end
                for no key update skip locked) as next
        )
        update job set held = false, rank = \(caughtUp) from chosen where job.id = chosen.id
        returning \(JobTables.jobColumns), ms_of(now()) as at
        """)
    /// A client whose last job's turn is over for everybody is as good as new: its row says nothing any more.
    static let forget = Statement(
        unprepared: """
            delete from tenant where \(ordinary)
                and not exists (select from job where job.tenant = tenant.id and job.held)
                and greatest(finish, finish_batch) < coalesce(
                    (select min(\(startTag)) from job where \(open) and \(has("'ready', 'running'"))),
                    (select max(greatest(finish, finish_batch)) from tenant))
            """)
}
