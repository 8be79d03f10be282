import Limits
import Testing

@Suite struct GCRATests {
    @Test func `a full bucket gives its burst at once and then one unit an interval`() throws {
        let rule = GCRA(try policy(limit: 10, burst: 3))
        var bucket = rule.full(at: 0)
        #expect(rule.take(1, from: &bucket, at: 0) == LimitDecision(.allowed, remaining: 2, resetAfter: second / 10))
        #expect(rule.take(1, from: &bucket, at: 0).remaining == 1)
        #expect(rule.take(1, from: &bucket, at: 0).remaining == 0)
        let refused = rule.take(1, from: &bucket, at: 0)
        #expect(refused == LimitDecision(.refused(retryAfter: second / 10), remaining: 0, resetAfter: 3 * second / 10))
        #expect(!rule.take(1, from: &bucket, at: second / 10 - 1).isAllowed)
        #expect(rule.take(1, from: &bucket, at: second / 10).isAllowed)
        #expect(!rule.take(1, from: &bucket, at: second / 10).isAllowed)
    }

    @Test func `several units are taken together or not at all`() throws {
        let rule = GCRA(try policy(limit: 1, burst: 5))
        var bucket = rule.full(at: 7)
        #expect(rule.take(4, from: &bucket, at: 7).isAllowed)
        let refused = rule.take(3, from: &bucket, at: 7)
        #expect(refused == LimitDecision(.refused(retryAfter: 2 * second), remaining: 1, resetAfter: 4 * second))
        #expect(rule.take(1, from: &bucket, at: 7).isAllowed)
        #expect(rule.take(5, from: &bucket, at: 7 + 5 * second).isAllowed)
    }

    @Test func `more than the burst is refused for ever, and zero only looks`() throws {
        let rule = GCRA(try policy(limit: 1, burst: 5))
        var bucket = rule.full(at: 0)
        #expect(rule.take(6, from: &bucket, at: 0) == LimitDecision(.exceedsBurst, remaining: 5, resetAfter: 0))
        #expect(rule.take(.max, from: &bucket, at: 0).outcome == .exceedsBurst)
        #expect(rule.take(0, from: &bucket, at: 0) == LimitDecision(.allowed, remaining: 5, resetAfter: 0))
        #expect(rule.take(5, from: &bucket, at: 0).isAllowed)
        #expect(rule.take(0, from: &bucket, at: 0).isAllowed)
    }

    @Test func `a clock that goes back makes nobody richer`() throws {
        let rule = GCRA(try policy(limit: 1, burst: 2))
        var bucket = rule.full(at: 100 * second)
        #expect(rule.take(2, from: &bucket, at: 100 * second).isAllowed)
        #expect(!rule.take(1, from: &bucket, at: 50 * second).isAllowed)
        #expect(!rule.take(1, from: &bucket, at: 100 * second).isAllowed)
        #expect(rule.take(1, from: &bucket, at: 101 * second).isAllowed)
    }

    /// Three a second is no whole number of nanoseconds. Rounded down to 333 for three million a second, a thousandth
    /// too much would be admitted; rounded up, two thousandths too little.
    @Test(arguments: [(3, second), (7, second), (3_000_000, second), (999_999_937, second), (1, 3 * second)])
    func `the rate does not drift`(limit: Int, window: Nanoseconds) throws {
        let rule = GCRA(try policy(limit: limit, per: .nanoseconds(window), burst: 1000))
        var bucket = rule.full(at: 0)
        _ = rule.take(1000, from: &bucket, at: 0)
        // Whatever is there every so often, a few dozen units: in the end exactly what came back in that time.
        let pause = max(1, 37 * window / Nanoseconds(limit))
        var taken = 0
        for step in 1...20_000 {
            let now = Nanoseconds(step) * pause
            let units = rule.available(in: bucket, at: now)
            taken += units
            try #require(rule.take(units, from: &bucket, at: now).isAllowed)
        }
        #expect(Int128(taken) == Int128(20_000 * pause) * Int128(limit) / Int128(window))
    }

