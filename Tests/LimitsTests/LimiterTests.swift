import ActorCluster
import ClusterSimulation
import Distributed
import Limits
import Membership
import Testing

/// The whole limiter: real actors on a simulated network.
@Suite struct LimiterTests {
    @Test func `the call list is what the compiler calls the functions`() throws {
        var setting = ClusterWorld.Setting()
        setting.nodes = 1
        let world = ClusterWorld(Seed(1), setting)
        world.startAll()
        let names = try world.perform(on: "node-1") { system in
            // Somewhere else, so that the call would leave.
            let elsewhere = MemberLife(id: member("elsewhere"), epoch: 1)
            let limiter = try system.named(RateLimiter.self, RateLimiter.name, on: elsewhere)
            let batch = CheckBatch(sender: member("node-1"), policies: [], items: [], returns: [])
            let handover = Handover(sender: member("node-1"), placementDigest: 0, buckets: [], isComplete: true)
            let calls: [() async throws -> Void] = [
                { _ = try await limiter.check(batch) }, { _ = try await limiter.takeOver(handover) },
            ]
            var names: [String] = []
            for call in calls {
                do { try await call() } catch let error as ClusterCallError where error.code == .notAllowed {
                    names.append(error.detail)
                }
            }
            return names
        }
        #expect(names == RateLimiter.targetNames)
        world.tearDown()
    }

