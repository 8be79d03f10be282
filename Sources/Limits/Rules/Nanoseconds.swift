/// A moment, in nanoseconds since an arbitrary start, or the time between two moments.
///
/// The limiter counts in these and not in `Duration`, whose attoseconds cost 128-bit divisions on the hottest path.
/// 2^63 nanoseconds are 292 years.
package typealias Nanoseconds = Int64

extension Duration {
    /// Cut off after whole nanoseconds. Times beyond 292 years count as 292 years.
    var wholeNanoseconds: Nanoseconds {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, passes) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return passes ? (seconds < 0 ? .min : .max) : sum
    }
}

extension Nanoseconds {
    /// The sum, or the largest number there is: an end that cannot be written down is one that never comes.
    func advanced(atMostBy span: Nanoseconds) -> Nanoseconds {
        let (sum, overflow) = addingReportingOverflow(span)
        return overflow ? (span < 0 ? .min : .max) : sum
    }
}
