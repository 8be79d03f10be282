/// What a metric counts or shows.
package enum MetricKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Only rises while a node lives.
    case counter
    /// Whatever it is at the moment.
    case gauge
    /// How values are spread.
    case histogram
}

/// Base units only, as Prometheus has it: whoever reads a figure must not have to ask.
package enum MetricUnit: String, Hashable, Sendable, Codable, CaseIterable {
    case seconds
    case bytes
    /// A part of a whole, 0 to 1.
    case ratio
    /// Things, which the name says.
    case count
}

/// One figure.
package enum MetricValue: Hashable, Sendable {
    case counter(UInt64)
    case gauge(GaugeFigure)
    case histogram(DDSketch)

    package var kind: MetricKind {
        switch self {
        case .counter: .counter
        case .gauge: .gauge
        case .histogram: .histogram
        }
    }

    /// Adds another figure of the same metric.
    mutating func merge(_ other: MetricValue) {
        switch (self, other) {
        case (.counter(let own), .counter(let more)): self = .counter(own.plus(more))
        case (.gauge(var own), .gauge(let more)):
            own.merge(more)
            self = .gauge(own)
        case (.histogram(var own), .histogram(let more)):
            // So that the buckets are not copied.
            self = .counter(0)
            own.merge(more)
            self = .histogram(own)
        default: preconditionFailure("a \(kind) and a \(other.kind) in one metric")
        }
    }
}

/// All figures of a node at one moment, or of many nodes merged.
///
/// Merging is associative and commutative, bit for bit, whatever the order in which figures of nodes arrive; also where
/// limits fold series together. Two releases may declare a metric differently: then one of the shapes, the same one
/// everywhere, is kept, and the name is in `conflicts`.
package struct MetricSnapshot: Hashable, Sendable {
    /// Metrics of a snapshot; 1,024. Of more, those whose names come first are kept.
    package static let metricsMax = 1024
    /// The value of all labels of the series that holds what has no series of its own.
    package static let otherLabel = "other"

    /// In the order of their names.
    package private(set) var metrics: [Metric]
    /// Names under which nodes keep different things, in order.
    package private(set) var conflicts: [String]

    package init() {
        metrics = []
        conflicts = []
    }

    /// - Parameter metrics: of two with one name, both count.
    package init(_ metrics: [Metric], conflicts: [String] = []) {
        self.init()
        for metric in metrics.sorted(by: { $0.name < $1.name }) {
            if self.metrics.last?.name == metric.name {
                merge(MetricSnapshot(sorted: [metric], conflicts: []))
            } else {
                self.metrics.append(metric)
            }
        }
        self.metrics.removeLast(max(0, self.metrics.count - Self.metricsMax))
        self.conflicts = union(self.conflicts, conflicts.sorted())
    }

    private init(sorted metrics: [Metric], conflicts: [String]) {
        self.metrics = metrics
        self.conflicts = conflicts
    }

    package subscript(name: String) -> Metric? {
        var low = 0, high = metrics.count
        while low < high {
            let middle = (low + high) / 2
            if metrics[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < metrics.count && metrics[low].name == name ? metrics[low] : nil
    }

    package var isEmpty: Bool { metrics.isEmpty }

    /// What outlives a node: counters and histograms. A gauge of a node that is gone shows nothing.
    package var cumulative: MetricSnapshot {
        MetricSnapshot(sorted: metrics.filter { $0.kind != .gauge }, conflicts: conflicts)
    }

    /// Without texts for people, to travel.
    package var withoutHelp: MetricSnapshot {
        let bare = metrics.map { metric in
            var metric = metric
            metric.help = ""
            metric.bounds = []
            return metric
        }
        return MetricSnapshot(sorted: bare, conflicts: conflicts)
    }

    /// Adds the figures of others.
    package mutating func merge(_ other: MetricSnapshot) {
        if other.metrics.isEmpty, other.conflicts.isEmpty { return }
        if metrics.isEmpty, conflicts.isEmpty {
            self = other
            return
        }
        var merged: [Metric] = []
        merged.reserveCapacity(max(metrics.count, other.metrics.count))
        var conflicting: [String] = []
        var (own, more) = (metrics[...], other.metrics[...])
        metrics = []
        while let left = own.first, let right = more.first {
            if left.name < right.name {
                merged.append(left)
                own.removeFirst()
            } else if right.name < left.name {
                merged.append(right)
                more.removeFirst()
            } else {
                own.removeFirst()
                more.removeFirst()
                if left.hasShape(of: right) {
                    merged.append(left.merged(with: right))
                } else {
                    conflicting.append(left.name)
                    merged.append(left.shape < right.shape ? left : right)
                }
            }
        }
        merged += own
        merged += more
        merged.removeLast(max(0, merged.count - Self.metricsMax))
        metrics = merged
        conflicts = union(union(conflicts, other.conflicts), conflicting)
    }

    private func union(_ left: [String], _ right: [String]) -> [String] {
        right.isEmpty ? left : Array(Set(left).union(right).sorted().prefix(Self.metricsMax))
    }
}
