package import ActorCluster
package import Logging
import Membership
import Placement
import Synchronization

/// The limiter of a node: ask it, and it knows whom to ask.
///
/// A check of a key that this node owns, or of which it holds a slice, is decided at once under one lock. All others go
/// to the key's owner, together with whatever else waits for it. When the owner cannot be reached in time, the policy
/// says what happens (`LimitPolicy.OnFailure`), so a check always has an answer within two times `patience`.
///
/// Made once per life of a node; `run` lives beside the actor system. Rules are in `LimiterShard` and `CheckBatcher`.
package final class Limiter: Sendable {
    /// One part of the keys behind one lock.
    final class Part: Sendable {
        let shard: Mutex<LimiterShard>
        init(_ shard: sending LimiterShard) { self.shard = Mutex(shard) }
    }

    /// Owners that are asked, and what is known of them.
    struct Lanes: Sendable {
        var isOpen = false
        var byOwner: [MemberID: OwnerLane] = [:]
        /// Those whose loop has not begun yet.
        var fresh: [OwnerLane] = []
        var lives: [MemberID: MemberLife] = [:]
    }

    package let policies: LimitPolicies
    let configuration: LimiterConfiguration
    let system: ClusterActorSystem
    let snapshots: LimiterSnapshots
    let clock: any Clock<Duration>
    let log: Logger
    let now: @Sendable () -> Nanoseconds
    let parts: [Part]
    private let mask: Int
    let lanes = Mutex(Lanes())
    let lanesToStart = Ring()
    let moves = Mutex(Moves())
    let handoversToMake = Ring()
    let snapshotsToLoad = Ring()
    let orphansToLoad = Ring()
    let extra = Mutex(LimiterCounts())

    /// Hosts the `RateLimiter` of this node on `system`; before the system runs, so that it is never asked in vain.
    package init(
        _ policies: LimitPolicies, configuration: LimiterConfiguration = .local, snapshots: LimiterSnapshots,
        on system: ClusterActorSystem, clock: any Clock<Duration> = ContinuousClock(),
        log: Logger = Logger(label: "limiter")
    ) throws {
        configuration.validate()
        self.policies = policies
        self.configuration = configuration
        self.system = system
        self.snapshots = snapshots
        self.clock = clock
        self.log = log
        let now = nanosecondReader(clock)
        self.now = now
        let count = powerOfTwo(atLeast: configuration.shardCount)
        mask = count - 1
        let nobody = Placement([], policy: system.configuration.placement)
        parts = (0..<count).map { _ in
            Part(
                LimiterShard(
                    me: system.life, policies: policies, limits: configuration, shardCount: count, placement: nobody,
                    at: now()))
        }
        _ = try system.host(RateLimiter.name) { RateLimiter(self, actorSystem: system) }
    }

    // MARK: Checks

    /// Asks whether `subject` may have `quantity` times the policy's cost now, and takes it if so.
    ///
    /// Throws for what no limit can answer: an unknown policy, a subject that is none, a quantity below 1. Being
    /// cancelled does not end a check, which is over soon anyway: what it takes is taken.
    package func check(
        _ policy: String, _ subject: String, quantity: Int = 1
    ) async throws(LimitsError) -> LimitAnswer {
        guard let number = policies.number(of: policy) else {
            throw LimitsError(.unknownPolicy, "no policy is named \(policy.prefix(80))")
        }
        guard let key = LimitKey(policy: number, subject: subject) else {
            throw LimitsError(
                .invalidSubject, "a subject of \(subject.utf8.count) bytes is outside 1...\(LimitKey.subjectBytesMax)")
        }
        guard quantity >= 1 else { throw LimitsError(.invalidQuantity, "a quantity of \(quantity)") }
        return await check(key, quantity: quantity)
    }

    /// The same for a key that was made before.
    package func check(_ key: LimitKey, quantity: Int = 1) async -> LimitAnswer {
        let units = units(of: key, quantity)
        switch route(key, units) {
        case .decided(let answer, let wish):
            if let wish { lane(to: wish.owner)?.wish(wish.units, of: key, at: now()) }
            return answer
        case .ask(let owner): return await ask(owner, key, units)
        case .nobody: return decideWithoutOwner(key, units, .ownerless)
        }
    }

    @inline(__always)
    private func route(_ key: LimitKey, _ units: Int) -> LimiterShard.Route {
        part(of: key).shard.withLock { $0.check(key, units: units, at: now()) }
    }

    private func ask(_ owner: MemberID, _ key: LimitKey, _ units: Int) async -> LimitAnswer {
        guard let lane = lane(to: owner) else { return decideWithoutOwner(key, units, .closed) }
        var verdict = await lane.ask(key, units: units, at: now())
        if case .elsewhere(let named) = verdict {
            // One of the two views is behind. Ours may have come on meanwhile; else the other's word counts, once.
            switch route(key, units) {
            case .decided(let answer, _): return answer
            case .nobody: verdict = .failed(.ownerless)
            case .ask(let next):
                let second = next != owner ? next : named
                if let second, second != owner, second != system.life.id, let lane = self.lane(to: second) {
                    verdict = await lane.ask(key, units: units, at: now())
                }
            }
        }
        switch verdict {
        case .decided(let decision): return LimitAnswer(decision, source: .owner)
        case .elsewhere: return decideWithoutOwner(key, units, .ownerless)
        case .failed(let failure): return decideWithoutOwner(key, units, failure)
        }
    }

    /// What the policy says for when its owner is out of reach.
    private func decideWithoutOwner(_ key: LimitKey, _ units: Int, _ failure: CheckFailure) -> LimitAnswer {
        let policy = policies[key].policy
        log.debug(
            "limit decided without its owner",
            metadata: ["limit.policy": "\(policy.name)", "failure": "\(failure.rawValue)"])
        switch policy.onFailure {
        case .open:
            extra.withLock { $0.failedOpen += 1 }
            return LimitAnswer(LimitDecision(.allowed, remaining: 0, resetAfter: 0), source: .failedOpen)
        case .closed:
            extra.withLock { $0.failedClosed += 1 }
            let wait = configuration.pauseMax.wholeNanoseconds
            return LimitAnswer(
                LimitDecision(.refused(retryAfter: wait), remaining: 0, resetAfter: wait), source: .failedClosed)
        case .local:
            extra.withLock { $0.decidedAlone += 1 }
            let decision = part(of: key).shard.withLock { $0.decideAlone(key, units: units, at: now()) }
            return LimitAnswer(decision, source: .localShare)
        }
    }

    // MARK: Inside

    /// Above the burst every number is the same: never.
    private func units(of key: LimitKey, _ quantity: Int) -> Int {
        let policy = policies[key].policy
        let (units, overflow) = quantity.multipliedReportingOverflow(by: policy.cost)
        return overflow ? policy.burst + 1 : min(units, policy.burst + 1)
    }

    @inline(__always)
    func part(of key: LimitKey) -> Part {
        // The same in every process: a run under a seed must not depend on how Swift seeds its hashes.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(truncatingIfNeeded: key.policy)
        for byte in key.subject.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return parts[Int(truncatingIfNeeded: hash ^ hash >> 32) & mask]
    }

    /// Nil when the limiter does not run.
    func lane(to owner: MemberID) -> OwnerLane? {
        let (lane, isFresh) = lanes.withLock { lanes -> (OwnerLane?, Bool) in
            if let lane = lanes.byOwner[owner] { return (lane, false) }
            guard lanes.isOpen, lanes.lives[owner] != nil else { return (nil, false) }
            let lane = OwnerLane(to: owner, sender: system.life.id, policies: policies, limits: configuration)
            lanes.byOwner[owner] = lane
            lanes.fresh.append(lane)
            return (lane, true)
        }
        if isFresh { lanesToStart.ring() }
        return lane
    }

    /// What happened so far, and what is held now.
    package var counts: LimiterCounts {
        var counts = extra.withLock { $0 }
        for part in parts {
            part.shard.withLock { shard in
                counts.shards += shard.counts
                counts.table += shard.table.counts
                counts.buckets += shard.table.count
                counts.slicesOut += shard.ledger.sliceCount
                counts.keysHeld += shard.purse.keyCount
            }
        }
        return counts
    }
}

private func powerOfTwo(atLeast count: Int) -> Int {
    var power = 1
    while power < count { power *= 2 }
    return power
}