    @Test func `a limit holds wherever it is asked for`() throws {
        let limited = try LimitedWorld(policies: [policy(limit: 1, per: .seconds(60), burst: 10)])
        try limited.startAll()
        for owner in limited.world.names {
            let subject = try limited.subject(ownedBy: owner)
            var admitted = 0
            for round in 0..<10 {
                for name in limited.world.names {
                    let answer = try limited.check(subject, on: name)
                    #expect(answer.source == .owner)
                    if answer.isAllowed { admitted += 1 } else { #expect(round > 2) }
                }
            }
            #expect(admitted == 10)
        }
        limited.world.tearDown()
    }

    @Test func `checks that wait for one owner go together`() throws {
        let limited = try LimitedWorld(policies: [policy(limit: 1000, lentUnitsMax: 0)])
        try limited.startAll()
        let subjects = try (0..<40).map { _ in try limited.subject(ownedBy: "node-2") } + ["other"]
        let before = limited.counts("node-1").calls
        let answers = try limited.rush(600, subjects, on: "node-1")
        #expect(answers.count == 600 && answers.allSatisfy(\.isAllowed))
        #expect(limited.counts("node-1").calls - before <= 12)
        #expect(limited.counts("node-1").checksForwarded >= 500)
        limited.world.tearDown()
    }

    @Test func `a hot key is lent, spent without asking, and what is left goes back`() throws {
        let limited = try LimitedWorld(policies: [policy(limit: 1000, burst: 1000, lentUnitsMax: 400)])
        try limited.startAll()
        let hot = try limited.subject(ownedBy: "node-2")
        let first = try limited.rush(20, [hot], on: "node-1")
        #expect(first.allSatisfy { $0.isAllowed })
        let calls = limited.counts("node-1").calls
        let second = try limited.rush(20, [hot], on: "node-1")
        #expect(second.allSatisfy { $0.isAllowed && $0.source == .slice })
        #expect(limited.counts("node-1").calls == calls)
        let lent = limited.counts("node-2")
        #expect(lent.slicesOut > 0 && lent.slicesOut == lent.shards.slicesLent)
        limited.world.run(for: .milliseconds(400))
        #expect(limited.counts("node-2").slicesOut == 0)
        #expect(limited.counts("node-2").shards.slicesReturned == lent.shards.slicesLent)
        limited.world.tearDown()
    }

    @Test(arguments: LimitPolicy.OnFailure.allCases)
    func `while an owner is silent the policy decides, soon and then at once`(onFailure: LimitPolicy.OnFailure) throws {
        let limited = try LimitedWorld(policies: [policy(limit: 1, per: .seconds(60), burst: 9, onFailure: onFailure)])
        try limited.startAll()
        let subject = try limited.subject(ownedBy: "node-2")
        limited.world.network.cut("node-1", "node-2")
        let start = limited.world.scheduler.now
        var answers = [try limited.check(subject, on: "node-1")]
        #expect(limited.world.scheduler.now - start <= .milliseconds(110))
        let next = limited.world.scheduler.now
        for _ in 0..<9 { answers.append(try limited.check(subject, on: "node-1")) }
        #expect(limited.world.scheduler.now - next <= .milliseconds(5), "the owner is left alone for a while")
        switch onFailure {
        case .open: #expect(answers.allSatisfy { $0.isAllowed && $0.source == .failedOpen })
        case .closed: #expect(answers.allSatisfy { !$0.isAllowed && $0.source == .failedClosed })
        case .local:
            #expect(answers.allSatisfy { $0.source == .localShare })
            #expect(answers.count(where: \.isAllowed) == 3, "a third of nine")
        }
        limited.world.network.mend("node-1", "node-2")
        limited.world.run(for: .seconds(10))
        #expect(try limited.check(subject, on: "node-1").source == .owner)
        limited.world.tearDown()
    }

    @Test func `before there is a view and after the end the policy decides`() throws {
        let limited = try LimitedWorld(nodes: 2, policies: [policy(limit: 9, onFailure: .closed)])
        limited.world.start("node-1")
        #expect(try limited.check("any", on: "node-1").source == .failedClosed)
        limited.world.tearDown()
    }

    @Test(arguments: [1, 1000])
    func `a drained node's debts are kept, to the last unit`(bucketsInACall: Int) throws {
        let limited = try LimitedWorld(
            policies: [policy(limit: 1, per: .seconds(3600), burst: 20)],
            configure: { $0.handoverKeysMax = bucketsInACall })
        try limited.startAll()
        let subjects = (0..<50).map { "tenant-\($0)" }
        for subject in subjects { #expect(try limited.check(subject, on: "node-1", 15).isAllowed) }
        let moved = subjects.filter { limited.owner(of: $0) == "node-3" }
        try #require(moved.count > 3)
        limited.drain("node-3")
        #expect(limited.world.run(atMost: .seconds(10)) { limited.owner(of: moved[0]) != "node-3" })
        #expect(limited.world.run(atMost: .seconds(2)) { limited.limiter("node-3").isHandedOver })
        for subject in subjects {
            #expect(try limited.check(subject, on: "node-2", 5).isAllowed, "\(subject)")
            #expect(try !limited.check(subject, on: "node-1").isAllowed, "\(subject)")
        }
        #expect(limited.counts("node-3").buckets == 0)
        #expect(limited.counts("node-3").shards.bucketsHandedOver == moved.count)
        // And back again.
        limited.drain("node-3", .schedulable)
        #expect(limited.world.run(atMost: .seconds(10)) { limited.owner(of: moved[0]) == "node-3" })
        limited.world.run(for: .seconds(5))
        for subject in subjects { #expect(try !limited.check(subject, on: "node-2").isAllowed, "\(subject)") }
        limited.world.tearDown()
    }

    @Test func `a dead node's debts are read from its snapshot by those who follow it`() throws {
        let limited = try LimitedWorld(policies: [policy(limit: 1, per: .seconds(3600), burst: 20)])
        try limited.startAll()
        let subjects = (0..<50).map { "tenant-\($0)" }
        for subject in subjects { #expect(try limited.check(subject, on: "node-1", 20).isAllowed) }
        let lost = subjects.filter { limited.owner(of: $0) == "node-3" }
        limited.world.run(for: .seconds(2))
        limited.crash("node-3")
        try #require(limited.world.settle())
        limited.world.run(for: .seconds(4))
        for subject in lost {
            #expect(limited.owner(of: subject) != "node-3")
            #expect(try !limited.check(subject, on: "node-1").isAllowed, "\(subject)")
        }
        let read = limited.counts("node-1").debtsLoaded + limited.counts("node-2").debtsLoaded
        #expect(read >= lost.count)
        limited.world.tearDown()
    }

    @Test func `a cluster that restarts as a whole does not forget`() throws {
        let limited = try LimitedWorld(nodes: 2, policies: [policy(limit: 1, per: .seconds(3600), burst: 20)])
        try limited.startAll()
        let subjects = (0..<30).map { "tenant-\($0)" }
        for subject in subjects { #expect(try limited.check(subject, on: "node-1", 20).isAllowed) }
        limited.world.run(for: .seconds(2))
        for name in limited.world.names { limited.crash(name) }
        limited.world.run(for: .seconds(20))
        try limited.startAll()
        for subject in subjects { #expect(try !limited.check(subject, on: "node-2").isAllowed, "\(subject)") }
        limited.world.tearDown()
    }

    @Test func `what all nodes held is found again by the one that comes back`() throws {
        let limited = try LimitedWorld(policies: [policy(limit: 1, per: .seconds(3600), burst: 20)])
        try limited.startAll()
        let subjects = (0..<40).map { "tenant-\($0)" }
        for subject in subjects { #expect(try limited.check(subject, on: "node-1", 20).isAllowed) }
        limited.world.run(for: .seconds(2))
        for name in limited.world.names { limited.crash(name) }
        limited.world.run(for: .seconds(20))
        limited.start("node-2")
        limited.world.run(for: .seconds(10))
        for subject in subjects { #expect(try !limited.check(subject, on: "node-2").isAllowed, "\(subject)") }
        // The others return: what node-2 took for them becomes theirs.
        limited.start("node-1")
        limited.start("node-3")
        try #require(limited.world.settle())
        limited.world.run(for: .seconds(10))
        for subject in subjects { #expect(try !limited.check(subject, on: "node-3").isAllowed, "\(subject)") }
        #expect(limited.counts("node-2").shards.bucketsHandedOver > 10)
        limited.world.tearDown()
    }

    @Test func `many debts are saved page by page, and in one go before the end`() throws {
        let limited = try LimitedWorld(
            nodes: 1, policies: [policy(limit: 1, per: .seconds(3600), burst: 20)],
            configure: {
                $0.snapshotRowsMax = 30
                $0.shardCount = 3
            })
        try limited.startAll()
        for number in 0..<100 { _ = try limited.check("t\(number)", on: "node-1") }
        limited.world.run(for: .milliseconds(1500))
        #expect(limited.counts("node-1").debtsSaved <= 60)
        let limiter = limited.limiter("node-1")
        try limited.world.perform(on: "node-1") { _ in try await limiter.saveEverything() }
        #expect(limited.counts("node-1").debtsSaved == 100)
        limited.crash("node-1")
        limited.start("node-1")
        limited.world.run(for: .seconds(5))
        #expect(limited.counts("node-1").debtsLoaded == 100)
        limited.world.tearDown()
    }

    @Test func `a bucket that is full again leaves the memory`() throws {
        let limited = try LimitedWorld(nodes: 1, policies: [policy(limit: 10)])
        try limited.startAll()
        for number in 0..<50 { _ = try limited.check("t\(number)", on: "node-1") }
        #expect(limited.counts("node-1").buckets == 50)
        limited.world.run(for: .seconds(2))
        #expect(limited.counts("node-1").buckets == 0 && limited.counts("node-1").table.droppedIdle == 50)
        limited.world.tearDown()
    }

    @Test func `whatever a peer sends is answered item by item`() throws {
        let limited = try LimitedWorld(nodes: 2, policies: [policy(limit: 10)])
        try limited.startAll()
        let (ours, theirs) = (try limited.subject(ownedBy: "node-2"), try limited.subject(ownedBy: "node-1"))
        func item(_ policy: Int, _ subject: String, _ quantity: Int, _ count: Int, _ wish: Int = 0) -> CheckBatch.Item {
            CheckBatch.Item(policy: policy, subject: subject, quantity: quantity, count: count, wish: wish)
        }
        let batch = CheckBatch(
            sender: member("node-1"), policies: ["api", "unheard-of"],
            items: [
                item(2, ours, 1, 1), item(-1, ours, 1, 1), item(0, ours, 0, 1), item(0, ours, 1, -1),
                item(0, ours, 1, 1, -1), item(0, "", 1, 1), item(1, ours, 1, 1), item(0, theirs, 1, 1),
                item(0, ours, .max, .max, .max), item(0, ours, 1, 3),
            ] + (0..<CheckBatch.itemsMax).map { _ in item(0, ours, 1, 0) },
            returns: [
                CheckBatch.Return(policy: 9, subject: ours, number: 1, unspent: 1),
                CheckBatch.Return(policy: 0, subject: ours, number: 1, unspent: .min),
            ])
        let wild = Handover(
            sender: member("node-1"), placementDigest: 0,
            buckets: [
                Handover.Bucket(policy: "unheard-of", subject: "a", debt: 1),
                Handover.Bucket(policy: "api", subject: "", debt: 1),
                Handover.Bucket(policy: "api", subject: ours, debt: .min, lentUnits: .min, lentFor: .max),
                Handover.Bucket(policy: "api", subject: theirs, debt: .max, lentUnits: .max, lentFor: .max),
            ], isComplete: true)
        let life = limited.world["node-2"].life
        let (answers, taken) = try limited.world.perform(on: "node-1") { system in
            let limiter = try system.named(RateLimiter.self, RateLimiter.name, on: life)
            let reply = try await limiter.check(batch)
            return (reply.answers, try await limiter.takeOver(wild))
        }
        #expect(answers.count == batch.items.count)
        #expect(answers[..<6].allSatisfy { $0 == .invalid } && answers[6] == .unknownPolicy)
        #expect(answers[7] == .elsewhere(owner: member("node-1")))
        let never = ItemDecision(admitted: 0, remaining: 10, retryAfter: nil, resetAfter: 0)
        #expect(answers[8] == .decided(never))
        #expect(answers[CheckBatch.itemsMax...].allSatisfy { $0 == .invalid })
        // A key of the sender's is taken: it may know of a change that this node has not seen yet.
        #expect(taken == .taken(except: []))
        limited.world.tearDown()
    }

    @Test func `a store that does not answer stops no check`() throws {
        struct Broken: Error {}
        let limited = try LimitedWorld(
            nodes: 2, policies: [policy(limit: 1, per: .seconds(3600), burst: 20)],
            keeper: { _ in
                LimiterSnapshots(
                    save: { _, _ in throw Broken() }, load: { _, _ in throw Broken() },
                    holders: { throw Broken() }, tidy: { throw Broken() })
            })
        try limited.startAll()
        for number in 0..<20 { #expect(try limited.check("t\(number)", on: "node-1", 20).isAllowed) }
        limited.world.run(for: .seconds(3))
        #expect(limited.counts("node-1").snapshotsFailed > 0)
        #expect(try !limited.check("t1", on: "node-2").isAllowed)
        limited.world.tearDown()
    }

    @Test func `what no limit can answer is an error`() throws {
        let limited = try LimitedWorld(nodes: 1, policies: [policy(limit: 9)])
        try limited.startAll()
        func code(_ subject: String, _ policy: String, _ quantity: Int) -> LimitsError.Code? {
            do {
                _ = try limited.check(subject, on: "node-1", policy: policy, quantity)
                return nil
            } catch { return (error as? LimitsError)?.code }
        }
        #expect(code("a", "none", 1) == .unknownPolicy)
        #expect(code("", "api", 1) == .invalidSubject)
        #expect(code(String(repeating: "a", count: 257), "api", 1) == .invalidSubject)
        #expect(code("a", "api", 0) == .invalidQuantity)
        #expect(try limited.check("a", on: "node-1", .max).decision.outcome == .exceedsBurst)
        limited.world.tearDown()
    }
}
