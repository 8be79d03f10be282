// On the wire a snapshot is made of fields that may be absent, instead of cases: a release that knows a new kind of
// metric can send it to one that does not, which then does without that metric. Texts for people do not travel.

extension MetricSnapshot: Codable {
    private enum CodingKeys: String, CodingKey {
        case metrics = "m"
        case conflicts = "x"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let wire = try container.decode([WireMetric].self, forKey: .metrics)
        let conflicts = try container.decodeIfPresent([String].self, forKey: .conflicts) ?? []
        guard wire.count <= Self.metricsMax, conflicts.count <= Self.metricsMax else {
            throw DecodingError.dataCorruptedError(
                forKey: .metrics, in: container, debugDescription: "more than \(Self.metricsMax) metrics")
        }
        self.init(try wire.compactMap { try $0.metric() }, conflicts: conflicts)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(metrics.map { WireMetric($0) }, forKey: .metrics)
        if !conflicts.isEmpty { try container.encode(conflicts, forKey: .conflicts) }
    }
}

private struct WireMetric: Codable {
    let name: String
    let kind: String
    let unit: String
    let labelNames: [String]?
    let relativeError: Double?
    let bucketsMax: Int?
    let seriesMax: Int
    let series: [WireSeries]

    enum CodingKeys: String, CodingKey {
        case name = "n"
        case kind = "k"
        case unit = "u"
        case labelNames = "l"
        case relativeError = "e"
        case bucketsMax = "b"
        case seriesMax = "o"
        case series = "s"
    }

    init(_ metric: Metric) {
        name = metric.name
        kind = metric.kind.rawValue
        unit = metric.unit.rawValue
        labelNames = metric.labelNames.isEmpty ? nil : metric.labelNames
        relativeError = metric.accuracy?.relativeError
        bucketsMax = metric.accuracy?.bucketsMax
        seriesMax = metric.seriesMax
        series = metric.series.map { WireSeries($0) }
    }

    /// Nil for a kind of another release.
    func metric() throws -> Metric? {
        guard let kind = MetricKind(rawValue: kind) else { return nil }
        var accuracy: SketchAccuracy?
        if kind == .histogram {
            guard let relativeError, let bucketsMax, SketchAccuracy.isValid(relativeError, bucketsMax) else {
                throw broken("has no accuracy")
            }
            accuracy = SketchAccuracy(relativeError: relativeError, bucketsMax: bucketsMax)
        }
        let labelNames = labelNames ?? []
        let texts = [name] + labelNames
        guard texts.allSatisfy(MetricNames.isName), labelNames.count <= MetricDeclaration.labelsMax else {
            throw broken("is no name")
        }
        guard 1...MetricDeclaration.seriesMaxMax ~= seriesMax, series.count <= seriesMax + 1 else {
            throw broken("has \(series.count) series")
        }
        // A unit of another release is shown as none.
        var metric = Metric(
            name, kind, unit: MetricUnit(rawValue: unit) ?? .count, labelNames: labelNames, accuracy: accuracy,
            seriesMax: seriesMax, series: [])
        let read = try series.map { one in
            guard let series = one.series(), metric.isOurs(series), series.labels.allSatisfy(MetricNames.isShort)
            else { throw broken("has a series that is not its own") }
            return series
        }
        metric = Metric(
            name, kind, unit: metric.unit, labelNames: labelNames, accuracy: accuracy, seriesMax: seriesMax,
            series: read)
        return metric
    }

    private func broken(_ what: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: "metric \(name.prefix(100)) \(what)"))
    }
}

private struct WireSeries: Codable {
    let labels: [String]?
    let counter: UInt64?
    let gauge: GaugeFigure?
    let histogram: DDSketch?

    enum CodingKeys: String, CodingKey {
        case labels = "l"
        case counter = "c"
        case gauge = "g"
        case histogram = "h"
    }

    init(_ series: Metric.Series) {
        labels = series.labels.isEmpty ? nil : series.labels
        switch series.value {
        case .counter(let value): (counter, gauge, histogram) = (value, nil, nil)
        case .gauge(let value): (counter, gauge, histogram) = (nil, value, nil)
        case .histogram(let value): (counter, gauge, histogram) = (nil, nil, value)
        }
    }

    /// Nil when it holds nothing.
    func series() -> Metric.Series? {
        let value =
            counter.map(MetricValue.counter) ?? gauge.map(MetricValue.gauge) ?? histogram.map(MetricValue.histogram)
        return value.map { Metric.Series(labels ?? [], $0) }
    }
}
