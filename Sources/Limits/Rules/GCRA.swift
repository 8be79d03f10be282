/// The generic cell rate algorithm: a leaky bucket whose whole state is one moment, the theoretical arrival time (TAT).
///
/// Source: ITU-T I.371 (and ATM Forum TM 4.0), "virtual scheduling". A check of n units at `now` is admitted when
///
///     max(TAT, now) + n T  <=  now + B T        T: the time in which one unit comes back;  B: the burst
///
/// and then the left side is the new TAT. In I.371's words T is the increment and (B - 1) T the limit.
///
/// T is rarely a whole number of nanoseconds (three a second), and rounding it would let the rate drift. So time is
/// counted in *ticks* of 1/`limit` nanosecond: a nanosecond is `limit` ticks, a unit is `window` ticks, both whole (and
/// both divided by what they have in common). Nothing is ever rounded, except what is told to people, upwards.
///
/// 128 bits hold every product: |now| < 2^63 and ticks per nanosecond < 2^30 make 2^93; a burst is at most 2^30 units
/// of 2^52 ticks; whatever else is added passes through `debtMax`.
package struct GCRA: Hashable, Sendable {
    /// The theoretical arrival time in ticks of its rule. Means nothing under another rule.
    package struct Arrival: Hashable, Sendable {
        var ticks: Int128
    }

    /// No debt is believed above this, whoever reports it: 10 years.
    static let debtMax: Nanoseconds = 10 * 366 * 86_400 * 1_000_000_000

    package let burst: Int
    private let ticksPerNanosecond: Int128
    private let ticksPerUnit: Int128
    private let burstTicks: Int128

    package init(_ policy: LimitPolicy) {
        self.init(limit: policy.limit, windowNanoseconds: policy.window.wholeNanoseconds, burst: policy.burst)
    }

    init(limit: Int, windowNanoseconds: Nanoseconds, burst: Int) {
        precondition(limit > 0 && windowNanoseconds > 0 && burst > 0, "\(limit) per \(windowNanoseconds) ns, \(burst)")
        let common = greatestCommonDivisor(Int64(limit), windowNanoseconds)
        self.burst = burst
        ticksPerNanosecond = Int128(Int64(limit) / common)
        ticksPerUnit = Int128(windowNanoseconds / common)
        burstTicks = Int128(burst) * ticksPerUnit
    }

    // MARK: Decisions

    /// A bucket that nobody has taken from.
    package func full(at now: Nanoseconds) -> Arrival { Arrival(ticks: Int128(now) * ticksPerNanosecond) }

    /// Takes `quantity` units, all or none. A quantity of 0 only looks.
    @inline(__always)
    package func take(_ quantity: Int, from arrival: inout Arrival, at now: Nanoseconds) -> LimitDecision {
        precondition(quantity >= 0, "a check takes \(quantity) units")
        let present = Int128(now) * ticksPerNanosecond
        let debt = max(arrival.ticks - present, 0)
        let after = debt + Int128(quantity) * ticksPerUnit
        guard after <= burstTicks else { return refusal(of: quantity, debt: debt, after: after) }
        if quantity > 0 { arrival.ticks = present + after }
        return LimitDecision(.allowed, remaining: units(in: burstTicks - after), resetAfter: nanoseconds(after))
    }

    /// Takes as many times `quantity` as there is room for, at most `count` times, and answers with how often.
    package func takeRepeatedly(
        _ quantity: Int, upTo count: Int, from arrival: inout Arrival, at now: Nanoseconds
    ) -> Int {
        precondition(quantity > 0 && count >= 0, "a check takes \(quantity) units \(count) times")
        let times = min(count, available(in: arrival, at: now) / quantity)
        if times > 0 { _ = take(times * quantity, from: &arrival, at: now) }
        return times
    }

    private func refusal(of quantity: Int, debt: Int128, after: Int128) -> LimitDecision {
        // A debt that was handed over may pass the burst.
        let remaining = units(in: max(burstTicks - debt, 0))
        let resetAfter = nanoseconds(debt)
        guard quantity <= burst else {
            return LimitDecision(.exceedsBurst, remaining: remaining, resetAfter: resetAfter)
        }
        return LimitDecision(
            .refused(retryAfter: nanoseconds(after - burstTicks)), remaining: remaining, resetAfter: resetAfter)
    }

    // MARK: Looking and changing

    /// Whole units that could be taken.
    package func available(in arrival: Arrival, at now: Nanoseconds) -> Int {
        units(in: max(burstTicks - debtTicks(of: arrival, at: now), 0))
    }

    /// A bucket that is full again is as good as one that never was.
    package func isIdle(_ arrival: Arrival, at now: Nanoseconds) -> Bool {
        arrival.ticks <= Int128(now) * ticksPerNanosecond
    }

    /// How far the TAT lies ahead, rounded up: whoever is told may refuse a nanosecond longer, never shorter.
    package func debt(of arrival: Arrival, at now: Nanoseconds) -> Nanoseconds {
        nanoseconds(debtTicks(of: arrival, at: now))
    }

    /// The bucket with this debt. Debts come from other nodes, so a wild one is bent and not a crash.
    package func arrival(owing debt: Nanoseconds, at now: Nanoseconds) -> Arrival {
        Arrival(ticks: (Int128(now) + Int128(min(max(debt, 0), Self.debtMax))) * ticksPerNanosecond)
    }

    /// The bucket that holds `remaining` units.
    package func arrival(holding remaining: Int, at now: Nanoseconds) -> Arrival {
        let taken = Int128(burst - min(max(remaining, 0), burst))
        return Arrival(ticks: Int128(now) * ticksPerNanosecond + taken * ticksPerUnit)
    }

    /// Takes units without asking whether there is room: they were admitted by somebody else.
    package func charge(_ quantity: Int, to arrival: inout Arrival, at now: Nanoseconds) {
        let debt = debtTicks(of: arrival, at: now) + Int128(max(quantity, 0)) * ticksPerUnit
        let most = Int128(Self.debtMax) * ticksPerNanosecond
        arrival.ticks = Int128(now) * ticksPerNanosecond + min(debt, most)
    }

    /// Puts units back, up to a full bucket.
    package func putBack(_ quantity: Int, into arrival: inout Arrival, at now: Nanoseconds) {
        let debt = debtTicks(of: arrival, at: now) - Int128(max(quantity, 0)) * ticksPerUnit
        arrival.ticks = Int128(now) * ticksPerNanosecond + max(debt, 0)
    }

    /// What is left of two accounts of the same bucket: the one that admits less.
    package func later(_ one: Arrival, _ other: Arrival) -> Arrival { one.ticks < other.ticks ? other : one }

    // MARK: Ticks

    @inline(__always)
    private func debtTicks(of arrival: Arrival, at now: Nanoseconds) -> Int128 {
        max(arrival.ticks - Int128(now) * ticksPerNanosecond, 0)
    }

    @inline(__always)
    private func units(in ticks: Int128) -> Int { Int(truncatingIfNeeded: quotient(ticks, ticksPerUnit)) }

    /// Rounded up.
    @inline(__always)
    private func nanoseconds(_ ticks: Int128) -> Nanoseconds {
        Nanoseconds(clamping: quotient(ticks + ticksPerNanosecond - 1, ticksPerNanosecond))
    }

    /// Of numbers that are not negative. Most fit into 64 bits, where dividing is several times quicker.
    @inline(__always)
    private func quotient(_ dividend: Int128, _ divisor: Int128) -> Int128 {
        if dividend >> 64 == 0 {
            return Int128(UInt64(truncatingIfNeeded: dividend) / UInt64(truncatingIfNeeded: divisor))
        }
        return dividend / divisor
    }
}

/// Euclid's.
private func greatestCommonDivisor(_ one: Int64, _ other: Int64) -> Int64 {
    var (larger, smaller) = (one, other)
    while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
    return larger
}
