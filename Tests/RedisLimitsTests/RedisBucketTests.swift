import Limits
import Testing

@testable import RedisLimits

/// The script counts as `GCRA` does.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"), .timeLimit(.minutes(2)))
struct RedisBucketTests {
    /// What the policies have is what makes rests: limits that divide no window, and windows of odd nanoseconds.
    private static func policies() throws -> [LimitPolicy] {
        [
            try LimitPolicy("even", limit: 10, per: .seconds(1)),
            try LimitPolicy("third", limit: 3, per: .seconds(1), burst: 7, cost: 2),
            try LimitPolicy("prime", limit: 999_983, per: .seconds(60), burst: 5),
            try LimitPolicy("odd", limit: 7, per: .nanoseconds(1_234_567_891), burst: 1),
            try LimitPolicy("rare", limit: 1, per: .seconds(31 * 86_400), burst: 11),
            try LimitPolicy("wide", limit: 999_999_937, per: .seconds(86_400), burst: 1_000_000_000, cost: 333_333_333),
        ]
    }

    /// The same script, which takes the time from its arguments and forgets nothing by the clock of the wall.
    private static func timedScript() throws -> String {
        let timed = RedisBucket.script.replacing("redis.call('TIME')", with: "{ARGV[6], ARGV[7]}")
            .replacing(", 'PX', milliseconds", with: "")
        try #require(timed != RedisBucket.script && !timed.contains("TIME") && !timed.contains("'PX'"))
        return timed
    }

    @Test func `each decision is the one that the cluster's own limiter makes`() async throws {
        let server = try RedisServer()
        try server.start()
        let redis = try await server.connection()
        let script = try Self.timedScript()
        for policy in try Self.policies() {
            let bucket = RedisBucket(policy)
            let rule = GCRA(policy)
            var random = SplitMix(seed: 7)
            // A day in the year 2096: with the longest debts still a whole number in a double.
            var now: Int64 = 4_000_000_000_000_000
            var arrival = rule.full(at: now * 1000)
            let window = Double(policy.window.components.seconds) * 1_000_000
            let refill = Int64(window * Double(policy.cost) / Double(policy.limit))
            var seen: Set<Bool> = []
            for step in 0..<400 {
                let answer = try await redis.ask(
                    RESPCommand(
                        ["EVAL", script, "1", policy.name] + bucket.arguments
                            + ["\(now / 1_000_000)", "\(now % 1_000_000)"]), patience: .seconds(5))
                let expected = rule.take(policy.cost, from: &arrival, at: now * 1000)
                let found = try #require(bucket.decision(answer), "\(answer)")
                try #require(found == expected, "\(policy.name), step \(step)")
                seen.insert(found.isAllowed)
                // Often at once, now and then for about as long as a check takes to come back.
                if random.next() % 4 == 0 { now += Int64(random.next() % UInt64(max(2, refill * 2))) }
            }
            #expect(seen == [true, false], "\(policy.name)")
        }
    }

    @Test func `a clock that goes back costs one burst, and a rest under another policy is none`() async throws {
        let server = try RedisServer()
        try server.start()
        let redis = try await server.connection()
        let policy = try LimitPolicy("p", limit: 10, per: .seconds(1))
        let bucket = RedisBucket(policy)
        let script = try Self.timedScript()
        func decide(atSecond second: Int) async throws -> LimitDecision? {
            bucket.decision(
                try await redis.ask(
                    RESPCommand(["EVAL", script, "1", "key"] + bucket.arguments + ["\(second)", "0"]),
                    patience: .seconds(5)))
        }
        #expect(try await decide(atSecond: 1_000_000)?.isAllowed == true)
        let back = try await decide(atSecond: 500_000)
        #expect(back?.outcome == .refused(retryAfter: 100_000_000) && back?.remaining == 0)
        _ = try await redis.ask("SET", "key", "500000000000 999999999999")
        let other = try await decide(atSecond: 500_000)
        #expect(other?.isAllowed == true && other?.remaining == 8, "a microsecond of debt, and a unit")
        _ = try await redis.ask("SET", "key", "rubbish")
        #expect(try await decide(atSecond: 500_000)?.remaining == 9)
    }

    @Test func `an answer that is none is told from one that refuses`() throws {
        let bucket = RedisBucket(try LimitPolicy("p", limit: 10, per: .seconds(1)))
        #expect(bucket.decision(.list([.integer(0), .integer(1_000_000), .integer(0)]))?.isAllowed == false)
        for wrong: RESPValue in [
            .error("ERR"), .list(nil), .list([.integer(1)]), .list([.integer(2), .integer(0), .integer(0)]),
            .list([.integer(1), .integer(-1), .integer(0)]), .list([.text("1"), .integer(0), .integer(0)]),
        ] { #expect(bucket.decision(wrong) == nil, "\(wrong)") }
    }
}

/// Sebastiano Vigna's SplitMix64.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
