/// What a metric is, once for the program. A metric that breaks a rule is a mistake in the program, so it is refused
/// where it is declared and not where it is counted.
package struct MetricDeclaration: Hashable, Sendable {
    /// Labels of a metric; 4. Series multiply with every label.
    package static let labelsMax = 4
    /// What `seriesMax` may be at most.
    package static let seriesMaxMax = 1000
    /// Bytes of a help text; 300.
    package static let helpBytesMax = 300
    /// Bounds of a histogram for Prometheus; 40.
    package static let boundsMax = 40

    /// From 5 ms to 10 minutes, for what people wait for.
    package static let secondsBounds = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ]
    /// From 50 µs to 5 s, for calls between nodes and statements.
    package static let callSecondsBounds = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
    ]
    /// From 1 KiB to 16 GiB.
    package static let bytesBounds: [Double] = (5...17).map { Double(1 << (2 * $0)) }

    package let name: String
    package let kind: MetricKind
    package let unit: MetricUnit
    package let help: String
    package let labels: [String]
    /// Series beside the `other` one; 100. Whatever has no room is counted in the series whose labels are all `other`,
    /// and the lookup in `telemetry_series_folded_total`. Prevents a label that a client can choose from filling the
    /// memory of this node and of whoever scrapes it.
    package let seriesMax: Int
    /// Of a histogram.
    package let accuracy: SketchAccuracy
    /// Where a histogram is cut for Prometheus, rising.
    package let bounds: [Double]

    package static func counter(
        _ name: String, unit: MetricUnit = .count, help: String, labels: [String] = [], seriesMax: Int = 100
    ) -> MetricDeclaration {
        MetricDeclaration(name, .counter, unit, help, labels, seriesMax, .standard, [])
    }

    package static func gauge(
        _ name: String, unit: MetricUnit = .count, help: String, labels: [String] = [], seriesMax: Int = 100
    ) -> MetricDeclaration {
        MetricDeclaration(name, .gauge, unit, help, labels, seriesMax, .standard, [])
    }

    package static func histogram(
        _ name: String, unit: MetricUnit = .seconds, help: String, labels: [String] = [], seriesMax: Int = 100,
        accuracy: SketchAccuracy = .standard, bounds: [Double] = secondsBounds
    ) -> MetricDeclaration {
        MetricDeclaration(name, .histogram, unit, help, labels, seriesMax, accuracy, bounds)
    }

    private init(
        _ name: String, _ kind: MetricKind, _ unit: MetricUnit, _ help: String, _ labels: [String], _ seriesMax: Int,
        _ accuracy: SketchAccuracy, _ bounds: [Double]
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
        self.labels = labels
        self.seriesMax = seriesMax
        self.accuracy = accuracy
        self.bounds = bounds
    }

    /// What is wrong with it; nothing is good.
    package var problems: [String] {
        var problems = MetricNames.problems(name, kind, unit)
        if help.isEmpty { problems.append("there is no help") }
        if help.utf8.count > Self.helpBytesMax { problems.append("the help is too long") }
        problems += labels.compactMap { MetricNames.problem(label: $0) }
        if labels.count > Self.labelsMax { problems.append("there are more than \(Self.labelsMax) labels") }
        if Set(labels).count < labels.count { problems.append("a label is there twice") }
        if !(1...Self.seriesMaxMax).contains(seriesMax) { problems.append("seriesMax is 1 to \(Self.seriesMaxMax)") }
        if kind == .histogram {
            let isRising = zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
            if !(1...Self.boundsMax).contains(bounds.count) || !isRising
                || bounds.contains(where: { !$0.isFinite || $0 <= 0 })
            {
                problems.append("bounds are 1 to \(Self.boundsMax) positive numbers that rise")
            }
        }
        return problems
    }

    /// The metric with these series.
    func metric(_ series: [Metric.Series]) -> Metric {
        Metric(
            name, kind, unit: unit, help: help, labelNames: labels, accuracy: accuracy, bounds: bounds,
            seriesMax: seriesMax, series: series)
    }
}
