import Membership

/// What the whole cluster has counted, and shows: `GET /admin/v1/metrics`.
package struct ClusterFigures: Hashable, Sendable, Codable {
    /// Who answers.
    package let node: String
    package let regions: [Region]
    /// Members that cannot be reached, or that no keeper has heard for a while: what they count now is missing.
    package let unheardNodes: [String]
    /// Metrics that releases declare differently: only one of the shapes is in the figures.
    package let conflictingMetrics: [String]
    package let metrics: [MetricFigures]

    /// How well a region is known.
    package struct Region: Hashable, Sendable, Codable {
        package let region: String
        /// Who merged its figures; nil when no keeper has ever answered.
        package let keeper: String?
        /// Since they were merged.
        package let ageSeconds: Double?
        /// False: no keeper answered this time, or only one that knows less. What is shown was known before.
        package let isFresh: Bool
        /// For how long the region has been remembered: counters begin there.
        package let memorySeconds: Double?
        package let nodes: [Node]
    }

    package struct Node: Hashable, Sendable, Codable {
        package enum State: String, Hashable, Sendable, Codable {
            case reporting
            /// It has missed its reports.
            case quiet
            /// It is no member. What it has counted still counts.
            case ended
        }

        package let node: String
        package let epoch: UInt64
        package let state: State
        /// Since its last report.
        package let ageSeconds: Double
    }

    package struct MetricFigures: Hashable, Sendable, Codable {
        package let name: String
        package let kind: MetricKind
        package let unit: MetricUnit
        package let help: String
        package let series: [Series]
    }

    package struct Series: Hashable, Sendable, Codable {
        package let labels: [String: String]
        /// Of all regions.
        package let cluster: Figure
        package let regions: [String: Figure]
    }

    /// One of three, by the kind of the metric.
    package struct Figure: Hashable, Sendable, Codable {
        package let counter: UInt64?
        package let gauge: Gauge?
        package let histogram: Histogram?
    }

    /// Over nodes. Whether their sum, their mean or their extremes mean something depends on the metric.
    package struct Gauge: Hashable, Sendable, Codable {
        package let sum: Double
        package let mean: Double
        package let minimum: Double
        package let maximum: Double
        package let nodes: UInt64
    }

    /// Quantiles are off by at most `relativeError` of their value.
    package struct Histogram: Hashable, Sendable, Codable {
        package let count: UInt64
        package let sum: Double
        package let minimum: Double?
        package let p50: Double?
        package let p90: Double?
        package let p99: Double?
        package let maximum: Double?
        package let relativeError: Double
    }

    package subscript(name: String) -> MetricFigures? { metrics.first { $0.name == name } }
}

extension ClusterFigures.MetricFigures {
    /// The series of these labels.
    package subscript(labels: [String: String]) -> ClusterFigures.Series? { series.first { $0.labels == labels } }

    init(_ metric: Metric, help: String, regions: [(name: String, metric: Metric?)]) {
        // A region whose shape lost is not in the total, and not here either.
        let parts = regions.compactMap { region -> (String, [[String]: MetricValue])? in
            guard let its = region.metric, its.hasShape(of: metric) else { return nil }
            return (region.name, Dictionary(its.series.map { ($0.labels, $0.value) }) { first, _ in first })
        }
        let series = metric.series.map { one in
            let its = parts.compactMap { name, values in
                values[one.labels].map { (name, ClusterFigures.Figure($0)) }
            }
            return ClusterFigures.Series(
                labels: Dictionary(zip(metric.labelNames, one.labels)) { first, _ in first },
                cluster: ClusterFigures.Figure(one.value), regions: Dictionary(its) { first, _ in first })
        }
        self.init(name: metric.name, kind: metric.kind, unit: metric.unit, help: help, series: series)
    }
}

extension ClusterFigures.Figure {
    init(_ value: MetricValue) {
        switch value {
        case .counter(let total): self.init(counter: total, gauge: nil, histogram: nil)
        case .gauge(let gauge):
            let figure = ClusterFigures.Gauge(
                sum: gauge.sum, mean: gauge.mean, minimum: gauge.minimum, maximum: gauge.maximum, nodes: gauge.nodes)
            self.init(counter: nil, gauge: figure, histogram: nil)
        case .histogram(let sketch):
            let figure = ClusterFigures.Histogram(
                count: sketch.count, sum: sketch.sum, minimum: sketch.minimum, p50: sketch.quantile(0.5),
                p90: sketch.quantile(0.9), p99: sketch.quantile(0.99), maximum: sketch.maximum,
                relativeError: sketch.accuracy.relativeError)
            self.init(counter: nil, gauge: nil, histogram: figure)
        }
    }
}

extension ClusterFigures.Region {
    init(_ region: String, _ known: FigureBook.Known?, at now: Duration) {
        let since = known.map { (now - $0.receivedAt).inSeconds } ?? 0
        let nodes = known?.figures.nodes.map { node in
            ClusterFigures.Node(
                node: node.life.id.rawValue, epoch: node.life.epoch,
                state: node.isEnded ? .ended : node.isQuiet ? .quiet : .reporting,
                ageSeconds: Double(node.ageMilliseconds) / 1000 + since)
        }
        self.init(
            region: region, keeper: known?.figures.keeper.id.rawValue, ageSeconds: known.map { _ in since },
            isFresh: known?.isFresh ?? false,
            memorySeconds: known.map { Double($0.figures.memoryMilliseconds) / 1000 + since }, nodes: nodes ?? [])
    }
}
