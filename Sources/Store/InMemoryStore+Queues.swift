package import ClipModel

/// What waits, and the opening of what was put off.
extension InMemoryStore {
    package func queues() -> QueueReading {
        let now = clock()
        let effort = measuredEffort ?? QueueReading.effortGuess
        var queues: [Region: QueueReading.RegionQueue] = [:]
        for node in knownNodes.values where node.isAlive(at: now) && node.schedulability == .schedulable {
            add(QueueReading.RegionQueue(region: node.draft.region, threads: node.draft.threads), to: &queues)
        }
        for entry in entries.values {
            let stages = entry.stages.values.map(\.stage)
            let ready = stages.filter { $0.state == .ready }
            guard !ready.isEmpty || stages.contains(where: { $0.state == .running }) else { continue }
            let open = ready.filter { $0.notBefore <= now }
            let left = left(of: entry, effort: effort, at: now)
            let isDeferred = entry.isDeferred(at: now)
            add(
                QueueReading.RegionQueue(
                    region: entry.job.region, openSeconds: isDeferred ? 0 : left,
                    deferredSeconds: isDeferred ? left : 0,
                    readyStages: open.count, deferredJobs: isDeferred ? 1 : 0,
                    oldestWaitSeconds: open.map { Self.seconds(from: $0.notBefore, to: now) }.max() ?? 0),
                to: &queues)
        }
        return QueueReading(
            regions: queues.values.sorted { $0.region.rawValue < $1.region.rawValue }, effort: effort)
    }

    package func openDeferred(in region: Region, costSeconds: Double) -> Int {
        let now = clock()
        let deferred = entries.values.filter { $0.job.region == region && $0.isDeferred(at: now) }
        let open = entries.values.filter { entry in
            entry.job.region == region
                && entry.stages.values.contains { $0.stage.state == .ready && $0.stage.notBefore <= now }
        }
        let last = open.map(\.rank).max()
        var (opened, spent) = (0, 0.0)
        for entry in deferred.sorted(by: { ($0.rank, $0.job.id) < ($1.rank, $1.job.id) }) {
            guard spent < costSeconds || last.map({ entry.rank < $0 }) ?? false else { break }
            spent += cost(of: entry)
            opened += 1
            for key in entry.stages.keys where entry.stages[key]?.stage.state == .ready {
                entries[entry.job.id]?.stages[key]?.stage.notBefore = now
            }
        }
        if opened > 0 { fan.send([.work]) }
        return opened
    }

    private func add(_ more: QueueReading.RegionQueue, to queues: inout [Region: QueueReading.RegionQueue]) {
        let known = queues[more.region] ?? QueueReading.RegionQueue(region: more.region)
        queues[more.region] = QueueReading.RegionQueue(
            region: more.region, openSeconds: known.openSeconds + more.openSeconds,
            deferredSeconds: known.deferredSeconds + more.deferredSeconds,
            readyStages: known.readyStages + more.readyStages, deferredJobs: known.deferredJobs + more.deferredJobs,
            oldestWaitSeconds: max(known.oldestWaitSeconds, more.oldestWaitSeconds),
            threads: known.threads + more.threads)
    }

    private func cost(of entry: Entry) -> Double {
        uploads[entry.job.upload].map { FairShare.estimate(of: $0, options: entry.job.options) } ?? 0
    }

    /// Of a job that is revised, what its open revisions cost: the rest is done.
    private func left(of entry: Entry, effort: Double, at now: Timestamp) -> Double {
        let stages = entry.stages.values.map(\.stage)
        let open = Set(stages.filter { !$0.state.hasEnded && entry.isOfRevision($0.key) }.map(\.key.index))
        guard !open.isEmpty else { return max(0, cost(of: entry) * effort - Self.runSeconds(of: stages, at: now)) }
        let own = stages.filter { open.contains($0.key.index) && entry.isOfRevision($0.key) }
        return max(0, Double(open.count) * FairShare.secondsPerClip * effort - Self.runSeconds(of: own, at: now))
    }

    /// Nil while no job has ended well.
    private var measuredEffort: Double? {
        let ended = entries.values.filter { $0.job.status == .ready }
            .sorted { ($0.job.endedAt ?? $0.job.createdAt) > ($1.job.endedAt ?? $1.job.createdAt) }
            .prefix(StoreLimits.effortJobs)
        let total = ended.reduce(0) { $0 + cost(of: $1) }
        guard total > 0 else { return nil }
        let spent = ended.reduce(0) { sum, entry in
            let own = entry.stages.values.map(\.stage).filter { !entry.isOfRevision($0.key) }
            return sum + Self.runSeconds(of: own, at: clock())
        }
        return spent / total
    }

    private static func runSeconds(of stages: [Stage], at now: Timestamp) -> Double {
        stages.reduce(0) { total, stage in
            guard let start = stage.startedAt, !stage.reused else { return total }
            return total + seconds(from: start, to: stage.endedAt ?? now)
        }
    }

    private static func seconds(from start: Timestamp, to end: Timestamp) -> Double {
        max(0, Double(end.millisecondsSinceEpoch - start.millisecondsSinceEpoch) / 1000)
    }
}

extension InMemoryStore.Entry {
    fileprivate func isOfRevision(_ key: StageKey) -> Bool {
        key.name.isOfRevisions && revisions.contains { $0.slot == key.index }
    }

    /// No stage of it was ever claimed, and none may be yet.
    fileprivate func isDeferred(at now: Timestamp) -> Bool {
        job.status == .pending && !stages.isEmpty
            && stages.values.allSatisfy { $0.stage.state == .ready && $0.stage.notBefore > now }
    }
}
