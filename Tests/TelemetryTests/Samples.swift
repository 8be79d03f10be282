import ClusterSimulation
import Membership
import Telemetry
import Testing

/// Values as they are measured.
enum Spread: String, CaseIterable, CustomTestStringConvertible {
    case even, exponential, heavyTail, tiny, whole

    func draw(_ random: inout ClusterSimulation.SeededGenerator) -> Double {
        let fraction = random.fraction()
        return switch self {
        case .even: 0.001 + fraction
        // Latencies: most are short, some are long.
        case .exponential: exponential(fraction)
        case .heavyTail: 1 / (1 - fraction) / (1 - fraction)
        case .tiny: fraction < 0.3 ? 0 : fraction * 1e-7
        case .whole: (fraction * 50).rounded(.down)
        }
    }

    private func exponential(_ fraction: Double) -> Double {
        // Without Foundation's logarithm: the sum of many small parts is spread alike.
        var (value, rest) = (0.01, fraction)
        while rest > 0.5 {
            value *= 2
            rest = (rest - 0.5) * 2
        }
        return value * (1 + rest)
    }

    var testDescription: String { rawValue }
}

func sketch(_ values: some Sequence<Double>, _ accuracy: SketchAccuracy = .standard) -> DDSketch {
    var sketch = DDSketch(accuracy)
    for value in values { sketch.insert(value) }
    return sketch
}

func merged(_ parts: [DDSketch], _ accuracy: SketchAccuracy = .standard) -> DDSketch {
    parts.reduce(into: DDSketch(accuracy)) { $0.merge($1) }
}

func merged(_ parts: [MetricSnapshot]) -> MetricSnapshot {
    parts.reduce(into: MetricSnapshot()) { $0.merge($1) }
}

func life(_ name: String, _ epoch: UInt64) -> MemberLife {
    guard let id = MemberID(name) else { preconditionFailure("\(name) is no name") }
    return MemberLife(id: id, epoch: epoch)
}

/// A snapshot with one counter.
func counted(_ total: UInt64, labels: [String] = [], named name: String = "things_done_total") -> MetricSnapshot {
    let names = labels.indices.map { "label_\($0)" }
    return MetricSnapshot([
        Metric(name, .counter, labelNames: names, series: [Metric.Series(labels, .counter(total))])
    ])
}

extension MetricSnapshot {
    /// The sum of all series of a counter.
    func total(_ name: String = "things_done_total") -> UInt64 {
        (self[name]?.series ?? []).reduce(0) { sum, series in
            guard case .counter(let total) = series.value else { return sum }
            return sum + total
        }
    }
}
