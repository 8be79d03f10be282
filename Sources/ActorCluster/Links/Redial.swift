/// When to dial a peer again: decorrelated jitter, `pause = random(base ... 3 * last pause)`, at most the cap.
///
/// Jitter that forgets spreads callers best: a peer that comes back is not called by everybody at once
/// (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
struct Redial: Hashable, Sendable {
    private let pauses: ClosedRange<Duration>
    private let stableAfter: Duration
    private var last: Duration?
    private var restingUntil: Duration?
    private var standingSince: Duration?

    init(_ pauses: ClosedRange<Duration>, stableAfter: Duration) {
        self.pauses = pauses
        self.stableAfter = stableAfter
    }

    /// How long to wait before the next attempt; nil when it may be made now.
    func wait(at now: Duration) -> Duration? {
        guard let restingUntil, restingUntil > now else { return nil }
        return restingUntil - now
    }

    /// An attempt failed. `fraction` is drawn from 0..<1.
    mutating func failed(at now: Duration, fraction: Double) { rest(from: now, fraction) }

    mutating func established(at now: Duration) {
        standingSince = now
        restingUntil = nil
    }

    /// The connection is lost. One that stood for a while may be dialled again at once, which is how a killed process
    /// is told from a broken connection; one that never stood long is a peer in trouble.
    mutating func lost(at now: Duration, fraction: Double) {
        if let standingSince, now - standingSince >= stableAfter {
            (last, restingUntil) = (nil, nil)
        } else {
            rest(from: now, fraction)
        }
        standingSince = nil
    }

    private mutating func rest(from now: Duration, _ fraction: Double) {
        let longest = last.map { $0 * 3 } ?? pauses.lowerBound
        let upper = min(pauses.upperBound, max(pauses.lowerBound, longest))
        let pause = pauses.lowerBound + (upper - pauses.lowerBound) * fraction
        last = pause
        restingUntil = now + pause
    }
}
