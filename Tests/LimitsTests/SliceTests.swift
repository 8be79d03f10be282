import Limits
import Membership
import Testing

@Suite struct SliceLedgerTests {
    private let hot = key("hot")
    private let east = member("east")
    private let west = member("west")

    private func terms(_ rule: GCRA, lentUnitsMax: Int, unitsMin: Int = 1) -> LendingTerms {
        LendingTerms(rule: rule, lentUnitsMax: lentUnitsMax, unitsMin: unitsMin, lasting: second)
    }

    @Test func `a slice is taken from the bucket, and leaves half of it to others`() throws {
        let rule = GCRA(try policy(limit: 100))
        var (ledger, bucket) = (SliceLedger(slicesMax: 10, firstNumber: 7), rule.full(at: 0))
        let slice = try #require(
            ledger.lend(1000, of: hot, to: east, from: &bucket, terms(rule, lentUnitsMax: 100), at: 0))
        #expect(slice.units == 50 && slice.number == 7 && slice.endsAt == second)
        #expect(rule.available(in: bucket, at: 0) == 50)
        let next = try #require(
            ledger.lend(1000, of: hot, to: west, from: &bucket, terms(rule, lentUnitsMax: 100), at: 0))
        #expect(next.units == 25 && next.number == 8)
        #expect(ledger.outstanding(hot) == 75)
    }

    @Test func `no more is outstanding than the policy lends`() throws {
        let rule = GCRA(try policy(limit: 100))
        var (ledger, bucket) = (SliceLedger(slicesMax: 10, firstNumber: 0), rule.full(at: 0))
        let terms = terms(rule, lentUnitsMax: 30)
        #expect(ledger.lend(20, of: hot, to: east, from: &bucket, terms, at: 0)?.units == 20)
        #expect(ledger.lend(20, of: hot, to: west, from: &bucket, terms, at: 0)?.units == 10)
        #expect(ledger.lend(20, of: hot, to: west, from: &bucket, terms, at: 0) == nil)
        // Both are over: spent, as far as anybody knows.
        #expect(ledger.lend(20, of: hot, to: west, from: &bucket, terms, at: second)?.units == 20)
        #expect(ledger.sliceCount == 1)
    }

    @Test func `too small a slice, and one too many, are not lent`() throws {
        let rule = GCRA(try policy(limit: 100))
        var (ledger, bucket) = (SliceLedger(slicesMax: 2, firstNumber: 0), rule.full(at: 0))
        let terms = terms(rule, lentUnitsMax: 100, unitsMin: 8)
        #expect(ledger.lend(7, of: hot, to: east, from: &bucket, terms, at: 0) == nil)
        #expect(ledger.lend(8, of: hot, to: east, from: &bucket, terms, at: 0) != nil)
        #expect(ledger.lend(8, of: hot, to: west, from: &bucket, terms, at: 0) != nil)
        #expect(ledger.lend(8, of: hot, to: west, from: &bucket, terms, at: 0) == nil)
        #expect(ledger.sliceCount == 2)
    }

    @Test func `what comes back unspent can be taken again, once, and from its borrower alone`() throws {
        let rule = GCRA(try policy(limit: 1, burst: 100))
        var (ledger, bucket) = (SliceLedger(slicesMax: 10, firstNumber: 0), rule.full(at: 0))
        let slice = try #require(
            ledger.lend(40, of: hot, to: east, from: &bucket, terms(rule, lentUnitsMax: 100), at: 0))
        #expect(ledger.returned(slice.number, unspent: 30, of: hot, by: west, at: 0) == 0)
        #expect(ledger.returned(slice.number + 1, unspent: 30, of: hot, by: east, at: 0) == 0)
        #expect(ledger.returned(slice.number, unspent: 1000, of: hot, by: east, at: 0) == 40, "never more than lent")
        #expect(ledger.returned(slice.number, unspent: 30, of: hot, by: east, at: 0) == 0)
        #expect(ledger.isEmpty && ledger.sliceCount == 0)
    }

    @Test func `a slice that is over counts as spent`() throws {
        let rule = GCRA(try policy(limit: 1, burst: 100))
        var (ledger, bucket) = (SliceLedger(slicesMax: 10, firstNumber: 0), rule.full(at: 0))
        let slice = try #require(
            ledger.lend(40, of: hot, to: east, from: &bucket, terms(rule, lentUnitsMax: 100), at: 0))
        #expect(ledger.returned(slice.number, unspent: 30, of: hot, by: east, at: second) == 0)
    }

    @Test func `what a former owner lent counts, once, until it is over`() throws {
        let rule = GCRA(try policy(limit: 100, burst: 100))
        var (ledger, bucket) = (SliceLedger(slicesMax: 10, firstNumber: 0), rule.full(at: 0))
        for _ in 0..<2 { ledger.inherited(30, of: hot, until: second, at: 0) }
        #expect(ledger.outstanding(hot) == 30)
        #expect(
            ledger.lend(100, of: hot, to: east, from: &bucket, terms(rule, lentUnitsMax: 40), at: 0)?.units == 10)
        ledger.expire(at: second)
        #expect(ledger.outstanding(hot) == 0)
    }
}

