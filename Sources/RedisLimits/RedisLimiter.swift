package import Limits
package import Logging
import Synchronization

/// Counts what clients may ask in a Redis that all nodes share, one script for each check.
///
/// Whenever it has no answer in time it says so, and the caller asks the cluster's own limiter: no request fails, and
/// none goes uncounted, because Redis is away. Then at most one more burst of each key is admitted, which is what the
/// other account begins with (docs/limits.md, "Redis").
package final class RedisLimiter: Sendable {
    package enum State: Hashable, Sendable {
        case up
        /// Since the start, or since it was up.
        case away(RedisError)
    }

    /// What became of checks.
    package struct Counts: Hashable, Sendable {
        package var allowed = 0
        package var refused = 0
        /// Those that the cluster's own limiter was left with, by reason.
        package var unanswered: [RedisError.Code: Int] = [:]
        package var connections = 0
    }

    private struct Link: Sendable {
        let connection: RedisConnection
        /// The script's digest, under which this Redis has it.
        let script: String
    }

    private struct Status: Sendable {
        var link: Link?
        /// Nil: it is up.
        var away: RedisError? = RedisError(.away, "not connected yet")
        /// Whether operators were told that it is away.
        var isTold = false
        var counts = Counts()
    }

    private let configuration: RedisConfiguration
    private let buckets: [String: RedisBucket]
    private let clock: any Clock<Duration>
    /// In 0..<1.
    private let chance: @Sendable () -> Double
    private let log: Logger
    private let status = Mutex(Status())

    package init(
        _ policies: [LimitPolicy], _ configuration: RedisConfiguration, clock: any Clock<Duration>,
        chance: @escaping @Sendable () -> Double, log: Logger
    ) {
        self.configuration = configuration
        buckets = Dictionary(uniqueKeysWithValues: policies.map { ($0.name, RedisBucket($0)) })
        self.clock = clock
        self.chance = chance
        self.log = log
    }

    package var counts: Counts { status.withLock { $0.counts } }

    /// Whether checks are counted in Redis now. A Redis that hangs is away as soon as one answer is overdue.
    package var state: State {
        status.withLock { status in
            if let link = status.link, link.connection.isStalled { return .away(RedisError(.late, "it hangs")) }
            return status.away.map { .away($0) } ?? .up
        }
    }

    // MARK: Checks

    /// Asks whether `subject` may do what `policy` counts, and takes it if so. Nil: Redis gave no answer, and the
    /// cluster's own limiter has to be asked. Takes `patience` at most, twice that when its script was flushed.
    package func check(_ policy: String, _ subject: String) async -> LimitAnswer? {
        guard let bucket = buckets[policy], LimitKey.subjectBytesMax >= subject.utf8.count else { return nil }
        do throws(RedisError) {
            let decision = try await decide(bucket, key: "\(configuration.prefix):\(policy):\(subject)")
            status.withLock { status in
                if decision.isAllowed { status.counts.allowed += 1 } else { status.counts.refused += 1 }
            }
            // It is the bucket itself that has answered.
            return LimitAnswer(decision, source: .owner)
        } catch {
            status.withLock { $0.counts.unanswered[error.code, default: 0] += 1 }
            log.debug("limit not decided in redis", metadata: ["limit.policy": "\(policy)", "error": "\(error)"])
            return nil
        }
    }

    private func decide(_ bucket: RedisBucket, key: String) async throws(RedisError) -> LimitDecision {
        guard let link = status.withLock({ $0.link }) else { throw RedisError(.away, "there is no connection") }
        guard !link.connection.isStalled else { throw RedisError(.busy, "an answer is overdue") }
        return try await Self.decide(bucket, key: key, by: link, patience: configuration.patience)
    }

    private static func decide(
        _ bucket: RedisBucket, key: String, by link: Link, patience: Duration
    ) async throws(RedisError) -> LimitDecision {
        let words = ["1", key] + bucket.arguments
        var answer = try await link.connection.ask(
            RESPCommand(["EVALSHA", link.script] + words), patience: patience)
        // Somebody flushed its scripts.
        if case .error(let text) = answer, text.hasPrefix("NOSCRIPT") {
            answer = try await link.connection.ask(
                RESPCommand(["EVAL", RedisBucket.script] + words), patience: patience)
        }
        if let decision = bucket.decision(answer) { return decision }
        // It will say the same to the next check. Whoever connects again hears it first and keeps away until then.
        let error =
            if case .error(let text) = answer { RedisError(.refused, text) } else {
                RedisError(.unusable, "the script's answer is none")
            }
        link.connection.close(error)
        throw error
    }

    // MARK: The connection

    /// Keeps a connection. Ends by cancellation only.
    package func run() async {
        var pace = RedisPace(configuration)
        while !Task.isCancelled {
            let stood = await connectOnce()
            let pause = pace.next(stood: stood, chance: chance())
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: pause)
        }
    }

    /// Answers with how long the connection stood.
    private func connectOnce() async -> Duration {
        let link: Link
        do throws(RedisError) { link = try await connect() } catch {
            if !Task.isCancelled { becameAway(error) }
            return .zero
        }
        becameUp(link)
        let watch = Stopwatch(clock)
        let reason = await link.connection.untilItEnds()
        status.withLock { $0.link = nil }
        if !Task.isCancelled { becameAway(reason) }
        return watch.elapsed
    }

    /// A connection on which a check was tried: what Redis would say to each of them, it says to this one.
    private func connect() async throws(RedisError) -> Link {
        let connection = try await RedisConnection.open(configuration)
        do throws(RedisError) {
            let address = configuration.address
            if let password = address.password {
                let words = ["AUTH"] + (address.user.map { [$0] } ?? []) + [password]
                // Only its first word: an error may repeat what it was sent.
                try await expect(connection, words) { String($0.prefix { $0 != " " }) + ", to AUTH" }
            }
            if address.database != 0 { try await expect(connection, ["SELECT", "\(address.database)"]) { $0 } }
            let loaded = try await ask(connection, ["SCRIPT", "LOAD", RedisBucket.script])
            guard case .bytes(let digest?) = loaded else { throw Self.refusal(loaded) { $0 } }
            let link = Link(connection: connection, script: String(decoding: digest, as: UTF8.self))
            // As quick as a check has to be: a Redis that is never in time is away.
            _ = try await Self.decide(
                .probe, key: "\(configuration.prefix):probe", by: link, patience: configuration.patience)
            return link
        } catch {
            connection.close(error)
            throw error
        }
    }

    private func ask(_ connection: RedisConnection, _ words: [String]) async throws(RedisError) -> RESPValue {
        try await connection.ask(RESPCommand(words), patience: configuration.connectPatience)
    }

    private func expect(
        _ connection: RedisConnection, _ words: [String], _ told: (String) -> String
    ) async throws(RedisError) {
        let answer = try await ask(connection, words)
        guard answer == .text("OK") else { throw Self.refusal(answer, told) }
    }

    private static func refusal(_ answer: RESPValue, _ told: (String) -> String) -> RedisError {
        guard case .error(let text) = answer else { return RedisError(.unusable, "an answer of another kind") }
        return RedisError(.refused, told(text))
    }

    // MARK: Telling

    private func becameUp(_ link: Link) {
        status.withLock { status in
            status.link = link
            status.away = nil
            status.isTold = false
            status.counts.connections += 1
        }
        log.notice("limits are counted in redis", metadata: ["limits.redis": "\(configuration.address)"])
    }

    /// Said once for each outage.
    private func becameAway(_ reason: RedisError) {
        let isNews = status.withLock { status in
            defer { status.isTold = true }
            status.away = reason
            return !status.isTold
        }
        let facts: Logger.Metadata = ["limits.redis": "\(configuration.address)", "error": "\(reason)"]
        if isNews {
            log.warning("redis is away: limits are counted by the cluster itself", metadata: facts)
        } else {
            log.debug("redis is still away", metadata: facts)
        }
    }
}

extension RedisBucket {
    /// Of no client: full again in a second, whoever asks.
    fileprivate static let probe = RedisBucket(limit: 1_000_000, windowNanoseconds: 1_000_000_000, burst: 1_000_000)
}

/// Time since it was made.
private struct Stopwatch: Sendable {
    private let read: @Sendable () -> Duration

    init(_ clock: any Clock<Duration>) { self.init(on: clock) }

    private init<Source: Clock>(on clock: Source) where Source.Duration == Duration {
        let start = clock.now
        read = { start.duration(to: clock.now) }
    }

    var elapsed: Duration { read() }
}
