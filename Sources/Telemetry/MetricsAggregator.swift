package import ActorCluster
package import Distributed
import Logging
import Membership

/// The figures of the whole cluster, from any node.
///
/// One of each node, by the name `metrics`. Every node reports what it has counted to the two keepers of its region
/// (`Keepers`), a keeper merges what it hears (`RegionLedger`), and whoever is asked for the figures of the cluster
/// asks the keepers of each region (`FigureBook`). So N nodes in R regions cost 2N calls in an interval and 2R for a
/// question, and not N² of either.
package distributed actor MetricsAggregator {
    package typealias ActorSystem = ClusterActorSystem

    /// Its name on each node.
    package static let name = "metrics"

    /// What other nodes may call, by mangled name.
    package static let callTargets = [
        "$s9Telemetry17MetricsAggregatorC4takeyAA13ReportOutcomeOAA04NodeE0VYaKFTE",
        "$s9Telemetry17MetricsAggregatorC6answeryAA14FiguresOutcomeOAA0E7RequestVYaKFTE",
        "$s9Telemetry17MetricsAggregatorC8exchangeyAA12ShareOutcomeOAA06LedgerE0VYaKFTE",
    ]

    /// The same, for `CallTargets`.
    package static var callTargetGroup: CallTargets.Group { CallTargets.Group(MetricsAggregator.self, callTargets) }

    let configuration: MetricsConfiguration
    let registry: MetricRegistry
    let clock: any Clock<Duration>
    /// Time since this actor was made.
    let now: @Sendable () -> Duration
    let log: Logger
    private let calls: Counters

    var history: NodeHistory
    var ledgers: [String: RegionLedger] = [:]
    var book: FigureBook
    var collections = 0
    private var lastKeepers: Keepers?

    init(
        actorSystem: ClusterActorSystem, _ registry: MetricRegistry, _ configuration: MetricsConfiguration,
        _ clock: any Clock<Duration>, _ log: Logger
    ) {
        configuration.validate()
        self.actorSystem = actorSystem
        self.registry = registry
        self.configuration = configuration
        self.clock = clock
        self.log = log
        now = timeline(clock)
        calls = registry.counters(Self.callsDeclaration)
        book = FigureBook(limits: configuration)
        history = NodeHistory(
            life: actorSystem.life, region: actorSystem.configuration.metadata.region)
    }

    private static let callsDeclaration = MetricDeclaration.counter(
        "telemetry_calls_total",
        help: "Calls about metrics to other nodes, by what they were for and what became of them.",
        labels: ["call", "outcome"])

    // MARK: What nodes ask

    /// Keeps a report of a node. The same report again changes nothing.
    package distributed func take(_ report: NodeReport) -> ReportOutcome {
        guard isKeeper(of: report.region) else { return .notKeeper }
        return withLedger(of: report.region) { $0.received(report, at: now()) } ?? .full
    }

    /// Compares notes with another keeper. The same share again changes nothing.
    package distributed func exchange(_ share: LedgerShare) -> ShareOutcome {
        guard isKeeper(of: share.region) else { return .notKeeper }
        return withLedger(of: share.region) { .answered($0.received(share, at: now())) } ?? .notKeeper
    }

    /// The figures of a region that this node keeps.
    package distributed func answer(_ request: FiguresRequest) -> FiguresOutcome {
        guard isKeeper(of: request.region), let figures = ownFigures(of: request.region) else { return .notKeeper }
        return .figures(figures)
    }

    // MARK: Ledgers

    /// Nil when there is no room for another region.
    func withLedger<Answer>(of region: String, _ body: (inout RegionLedger) -> Answer) -> Answer? {
        if ledgers[region] == nil {
            guard ledgers.count < configuration.regionsMax else { return nil }
            ledgers[region] = RegionLedger(region: region, limits: configuration, at: now())
        }
        // In place: a ledger is large.
        return body(&ledgers[region]!)
    }

    /// Nil when nothing was heard of the region here.
    func ownFigures(of region: String) -> RegionFigures? {
        guard ledgers[region] != nil else { return nil }
        return withLedger(of: region) { $0.figures(keeper: history.life, at: now()) }
    }

    // MARK: Keepers

    /// By the present view; nil before the first one.
    var keepers: Keepers? {
        guard let view = actorSystem.view else { return nil }
        if let lastKeepers, lastKeepers.view.number == view.number { return lastKeepers }
        let keepers = Keepers(view, actorSystem.configuration.placement)
        lastKeepers = keepers
        return keepers
    }

    func isKeeper(of region: String) -> Bool { keepers?.of(region).contains { $0.life == history.life } ?? false }

    func peer(_ life: MemberLife) throws -> MetricsAggregator {
        try actorSystem.named(MetricsAggregator.self, Self.name, on: life)
    }

    func count(_ call: String, _ outcome: String) { calls[call, outcome].count() }
}

/// Time since this call, on an injected clock.
private func timeline(_ clock: any Clock<Duration>) -> @Sendable () -> Duration { reader(clock) }

private func reader<Source: Clock>(_ clock: Source) -> @Sendable () -> Duration where Source.Duration == Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
}
