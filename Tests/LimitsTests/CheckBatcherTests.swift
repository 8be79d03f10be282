import Limits
import Testing

@Suite struct CheckBatcherTests {
    private let hot = key("hot")

    private func batcher(_ change: (inout LimiterConfiguration) -> Void = { _ in }) throws -> CheckBatcher<Int> {
        var limits = LimiterConfiguration()
        change(&limits)
        return CheckBatcher(
            sender: member("here"), policies: try LimitPolicies([policy("api", limit: 1), policy("mail", limit: 1)]),
            limits: limits)
    }

    private func decided(_ admitted: Int, slice: LentSlice? = nil) -> ItemAnswer {
        .decided(ItemDecision(admitted: admitted, remaining: 5, retryAfter: 7, resetAfter: 9, slice: slice))
    }

    @Test func `checks that wait while a call is under way leave together`() throws {
        var batcher = try batcher()
        #expect(batcher.asked(hot, quantity: 1, 1, at: 0) == nil)
        #expect(batcher.depart(at: 0)?.items.map(\.count) == [1])
        for waiter in 2...4 { #expect(batcher.asked(hot, quantity: 1, waiter, at: 1) == nil) }
        #expect(batcher.asked(hot, quantity: 2, 5, at: 1) == nil)
        #expect(batcher.asked(key("mail", policy: 1), quantity: 1, 6, at: 1) == nil)
        #expect(batcher.depart(at: 1) == nil, "one call at a time")
        _ = batcher.landed(CheckReply(answers: [decided(1)]), at: 2)
        let departed = batcher.depart(at: 2)
        let batch = try #require(departed)
        #expect(batch.policies == ["api", "mail"])
        #expect(batch.items.map(\.count) == [3, 1, 1])
        #expect(batch.items.map(\.quantity) == [1, 2, 1])
        #expect(batch.items.map(\.policy) == [0, 0, 1])
        #expect(batcher.waitingCount == 0 && !batcher.isReady)
    }

    @Test func `the first of equal checks are admitted, with what was left after each`() throws {
        var batcher = try batcher()
        for waiter in 1...3 { _ = batcher.asked(hot, quantity: 2, waiter, at: 0) }
        _ = batcher.depart(at: 0)
        let landing = batcher.landed(CheckReply(answers: [decided(2)]), at: 1)
        #expect(landing.verdicts.map(\.waiter) == [1, 2, 3])
        #expect(
            landing.verdicts.map(\.verdict) == [
                .decided(LimitDecision(.allowed, remaining: 7, resetAfter: 9)),
                .decided(LimitDecision(.allowed, remaining: 5, resetAfter: 9)),
                .decided(LimitDecision(.refused(retryAfter: 7), remaining: 5, resetAfter: 9)),
            ])
    }

    @Test func `a key that is asked for often in one call wishes for a slice`() throws {
        var batcher = try batcher { $0.hotChecksMin = 3 }
        for waiter in 1...3 { _ = batcher.asked(hot, quantity: 2, waiter, at: 0) }
        for waiter in 4...5 { _ = batcher.asked(key("cold"), quantity: 1, waiter, at: 0) }
        batcher.wished(100, of: key("low"), at: 0)
        batcher.wished(50, of: key("low"), at: 0)
        let departed = batcher.depart(at: 0)
        let items = try #require(departed).items
        #expect(items.map(\.wish) == [24, 0, 100])
        #expect(items.map(\.count) == [3, 2, 0])
        let slice = LentSlice(number: 1, units: 24, lease: second)
        let landing = batcher.landed(
            CheckReply(answers: [decided(3, slice: slice), decided(2), decided(0)]), at: 5)
        #expect(landing.slices.map(\.key) == [hot] && landing.slices.map(\.slice) == [slice])
        #expect(landing.askedAt == 0)
    }

