package import Membership

/// What a node knows of the figures of all regions: those it was told last, and how old they are. So an answer can
/// always be given, and the silence of a keeper shows as age.
package struct FigureBook: Sendable {
    struct Known: Hashable, Sendable {
        var figures: RegionFigures
        var receivedAt: Duration
        /// Whether the last question was answered.
        var isFresh: Bool
    }

    private let limits: MetricsConfiguration
    private(set) var known: [String: Known] = [:]
    private var failures: [MemberLife: Duration] = [:]
    private var collectedAt: Duration?

    package init(limits: MetricsConfiguration) { self.limits = limits }

    // MARK: Questions

    /// Whether the keepers have to be asked: not when they were a moment ago.
    package func isDue(at now: Duration) -> Bool { collectedAt.map { now - $0 >= limits.freshFor } ?? true }

    /// Regions to ask for: those of members, and those that had some.
    package func regions(_ present: [String]) -> [String] { Set(present).union(known.keys).sorted() }

    /// Which keepers of a region are asked: all, but for those that are doubted or did not answer lately, as long as
    /// there is another one.
    package func toAsk(_ keepers: [Member], at now: Duration) -> [MemberLife] {
        let good = keepers.filter { keeper in
            keeper.status == .alive && failures[keeper.life].map { now - $0 >= limits.pause } ?? true
        }
        return (good.isEmpty ? keepers : good).map(\.life)
    }

    // MARK: Answers

    package mutating func failed(_ keeper: MemberLife, at now: Duration) {
        failures = failures.filter { now - $0.value < limits.pause }
        failures[keeper] = now
    }

    /// The keepers of a region answered, each with what it knows: of every count the greatest is shown, and none that
    /// is less than what was shown before. When all of them know less than was known before, and that does not pass,
    /// then the history is lost, and what they know is what there is.
    package mutating func received(_ answers: [RegionFigures], at now: Duration) {
        for figures in answers { failures[figures.keeper] = nil }
        guard var best = answers.max(by: { ($0.reports, $1.keeper) < ($1.reports, $0.keeper) }) else { return }
        let before = known[best.region]
        if let before, best.reports < before.figures.reports, now - before.receivedAt < limits.patience {
            known[best.region]?.isFresh = false
            return
        }
        guard before != nil || known.count < limits.regionsMax else { return }
        for figures in answers where figures != best { best.totals.raise(to: figures.totals) }
        if let before, best.reports >= before.figures.reports { best.totals.raise(to: before.figures.totals) }
        known[best.region] = Known(figures: best, receivedAt: now, isFresh: true)
    }

    /// No keeper of the region answered.
    package mutating func missed(_ region: String) { known[region]?.isFresh = false }

    /// All keepers were asked, whatever they said.
    package mutating func collected(at now: Duration) { collectedAt = now }

    // MARK: Figures

    /// What was told last of a region.
    package func figures(of region: String) -> RegionFigures? { known[region]?.figures }

    /// The cluster's figures, as far as they are known.
    ///
    /// - Parameter texts: the help of metrics, which does not travel.
    package func figures(
        asked: MemberLife, members: [Member], texts: [String: String], at now: Duration
    ) -> ClusterFigures {
        let regions = regions(Array(Set(members.map(\.metadata.region)))).map { region in
            ClusterFigures.Region(region, known[region], at: now)
        }
        var heard: Set<MemberLife> = []
        for known in known.values {
            let since = (now - known.receivedAt).wholeMilliseconds
            for node in known.figures.nodes where !node.isQuiet {
                if node.ageMilliseconds.plus(since) <= limits.quietAfter.wholeMilliseconds { heard.insert(node.life) }
            }
        }
        let silent = members.filter { !$0.status.isReachable || !heard.contains($0.life) }
        let told = known.sorted { $0.key < $1.key }.map(\.value.figures)
        var total = MetricSnapshot()
        for region in told { total.merge(region.totals) }
        return ClusterFigures(
            node: asked.id.rawValue, regions: regions, unheardNodes: silent.map(\.id.rawValue).sorted(),
            conflictingMetrics: total.conflicts,
            metrics: total.metrics.map { metric in
                ClusterFigures.MetricFigures(
                    metric, help: texts[metric.name] ?? "", regions: told.map { ($0.region, $0.totals[metric.name]) })
            })
    }
}
