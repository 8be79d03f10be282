/// Time as this node lived it: pauses are cut out.
///
/// A process that was stopped for eight seconds has heard nobody for eight seconds, and would accuse everybody at once.
/// It can tell: its own wake-up came eight seconds late. So the pause is not counted, and every deadline keeps the
/// distance it had. (Lifeguard's local health catches slowness; this catches standing still.)
package struct AwakeClock: Sendable {
    package struct Reading {
        package let now: Duration
        /// How late we are for the wake-up we asked for.
        package let lateness: Duration
        package let wasPaused: Bool
    }

    private let pauseNoticedAfter: Duration
    private var latest: Duration?
    package private(set) var paused: Duration = .zero

    package init(pauseNoticedAfter: Duration) { self.pauseNoticedAfter = pauseNoticedAfter }

    /// `outer` is the shell's clock, `expected` the wake-up we asked for, in our time. A clock that goes back is held.
    package mutating func read(_ outer: Duration, expected: Duration?) -> Reading {
        let outer = max(outer, latest ?? outer)
        let before = latest.map { $0 - paused }
        latest = outer
        let now = outer - paused
        guard let expected, now > expected else { return Reading(now: now, lateness: .zero, wasPaused: false) }
        let lateness = now - expected
        guard lateness > pauseNoticedAfter else { return Reading(now: now, lateness: lateness, wasPaused: false) }
        // From the wake-up on; or from the last event, should that have come later.
        let resumed = max(expected, before ?? expected)
        paused += now - resumed
        return Reading(now: resumed, lateness: lateness, wasPaused: true)
    }

    /// What the shell's clock shows when ours shows `inner`.
    package func outer(_ inner: Duration) -> Duration { inner + paused }
}
