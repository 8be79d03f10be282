import Glibc

/// How exact a sketch is, and how much it may hold. Only sketches of one accuracy can be merged.
package struct SketchAccuracy: Hashable, Sendable {
    /// Bounds of what an accuracy may be, also for one that a peer sent.
    package static let relativeErrorRange = 0.001...0.1
    package static let bucketsMaxRange = 16...4096

    /// 1 %, and 1,024 buckets: exact over a range of 1 to 780 million (a microsecond to 13 minutes, a kilobyte to 700
    /// gigabytes); what lies below the greatest value by more than that is kept as one bucket.
    package static let standard = SketchAccuracy(relativeError: 0.01, bucketsMax: 1024)

    /// A quantile is off by at most this part of the true value.
    package let relativeError: Double
    /// Buckets of 8 bytes; beyond it the lowest ones become one. Prevents one wild value from taking the memory of
    /// every series.
    package let bucketsMax: Int

    /// One bucket's upper edge over its lower one.
    let gamma: Double
    private let perLogarithm: Double

    package init(relativeError: Double, bucketsMax: Int) {
        precondition(
            Self.isValid(relativeError, bucketsMax), "a sketch of \(bucketsMax) buckets, off by \(relativeError)")
        self.relativeError = relativeError
        self.bucketsMax = bucketsMax
        gamma = (1 + relativeError) / (1 - relativeError)
        perLogarithm = 1 / log(gamma)
    }

    static func isValid(_ relativeError: Double, _ bucketsMax: Int) -> Bool {
        relativeErrorRange.contains(relativeError) && bucketsMaxRange.contains(bucketsMax)
    }

    /// The bucket of a positive value: that with `gamma^(index - 1) < value <= gamma^index`.
    @inline(__always)
    func index(of value: Double) -> Int { Int((log(value) * perLogarithm).rounded(.up)) }

    /// The value that a bucket stands for: off by the same part from both of its edges.
    func value(of index: Int) -> Double { 2 * pow(gamma, Double(index)) / (gamma + 1) }
}