    @Test func `a failed call tells everybody, and the owner is left alone for longer each time`() throws {
        var batcher = try batcher {
            $0.pause = .milliseconds(100)
            $0.pauseMax = .milliseconds(250)
        }
        _ = batcher.asked(hot, quantity: 1, 1, at: 0)
        _ = batcher.depart(at: 0)
        _ = batcher.asked(hot, quantity: 1, 2, at: 0)
        #expect(batcher.failed(at: 0) == [1, 2])
        var now: Nanoseconds = 0
        for pause in [100, 200, 250, 250] {
            #expect(batcher.asked(hot, quantity: 1, 3, at: now + Nanoseconds(pause) * millisecond - 1) == .unreachable)
            now += Nanoseconds(pause) * millisecond
            #expect(batcher.asked(hot, quantity: 1, 4, at: now) == nil)
            #expect(batcher.depart(at: now) != nil)
            #expect(batcher.failed(at: now) == [4])
        }
        batcher.forgive()
        #expect(batcher.asked(hot, quantity: 1, 5, at: now) == nil)
    }

    @Test func `too many waiting checks are refused at once`() throws {
        var batcher = try batcher { $0.waitingMax = 3 }
        for waiter in 1...3 { #expect(batcher.asked(hot, quantity: 1, waiter, at: 0) == nil) }
        #expect(batcher.asked(hot, quantity: 1, 4, at: 0) == .crowded)
        _ = batcher.depart(at: 0)
        #expect(batcher.asked(hot, quantity: 1, 5, at: 0) == nil)
    }

    @Test func `a call carries no more items than it may, the rest goes with the next`() throws {
        var batcher = try batcher { $0.itemsPerCallMax = 2 }
        for number in 1...5 { _ = batcher.asked(key("\(number)"), quantity: 1, number, at: 0) }
        #expect(batcher.depart(at: 0)?.items.map(\.subject) == ["1", "2"])
        _ = batcher.asked(key("4"), quantity: 1, 6, at: 0)
        _ = batcher.landed(CheckReply(answers: [decided(1), decided(1)]), at: 0)
        #expect(batcher.depart(at: 0)?.items.map(\.subject) == ["3", "4"])
        let landing = batcher.landed(CheckReply(answers: [decided(1), decided(2)]), at: 0)
        #expect(landing.verdicts.map(\.waiter) == [3, 4, 6])
        #expect(batcher.depart(at: 0)?.items.map(\.subject) == ["5"])
    }

    @Test func `an answer that makes no sense fails its checks and nothing else`() throws {
        var batcher = try batcher()
        for number in 1...5 { _ = batcher.asked(key("\(number)"), quantity: 1, number, at: 0) }
        _ = batcher.depart(at: 0)
        let wild = ItemDecision(admitted: .max, remaining: .min, retryAfter: .min, resetAfter: .min)
        let landing = batcher.landed(
            CheckReply(answers: [.decided(wild), .unknownPolicy, .invalid, .elsewhere(owner: member("there"))]), at: 0)
        let verdicts = landing.verdicts.map(\.verdict)
        #expect(verdicts[0] == .decided(LimitDecision(.allowed, remaining: 0, resetAfter: 0)))
        #expect(verdicts[1] == .failed(.notUnderstood) && verdicts[2] == .failed(.notUnderstood))
        #expect(verdicts[3] == .elsewhere(owner: member("there")))
        #expect(verdicts[4] == .failed(.notUnderstood), "the answer is missing")
        #expect(batcher.landed(CheckReply(answers: [decided(1)]), at: 0).verdicts.isEmpty, "nobody asked")
    }

    @Test func `a returned slice leaves alone or with the next checks`() throws {
        var batcher = try batcher()
        batcher.returned(SliceReturn(key: hot, number: 9, unspent: 4), at: 0)
        let departed = batcher.depart(at: 0)
        let batch = try #require(departed)
        #expect(batch.items.isEmpty)
        #expect(batch.returns == [CheckBatch.Return(policy: 0, subject: "hot", number: 9, unspent: 4)])
    }

    @Test func `a closed one answers everybody and takes nobody`() throws {
        var batcher = try batcher()
        _ = batcher.asked(hot, quantity: 1, 1, at: 0)
        #expect(batcher.close() == [1])
        #expect(batcher.asked(hot, quantity: 1, 2, at: 0) == .closed)
        #expect(batcher.depart(at: 0) == nil)
    }
}
