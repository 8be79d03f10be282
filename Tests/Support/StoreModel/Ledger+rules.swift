import ClipModel
import Store

/// The rules of the contract, one transaction at a time.
extension Ledger.State {
    /// Tries at a stage whose failure is worth another one; as `Schedule` has it by default.
    private static let attemptsMax = 4

    mutating func note(_ deed: Deed, at now: Duration) {
        switch deed {
        case .registered(let life, let draft):
            if let last = lastLife[life.id], life.epoch <= last {
                fault("life \(life.epoch) of \(life.id) after \(last)")
            }
            lastLife[life.id] = life.epoch
            lives[life.epoch] = Ledger.Life(
                id: life.id, epoch: life.epoch, memberEpoch: draft.memberEpoch, leaseSeconds: draft.leaseSeconds,
                renewals: [now])
            reported[life.id] = []
        case .beat(let life, let running, .renewed):
            lives[life.epoch]?.renewals.append(now)
            reported[life.id] = Set(running.map { Ledger.LeaseID(job: $0.job, key: $0.key, epoch: $0.epoch) })
        case .left(let life): lives[life.epoch]?.hasEnded = true
        case .claimed(let leases, let life):
            if lastLife[life.id] != life.epoch { fault("a former life of \(life.id) claimed") }
            for lease in leases {
                let id = Ledger.LeaseID(job: lease.job, key: lease.key, epoch: lease.epoch)
                if leases.filter({ ($0.job, $0.key) == (lease.job, lease.key) }).count > 1 || self.leases[id] != nil {
                    fault("\(lease.key) of \(lease.job) was given twice under epoch \(lease.epoch)")
                }
                self.leases[id] = Ledger.Lease(
                    job: lease.job, key: lease.key, epoch: lease.epoch, node: lease.node, nodeEpoch: lease.nodeEpoch,
                    grantedAt: now)
            }
        default: break
        }
    }

    /// After the comparison: what has to be known of the deed from now on.
    mutating func close(_ deed: Deed) {
        guard case .completed(let lease, let outcome, .published) = deed else { return }
        taken[Ledger.LeaseID(job: lease.job, key: lease.key, epoch: lease.epoch)] = outcome.tag
    }

    mutating func compare(_ id: JobID, _ job: Job?, _ stages: [Stage], _ deed: Deed, at now: Duration) {
        let before = self.stages[id] ?? [:]
        let after = Dictionary(stages.map { ($0.key, $0) }) { first, _ in first }
        if let problem = Self.jobProblem(jobs[id], job, deed) { fault("\(id): \(problem), by \(deed.line)") }
        if job?.status == .ready, stages.contains(where: { !$0.state.hasEnded }) {
            fault("\(id) is ready and stages of it are open")
        }
        for key in Set(before.keys).union(after.keys).sorted() {
            let (old, new) = (before[key], after[key])
            if old?.state == .running, new?.state != .running || new?.epoch != old?.epoch, let old {
                end(old, deed, at: now)
            }
            guard old != new, job != nil else { continue }
            if let problem = stageProblem(old, new, job, deed, at: now) {
                fault("\(key) of \(id): \(problem), by \(deed.line)")
            }
        }
        if case .completed(let lease, let outcome, let answer) = deed { judge(answer, lease, outcome, before) }
        self.stages[id] = job == nil ? nil : after
        jobs[id] = job
    }

    private mutating func fault(_ text: String) { violations.append(text) }

    private mutating func end(_ stage: Stage, _ deed: Deed, at now: Duration) {
        let id = Ledger.LeaseID(job: stage.job, key: stage.key, epoch: stage.epoch)
        leases[id]?.endedAt = now
        leases[id]?.ending =
            switch deed {
            case .completed(let lease, _, _) where lease.key == stage.key && lease.epoch == stage.epoch: .reported
            case .freedExpired: .expired
            case .registered: .replaced
            case .left: .left
            case .freedDead: .seenDead
            default: .ordered
            }
    }

