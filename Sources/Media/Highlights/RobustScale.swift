import Foundation

/// Compares a figure with the rest of its video: the distance from the median in units of the median absolute
/// deviation, squashed to 0...1. One shout or one silent minute does not move the scale, as it would move a mean.
///
/// Source: B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers" (1993), the modified z-score.
struct RobustScale: Sendable {
    /// More figures than this are sampled evenly: the median of a sample is as good, and sorting is the cost.
    static let figuresMax = 4096

    private let median: Double
    private let unit: Double

    init(_ figures: [Double]) {
        let stride = max(1, figures.count / Self.figuresMax)
        let sample = Swift.stride(from: 0, to: figures.count, by: stride).map { figures[$0] }
        median = Self.median(sample)
        let distances = sample.map { [median] in abs($0 - median) }
        let deviation = Self.median(distances)
        if deviation > 0 {
            unit = 1.4826 * deviation
        } else {
            // More than half are equal: fall back on the mean distance, which still sees the others.
            unit = distances.isEmpty ? 0 : 1.2533 * distances.reduce(0, +) / Double(distances.count)
        }
    }

    /// 0.5 for the median, towards 1 above it. Always 0.5 when all figures are equal.
    func signal(_ figure: Double) -> Double {
        guard unit > 1e-9 else { return 0.5 }
        let z = max(-6, min(6, (figure - median) / unit))
        return 1 / (1 + exp(-z))
    }

    private static func median(_ figures: [Double]) -> Double {
        guard !figures.isEmpty else { return 0 }
        let sorted = figures.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
