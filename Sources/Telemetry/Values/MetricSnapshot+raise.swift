// Two keepers of one region hear the same nodes, and each may have missed a report that the other has. What either has
// counted has happened, so the greater one of two counts is the truer one, and a reader that asks now one and now the
// other sees no counter fall.

extension MetricSnapshot {
    /// Lifts counters and histograms to what another source has counted of the same nodes. Gauges stay.
    package mutating func raise(to other: MetricSnapshot) {
        let known = Dictionary(metrics.map { ($0.name, $0) }) { first, _ in first }
        var raised = metrics.map { metric in other[metric.name].map { metric.raised(to: $0) } ?? metric }
        raised += other.cumulative.metrics.filter { known[$0.name] == nil }
        self = MetricSnapshot(raised, conflicts: conflicts)
    }
}

extension Metric {
    fileprivate func raised(to other: Metric) -> Metric {
        // What one has in a series of its own the other may have folded: there the two cannot be compared.
        guard kind != .gauge, hasShape(of: other), !isFolded, !other.isFolded else { return self }
        var values = Dictionary(series.map { ($0.labels, $0.value) }) { first, _ in first }
        for more in other.series {
            values[more.labels] = values[more.labels].map { $0.raised(to: more.value) } ?? more.value
        }
        return Metric(
            name, kind, unit: unit, help: help, labelNames: labelNames, accuracy: accuracy, bounds: bounds,
            seriesMax: seriesMax, series: values.map { Series($0.key, $0.value) })
    }

    private var isFolded: Bool {
        !labelNames.isEmpty && series.contains { $0.labels.allSatisfy { $0 == MetricSnapshot.otherLabel } }
    }
}

extension MetricValue {
    fileprivate func raised(to other: MetricValue) -> MetricValue {
        switch (self, other) {
        case (.counter(let own), .counter(let more)): .counter(max(own, more))
        case (.histogram(let own), .histogram(let more)): own.count < more.count ? other : self
        default: self
        }
    }
}
