import Limits
import Membership
import Placement
import Testing

@Suite struct LimiterShardTests {
    private let names = ["alpha", "beta", "gamma"]

    private func shard(
        _ name: String, in members: [String], _ policies: [LimitPolicy], at now: Nanoseconds = 0,
        _ change: (inout LimiterConfiguration) -> Void = { _ in }
    ) throws -> LimiterShard {
        var limits = LimiterConfiguration()
        change(&limits)
        return LimiterShard(
            me: MemberLife(id: member(name), epoch: 1), policies: try LimitPolicies(policies), limits: limits,
            shardCount: 1, placement: placement(members), at: now)
    }

    /// A key that `owner` owns among `members` and, when `former` is given, that one owned before `owner` came.
    private func key(ownedBy owner: String, in members: [String], formerly former: String? = nil) throws -> LimitKey {
        let (now, before) = (placement(members), placement(members.filter { $0 != owner }))
        for number in 0..<10_000 {
            let place = PlacementKey("k\(number)", kind: "limit/api")
            guard now.owner(of: place) == member(owner) else { continue }
            if former == nil || before.owner(of: place) == member(former!) { return LimitsTests.key("k\(number)") }
        }
        throw LimitsError(.invalidSubject, "no such key")
    }

    private func isAllowed(_ route: LimiterShard.Route) -> Bool {
        if case .decided(let answer, _) = route { answer.isAllowed } else { false }
    }

    @Test func `a key of ours is decided, another's is sent to its owner`() throws {
        var alpha = try shard("alpha", in: names, [policy(limit: 10)])
        let (ours, others) = (try key(ownedBy: "alpha", in: names), try key(ownedBy: "beta", in: names))
        #expect(isAllowed(alpha.check(ours, units: 1, at: 5 * second)))
        #expect(alpha.check(others, units: 1, at: 5 * second) == .ask(member("beta")))
        guard
            case .elsewhere(let owner) = alpha.answer(
                others, quantity: 1, count: 1, wish: 0, for: member("gamma"), at: 0)
        else {
            Issue.record("the key of another was decided")
            return
        }
        #expect(owner == member("beta") && alpha.counts.misdirected == 1)
        var lonely = try shard("delta", in: [], [policy(limit: 10)])
        #expect(lonely.check(ours, units: 1, at: 0) == .nobody)
    }

