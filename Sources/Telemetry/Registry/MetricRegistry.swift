import Synchronization

/// All metrics of a node: declared once, counted from any thread, read as one snapshot.
package final class MetricRegistry: Sendable {
    package struct Limits: Hashable, Sendable {
        /// Metrics; 512, of which 64 may be histograms. More is a loop that declares.
        package var metricsMax = 512
        package var histogramsMax = 64
        /// Labelled series of all metrics; 2,000. Keeps a node's report, the base of its earlier lives not counted, in
        /// one frame (1 MiB), and a scrape readable.
        package var seriesMax = 2000
        /// Labelled series of all histograms; 128. A sketch may take thousand times the room of a counter.
        package var histogramSeriesMax = 128

        package init() {}
    }

    /// Fills in figures that somebody else counts, whenever a snapshot is taken.
    package typealias Reader = @Sendable (inout MetricReadings) -> Void

    private struct State {
        var families: [String: any AnyMetricFamily] = [:]
        var histograms = 0
        var readers: [(declarations: [MetricDeclaration], read: Reader)] = []
        var read: Set<String> = []
    }

    package static let foldedName = "telemetry_series_folded_total"
    package static let refusedName = "telemetry_values_refused_total"

    package let limits: Limits
    private let state = Mutex(State())
    private let budget: SeriesBudget

    package init(_ limits: Limits = Limits()) {
        self.limits = limits
        let refused = MetricDeclaration.counter(Self.refusedName, help: "Measured values that were no numbers.")
        let folded = MetricDeclaration.counter(
            Self.foldedName, help: "Lookups of a series that was not there and had no room, by metric.",
            labels: ["metric"], seriesMax: limits.metricsMax)
        let counter = Counter(refused, refused: nil)
        let budget = SeriesBudget(limits, refused: counter)
        self.budget = budget
        addReader([refused, folded]) { readings in
            readings.counter(Self.refusedName, counter.total)
            for (name, times) in budget.folded { readings.counter(Self.foldedName, labels: [name], times) }
        }
    }

    // MARK: Declarations

    /// A counter without labels. The same declaration again is the same counter.
    package func counter(_ declaration: MetricDeclaration) -> Counter { counters(declaration)[labels: []] }
    package func gauge(_ declaration: MetricDeclaration) -> Gauge { gauges(declaration)[labels: []] }
    package func histogram(_ declaration: MetricDeclaration) -> Histogram { histograms(declaration)[labels: []] }

    /// A counter with labels. The same declaration again is the same family.
    package func counters(_ declaration: MetricDeclaration) -> Counters { family(declaration) }
    package func gauges(_ declaration: MetricDeclaration) -> Gauges { family(declaration) }
    package func histograms(_ declaration: MetricDeclaration) -> Histograms { family(declaration) }

    private func family<Series: MetricSeries>(_ declaration: MetricDeclaration) -> MetricFamily<Series> {
        precondition(declaration.kind == Series.kind, "\(declaration.name) is a \(declaration.kind)")
        check(declaration)
        return state.withLock { state in
            if let known = state.families[declaration.name] {
                guard let family = known as? MetricFamily<Series>, family.declaration == declaration else {
                    preconditionFailure("\(declaration.name) is declared twice, differently")
                }
                return family
            }
            precondition(!state.read.contains(declaration.name), "\(declaration.name) is declared twice")
            precondition(
                state.families.count + state.read.count < limits.metricsMax, "more than \(limits.metricsMax) metrics")
            if declaration.kind == .histogram { state.histograms += 1 }
            precondition(state.histograms <= limits.histogramsMax, "more than \(limits.histogramsMax) histograms")
            let family = MetricFamily<Series>(declaration, budget)
            state.families[declaration.name] = family
            return family
        }
    }

    /// For counters and gauges that are kept elsewhere: `read` fills them in whenever a snapshot is taken. It must be
    /// quick and must not come back to this registry.
    package func addReader(_ declarations: [MetricDeclaration], _ read: @escaping Reader) {
        for declaration in declarations { check(declaration) }
        state.withLock { state in
            for declaration in declarations {
                precondition(
                    state.families[declaration.name] == nil && state.read.insert(declaration.name).inserted,
                    "\(declaration.name) is declared twice")
            }
            precondition(
                state.families.count + state.read.count <= limits.metricsMax, "more than \(limits.metricsMax) metrics")
            state.readers.append((declarations, read))
        }
    }

    private func check(_ declaration: MetricDeclaration) {
        let problems = declaration.problems
        precondition(problems.isEmpty, "metric \(declaration.name): \(problems.joined(separator: "; "))")
    }

    // MARK: Snapshots

    /// All figures now. Figures of different metrics may be a moment apart.
    package func snapshot() -> MetricSnapshot {
        let (families, readers) = state.withLock { ($0.families.values.map { $0 }, $0.readers) }
        var metrics = families.map(\.metric)
        // Those of the registry itself are first among the readers and read last: reading may fold.
        for reader in readers.reversed() {
            var readings = MetricReadings(reader.declarations)
            reader.read(&readings)
            metrics += readings.metrics(budget)
        }
        return MetricSnapshot(metrics)
    }
}

/// What a reader fills in.
package struct MetricReadings {
    private let declarations: [String: MetricDeclaration]
    private var values: [String: [[String]: MetricValue]] = [:]

    init(_ declarations: [MetricDeclaration]) {
        self.declarations = Dictionary(declarations.map { ($0.name, $0) }) { first, _ in first }
    }

    /// - Parameter total: since the node started; must not fall while it lives.
    package mutating func counter(_ name: String, labels: [String] = [], _ total: UInt64) {
        set(name, labels, .counter(total))
    }

    package mutating func counter(_ name: String, labels: [String] = [], _ total: Int) {
        counter(name, labels: labels, UInt64(max(0, total)))
    }

    /// What is no number is left out.
    package mutating func gauge(_ name: String, labels: [String] = [], _ value: Double) {
        if value.isFinite { set(name, labels, .gauge(GaugeFigure(value))) }
    }

    private mutating func set(_ name: String, _ labels: [String], _ value: MetricValue) {
        guard let declaration = declarations[name] else { preconditionFailure("\(name) is not declared by its reader") }
        precondition(
            declaration.kind == value.kind && declaration.labels.count == labels.count,
            "\(labels.count) values for the labels of \(name), a \(declaration.kind)")
        values[name, default: [:]][labels] = value
    }

    func metrics(_ budget: SeriesBudget) -> [Metric] {
        values.compactMap { name, values in
            guard let declaration = declarations[name] else { return nil }
            let other = Array(repeating: MetricSnapshot.otherLabel, count: declaration.labels.count)
            var folded: UInt64 = 0
            let series = values.map { labels, value in
                if labels.allSatisfy(MetricNames.isLabelValue) { return Metric.Series(labels, value) }
                folded += 1
                return Metric.Series(other, value)
            }
            folded += UInt64(max(0, series.count - Int(folded) - declaration.seriesMax))
            if folded > 0, name != MetricRegistry.foldedName { budget.folded(name, folded) }
            return declaration.metric(series)
        }
    }
}
