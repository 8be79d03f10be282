package import ClipModel

/// Attempts and the nodes that make them.
extension InMemoryStore {
    package func claim(_ terms: ClaimTerms, for life: NodeLife) -> [StageLease] {
        let now = clock()
        guard let node = knownNodes[life.id], node.epoch == life.epoch, node.isAlive(at: now),
            node.schedulability == .schedulable
        else { return [] }
        let familiar = Set(terms.familiar.prefix(StoreLimits.familiarMax))
        let lowest = entries.values.filter { !$0.job.status.hasEnded && !$0.job.isHeld }.map(\.rank).min() ?? 0
        let takers = knownNodes.values.filter { $0.isAlive(at: now) && $0.schedulability == .schedulable }
        let homes = Set(takers.map(\.draft.region))
        /// Whether it is for others, and they have not had their time yet.
        func isTooEarly(_ stage: Stage, of region: Region) -> Bool {
            region != life.region && homes.contains(region) && stage.crashes == 0
                && stage.notBefore.advanced(bySeconds: min(terms.awaySeconds, terms.homeSeconds)) > now
        }
        let open = entries.values.filter { terms.includesBatch || $0.job.priority != .batch }.flatMap { entry in
            let isFamiliar = familiar.contains(entry.job.id) && entry.rank <= lowest + StoreLimits.familiarSeconds
            let claimable = entry.stages.values.filter { record in
                record.isOpen(to: life.id, at: now) && !isTooEarly(record.stage, of: entry.job.region)
            }
            return claimable.map { record in
                let ripe = record.stage.notBefore.advanced(bySeconds: terms.awaySeconds) <= now
                let isOthers = entry.job.region != life.region && !ripe
                return (isOthers: isOthers, isNew: isOthers || !isFamiliar, rank: entry.rank, stage: record.stage)
            }
        }
        let inOrder = open.sorted { left, right in
            if left.isOthers != right.isOthers { return right.isOthers }
            if left.isNew != right.isNew { return right.isNew }
            return (left.rank, left.stage.job, left.stage.key) < (right.rank, right.stage.job, right.stage.key)
        }
        var leases: [StageLease] = []
        for (_, _, _, stage) in inOrder.prefix(min(max(0, terms.limit), StoreLimits.claimMax)) {
            guard var record = record(of: stage.job), var claimed = record.stages[stage.key] else { continue }
            record.start()
            leases.append(claimed.claim(by: life, at: now))
            write(record)
            entries[stage.job]?.stages[stage.key] = claimed
            log(.stageStarted, stage, node: life.id, at: now)
        }
        return leases
    }

    package func complete(
        _ lease: StageLease, with outcome: StageOutcome, effort: Effort?, advance: Advance
    ) throws -> CompleteOutcome {
        if case .produced(let result) = outcome { try result.checkLength() }
        guard var record = record(of: lease.job) else { return .stale }
        switch record.standing(of: lease, reporting: outcome) {
        case .stale: return .stale
        case .settled: return .published(orphans: record.orphans(of: outcome, at: lease.key))
        case .held: break
        }
        try record.settle(lease, as: ending(of: outcome), tag: outcome.tag, effort: effort, advance: advance)
        if case .produced(let result) = outcome, record.stages[lease.key]?.stage.result?.id == result.id {
            results[result.id] = result
            if let key = result.cacheKey { cached[key] = result.id }
        }
        write(record)
        return .published(orphans: record.orphans(of: outcome, at: lease.key))
    }

    private func ending(of outcome: StageOutcome) -> JobRecord.Ending {
        switch outcome {
        case .produced(let result):
            guard let earlier = result.cacheKey.flatMap({ cached[$0] }).flatMap({ results[$0] }) else {
                return .result(result, reused: false)
            }
            return .result(earlier, reused: earlier.id != result.id)
        case .reused(let id): return results[id].map { .result($0, reused: true) } ?? .released
        case .failed(let failure): return .failed(failure)
        case .released: return .released
        }
    }

    package func result(cachedUnder key: String) -> StageResult? { cached[key].flatMap { results[$0] } }

    package func unnamed(_ blobs: [BlobName]) -> [BlobName] {
        let named = Set(results.values.flatMap(\.blobs))
            .union(uploads.values.flatMap(\.blobs)).union(sessions.values.flatMap { $0.parts.map(\.blob) })
            .union(quarantineBook.values.filter { $0.emptiedAt == nil }.map { QuarantineEntry.blobName(of: $0.upload) })
        return blobs.filter { !named.contains($0) }
    }

    // MARK: Nodes

