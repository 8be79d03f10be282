package import ClipModel

/// Clients and their shares.
extension InMemoryStore {
    package func clients(after tenant: String?, limit: Int) -> [ClientShare] {
        let open = entries.values.map(\.job).filter { !$0.status.hasEnded }
        let month = CalendarMonth(of: clock())
        let names = Set(open.map(\.tenant)).union(tenants.filter { $0.value.terms != ClientTerms() }.keys)
            .union(usedSeconds.keys.filter { $0.month == month }.map(\.tenant))
        let page = names.filter { name in tenant.map { name > $0 } ?? true }.sorted()
            .prefix(min(max(0, limit), StoreLimits.pageRowsMax))
        let virtual = virtualTime
        return page.map { name in
            let own = open.filter { $0.tenant == name }
            let terms = tenants[name]?.terms ?? ClientTerms()
            return ClientShare(
                tenant: name, terms: terms, underWay: own.count { !$0.isHeld },
                held: own.count { $0.isHeld },
                aheadSeconds: max(0, (tenants[name]?.finish[.interactive] ?? virtual) - virtual),
                plan: terms.plan.flatMap { planBook[$0] },
                usedSeconds: usedSeconds[UsageKey(tenant: name, month: month)] ?? 0)
        }
    }

    @discardableResult
    package func setTerms(of tenant: String, to terms: ClientTerms) -> TermsOutcome {
        if let plan = terms.plan, planBook[plan] == nil { return .noSuchPlan }
        tenants[tenant, default: Tenant()].terms = terms
        return .set
    }

    package func admitHeldJobs(opening first: [StageKey], jobsMax: Int?) throws -> [HomedJob] {
        var admitted: [HomedJob] = []
        let virtual = virtualTime
        let held = entries.values.filter { $0.job.isHeld && $0.job.status == .pending }
        for (tenant, waiting) in Dictionary(grouping: held, by: \.job.tenant).sorted(by: { $0.key < $1.key }) {
            let places = (tenants[tenant]?.terms.jobsMax ?? jobsMax).map { max(0, $0 - underWay(tenant)) } ?? .max
            let inOrder = waiting.sorted { ($0.rank, $0.job.id) < ($1.rank, $1.job.id) }
            for entry in inOrder.prefix(min(places, StoreLimits.pageRowsMax)) {
                guard var record = record(of: entry.job.id), record.admit(opening: first) else { continue }
                catchUp(record.job, with: virtual)
                write(record)
                admitted.append(HomedJob(id: entry.job.id, region: entry.job.region))
            }
        }
        return admitted
    }

    /// What comes in after a wait, or again after its end, has its turn with what is taken in now: with the rank of
    /// long ago it would pull virtual time back, and everybody who comes meanwhile would pass those who wait.
    private func catchUp(_ job: Job, with virtual: Double) {
        let handicap = job.priority == .batch ? FairShare.batchHandicap : 0
        guard let rank = entries[job.id]?.rank else { return }
        entries[job.id]?.rank = max(rank, virtual + handicap)
    }

    /// A job that had ended goes on, if it does now.
    func catchUp(_ job: Job) {
        guard let before = entries[job.id]?.job, before.status.hasEnded, !job.status.hasEnded else { return }
        catchUp(job, with: virtualTime)
    }

    private func underWay(_ tenant: String) -> Int {
        entries.values.count { $0.job.tenant == tenant && !$0.job.status.hasEnded && !$0.job.isHeld }
    }

    /// Whether a job that comes now has to wait.
    func holds(_ draft: JobDraft) -> Bool {
        guard let jobsMax = tenants[draft.tenant]?.terms.jobsMax ?? draft.jobsMax else { return false }
        return underWay(draft.tenant) >= jobsMax
            || entries.values.contains { $0.job.tenant == draft.tenant && $0.job.isHeld }
    }

    private var virtualTime: Double {
        func entries(_ state: Stage.State) -> [Entry] {
            self.entries.values.filter { $0.stages.values.contains { $0.stage.state == state } }
        }
        return FairShare.virtualTime(
            running: entries(.running).map(\.startTag).min(),
            ready: entries(.ready).min { $0.rank < $1.rank }?.startTag, finish: tenants.values.map(\.latest).max())
    }

    func takeRank(_ name: String, _ priority: Job.Priority, _ cost: Double) -> Double {
        let virtual = virtualTime
        var tenant = tenants[name] ?? Tenant()
        let start = max(virtual, tenant.finish[priority] ?? virtual)
        tenant.finish[priority] = start + cost / tenant.terms.weight
        tenants[name] = tenant
        return start + (priority == .batch ? FairShare.batchHandicap : 0)
    }

    /// Lets a client pay what its job turned out to cost.
    func correct(_ record: JobRecord) {
        guard let correction = record.costCorrection, let tenant = tenants[record.job.tenant],
            let finish = tenant.finish[record.job.priority]
        else { return }
        tenants[record.job.tenant]?.finish[record.job.priority] = finish + correction / tenant.terms.weight
    }

    /// Forgets clients whose turn is over for everybody: they are as good as new.
    func forgetTenants() {
        let open = entries.values.filter { entry in
            entry.stages.values.contains { $0.stage.state == .ready || $0.stage.state == .running }
        }
        guard let oldest = open.map(\.startTag).min() ?? tenants.values.map(\.latest).max() else { return }
        let waiting = Set(entries.values.filter { $0.job.isHeld }.map(\.job.tenant))
        tenants = tenants.filter { name, tenant in
            tenant.latest >= oldest || tenant.terms != ClientTerms() || waiting.contains(name)
        }
    }
}
