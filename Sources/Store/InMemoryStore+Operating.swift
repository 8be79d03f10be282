package import ClipModel

/// What operators ask.
extension InMemoryStore {
    package func requeue(_ key: StageKey, of id: JobID) throws -> RequeueOutcome {
        guard var record = record(of: id) else { return .noSuchJob }
        guard let state = record.stages[key]?.stage.state else { return .noSuchStage }
        guard record.requeue(key) else { return .notPossible(record.job, state) }
        catchUp(record.job)
        write(record)
        return .changed(record.job)
    }

    package func deadLetters(_ filter: DeadLetterFilter, before cursor: JobID?, limit: Int) -> [DeadLetter] {
        let letters = entries.values.filter { entry in cursor.map { entry.job.id < $0 } ?? true }.compactMap { entry in
            DeadLetter(
                entry.job, clips: Array(entry.clips.values), stages: entry.stages.values.map(\.stage),
                revisions: entry.revisions, fitting: filter)
        }
        return Array(letters.sorted { $0.job.id > $1.job.id }.prefix(min(max(0, limit), StoreLimits.pageRowsMax)))
    }

    package func waits(of id: JobID, awaySeconds: Double) -> JobWaits {
        let now = clock()
        var crowds: [CrowdKey: JobWaits.Crowd] = [:]
        let own = entries[id]?.rank ?? 0
        for entry in entries.values {
            let key = CrowdKey(region: entry.job.region, priority: entry.job.priority)
            let open = entry.stages.values.count { $0.stage.state == .ready && $0.stage.notBefore <= now }
            guard open > 0 else { continue }
            let ripe = entry.stages.values.count {
                $0.stage.state == .ready && $0.stage.notBefore.advanced(bySeconds: awaySeconds) <= now
            }
            let isAhead = (entry.rank, entry.job.id) < (own, id)
            let before = crowds[key]
            crowds[key] = JobWaits.Crowd(
                region: key.region, priority: key.priority, stages: (before?.stages ?? 0) + open,
                ahead: (before?.ahead ?? 0) + (isAhead ? open : 0),
                ripeAhead: (before?.ripeAhead ?? 0) + (isAhead ? ripe : 0))
        }
        let ready = (entries[id]?.stages.values.filter { $0.stage.state == .ready } ?? [])
            .sorted { $0.stage.key < $1.stage.key }
        return JobWaits(
            stages: ready.map { record in
                let avoidance = record.avoidance.flatMap { $0.until > now ? $0 : nil }
                return JobWaits.StageWait(
                    key: record.stage.key, opensIn: now.duration(to: record.stage.notBefore),
                    avoided: avoidance?.node, avoidedFor: avoidance.map { now.duration(to: $0.until) } ?? .zero,
                    isRipe: record.stage.notBefore.advanced(bySeconds: awaySeconds) <= now)
            },
            crowds: crowds.sorted { $0.key < $1.key }.map(\.value))
    }

    private struct CrowdKey: Hashable, Comparable {
        let region: Region
        let priority: Job.Priority

        static func < (left: Self, right: Self) -> Bool {
            (left.region.rawValue, left.priority.rawValue) < (right.region.rawValue, right.priority.rawValue)
        }
    }
}

extension Timestamp {
    /// Zero when `later` is over.
    fileprivate func duration(to later: Timestamp) -> Duration {
        .milliseconds(max(0, later.millisecondsSinceEpoch - millisecondsSinceEpoch))
    }
}