    @Test func `an item is admitted as often as there is room, and told when there will be more`() throws {
        let ours = try key(ownedBy: "alpha", in: names)
        var alpha = try shard("alpha", in: names, [policy(limit: 10, burst: 10, lentUnitsMax: 0)])
        let now = 5 * second
        let answer = alpha.answer(ours, quantity: 3, count: 5, wish: 100, for: member("beta"), at: now)
        #expect(
            answer
                == .decided(
                    ItemDecision(
                        admitted: 3, remaining: 1, retryAfter: 200 * millisecond, resetAfter: 900 * millisecond)))
        let never = alpha.answer(ours, quantity: 11, count: 1, wish: 0, for: member("beta"), at: now)
        guard case .decided(let decision) = never else {
            Issue.record("\(never)")
            return
        }
        #expect(decision.admitted == 0 && decision.retryAfter == nil)
        #expect(alpha.counts.allowed == 3 && alpha.counts.refused == 3)
    }

    @Test func `a borrowed slice is spent by another node and wished for again`() throws {
        let hot = try key(ownedBy: "alpha", in: names)
        let policies = [try policy(limit: 1000, burst: 1000, lentUnitsMax: 400)]
        var (alpha, beta) = (try shard("alpha", in: names, policies), try shard("beta", in: names, policies))
        let now = 5 * second
        let answer = alpha.answer(hot, quantity: 1, count: 10, wish: 40, for: member("beta"), at: now)
        guard case .decided(let decision) = answer, let slice = decision.slice else {
            Issue.record("\(answer)")
            return
        }
        #expect(slice.units == 40 && decision.remaining == 950)
        #expect(beta.received(slice, of: hot, from: member("alpha"), askedAt: now, at: now) == nil)
        var wishes: [LimiterShard.Wish] = []
        for _ in 0..<40 {
            guard case .decided(let answer, let wish) = beta.check(hot, units: 1, at: now) else {
                Issue.record("a slice was not spent")
                return
            }
            #expect(answer.isAllowed && answer.source == .slice)
            if let wish { wishes.append(wish) }
        }
        #expect(wishes.map(\.units) == [80] && wishes.map(\.owner) == [member("alpha")])
        #expect(beta.check(hot, units: 1, at: now) == .ask(member("alpha")))
        #expect(alpha.counts.unitsLent == 40 && beta.counts.unitsBorrowed == 40)
        #expect(alpha.answer(hot, quantity: 1, count: 951, wish: 80, for: member("beta"), at: now) != answer)
    }

    @Test func `a drained owner's debts go along with its keys`() throws {
        let moved = try key(ownedBy: "alpha", in: names)
        let rest = ["beta", "gamma"]
        let policies = [try policy(limit: 10, burst: 100)]
        let heir = try #require(placement(rest).owner(of: PlacementKey(moved.subject, kind: "limit/api")))
        var old = try shard("alpha", in: names, policies)
        var new = try shard(heir.rawValue, in: names, policies)
        let now = 10 * second
        #expect(isAllowed(old.check(moved, units: 80, at: now)))

        // The heir hears first. It admits with care what it knows nothing about: a tenth of the burst.
        new.placementChanged(to: placement(rest), at: now)
        #expect(!isAllowed(new.check(moved, units: 11, at: now)))
        #expect(isAllowed(new.check(moved, units: 6, at: now)))

        old.placementChanged(to: placement(rest), at: now)
        #expect(old.check(moved, units: 1, at: now) == .ask(heir))
        let departing = old.departing(below: nil, upTo: 10, at: now)
        #expect(departing.buckets.map(\.owner) == [heir] && departing.next == nil)
        let told = try #require(departing.buckets.first).bucket
        #expect(told.debt == 8 * second)
        let taken = (0..<2).map { _ in new.inherit(moved, told, from: member("alpha"), at: now) }
        #expect(taken == [true, true])
        old.handedOver(moved)
        #expect(old.table.count == 0 && old.departing(below: nil, upTo: 10, at: now).buckets.isEmpty)
        // 80 there, 6 here: 14 are left, and being told twice changes nothing.
        #expect(!isAllowed(new.check(moved, units: 15, at: now)))
        #expect(isAllowed(new.check(moved, units: 14, at: now)))
    }

    @Test func `the care ends when the former owner has told everything, or is silent for too long`() throws {
        let rest = ["beta", "gamma"]
        let moved = try key(ownedBy: "alpha", in: names)
        let heir = try #require(placement(rest).owner(of: PlacementKey(moved.subject, kind: "limit/api")))
        let policies = [try policy(limit: 10, burst: 100)]
        var new = try shard(heir.rawValue, in: names, policies)
        let now = 10 * second
        new.placementChanged(to: placement(rest), at: now)
        #expect(isAllowed(new.check(moved, units: 10, at: now)))
        #expect(!isAllowed(new.check(moved, units: 1, at: now)))
        var silent = new
        new.completed(member("alpha"), for: placement(rest).digest)
        #expect(isAllowed(new.check(moved, units: 90, at: now)) && !isAllowed(new.check(moved, units: 1, at: now)))
        silent.sweep(10, at: now + 3 * second)
        #expect(silent.inheritance.awaitsNobody && silent.inheritance.heirCount == 0)
        #expect(!isAllowed(silent.check(moved, units: 100, at: now + 3 * second)), "what it began with stays")
    }

    @Test func `above its limit an heir is careful and no longer counted`() throws {
        let rest = ["beta", "gamma"]
        let policies = [try policy(limit: 10, burst: 100)]
        var new = try shard("beta", in: names, policies) { $0.heirsMax = 2 }
        let now = 10 * second
        new.placementChanged(to: placement(rest), at: now)
        let moved = (0..<1000).map { LimitsTests.key("k\($0)") }.filter { key in
            let place = PlacementKey(key.subject, kind: "limit/api")
            return placement(names).owner(of: place) == member("alpha")
                && placement(rest).owner(of: place) == member("beta")
        }
        for key in moved.prefix(5) {
            #expect(isAllowed(new.check(key, units: 10, at: now)) && !isAllowed(new.check(key, units: 1, at: now)))
        }
        #expect(new.inheritance.heirCount == 2)
    }

    @Test func `an owner that heard of the change after its heir did is believed early`() throws {
        let rest = ["beta", "gamma"]
        let moved = try key(ownedBy: "alpha", in: names)
        let heir = try #require(placement(rest).owner(of: PlacementKey(moved.subject, kind: "limit/api")))
        let other = rest.first { $0 != heir.rawValue } ?? ""
        let policies = [try policy(limit: 10, burst: 100)]
        var new = try shard(heir.rawValue, in: names, policies)
        let told = Handover.Bucket(policy: "api", subject: moved.subject, debt: 9 * second)
        let now = 10 * second
        new.sweep(1, at: now)
        // Not ours yet, but the sender's, as far as we know.
        let isTaken = new.inherit(moved, told, from: member("alpha"), at: now)
        #expect(isTaken)
        new.completed(member("alpha"), for: placement(rest).digest)
        new.placementChanged(to: placement(rest), at: now)
        #expect(new.inheritance.awaitsNobody)
        #expect(isAllowed(new.check(moved, units: 10, at: now)) && !isAllowed(new.check(moved, units: 1, at: now)))
        // Neither ours nor the sender's.
        var stranger = try shard(other, in: rest, policies)
        let isTakenByStranger = stranger.inherit(moved, told, from: member("delta"), at: now)
        #expect(!isTakenByStranger)
    }

    @Test func `what was lent stays outstanding under the next owner`() throws {
        let rest = ["beta", "gamma"]
        let hot = try key(ownedBy: "alpha", in: names)
        let heir = try #require(placement(rest).owner(of: PlacementKey(hot.subject, kind: "limit/api")))
        let policies = [try policy(limit: 1000, burst: 1000, lentUnitsMax: 100)]
        var (old, new) = (try shard("alpha", in: names, policies), try shard(heir.rawValue, in: names, policies))
        let now = 10 * second
        _ = old.answer(hot, quantity: 1, count: 1, wish: 70, for: member("gamma"), at: now)
        old.placementChanged(to: placement(rest), at: now)
        new.placementChanged(to: placement(rest), at: now)
        for departing in old.departing(below: nil, upTo: 10, at: now).buckets {
            #expect(departing.bucket.lentUnits == 70)
            let isTaken = new.inherit(hot, departing.bucket, from: member("alpha"), at: now)
            #expect(isTaken)
        }
        #expect(new.ledger.outstanding(hot) == 70)
        guard
            case .decided(let decision) = new.answer(
                hot, quantity: 1, count: 1, wish: 70, for: member("alpha"), at: now)
        else { return }
        #expect(decision.slice?.units == 30)
    }

    @Test func `while the owner is out of reach a node admits its share alone`() throws {
        let others = try key(ownedBy: "beta", in: names)
        var alpha = try shard("alpha", in: names, [policy(limit: 30, burst: 30), policy("few", limit: 2)])
        let admitted = (0..<30).filter { _ in alpha.decideAlone(others, units: 1, at: 0).isAllowed }.count
        #expect(admitted == 10)
        #expect(alpha.decideAlone(others, units: 31, at: 0).outcome == .exceedsBurst)
        // A share below one is still one at a time, not never.
        let few = LimitsTests.key(others.subject, policy: 1)
        #expect(alpha.decideAlone(few, units: 1, at: 0).isAllowed && !alpha.decideAlone(few, units: 1, at: 0).isAllowed)
        #expect(alpha.decideAlone(few, units: 1, at: second).isAllowed)
    }

    @Test func `only debts that outlive a restart are saved, once for each change`() throws {
        let policies = [try policy("api", limit: 10, burst: 100), try policy("slow", limit: 5, per: .seconds(3600))]
        var alone = try shard("alpha", in: ["alpha"], policies)
        let now = 10 * second
        for number in 0..<4 {
            _ = alone.check(LimitsTests.key("\(number)"), units: 20, at: now)
            _ = alone.check(LimitsTests.key("\(number)", policy: 1), units: 1, at: now)
        }
        let page = alone.unsaved(from: 0, upTo: 3, at: now)
        #expect(page.debts.map(\.policy) == ["slow", "slow", "slow"])
        #expect(page.debts.map(\.debt) == [720 * second, 720 * second, 720 * second])
        let rest = alone.unsaved(from: try #require(page.next), upTo: 3, at: now)
        #expect(rest.debts.map(\.subject) == ["3"] && rest.next == nil)
        #expect(alone.unsaved(from: 0, upTo: 10, at: now).debts.isEmpty)
        alone.notSaved(page.keys)
        _ = alone.check(LimitsTests.key("3", policy: 1), units: 1, at: now)
        #expect(alone.unsaved(from: 0, upTo: 10, at: now).debts.count == 4)
    }

    @Test func `a restart takes up what it owed`() throws {
        let policies = [try policy(limit: 5, per: .seconds(3600))]
        var alone = try shard("alpha", in: ["alpha"], policies, at: 7)
        let subject = LimitsTests.key("tenant")
        // Its own snapshot is not read yet: care, one of five.
        #expect(isAllowed(alone.check(subject, units: 1, at: 7)) && !isAllowed(alone.check(subject, units: 1, at: 7)))
        let told = Handover.Bucket(policy: "api", subject: "tenant", debt: 3 * 720 * second)
        let isTaken = alone.inherit(subject, told, from: member("alpha"), at: 7)
        #expect(isTaken)
        alone.completed(member("alpha"), for: placement(["alpha"]).digest)
        #expect(isAllowed(alone.check(subject, units: 1, at: 7)) && !isAllowed(alone.check(subject, units: 1, at: 7)))
        // Nothing was told of this one.
        #expect(isAllowed(alone.check(LimitsTests.key("other"), units: 5, at: 7)))
    }
}