    package func register(_ draft: NodeDraft) throws -> NodeLife {
        if let known = knownNodes[draft.id]?.draft, draft.memberEpoch != 0, known.memberEpoch == draft.memberEpoch,
            known.registration > draft.registration
        {
            throw StoreError.overtaken(draft)
        }
        let now = clock()
        lastNodeEpoch += 1
        let schedulability = knownNodes[draft.id]?.schedulability ?? .schedulable
        knownNodes[draft.id] = NodeEntry(
            draft: draft, epoch: lastNodeEpoch, startedAt: now, seenAt: now, schedulability: schedulability)
        _ = free(countingAttempt: true) { $0.stage.holder == draft.id }
        return NodeLife(id: draft.id, region: draft.region, epoch: lastNodeEpoch)
    }

    package func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) -> HeartbeatOutcome {
        guard var node = knownNodes[life.id], node.epoch == life.epoch, !node.hasLeft else { return .replaced }
        node.seenAt = clock()
        node.running = running
        node.condition = condition
        knownNodes[life.id] = node
        let drop = running.filter { progress in
            guard let record = entries[progress.job]?.stages[progress.key] else { return true }
            let lease = StageLease(
                job: progress.job, key: progress.key, epoch: progress.epoch, node: life.id, nodeEpoch: life.epoch,
                attempts: 0)
            return !record.isHeld(under: lease)
        }
        return .renewed(drop: drop, schedulability: node.schedulability)
    }

    package func leave(_ life: NodeLife) {
        guard knownNodes[life.id]?.epoch == life.epoch else { return }
        knownNodes[life.id]?.hasLeft = true
        knownNodes[life.id]?.running = []
        _ = free(countingAttempt: false) { $0.stage.holder == life.id }
    }

    package func freeStagesOfDeadNodes() -> Int {
        let now = clock()
        return free(countingAttempt: true) { record in
            guard let holder = record.stage.holder, let node = knownNodes[holder] else { return true }
            guard node.epoch == record.holderEpoch, node.isAlive(at: now) else { return true }
            guard let startedAt = record.stage.startedAt else { return false }
            let isReported = node.running.contains { progress in
                progress.job == record.stage.job && progress.key == record.stage.key
                    && progress.epoch == record.stage.epoch
            }
            return !isReported && startedAt.advanced(bySeconds: Double(node.draft.leaseSeconds)) <= node.seenAt
        }
    }

    package func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) -> DeathOutcome {
        guard let entry = knownNodes[node], entry.draft.memberEpoch == memberEpoch, !entry.hasLeft else {
            return .unknown
        }
        guard entry.seenAt.advanced(bySeconds: unheardForSeconds) <= clock() else { return .heard }
        return .freed(stages: free(countingAttempt: true) { $0.stage.holder == node })
    }

    package func nodes() -> [Node] {
        knownNodes.values.sorted { $0.draft.id < $1.draft.id }.map { seen($0) }
    }

    package func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) -> Node? {
        knownNodes[node]?.schedulability = schedulability
        return knownNodes[node].map { seen($0) }
    }

    private func seen(_ node: NodeEntry) -> Node {
        let now = clock()
        let ago = now.millisecondsSinceEpoch - node.seenAt.millisecondsSinceEpoch
        return Node(
            id: node.draft.id, region: node.draft.region, epoch: node.epoch, http: node.draft.http,
            version: node.draft.version, threads: node.draft.threads, startedAt: node.startedAt, seenAt: node.seenAt,
            seenAgo: .milliseconds(max(0, ago)), memberEpoch: node.draft.memberEpoch, isAlive: node.isAlive(at: now),
            hasLeft: node.hasLeft, schedulability: node.schedulability, condition: node.condition,
            running: node.running)
    }

    /// Takes those running stages from their holders for which `isLost` says so.
    private func free(countingAttempt: Bool, where isLost: (StageRecord) -> Bool) -> Int {
        let now = clock()
        var count = 0
        for (id, entry) in entries.sorted(by: { $0.key < $1.key }) {
            for var record in entry.stages.values.sorted(by: { $0.stage.key < $1.stage.key })
            where record.stage.state == .running && isLost(record) {
                let holder = record.stage.holder
                record.release(countingAttempt: countingAttempt, jobHasEnded: entry.job.status.hasEnded, at: now)
                entries[id]?.stages[record.stage.key] = record
                log(.stageReleased, record.stage, node: holder, at: now)
                count += 1
            }
        }
        if count > 0 { fan.send([.work]) }
        return count
    }

    private func log(_ kind: Event.Kind, _ stage: Stage, node: NodeID?, at now: Timestamp) {
        append([JobRecord.EventDraft(kind, stage: stage.key, node: node)], to: stage.job, at: now)
        fan.send([.job(stage.job)])
    }
}
