import Synchronization

/// What counts or shows one series. Keep it where it is used often: finding it by its labels costs more than counting.
package protocol MetricSeries: AnyObject, Sendable {
    static var kind: MetricKind { get }
    init(_ declaration: MetricDeclaration, refused: Counter?)
    var value: MetricValue { get }
}

/// Only rises. One atomic addition.
package final class Counter: MetricSeries {
    package static let kind = MetricKind.counter
    private let number = Atomic<UInt64>(0)

    package init(_ declaration: MetricDeclaration, refused: Counter?) {}

    /// - Parameter amount: not negative.
    package func count(_ amount: Int = 1) { number.wrappingAdd(UInt64(amount), ordering: .relaxed) }

    package var total: UInt64 { number.load(ordering: .relaxed) }
    package var value: MetricValue { .counter(total) }
}

/// Shows what was set last.
package final class Gauge: MetricSeries {
    package static let kind = MetricKind.gauge
    private let bits = Atomic<UInt64>(Double(0).bitPattern)
    private let refused: Counter?

    package init(_ declaration: MetricDeclaration, refused: Counter?) { self.refused = refused }

    /// What is no number is not shown.
    package func set(_ value: Double) {
        guard value.isFinite else {
            refused?.count()
            return
        }
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    package func add(_ amount: Double) {
        var known = bits.load(ordering: .relaxed)
        while true {
            let next = Double(bitPattern: known) + amount
            guard next.isFinite else {
                refused?.count()
                return
            }
            let (exchanged, original) = bits.weakCompareExchange(
                expected: known, desired: next.bitPattern, ordering: .relaxed)
            if exchanged { return }
            known = original
        }
    }

    package var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
    package var value: MetricValue { .gauge(GaugeFigure(current)) }
}

/// How values are spread. One lock and one logarithm for each.
package final class Histogram: MetricSeries {
    package static let kind = MetricKind.histogram
    private let sketch: Mutex<DDSketch>
    private let refused: Counter?

    package init(_ declaration: MetricDeclaration, refused: Counter?) {
        sketch = Mutex(DDSketch(declaration.accuracy))
        self.refused = refused
    }

    /// Negative values count as zero; what is no number is not counted.
    package func record(_ value: Double) {
        if !sketch.withLock({ $0.insert(value) }) { refused?.count() }
    }

    package func record(_ duration: Duration) { record(duration.inSeconds) }

    package var current: DDSketch { sketch.withLock { $0 } }
    package var value: MetricValue { .histogram(current) }
}

extension Duration {
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// For the wire, where there are no durations.
    var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0
            ? 0
            : UInt64(seconds).multipliedReportingOverflow(by: 1000).partialValue
                .plus(UInt64(max(0, attoseconds)) / 1_000_000_000_000_000)
    }
}