    // MARK: Jobs

    private static func jobProblem(_ before: Job?, _ after: Job?, _ deed: Deed) -> String? {
        guard let before else {
            // It was deleted before, or never was.
            guard after != nil else { return nil }
            if case .submitted = deed {
                return after?.status == .pending ? nil : "it began as \(String(describing: after))"
            }
            return "it came from nowhere"
        }
        guard let after else {
            if case .deleted = deed { return nil }
            return "it is gone"
        }
        guard before.status != after.status else { return nil }
        let isAllowed =
            switch (before.status, after.status, deed) {
            case (.pending, .processing, .claimed), (.processing, .ready, .completed),
                (.processing, .error, .completed):
                true
            case (.pending, .cancelled, .cancelled), (.processing, .cancelled, .cancelled): true
            case (.error, .processing, .retried), (.error, .processing, .requeued): true
            default: false
            }
        return isAllowed ? nil : "from \(before.status) to \(after.status)"
    }

    // MARK: Stages

    /// What is wrong with a stage that has changed.
    private func stageProblem(_ before: Stage?, _ after: Stage?, _ job: Job?, _ deed: Deed, at now: Duration) -> String?
    {
        guard let after else { return "it is gone" }
        guard let before else {
            switch deed {
            case .submitted, .admitted, .completed:
                return after.state == .ready && after.epoch == 0 && after.attempts == 0
                    ? nil : "it was born \(after.state)"
            default: return "it came from nowhere"
            }
        }
        if after.epoch < before.epoch { return "its epoch fell from \(before.epoch) to \(after.epoch)" }
        if after.epoch != before.epoch, !(before.state == .ready && after.state == .running) {
            return "its epoch rose from \(before.epoch) without a claim"
        }
        return move(before, after, job, deed, at: now) ?? crashProblem(before, after, deed)
    }

    private func crashProblem(_ before: Stage, _ after: Stage, _ deed: Deed) -> String? {
        let counted = after.crashes - before.crashes
        switch (before.state, after.state, deed) {
        case (.running, .ready, .freedExpired), (.running, .ready, .freedDead), (.running, .ready, .registered):
            return counted == 1 ? nil : "a death counted \(counted) crashes"
        case (_, .ready, .requeued), (_, .ready, .retried):
            return after.crashes == 0 ? nil : "a retry by hand left \(after.crashes) crashes"
        default: return counted == 0 ? nil : "\(counted) crashes were counted without a death"
        }
    }

    private func move(_ before: Stage, _ after: Stage, _ job: Job?, _ deed: Deed, at now: Duration) -> String? {
        let counted = after.attempts - before.attempts
        switch (before.state, after.state, deed) {
        case (.ready, .running, .claimed(let leases, let life)):
            guard
                leases.contains(where: {
                    $0.key == after.key && $0.epoch == after.epoch && $0.attempts == after.attempts
                })
            else { return "claimed without a lease" }
            if after.epoch != before.epoch + 1 { return "claimed with epoch \(after.epoch) after \(before.epoch)" }
            if after.holder != life.id { return "held by another than its claimer" }
            return counted == 1 ? nil : "a claim counted \(counted) attempts"
        case (.running, _, .completed(let lease, let outcome, let answer)) where lease.key == before.key:
            guard answer != .stale else { return "a stale report had an effect" }
            guard isOf(before, lease) else {
                return "a report under epoch \(lease.epoch) changed epoch \(before.epoch)"
            }
            return ending(before, after, job, outcome)
        case (.running, .cancelled, .completed), (.running, .cancelled, .cancelled):
            return counted == -1 ? nil : "being cancelled counted \(counted) attempts"
        case (.ready, .cancelled, .completed), (.ready, .cancelled, .cancelled):
            return counted == 0 ? nil : "being cancelled while ready counted \(counted) attempts"
        case (.running, .ready, .freedExpired):
            if let problem = notLost(before, at: now) { return problem }
            return counted == 0 ? nil : "being freed counted \(counted) attempts"
        case (.running, .ready, .freedDead(let node)):
            return before.holder == node && counted == 0 ? nil : "it was another's"
        case (.running, .ready, .registered(let life, _)):
            return before.holder == life.id && counted == 0 ? nil : "it was another's"
        case (.running, .ready, .left(let life)):
            return before.holder == life.id && counted == -1 ? nil : "a goodbye counted \(counted) attempts"
        case (_, .ready, .requeued(_, let key)) where before.state != .done:
            guard after.attempts == 0 else { return "a requeue left \(after.attempts) attempts" }
            return key == before.key || before.state == .cancelled ? nil : "it was not meant"
        case (.failed, .ready, .retried), (.cancelled, .ready, .retried):
            return after.attempts == 0 ? nil : "a retry left \(after.attempts) attempts"
        default: return "from \(before.state) to \(after.state)"
        }
    }