@Suite struct SlicePurseTests {
    private let hot = key("hot")
    private let owner = member("owner")

    private func slice(_ number: UInt64 = 1, units: Int, lease: Nanoseconds = second) -> LentSlice {
        LentSlice(number: number, units: units, lease: lease)
    }

    @Test func `a slice is spent without asking, to its last unit and until it ends`() {
        var purse = SlicePurse(keysMax: 10)
        #expect(purse.pay(1, of: hot, at: 0) == .short)
        #expect(purse.received(slice(units: 3), of: hot, from: owner, askedAt: 0, at: 10) == nil)
        #expect(purse.pay(2, of: hot, at: 10) == .paid(left: 1, owner: owner, wish: nil))
        #expect(purse.pay(2, of: hot, at: 10) == .short)
        #expect(purse.pay(1, of: hot, at: second) == .short, "a lease counts from when it was asked for")
        #expect(purse.pay(1, of: hot, at: second - 1) != .short)
    }

    @Test func `a slice that runs low wishes once, for more when it went quickly`() {
        var purse = SlicePurse(keysMax: 10)
        _ = purse.received(slice(units: 100), of: hot, from: owner, askedAt: 0, at: 0)
        #expect(purse.pay(75, of: hot, at: 0) == .paid(left: 25, owner: owner, wish: nil))
        #expect(purse.pay(1, of: hot, at: 0) == .paid(left: 24, owner: owner, wish: 200))
        #expect(purse.pay(1, of: hot, at: 0) == .paid(left: 23, owner: owner, wish: nil))
        _ = purse.received(slice(2, units: 200), of: hot, from: owner, askedAt: 0, at: 0)
        #expect(purse.left(hot, at: 0) == 223)
        #expect(purse.pay(20, of: hot, at: 600 * millisecond) == .paid(left: 203, owner: owner, wish: nil))
        #expect(purse.pay(160, of: hot, at: 600 * millisecond) == .paid(left: 43, owner: owner, wish: 200))
    }

    @Test func `a third slice of a key, or one key too many, goes back at once`() {
        var purse = SlicePurse(keysMax: 1)
        #expect(purse.received(slice(1, units: 9), of: hot, from: owner, askedAt: 0, at: 0) == nil)
        #expect(purse.received(slice(2, units: 9), of: hot, from: owner, askedAt: 0, at: 0) == nil)
        let third = purse.received(slice(3, units: 9), of: hot, from: owner, askedAt: 0, at: 0)
        #expect(third == SliceReturn(key: hot, number: 3, unspent: 9))
        let other = purse.received(slice(4, units: 9), of: key("other"), from: owner, askedAt: 0, at: 0)
        #expect(other == SliceReturn(key: key("other"), number: 4, unspent: 9))
        #expect(purse.left(hot, at: 0) == 18)
    }

    @Test func `what nobody spends goes back, and what is over is forgotten`() {
        var purse = SlicePurse(keysMax: 10)
        _ = purse.received(slice(1, units: 9), of: hot, from: owner, askedAt: 0, at: 0)
        _ = purse.received(slice(2, units: 9), of: key("used"), from: owner, askedAt: 0, at: 0)
        _ = purse.pay(1, of: key("used"), at: 240 * millisecond)
        let returns = purse.collect(at: 250 * millisecond)
        #expect(returns.map(\.1) == [SliceReturn(key: hot, number: 1, unspent: 9)])
        #expect(purse.collect(at: second).isEmpty && purse.isEmpty)
    }
}
