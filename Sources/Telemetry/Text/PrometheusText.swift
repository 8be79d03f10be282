/// The text format of Prometheus, version 0.0.4.
///
/// Histograms are written as histograms, cut at the bounds of their declaration, and not as summaries: Prometheus can
/// add the buckets of many nodes and work out a quantile from them, but quantiles of nodes say nothing about the
/// quantile of all. The counts come from the sketch, so a value that lies within its relative error (1 %) of a bound
/// may be counted on either side of it; `_sum` and `_count` are exact. Exact quantiles of the cluster are in
/// `ClusterFigures`.
package enum PrometheusText {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package static func render(_ snapshot: MetricSnapshot) -> String {
        var text = ""
        for metric in snapshot.metrics where !metric.series.isEmpty {
            text += "# HELP \(metric.name) \(escaped(metric.help, quotes: false))\n"
            text += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
            for series in metric.series { append(series, of: metric, to: &text) }
        }
        return text
    }

    private static func append(_ series: Metric.Series, of metric: Metric, to text: inout String) {
        let labels = zip(metric.labelNames, series.labels).map { "\($0)=\"\(escaped($1, quotes: true))\"" }
        let own = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
        switch series.value {
        case .counter(let total): text += "\(metric.name)\(own) \(total)\n"
        case .gauge(let gauge): text += "\(metric.name)\(own) \(number(gauge.sum))\n"
        case .histogram(let sketch):
            func bucket(_ bound: String, _ count: UInt64) {
                let all = (labels + ["le=\"\(bound)\""]).joined(separator: ",")
                text += "\(metric.name)_bucket{\(all)} \(count)\n"
            }
            for (bound, count) in zip(metric.bounds, sketch.cumulativeCounts(metric.bounds)) {
                bucket(number(bound), count)
            }
            bucket("+Inf", sketch.count)
            text += "\(metric.name)_sum\(own) \(number(sketch.sum))\n"
            text += "\(metric.name)_count\(own) \(sketch.count)\n"
        }
    }

    private static func number(_ value: Double) -> String {
        // Exactly whole numbers without a point, as people write them.
        if abs(value) < 1e15, value == value.rounded() { return "\(Int64(value))" }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension MetricRegistry {
    /// The figures of this node, for `/api/metrics`.
    package func prometheusText() -> String { PrometheusText.render(snapshot()) }
}
