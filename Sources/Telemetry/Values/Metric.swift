/// One metric with all its series.
package struct Metric: Hashable, Sendable {
    /// One combination of values of the labels.
    package struct Series: Hashable, Sendable {
        /// In the order of `labelNames`.
        package let labels: [String]
        package var value: MetricValue

        package init(_ labels: [String], _ value: MetricValue) {
            self.labels = labels
            self.value = value
        }
    }

    package let name: String
    package let kind: MetricKind
    package private(set) var unit: MetricUnit
    package internal(set) var help: String
    package let labelNames: [String]
    /// Of a histogram.
    package let accuracy: SketchAccuracy?
    /// Where a histogram is cut for Prometheus.
    package internal(set) var bounds: [Double]
    /// Series beside the `other` one. Of more, those whose labels come first are kept.
    package private(set) var seriesMax: Int
    /// In the order of their labels.
    package private(set) var series: [Series]

    /// - Parameter series: of the kind of this metric, each with a value for every label. Of two with the same labels,
    ///   both count.
    package init(
        _ name: String, _ kind: MetricKind, unit: MetricUnit = .count, help: String = "", labelNames: [String] = [],
        accuracy: SketchAccuracy? = nil, bounds: [Double] = [], seriesMax: Int = 100, series: [Series]
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
        self.labelNames = labelNames
        self.accuracy = kind == .histogram ? accuracy ?? .standard : nil
        self.bounds = bounds
        self.seriesMax = seriesMax
        self.series = []
        for one in series.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            precondition(isOurs(one), "a series \(one.labels) of \(name)")
            if self.series.last?.labels == one.labels {
                self.series[self.series.count - 1].value.merge(one.value)
            } else {
                self.series.append(one)
            }
        }
        foldExcess()
    }

    /// The figure of a metric without labels, or of these values of them.
    package subscript(labels: String...) -> MetricValue? { series.first { $0.labels == labels }?.value }

    func isOurs(_ series: Series) -> Bool {
        guard series.labels.count == labelNames.count, series.value.kind == kind else { return false }
        if case .histogram(let sketch) = series.value { return sketch.accuracy == accuracy }
        return true
    }

    // MARK: Shapes

    /// Whether figures of both can be added. Texts, bounds and limits may differ.
    func hasShape(of other: Metric) -> Bool {
        kind == other.kind && labelNames == other.labelNames && accuracy == other.accuracy
    }

    /// For an order among shapes, which is the same on all nodes.
    var shape: String {
        let exactness = accuracy.map { "\($0.relativeError) \($0.bucketsMax)" } ?? ""
        return "\(kind.rawValue) \(exactness) \(labelNames.joined(separator: ","))"
    }

    // MARK: Merging

    func merged(with other: Metric) -> Metric {
        var merged = self
        // Texts and bounds of neighbouring releases may differ; which one stays must not depend on the order.
        merged.help = max(help, other.help)
        merged.unit = unit.rawValue < other.unit.rawValue ? other.unit : unit
        merged.bounds = bounds.lexicographicallyPrecedes(other.bounds) ? other.bounds : bounds
        merged.seriesMax = min(seriesMax, other.seriesMax)
        merged.series = []
        merged.series.reserveCapacity(max(series.count, other.series.count))
        var (own, more) = (series[...], other.series[...])
        while let left = own.first, let right = more.first {
            if left.labels == right.labels {
                own.removeFirst()
                more.removeFirst()
                var both = left
                both.value.merge(right.value)
                merged.series.append(both)
            } else if left.labels.lexicographicallyPrecedes(right.labels) {
                merged.series.append(left)
                own.removeFirst()
            } else {
                merged.series.append(right)
                more.removeFirst()
            }
        }
        merged.series += own
        merged.series += more
        merged.foldExcess()
        return merged
    }

    /// The first `seriesMax` in the order of labels stay, the others become one. Whoever is among the first of all is
    /// among the first of any part too, and so was never folded before: that is why the order of merging does not
    /// matter.
    private mutating func foldExcess() {
        guard series.count > seriesMax else { return }
        let other = Array(repeating: MetricSnapshot.otherLabel, count: labelNames.count)
        var folded = series.first { $0.labels == other }
        let named = series.filter { $0.labels != other }
        guard named.count > seriesMax else { return }
        for excess in named[seriesMax...] {
            if folded == nil { folded = Series(other, excess.value) } else { folded?.value.merge(excess.value) }
        }
        series = Array(named[..<seriesMax])
        if let folded {
            let place = series.firstIndex { folded.labels.lexicographicallyPrecedes($0.labels) } ?? series.endIndex
            series.insert(folded, at: place)
        }
    }
}