    @Test(arguments: 0..<60)
    func `it admits exactly what every window allows`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let limit = Int.random(in: 1...20, using: &random)
        let window = Nanoseconds.random(in: 1_000_000...1_000_100, using: &random)
        let burst = Int.random(in: 1...10, using: &random)
        let rule = GCRA(try policy(limit: limit, per: .nanoseconds(window), burst: burst))
        var now = Nanoseconds.random(in: -1_000_000_000...1_000_000_000, using: &random)
        var bucket = rule.full(at: now)
        var model = EveryWindow(limit: limit, window: window, burst: burst)
        var refused = 0
        for _ in 0..<150 {
            let units = Int.random(in: 1...max(1, burst / 2), using: &random)
            let expected = model.allows(units, at: now)
            let decision = rule.take(units, from: &bucket, at: now)
            try #require(decision.isAllowed == expected, "seed \(seed), \(units) units at \(now)")
            if expected { model.admit(units, at: now) }
            try #require(decision.remaining == model.room(at: now))
            if case .refused(let wait) = decision.outcome {
                refused += 1
                #expect(model.allows(units, at: now + wait) && !model.allows(units, at: now + wait - 1))
                if Bool.random(using: &random) { now += wait }
            }
            now += Nanoseconds.random(in: 0...(2 * window / Nanoseconds(limit)), using: &random)
        }
        #expect(refused > 0)
    }

    @Test func `nothing overflows at the ends of the numbers`() throws {
        let biggest = [
            try policy(limit: 1_000_000_000, per: .milliseconds(1), burst: 1_000_000_000),
            try policy(limit: 1_000_000_000, per: .seconds(31 * 86_400), burst: 1_000_000_000),
            try policy(limit: 1, per: .milliseconds(1), burst: 1_000_000_000),
            try policy(limit: 999_999_937, per: .seconds(31 * 86_400), burst: 1_000_000_000),
        ]
        for policy in biggest {
            let rule = GCRA(policy)
            for now in [Nanoseconds.min, -1, 0, 1, .max] {
                var bucket = rule.full(at: now)
                #expect(rule.take(policy.burst, from: &bucket, at: now).isAllowed)
                #expect(!rule.take(1, from: &bucket, at: now).isAllowed)
                #expect(rule.take(.max, from: &bucket, at: .min).outcome == .exceedsBurst)
                rule.charge(.max, to: &bucket, at: now)
                #expect(rule.debt(of: bucket, at: now) <= 11 * 366 * 86_400 * second)
                #expect(rule.take(1, from: &bucket, at: .min).isAllowed == false)
                _ = rule.arrival(owing: .max, at: now)
                _ = rule.arrival(owing: .min, at: now)
            }
        }
    }

    @Test func `a bucket is what it owes, on another clock too`() throws {
        let rule = GCRA(try policy(limit: 3, burst: 9))
        var bucket = rule.full(at: 0)
        _ = rule.take(7, from: &bucket, at: 0)
        let moved = rule.arrival(owing: rule.debt(of: bucket, at: second), at: 500 * second)
        #expect(rule.available(in: bucket, at: second) == 5)
        // A debt is rounded up: here five units and a third of a nanosecond short of it.
        #expect(rule.available(in: moved, at: 500 * second) == 4)
        #expect(rule.available(in: moved, at: 500 * second + 1) == 5)
        #expect(rule.available(in: rule.arrival(holding: 4, at: 3), at: 3) == 4)
        #expect(rule.isIdle(moved, at: 600 * second) && !rule.isIdle(moved, at: 501 * second))
    }

    @Test func `units are put back up to a full bucket`() throws {
        let rule = GCRA(try policy(limit: 1, burst: 10))
        var bucket = rule.full(at: 0)
        _ = rule.take(6, from: &bucket, at: 0)
        rule.putBack(4, into: &bucket, at: 0)
        #expect(rule.available(in: bucket, at: 0) == 8)
        rule.putBack(.max, into: &bucket, at: second)
        #expect(rule.available(in: bucket, at: second) == 10)
        #expect(
            rule.take(10, from: &bucket, at: second).isAllowed && !rule.take(1, from: &bucket, at: second).isAllowed)
    }

    @Test func `a run of equal checks is the same as one after the other`() throws {
        let rule = GCRA(try policy(limit: 5, burst: 17))
        var (together, single) = (rule.full(at: 0), rule.full(at: 0))
        for step in 0..<50 {
            let now = Nanoseconds(step) * 170 * millisecond
            let times = rule.takeRepeatedly(3, upTo: 4, from: &together, at: now)
            let one = (0..<4).filter { _ in rule.take(3, from: &single, at: now).isAllowed }.count
            #expect(times == one)
            #expect(together == single)
        }
    }
}

