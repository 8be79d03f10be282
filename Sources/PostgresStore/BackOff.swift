/// How long to wait before trying again: decorrelated jitter, so that nodes which lost the server together do not come
/// back together.
///
/// Formula: `wait = min(waitMax, uniform(first, 3 * previous wait))`, with `first` as the first previous wait. Source:
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
package struct BackOff {
    private let firstSeconds: Double
    private let secondsMax: Double
    private var previousSeconds: Double

    package init(firstSeconds: Double, secondsMax: Double) {
        precondition(0 < firstSeconds && firstSeconds <= secondsMax, "\(firstSeconds) is not in 0...\(secondsMax)")
        self.firstSeconds = firstSeconds
        self.secondsMax = secondsMax
        previousSeconds = firstSeconds
    }

    package mutating func next(using random: inout some RandomNumberGenerator) -> Double {
        let wait = Double.random(in: firstSeconds...max(firstSeconds, previousSeconds * 3), using: &random)
        previousSeconds = min(secondsMax, wait)
        return previousSeconds
    }

    package mutating func reset() { previousSeconds = firstSeconds }
}
