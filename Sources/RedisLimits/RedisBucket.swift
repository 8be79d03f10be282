import Limits

/// One policy as the script counts it, and what its answers mean.
///
/// The same algorithm as `GCRA`, and as exact: Lua has doubles, which hold whole numbers up to 2^53, so times go to the
/// script and come back as whole microseconds and a rest, a number of 1 / `denominator` microseconds. A unit comes back
/// in window / limit, which is `window in nanoseconds` such parts when the denominator is 1000 x limit. Everything that
/// needs a division is computed here, in 128 bits.
struct RedisBucket: Hashable, Sendable {
    private let unitTicks: Int128
    private let ticksPerMicrosecond: Int128
    private let burst: Int
    /// Units that one check takes.
    private let cost: Int
    /// `ARGV`: the denominator, the burst and the cost, each of these as microseconds and rest.
    let arguments: [String]

    init(_ policy: LimitPolicy) {
        let (seconds, attoseconds) = policy.window.components
        self.init(
            limit: policy.limit, windowNanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000,
            burst: policy.burst, cost: policy.cost)
    }

    init(limit: Int, windowNanoseconds: Int64, burst: Int, cost: Int = 1) {
        let (unit, denominator) = (Int128(windowNanoseconds), 1000 * Int128(limit))
        (unitTicks, ticksPerMicrosecond, self.burst, self.cost) = (unit, denominator, burst, cost)
        arguments =
            ["\(denominator)"]
            + [burst, cost].flatMap { units in
                let (whole, rest) = (Int128(units) * unit).quotientAndRemainder(dividingBy: denominator)
                return ["\(whole)", "\(rest)"]
            }
    }

    /// What `{1 or 0, microseconds, rest}` means: whether it was taken, and the debt after that. Nil: it is no answer.
    func decision(_ answer: RESPValue) -> LimitDecision? {
        guard case .list(let elements) = answer, elements?.count == 3,
            case .integer(let taken) = elements?[0], case .integer(let whole) = elements?[1],
            case .integer(let rest) = elements?[2], 0...1 ~= taken, whole >= 0, rest >= 0
        else { return nil }
        let debt = Int128(whole) * ticksPerMicrosecond + Int128(rest)
        let burstTicks = Int128(burst) * unitTicks
        let remaining = Int(max(burstTicks - debt, 0) / unitTicks)
        let resetAfter = nanoseconds(debt)
        guard taken == 0 else { return LimitDecision(.allowed, remaining: remaining, resetAfter: resetAfter) }
        let wait = nanoseconds(max(debt + Int128(cost) * unitTicks - burstTicks, 1))
        return LimitDecision(.refused(retryAfter: wait), remaining: remaining, resetAfter: resetAfter)
    }

    /// Rounded up.
    private func nanoseconds(_ ticks: Int128) -> Nanoseconds {
        Nanoseconds(clamping: (ticks * 1000 + ticksPerMicrosecond - 1) / ticksPerMicrosecond)
    }

    /// GCRA, virtual scheduling (ITU-T I.371), as `Limits/Rules/GCRA.swift` has it, on Redis' own clock: those of the
    /// nodes do not matter. `KEYS[1]`: the bucket, "microseconds rest": its theoretical arrival time. One that is full
    /// again expires. A debt above the burst means that the clock went back, or the policy changed: it is the burst.
    ///
    /// A time of day is 2^51 microseconds, a rest below 10^12: sums of them are whole in a double.
    static let script = """
        local per = tonumber(ARGV[1])
        local burst, burstRest = tonumber(ARGV[2]), tonumber(ARGV[3])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local debt, debtRest = 0, 0
        local kept = redis.call('GET', KEYS[1])
        if kept then
            local whole, rest = string.match(kept, '^(%d+) (%d+)$')
            if whole and tonumber(whole) >= now then
                debt, debtRest = tonumber(whole) - now, tonumber(rest)
                if debtRest >= per then debt, debtRest = debt + 1, 0 end
                if debt > burst or (debt == burst and debtRest > burstRest) then debt, debtRest = burst, burstRest end
            end
        end
        local after, afterRest = debt + tonumber(ARGV[4]), debtRest + tonumber(ARGV[5])
        if afterRest >= per then after, afterRest = after + 1, afterRest - per end
        if after > burst or (after == burst and afterRest > burstRest) then return {0, debt, debtRest} end
        local milliseconds = string.format('%.0f', math.floor(after / 1000) + 1)
        redis.call('SET', KEYS[1], string.format('%.0f %.0f', now + after, afterRest), 'PX', milliseconds)
        return {1, after, afterRest}
        """
}
