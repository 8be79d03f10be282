import Synchronization

package typealias Counters = MetricFamily<Counter>
package typealias Gauges = MetricFamily<Gauge>
package typealias Histograms = MetricFamily<Histogram>

/// A metric with labels: a series for each combination of their values that was asked for.
package final class MetricFamily<Series: MetricSeries>: Sendable {
    private struct State {
        var series: [[String]: Series] = [:]
        var other: Series?
    }

    package let declaration: MetricDeclaration
    private let budget: SeriesBudget
    private let state = Mutex(State())

    init(_ declaration: MetricDeclaration, _ budget: SeriesBudget) {
        self.declaration = declaration
        self.budget = budget
    }

    /// The series of these values, in the order of the declaration's labels. The `other` one when there is no room, or
    /// when a value is none that a label may have.
    package subscript(labels: String...) -> Series { self[labels: labels] }

    package subscript(labels labels: [String]) -> Series {
        precondition(
            labels.count == declaration.labels.count, "\(labels.count) values for the labels of \(declaration.name)")
        return state.withLock { state in
            if let known = state.series[labels] { return known }
            let isNew = labels.allSatisfy(MetricNames.isLabelValue) && state.series.count < declaration.seriesMax
            if labels.isEmpty || isNew && budget.take(Series.kind) {
                let series = Series(declaration, refused: budget.refused)
                state.series[labels] = series
                return series
            }
            budget.folded(declaration.name)
            let other = state.other ?? Series(declaration, refused: budget.refused)
            state.other = other
            return other
        }
    }
}

/// A family, whatever its series are.
protocol AnyMetricFamily: Sendable {
    var declaration: MetricDeclaration { get }
    var metric: Metric { get }
}

extension MetricFamily: AnyMetricFamily {
    var metric: Metric {
        let state = state.withLock { $0 }
        var series = state.series.map { Metric.Series($0.key, $0.value.value) }
        if let other = state.other {
            let labels = Array(repeating: MetricSnapshot.otherLabel, count: declaration.labels.count)
            series.append(Metric.Series(labels, other.value))
        }
        return declaration.metric(series)
    }
}

/// Series that all metrics of a registry share.
final class SeriesBudget: Sendable {
    private struct State {
        var series = 0
        var histograms = 0
        var folded: [String: UInt64] = [:]
    }

    private let limits: MetricRegistry.Limits
    private let state = Mutex(State())
    let refused: Counter

    init(_ limits: MetricRegistry.Limits, refused: Counter) {
        self.limits = limits
        self.refused = refused
    }

    /// False when there is none left.
    func take(_ kind: MetricKind) -> Bool {
        state.withLock { state in
            guard state.series < limits.seriesMax else { return false }
            if kind == .histogram {
                guard state.histograms < limits.histogramSeriesMax else { return false }
                state.histograms += 1
            }
            state.series += 1
            return true
        }
    }

    func folded(_ name: String, _ times: UInt64 = 1) { state.withLock { $0.folded[name, default: 0] += times } }

    /// By metric.
    var folded: [String: UInt64] { state.withLock { $0.folded } }
}
