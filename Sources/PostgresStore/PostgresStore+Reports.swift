import ClipModel
import Store

/// Attempts end: several in one transaction, when they end together (`ReportGroup`).
extension PostgresStore {
    /// Answers in the order of the reports. All of them take effect, or none.
    static func write(
        _ reports: [ReportGroup.Report], to database: Database, cache: ResultCache
    ) async throws -> [CompleteOutcome] {
        let answers: [CompleteOutcome] = try await database.write { connection, attempt in
            let before = try JobTables.load(
                Set(reports.map(\.lease.job)), on: &connection, cache: cache, lockingStages: attempt > 2)
            var answers = [CompleteOutcome?](repeating: nil, count: reports.count)
            // A report that is repeated is answered as before, and one that has no standing changes nothing.
            for (place, report) in reports.enumerated() {
                switch before[report.lease.job]?.standing(of: report.lease, reporting: report.outcome) {
                case .stale, nil: answers[place] = .stale
                case .settled:
                    let orphans = before[report.lease.job]?.orphans(of: report.outcome, at: report.lease.key)
                    answers[place] = .published(orphans: orphans ?? [])
                case .held: break
                }
            }
            let held = reports.indices.filter { answers[$0] == nil }
            guard !held.isEmpty else { return .rollBack(answers.compactMap(\.self)) }
            let results = try ResultTable.publish(held.map { reports[$0].outcome }, on: &connection)
            var after: [JobID: JobRecord] = [:]
            for (place, result) in zip(held, results) {
                let (lease, outcome) = (reports[place].lease, reports[place].outcome)
                guard var record = after[lease.job] ?? before[lease.job] else { continue }
                try record.settle(
                    lease, as: ending(outcome, result), tag: outcome.tag, effort: reports[place].effort,
                    advance: reports[place].advance)
                after[lease.job] = record
                answers[place] = .published(orphans: record.orphans(of: outcome, at: lease.key))
            }
            let changes = after.values.sorted { $0.job.id < $1.job.id }.map { record in
                (record: record, before: before[record.job.id]?.stages ?? [:])
            }
            JobTables.enqueue(changes, on: &connection)
            return .commit(answers.compactMap(\.self))
        }
        // The next stage of the job will want to see them.
        for case (.produced(let result), .published(orphans: [])) in zip(reports.map(\.outcome), answers) {
            cache.insert(result)
        }
        return answers
    }

    private static func ending(_ outcome: StageOutcome, _ standing: StageResult?) -> JobRecord.Ending {
        switch outcome {
        case .failed(let failure): return .failed(failure)
        case .released: return .released
        case .reused: return standing.map { .result($0, reused: true) } ?? .released
        case .produced(let offered):
            return .result(standing ?? offered, reused: standing.map { $0.id != offered.id } ?? false)
        }
    }
}
