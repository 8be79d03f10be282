import HTTPGateway
import Limits
import Membership
import PostgresStore
import RedisLimits
import Telemetry

extension LimiterSnapshots {
    /// In the table of the database that all nodes share.
    static func table(of store: PostgresStore) -> LimiterSnapshots {
        LimiterSnapshots(
            save: { holder, debts in
                let rows = debts.map { debt in
                    // Rounded up: a bucket may refuse longer, never shorter.
                    PostgresStore.LimiterRow(
                        policy: debt.policy, subject: debt.subject, debtMicroseconds: (debt.debt + 999) / 1000)
                }
                try await store.saveLimiterDebts(rows, heldBy: holder.rawValue)
            },
            load: { holder, cursor in
                let rows = try await store.limiterDebts(
                    heldBy: holder.rawValue, after: cursor.map { ($0.policy, $0.subject) }, limit: pageRowsMax)
                return rows.map {
                    LimiterDebt(policy: $0.policy, subject: $0.subject, debt: $0.debtMicroseconds * 1000)
                }
            },
            holders: { try await store.limiterHolders().compactMap { MemberID($0) } },
            tidy: { try await store.removePaidLimiterDebts() })
    }
}

extension RequestAdmission {
    /// Asks the limiter of this node, which knows whom to ask; where there is a Redis that one first, and the limiter
    /// whenever it has no answer.
    static func by(
        _ limiter: Limiter, or redis: RedisLimiter?, _ rules: [LimitRule], refusedKeys: LimitRule
    ) -> RequestAdmission {
        RequestAdmission(rules: rules, refusedKeys: refusedKeys) { policy, subject in
            if let redis, let answer = await redis.check(policy.name, subject) { return answer }
            do { return try await limiter.check(policy.name, subject) } catch {
                // The policies are the limiter's own and subjects are short: an error here is a mistake of the
                // program, and no reason to turn a client away.
                return LimitAnswer(LimitDecision(.allowed, remaining: 0, resetAfter: 0), source: .failedOpen)
            }
        }
    }
}

extension MetricRegistry {
    /// What the limiter has done.
    func addLimiter(_ limiter: Limiter) {
        let decisions = MetricDeclaration.counter(
            "limiter_decisions_total", help: "Checks of limits, by what became of them.", labels: ["outcome"])
        let buckets = MetricDeclaration.gauge("limiter_buckets_held", help: "Buckets that are not full, on this node.")
        let calls = MetricDeclaration.counter(
            "limiter_calls_total", help: "Calls to the owners of buckets.", labels: ["outcome"])
        addReader([decisions, buckets, calls]) { readings in
            let counts = limiter.counts
            let outcomes = [
                ("allowed", counts.shards.allowed), ("refused", counts.shards.refused),
                ("failed_open", counts.failedOpen), ("failed_closed", counts.failedClosed),
                ("alone", counts.decidedAlone),
            ]
            for (outcome, total) in outcomes { readings.counter(decisions.name, labels: [outcome], total) }
            readings.gauge(buckets.name, Double(counts.buckets))
            readings.counter(calls.name, labels: ["ok"], counts.calls - counts.callsFailed)
            readings.counter(calls.name, labels: ["failed"], counts.callsFailed)
        }
    }

    /// What Redis has decided, and whether it is there.
    func addRedis(_ redis: RedisLimiter) {
        let checks = MetricDeclaration.counter(
            "limiter_redis_checks_total",
            help: "Checks of limits that Redis was asked for; the cluster itself counted those without an answer.",
            labels: ["outcome"])
        let away = MetricDeclaration.gauge(
            "limiter_redis_away", help: "1 while limits are counted by the cluster itself because Redis is away.")
        addReader([checks, away]) { readings in
            let counts = redis.counts
            readings.counter(checks.name, labels: ["allowed"], counts.allowed)
            readings.counter(checks.name, labels: ["refused"], counts.refused)
            for code in RedisError.Code.allCases {
                readings.counter(checks.name, labels: ["no_answer_\(code.rawValue)"], counts.unanswered[code] ?? 0)
            }
            readings.gauge(away.name, redis.state == .up ? 0 : 1)
        }
    }
}
