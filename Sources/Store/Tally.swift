package import ClipModel

/// What is counted when a job ends.
package struct JobEffect: Codable, Hashable, Sendable {
    package let region: Region
    /// By name: `jobs_ready`, `jobs_error`, `jobs_cancelled`, `clips`, `clips_revised`, and `failures:CODE`.
    package let counts: [String: Int]

    package init(region: Region, counts: [String: Int]) {
        self.region = region
        self.counts = counts
    }
}

/// One figure of one day (UTC) and region. A job that is retried ends more than once, and each end is counted.
package struct TallyRow: Codable, Hashable, Sendable {
    /// `2026-03-01`
    package let day: String
    package let region: Region
    package let name: String
    package let count: Int

    package init(day: String, region: Region, name: String, count: Int) {
        self.day = day
        self.region = region
        self.name = name
        self.count = count
    }
}

extension JobRecord {
    /// What has to be counted of what happened to the job here; nil: nothing.
    package var effect: JobEffect? {
        var counts: [String: Int] = [:]
        for event in events {
            switch event.kind {
            // Once for each job: one that is ready again after a revision was counted before.
            case .jobReady where revisions.isEmpty:
                counts["jobs_ready", default: 0] += 1
                counts["clips", default: 0] += clips.values.count { $0.state == .ready }
            case .jobFailed:
                counts["jobs_error", default: 0] += 1
                if let failure = event.failure { counts["failures:\(failure.code)", default: 0] += 1 }
            case .jobCancelled: counts["jobs_cancelled", default: 0] += 1
            case .stageDone where event.stage.map { $0.name == .publish && $0.index > 0 } ?? false:
                counts["clips_revised", default: 0] += 1
            default: break
            }
        }
        return counts.isEmpty ? nil : JobEffect(region: job.region, counts: counts)
    }
}