@Suite struct LimitPolicyTests {
    @Test func `numbers outside their bounds are refused with the number`() {
        func refusal(_ make: () throws(LimitsError) -> LimitPolicy) -> String? {
            do {
                _ = try make()
                return nil
            } catch { return error.code == .invalidPolicy ? error.detail : "another code" }
        }
        #expect(refusal { () throws(LimitsError) in try LimitPolicy("api", limit: 1, per: .seconds(1)) } == nil)
        let wrong: [(String, () throws(LimitsError) -> LimitPolicy)] = [
            ("a name is", { () throws(LimitsError) in try LimitPolicy("", limit: 1, per: .seconds(1)) }),
            ("a name is", { () throws(LimitsError) in try LimitPolicy("Api", limit: 1, per: .seconds(1)) }),
            ("limit of 0", { () throws(LimitsError) in try LimitPolicy("a", limit: 0, per: .seconds(1)) }),
            (
                "limit of 1000000001",
                { () throws(LimitsError) in try LimitPolicy("a", limit: 1_000_000_001, per: .seconds(1)) }
            ),
            ("burst of 0", { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .seconds(1), burst: 0) }),
            (
                "burst of 1000000001",
                { () throws(LimitsError) in
                    try LimitPolicy("a", limit: 1_000_000, per: .seconds(1), burst: 1_000_000_001)
                }
            ),
            ("window of", { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .microseconds(999)) }),
            ("window of", { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .seconds(32 * 86_400)) }),
            ("cost of 0", { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .seconds(1), cost: 0) }),
            ("cost of 2", { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .seconds(1), cost: 2) }),
            (
                "lentUnitsMax of 2",
                { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .seconds(1), lentUnitsMax: 2) }
            ),
            (
                "to come back",
                { () throws(LimitsError) in try LimitPolicy("a", limit: 1, per: .seconds(86_400), burst: 367) }
            ),
        ]
        for (words, make) in wrong { #expect(refusal(make)?.contains(words) == true, "\(words)") }
    }

    @Test func `two policies of one name, or more than a thousand, are refused`() throws {
        let one = try policy("one", limit: 1)
        #expect(throws: LimitsError.self) { try LimitPolicies([one, one]) }
        let many = try (0...LimitPolicies.policiesMax).map { try policy("p\($0)", limit: 1) }
        #expect(throws: LimitsError.self) { try LimitPolicies(many) }
        #expect(try LimitPolicies(Array(many.dropLast())).number(of: "p999") == 999)
    }

    @Test func `a subject has 1 to 256 bytes`() {
        #expect(LimitKey(policy: 0, subject: "") == nil)
        #expect(LimitKey(policy: 0, subject: String(repeating: "x", count: 256)) != nil)
        #expect(LimitKey(policy: 0, subject: String(repeating: "x", count: 257)) == nil)
        #expect(LimitKey(policy: 0, subject: String(repeating: "é", count: 129)) == nil)
    }
}