    private func isOf(_ stage: Stage, _ lease: StageLease) -> Bool {
        let latest = leases[Ledger.LeaseID(job: stage.job, key: stage.key, epoch: stage.epoch)]
        return stage.epoch == lease.epoch && stage.holder == lease.node && latest?.nodeEpoch == lease.nodeEpoch
    }

    private func ending(_ before: Stage, _ after: Stage, _ job: Job?, _ outcome: StageOutcome) -> String? {
        let counted = after.attempts - before.attempts
        switch (outcome, after.state) {
        case (.produced, .done), (.reused, .done): return counted == 0 ? nil : "success counted \(counted) attempts"
        // The result was deleted meanwhile.
        case (.reused, .ready), (.released, .ready):
            return counted == -1 ? nil : "giving back counted \(counted) attempts"
        case (.failed(let failure), .ready):
            if failure.class == .poison { return "poison is tried again" }
            if before.attempts - before.crashes >= Self.attemptsMax { return "it is tried a time too often" }
            return counted == 0 ? nil : "a failure counted \(counted) attempts"
        case (.failed(let failure), .failed):
            let isFinal =
                failure.class == .poison || before.attempts - before.crashes >= Self.attemptsMax
                || job?.status.hasEnded == true
            return isFinal ? nil : "it was given up after \(before.attempts) attempts, \(before.crashes) crashes"
        default: return "\(outcome.tag) made it \(after.state)"
        }
    }

    /// Why a running stage may not be taken from its holder as expired; nil when it may.
    private func notLost(_ stage: Stage, at now: Duration) -> String? {
        let id = Ledger.LeaseID(job: stage.job, key: stage.key, epoch: stage.epoch)
        guard let lease = leases[id], let life = lives[lease.nodeEpoch], let heard = life.renewals.last else {
            return nil
        }
        // The store's clock has milliseconds.
        let length = Duration.seconds(life.leaseSeconds) - .milliseconds(2)
        if lastLife[lease.node] != lease.nodeEpoch || life.hasEnded || heard + length <= now { return nil }
        if reported[lease.node]?.contains(id) != true, lease.grantedAt + length <= heard { return nil }
        return "it was taken from \(lease.node), whose lease stands"
    }

    /// Whether a report was answered as its lease deserves.
    private mutating func judge(
        _ answer: CompleteOutcome, _ lease: StageLease, _ outcome: StageOutcome, _ before: [StageKey: Stage]
    ) {
        let stage = before[lease.key]
        let wasHeld = stage.map { $0.state == .running && isOf($0, lease) } ?? false
        let id = Ledger.LeaseID(job: lease.job, key: lease.key, epoch: lease.epoch)
        switch answer {
        case .stale where wasHeld: fault("the latest lease of \(lease.key) of \(lease.job) was called stale")
        case .published where !wasHeld && taken[id] != outcome.tag:
            fault("\(lease.key) of \(lease.job) took a report under epoch \(lease.epoch), which was not the latest")
        default: break
        }
    }
}