@Suite struct KeyMovesTests {
    @Test(arguments: 0..<40)
    func `keys move only between those that are named`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let names = (0..<7).map { "n\($0)" }
        func members() -> [PlacementMember] {
            names.filter { _ in Int.random(in: 0..<5, using: &random) > 0 }.map { name in
                PlacementMember(
                    id: member(name), region: "eu",
                    weight: Int.random(in: 1...3, using: &random),
                    status: [.alive, .alive, .suspect, .unreachable][Int.random(in: 0..<4, using: &random)],
                    schedulability: [.schedulable, .schedulable, .cordoned, .draining][
                        Int.random(in: 0..<4, using: &random)])
            }
        }
        let policy = PlacementPolicy()
        let (before, after) = (Placement(members(), policy: policy), Placement(members(), policy: policy))
        let moves = KeyMoves(from: before, to: after)
        var moved = 0
        for number in 0..<2000 {
            let place = PlacementKey("k\(number)", kind: "limit/api")
            guard let from = before.owner(of: place), let to = after.owner(of: place), from != to else { continue }
            moved += 1
            if !moves.givers(to: to).contains(from) || !moves.takers(from: from).contains(to) {
                Issue.record("seed \(seed): k\(number) went from \(from) to \(to)")
                return
            }
        }
        if before.digest == after.digest { #expect(moved == 0) }
    }

    @Test func `a member that leaves gives to all, one that comes takes from all, the others are left alone`() {
        let (three, four) = (placement(["a", "b", "c"]), placement(["a", "b", "c", "d"]))
        #expect(KeyMoves(from: four, to: three).takers(from: member("d")) == ["a", "b", "c"].map(member))
        #expect(KeyMoves(from: four, to: three).givers(to: member("a")) == [member("d")])
        #expect(KeyMoves(from: four, to: three).takers(from: member("a")).isEmpty)
        #expect(KeyMoves(from: three, to: four).givers(to: member("d")) == ["a", "b", "c"].map(member))
        #expect(KeyMoves(from: three, to: four).givers(to: member("a")).isEmpty)
        #expect(KeyMoves(from: three, to: four).takers(from: member("a")) == [member("d")])
        #expect(KeyMoves(from: three, to: three).givers(to: member("a")).isEmpty)
    }
}
