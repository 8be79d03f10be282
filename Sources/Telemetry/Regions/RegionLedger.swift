package import Membership

/// What a keeper knows of the nodes of one region. Events go in, figures come out.
///
/// Of every node it keeps the last report of its latest life, and one sum of the lives before. So a report that comes
/// twice, late, or by a detour counts once, and a restart neither counts twice nor lets a counter fall:
///
/// | a report of | does |
/// |---|---|
/// | the known life, with a higher number | replaces the known one |
/// | the known life, otherwise | nothing |
/// | a later life | closes the known one: its last report joins the sum of ended lives |
/// | an earlier life | joins the sum of ended lives, unless it is in it |
/// | a life that was retired | nothing: it is part of a sum already |
package struct RegionLedger: Sendable {
    struct Record: Hashable, Sendable {
        /// Without history: that is in `ended`.
        var report: NodeReport
        var ended = EndedLives()
        var heardAt: Duration
        /// Since when it is no member.
        var absentSince: Duration?
    }

    package let region: String
    let limits: MetricsConfiguration
    private(set) var records: [MemberID: Record] = [:]
    /// Nodes that are gone, and for which there was no room.
    private(set) var retired: EndedSum?
    /// Since when this is remembered, by this or an earlier keeper.
    private(set) var since: Duration
    private var merged: (totals: MetricSnapshot, at: Duration)?

    package init(region: String, limits: MetricsConfiguration, at now: Duration) {
        self.region = region
        self.limits = limits
        since = now
    }

    package var nodeCount: Int { records.count }
    package var retiredCount: Int { retired?.lives.count ?? 0 }

    // MARK: Reports

    package mutating func received(_ report: NodeReport, at now: Duration) -> ReportOutcome {
        guard report.region == region, report.isPlausible else { return .refused }
        let known = records[report.life.id]
        if retired?.contains(report.life) == true { return .retired }
        guard known != nil || makeRoom() else { return .full }
        let record = Self.record(known, after: report, heardAt: now)
        keep(record, instead: known)
        if record.report.life != report.life { return .outdated }
        guard let ended = records[report.life.id]?.ended, !ended.isEmpty, ended != report.ended else {
            return .taken(ended: nil)
        }
        return .taken(ended: ended)
    }

    /// What is known of a node after a report, wherever it came from.
    private static func record(_ known: Record?, after report: NodeReport, heardAt: Duration) -> Record {
        let bare = report.withoutEnded
        guard var record = known else {
            return Record(report: bare, ended: report.ended ?? EndedLives(), heardAt: heardAt)
        }
        if let ended = report.ended { record.ended.join(ended) }
        let (before, after) = (record.report, bare)
        if after.life.epoch > before.life.epoch {
            record.ended.add(EndedLives.Life(before))
            record.report = after
            record.heardAt = heardAt
            record.absentSince = nil
        } else if after.life.epoch < before.life.epoch {
            record.ended.add(EndedLives.Life(after))
        } else if after.sequence > before.sequence {
            record.report = after
            record.heardAt = heardAt
        }
        return record
    }

    private mutating func keep(_ record: Record, instead known: Record?) {
        var record = record
        // What is part of the sum must not be counted beside it.
        if let retired { record.ended.leaveOut(retired) }
        guard record != known else { return }
        records[record.report.life.id] = record
        merged = nil
    }

    /// True when another node fits in, if need be after the longest gone one was retired.
    private mutating func makeRoom() -> Bool {
        if records.count >= limits.nodesMax { retireLongestGone() }
        return records.count < limits.nodesMax
    }

    // MARK: Members

    /// Who is a member now. An owner of the region also sums up those that are gone for the longest, where they are too
    /// many; its stand-in follows it, and does so itself only at twice as many, so that both sum up the same.
    package mutating func membersAre(_ present: Set<MemberLife>, isOwner: Bool, at now: Duration) {
        for (id, record) in records {
            let isPresent = present.contains(record.report.life)
            if isPresent == (record.absentSince == nil) { continue }
            records[id]?.absentSince = isPresent ? nil : now
            merged = nil
        }
        let endedMax = isOwner ? limits.endedNodesMax : 2 * limits.endedNodesMax
        let endedCount = records.values.count { $0.absentSince != nil }
        for _ in 0..<max(0, endedCount - endedMax) { retireLongestGone() }
    }

    private mutating func retireLongestGone() {
        let gone = records.compactMap { id, record in record.absentSince.map { (since: $0, id: id) } }
        guard let (_, id) = gone.min(by: { ($0.since, $0.id) < ($1.since, $1.id) }),
            let record = records.removeValue(forKey: id)
        else { return }
        var lives = record.ended
        lives.add(EndedLives.Life(record.report))
        retired = EndedSum.joined(retired, lives.whole)
        merged = nil
    }

    // MARK: Figures

    package mutating func figures(keeper: MemberLife, at now: Duration) -> RegionFigures {
        let nodes = records.values.map { record in
            RegionFigures.Node(
                life: record.report.life, ageMilliseconds: (now - record.heardAt).wholeMilliseconds,
                isQuiet: now - record.heardAt > limits.quietAfter, isEnded: record.absentSince != nil)
        }
        let reports = records.values.reduce(retired?.reports ?? 0) {
            $0.plus($1.report.sequence).plus($1.ended.reports)
        }
        return RegionFigures(
            region: region, keeper: keeper, nodes: nodes.sorted { $0.life < $1.life }, totals: totals(at: now),
            reports: reports, memoryMilliseconds: (now - since).wholeMilliseconds)
    }

    private mutating func totals(at now: Duration) -> MetricSnapshot {
        // Between reports nothing changes but which gauges are too old.
        if let merged, now - merged.at < limits.freshFor { return merged.totals }
        var totals = retired?.totals ?? MetricSnapshot()
        for record in records.values {
            let shows = record.absentSince == nil && now - record.heardAt <= limits.gaugeAgeMax
            totals.merge(shows ? record.report.own : record.report.own.cumulative)
            record.ended.merge(into: &totals)
        }
        merged = (totals, now)
        return totals
    }

    // MARK: Other keepers

    mutating func absorb(_ shared: SharedRecord, at now: Duration) {
        let report = shared.report
        guard report.region == region, report.isPlausible, retired?.contains(report.life) != true else { return }
        let known = records[report.life.id]
        guard known != nil || makeRoom() else { return }
        let heardAt = now - .milliseconds(Int64(clamping: shared.ageMilliseconds))
        keep(Self.record(known, after: report, heardAt: heardAt), instead: known)
    }

    mutating func absorb(retired other: EndedSum) {
        guard let joined = EndedSum.joined(other, retired), joined != retired else { return }
        retired = joined
        merged = nil
        for (id, record) in records {
            if joined.contains(record.report.life) {
                records[id] = nil
            } else {
                var ended = record.ended
                ended.leaveOut(joined)
                records[id]?.ended = ended
            }
        }
    }

    /// Another keeper remembers for so long.
    mutating func absorb(memoryMilliseconds: UInt64, at now: Duration) {
        since = min(since, now - .milliseconds(Int64(clamping: memoryMilliseconds)))
    }
}
