package import ClipModel
package import Store

/// Clients and their shares.
extension PostgresStore {
    package func clients(after tenant: String?, limit: Int) async throws -> [ClientShare] {
        let page = TenantTable.shares.with(tenant, min(max(0, limit), StoreLimits.pageRowsMax))
        return try await database.read { connection in
            try connection.query(page).map { row in
                ClientShare(
                    tenant: try row.text("id"),
                    terms: ClientTerms(
                        weight: try row.double("weight"), jobsMax: try row.readIfPresent("jobs_max") { Int($0) },
                        plan: try row.optional("plan"),
                        minutesMax: try row.readIfPresent("minutes_max") { Int($0) }),
                    underWay: try row.int("under_way"), held: try row.int("held"),
                    aheadSeconds: try row.double("ahead_seconds"),
                    plan: try row.optional("plan").map { name in
                        Plan(name: name, minutesMax: try row.readIfPresent("plan_minutes_max") { Int($0) })
                    },
                    usedSeconds: try row.double("used_seconds"))
            }
        }
    }

    package func setTerms(of tenant: String, to terms: ClientTerms) async throws -> TermsOutcome {
        let set = TenantTable.setTerms.with(tenant, terms.weight, terms.jobsMax, terms.plan, terms.minutesMax)
        return try await database.write { connection, _ in
            // Before the client's row is locked, and kept from being removed until we are done.
            if let plan = terms.plan, try connection.query(UsageTable.keepPlan.with(plan)).isEmpty {
                return .rollBack(.noSuchPlan)
            }
            connection.enqueue(set)
            return .commit(.set)
        }
    }

    package func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) async throws -> [HomedJob] {
        // Nearly always there are none, or they wait for their client's others, and nobody's row has to be locked to
        // know that.
        let anyWithRoom = TenantTable.anyWithRoom.with(jobsMax)
        let isNeeded = try await database.read { try $0.query(anyWithRoom).first?.bool("any_with_room") }
        guard isNeeded == true else { return [] }
        return try await database.write { [self] connection, _ in
            let tenants = try connection.query(TenantTable.lockWaiting.with(jobsMax)).map { try $0.text("id") }
            let floor = try claimFloor(on: &connection).rank
            let rows = try connection.query(TenantTable.admit.with(tenants, jobsMax, floor))
            guard !rows.isEmpty else { return .rollBack([]) }
            let opened = try rows.map { (job: try JobTables.job($0), at: try $0.time("at")) }
            JobTables.enqueueFirst(first, of: opened, on: &connection)
            let events = opened.flatMap { job, at in
                first.map { EventRow(.init(.stageOpened, stage: $0), job: job.id, at: at) }
            }
            EventTable.enqueue(events, on: &connection)
            let admitted = opened.map { HomedJob(id: $0.job.id, region: $0.job.region) }
            EventTable.announce(Set(admitted.map { .job($0.id) }).union([.work]), on: &connection)
            return .commit(admitted)
        }
    }
}
