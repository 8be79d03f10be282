package import ClipModel
package import Store

/// What a node knows of keys without asking the database, and for how long that is good.
///
/// The law: a key that was revoked opens nothing `freshSeconds` after that, wherever it was known. The one exception is
/// a database that does not answer: then a key that it knew goes on for `awaySeconds`, because clients of good faith
/// are many and a key that must be shut out in just those minutes is rare.
package struct KeyCache: Sendable {
    package struct Limits: Sendable {
        /// For how long an answer of the database is good.
        package var freshSeconds = 15.0
        /// After this one request asks anew, while others go on with what is known. Less than `freshSeconds`.
        package var renewSeconds = 12.0
        /// Before another request asks as well, should the first have no answer yet.
        package var renewWaitSeconds = 2.0
        /// How long a known key goes on while the database does not answer.
        package var awaySeconds = 600.0
        /// A database that did not answer is not asked again before.
        package var pauseSeconds = 1.0
        /// Known keys, refused ones, and addresses that may show no more: each. Prevents made-up keys from filling the
        /// memory; that known ones are apart prevents them from pushing those out.
        package var entriesMax = 10_000

        package init() {}
    }

    /// Whose key it is.
    package struct Holder: Sendable, Hashable {
        package let client: ClientName
        package let key: KeyID

        package init(client: ClientName, key: KeyID) {
            self.client = client
            self.key = key
        }
    }

    /// Why a key opens nothing.
    package enum Refusal: String, Error, Hashable, Sendable, CaseIterable {
        case malformed, unknown, revoked, expired
    }

    package enum Look: Sendable, Hashable {
        case holder(Holder)
        case refused(Refusal)
        /// This address has shown too many keys that are none, and is not worth a question.
        case blocked(seconds: Double)
        /// Ask the database. When it does not answer, `fallback` is as good as an answer.
        case ask(fallback: Holder?)
        /// The database did not answer a moment ago, and nothing is known.
        case away
    }

    private struct Known {
        let holder: Holder
        /// When the question was sent whose answer this is: the key was good then or later.
        let confirmedAt: Double
        let endsAt: Double?
        var renewedAt: Double?
    }

    private struct Refused {
        let refusal: Refusal
        let confirmedAt: Double
    }

    package let limits: Limits
    private var known: RecentTable<String, Known>
    private var refused: RecentTable<String, Refused>
    private var blockedUntil: RecentTable<String, Double>
    private var pausedUntil = 0.0
    private var used: Set<KeyID> = []

    package init(_ limits: Limits = Limits()) {
        precondition(limits.renewSeconds < limits.freshSeconds, "answers are renewed before they are stale")
        self.limits = limits
        known = RecentTable(entriesMax: limits.entriesMax)
        refused = RecentTable(entriesMax: limits.entriesMax)
        blockedUntil = RecentTable(entriesMax: limits.entriesMax)
    }

    /// All times are seconds on one clock that never goes back.
    /// - Parameter sha256: of the key.
    package mutating func look(_ sha256: String, from address: String, now: Double) -> Look {
        if var entry = known[sha256], now - entry.confirmedAt < limits.awaySeconds {
            if let endsAt = entry.endsAt, endsAt <= now { return .refused(.expired) }
            let age = now - entry.confirmedAt
            let isRenewed = entry.renewedAt.map { now - $0 < limits.renewWaitSeconds } ?? false
            if age < limits.renewSeconds || now < pausedUntil || (isRenewed && age < limits.freshSeconds) {
                return .holder(entry.holder)
            }
            entry.renewedAt = now
            known[sha256] = entry
            return .ask(fallback: entry.holder)
        }
        if let entry = refused[sha256], now - entry.confirmedAt < limits.freshSeconds { return .refused(entry.refusal) }
        if let seconds = blockedSeconds(address, now: now) { return .blocked(seconds: seconds) }
        return now < pausedUntil ? .away : .ask(fallback: nil)
    }

    /// The database answered.
    /// - Parameters:
    ///   - key: what it knows; nil: nothing.
    ///   - askedAt: when the question was sent, which is never later than what the answer says.
    package mutating func answered(
        _ sha256: String, _ key: RegisteredKey?, askedAt: Double
    ) -> Result<Holder, Refusal> {
        pausedUntil = 0
        if let key, key.standing == .active {
            let holder = Holder(client: key.client, key: key.id)
            refused[sha256] = nil
            known[sha256] = Known(
                holder: holder, confirmedAt: askedAt, endsAt: key.secondsLeft.map { askedAt + $0 }, renewedAt: nil)
            return .success(holder)
        }
        let refusal = key.map { $0.standing == .expired ? Refusal.expired : .revoked } ?? .unknown
        known[sha256] = nil
        refused[sha256] = Refused(refusal: refusal, confirmedAt: askedAt)
        return .failure(refusal)
    }

    /// The database did not answer.
    package mutating func wentUnanswered(now: Double) { pausedUntil = now + limits.pauseSeconds }

    /// This address has shown more keys that are none than it may.
    package mutating func block(_ address: String, seconds: Double, now: Double) {
        blockedUntil[address] = now + seconds
    }

    package func blockedSeconds(_ address: String, now: Double) -> Double? {
        guard let until = blockedUntil[address], until > now else { return nil }
        return until - now
    }

    /// A request came with this key.
    package mutating func noteUse(of key: KeyID) {
        // More wait for the next round: the figure is for people, and late is good enough.
        if used.count < limits.entriesMax { used.insert(key) }
    }

    /// Keys that were used since the last call.
    package mutating func takeUsed() -> [KeyID] {
        defer { used = [] }
        return used.sorted()
    }
}
