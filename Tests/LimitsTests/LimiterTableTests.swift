import Limits
import Testing

@Suite struct LimiterTableTests {
    @Test func `keys do not share a bucket, nor do policies`() throws {
        let policies = try LimitPolicies([policy("one", limit: 1), policy("two", limit: 1)])
        var table = LimiterTable(policies: policies, keysMax: 10)
        #expect(table.take(1, from: key("a"), at: 0).isAllowed)
        #expect(!table.take(1, from: key("a"), at: 0).isAllowed)
        #expect(table.take(1, from: key("b"), at: 0).isAllowed)
        #expect(table.take(1, from: key("a", policy: 1), at: 0).isAllowed)
        #expect(table.count == 3)
    }

    @Test func `a full table drops a bucket that is full again, without effect`() throws {
        var table = LimiterTable(policies: try LimitPolicies([policy(limit: 1, burst: 2)]), keysMax: 4)
        for name in ["a", "b", "c", "d"] { _ = table.take(2, from: key(name), at: 0) }
        // All have drained; "b" is taken from again.
        _ = table.take(1, from: key("b"), at: 10 * second)
        _ = table.take(1, from: key("e"), at: 10 * second)
        #expect(table.count == 4)
        #expect(table.counts.droppedIdle == 1 && table.counts.droppedInDebt == 0)
        #expect(table.take(2, from: key("b"), at: 10 * second).remaining == 1)
    }

    @Test func `without one, the least debt among eight is forgotten and counted`() throws {
        var table = LimiterTable(policies: try LimitPolicies([policy(limit: 1, burst: 9)]), keysMax: 8)
        for units in 1...8 { _ = table.take(units, from: key("\(units)"), at: 0) }
        _ = table.take(9, from: key("new"), at: 0)
        #expect(table.count == 8)
        #expect(table.counts.droppedInDebt == 1 && table.counts.unitsForgotten == 1)
        #expect(table.take(8, from: key("8"), at: 0).remaining == 1)
        #expect(table.take(9, from: key("new"), at: 0).remaining == 0)
    }

    @Test(arguments: 0..<20)
    func `many keys in little room admit no more than was forgotten`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let policies = try LimitPolicies([policy(limit: 5, burst: 3)])
        var table = LimiterTable(policies: policies, keysMax: 16)
        var models: [String: EveryWindow] = [:]
        var (now, tooMuch, tooLittle) = (Nanoseconds(0), 0, 0)
        for _ in 0..<1500 {
            let name = "k\(Int.random(in: 0..<40, using: &random))"
            let units = Int.random(in: 1...2, using: &random)
            var model = models[name] ?? EveryWindow(limit: 5, window: second, burst: 3)
            let allowed = table.take(units, from: key(name), at: now).isAllowed
            if allowed && !model.allows(units, at: now) { tooMuch += units }
            if !allowed && model.allows(units, at: now) { tooLittle += 1 }
            // The model goes on from what really was admitted.
            if allowed { model.admit(units, at: now) }
            models[name] = model
            #expect(table.count <= 16)
            now += Nanoseconds.random(in: 0...(20 * millisecond), using: &random)
        }
        #expect(tooLittle == 0)
        #expect(tooMuch <= table.counts.unitsForgotten)
        #expect(table.counts.droppedIdle > 0 && table.counts.droppedInDebt > 0)
    }

    @Test func `a sweep drops what is full again and leaves the rest as it was`() throws {
        var table = LimiterTable(policies: try LimitPolicies([policy(limit: 1, burst: 100)]), keysMax: 1000)
        for number in 0..<1000 { _ = table.take(1 + number % 10, from: key("\(number)"), at: 0) }
        table.sweep(1000, at: 5 * second)
        #expect(table.count == 500)
        #expect(table.counts.droppedIdle == 500)
        for number in 0..<1000 {
            let owed = max(0, 1 + number % 10 - 5)
            #expect(table.take(0, from: key("\(number)"), at: 5 * second).remaining == 100 - owed)
        }
    }
}
