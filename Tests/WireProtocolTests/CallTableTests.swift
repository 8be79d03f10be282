import Testing
import WireProtocol

@Suite struct CallTableTests {
    @Test func `a reply finds its caller once`() throws {
        var table = CallTable<String>(inFlightMax: 10)
        let one = try table.added("one")
        let two = try table.added("two")
        #expect(one != two)
        #expect(table.inFlight == 2)
        #expect(table.replied(two) == "two")
        #expect(table.replied(two) == nil)
        #expect(table.replied(one) == "one")
        #expect(table.inFlight == 0)
    }

    @Test func `no call has the number 0, and an unknown number finds nobody`() throws {
        var table = CallTable<Int>(inFlightMax: 1)
        for call in 0..<200_000 {
            let id = try table.added(call)
            #expect(id != 0)
            if call % 10_000 == 0 { #expect(table.replied(id &+ 1) == nil && table.replied(0) == nil) }
            _ = table.replied(id)
        }
    }

    @Test func `over the limit the caller is told so at once`() throws {
        var table = CallTable<Int>(inFlightMax: 3)
        let ids = (0..<3).compactMap { table.register($0) }
        #expect(ids.count == 3)
        #expect(table.register(3) == nil)
        #expect(table.replied(ids[1]) == 1)
        let next = try table.added(4)
        #expect(!ids.contains(next))
        #expect(table.register(5) == nil)
    }

    @Test func `a late reply does not find the call that has the same slot`() throws {
        var table = CallTable<String>(inFlightMax: 1)
        let first = try table.added("first")
        #expect(table.cancel(first) == "first")
        let second = try table.added("second")
        #expect(first & 0xFFFF == second & 0xFFFF)
        #expect(table.replied(first) == nil)
        #expect(table.cancel(first) == nil)
        #expect(table.isWaiting(second))
        #expect(table.replied(second) == "second")
    }

    @Test func `freed slots are used again oldest first`() throws {
        var table = CallTable<Int>(inFlightMax: 4)
        var ids = (0..<4).compactMap { table.register($0) }
        for id in [ids[2], ids[0], ids[3]] { _ = table.replied(id) }
        ids = (0..<3).compactMap { table.register($0) }
        #expect(ids.map { $0 & 0xFFFF } == [2, 0, 3])
        #expect(ids.allSatisfy { $0 >> 16 == 2 })
    }

    @Test func `calls end at their deadlines, in order, and only those that still wait`() throws {
        var table = CallTable<Int>(inFlightMax: 100)
        let deadlines = [50, 10, 30, 10, 90, 20]
        let ids = deadlines.compactMap { table.register($0, deadline: .milliseconds($0)) }
        _ = table.register(-1)
        _ = table.replied(ids[2])
        #expect(table.nextDeadline() == .milliseconds(10))
        #expect(table.nextExpired(at: .milliseconds(9)) == nil)
        var expired: [Int] = []
        while let call = table.nextExpired(at: .milliseconds(50)) { expired.append(call.token) }
        #expect(expired == [10, 10, 20, 50])
        #expect(table.nextDeadline() == .milliseconds(90))
        #expect(table.inFlight == 2)
        #expect(table.replied(ids[0]) == nil)
    }

    @Test func `stale deadlines do not pile up`() throws {
        var table = CallTable<Int>(inFlightMax: 100)
        for call in 0..<100_000 {
            let id = try table.added(call, deadline: .seconds(10))
            #expect(table.deadlineEntries <= 200)
            _ = table.replied(id)
        }
        #expect(table.nextDeadline() == nil)
    }

    @Test func `when the connection is lost everybody learns it, once`() throws {
        var table = CallTable<Int>(inFlightMax: 10)
        let ids = (0..<5).compactMap { table.register($0, deadline: .seconds(1)) }
        _ = table.replied(ids[3])
        let lost = table.connectionLost()
        #expect(lost.map(\.token).sorted() == [0, 1, 2, 4])
        #expect(Set(lost.map(\.id)) == Set(ids).subtracting([ids[3]]))
        #expect(table.connectionLost().isEmpty)
        #expect(table.register(9) == nil)
        #expect(table.replied(ids[0]) == nil)
        #expect(table.nextExpired(at: .seconds(9)) == nil)
        #expect(table.nextDeadline() == nil)
        #expect(table.inFlight == 0)
    }

    /// Against a dictionary that does the same without cleverness.
    @Test(arguments: [1, 2, 7, 64])
    func `any order of events answers every call at most once`(inFlightMax: Int) {
        var random = SeededGenerator(seed: UInt64(inFlightMax))
        var table = CallTable<Int>(inFlightMax: inFlightMax)
        var waiting: [UInt32: (token: Int, deadline: Duration?)] = [:]
        var known: [UInt32] = [0, 1, .max]
        var now = Duration.zero
        var answered: Set<Int> = []
        for step in 0..<20_000 {
            now += .milliseconds(Int.random(in: 0...2, using: &random))
            let id = known.randomElement(using: &random)!
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let deadline =
                    Bool.random(using: &random) ? now + .milliseconds(Int.random(in: 0..<50, using: &random)) : nil
                let new = table.register(step, deadline: deadline)
                #expect((new == nil) == (waiting.count == inFlightMax))
                if let new {
                    #expect(waiting[new] == nil)
                    waiting[new] = (step, deadline)
                    known.append(new)
                    if known.count > 2 * inFlightMax + 3 { known.removeFirst() }
                }
            case 4..<7:
                let token = table.replied(id)
                #expect(token == waiting.removeValue(forKey: id)?.token)
                if let token { #expect(answered.insert(token).inserted) }
            case 7..<9:
                let token = table.cancel(id)
                #expect(token == waiting.removeValue(forKey: id)?.token)
                if let token { #expect(answered.insert(token).inserted) }
            default:
                var expired: Set<Int> = []
                while let call = table.nextExpired(at: now) {
                    #expect(waiting.removeValue(forKey: call.id)?.token == call.token)
                    #expect(expired.insert(call.token).inserted && answered.insert(call.token).inserted)
                }
                #expect(!waiting.values.contains { $0.deadline.map { $0 <= now } ?? false })
                #expect(table.nextDeadline() == waiting.values.compactMap(\.deadline).min())
            }
            #expect(table.inFlight == waiting.count)
        }
        #expect(answered.count > 1000)
    }
}

extension CallTable {
    /// A call that has to find room.
    fileprivate mutating func added(_ token: Token, deadline: Duration? = nil) throws -> UInt32 {
        let id = register(token, deadline: deadline)
        return try #require(id)
    }
}

@Suite struct ServedCallsTests {
    @Test func `a call runs and its reply is sent`() {
        var served = ServedCalls<String>(inFlightMax: 2)
        #expect(served.accept(1) == .run)
        #expect(served.started(1, "task") == true)
        #expect(served.finished(1) == true)
        #expect(served.finished(1) == false)
        #expect(served.inFlight == 0)
    }

    @Test func `over the limit the answer is busy, until one has finished`() {
        var served = ServedCalls<String>(inFlightMax: 2)
        #expect([1, 2, 3].map { served.accept($0) } == [.run, .run, .busy])
        _ = served.finished(1)
        #expect(served.accept(3) == .run)
    }

    @Test func `a number that is running is refused, one that was is not`() {
        var served = ServedCalls<String>(inFlightMax: 1)
        #expect(served.accept(1) == .run)
        #expect(served.accept(1) == .duplicate)
        _ = served.finished(1)
        #expect(served.accept(1) == .run)
    }

    @Test func `a cancelled call is cancelled once, sends nothing, and counts until it has finished`() {
        var served = ServedCalls<String>(inFlightMax: 1)
        _ = served.accept(1)
        _ = served.started(1, "task")
        #expect(served.cancel(1) == "task")
        #expect(served.cancel(1) == nil)
        #expect(served.accept(2) == .busy)
        #expect(served.accept(1) == .duplicate)
        #expect(served.finished(1) == false)
        #expect(served.accept(2) == .run)
    }

    @Test func `a call that is cancelled before it can be is cancelled when it starts`() {
        var served = ServedCalls<String>(inFlightMax: 1)
        _ = served.accept(1)
        #expect(served.cancel(1) == nil)
        #expect(served.started(1, "task") == false)
        #expect(served.finished(1) == false)
        #expect(served.inFlight == 0)
    }

    @Test func `a cancel that crosses the reply is nothing`() {
        var served = ServedCalls<String>(inFlightMax: 1)
        #expect(served.cancel(7) == nil)
        #expect(served.started(7, "task") == false)
    }

    @Test func `when the connection is lost everything that runs is cancelled and nothing is sent`() {
        var served = ServedCalls<String>(inFlightMax: 9)
        for id in UInt32(1)...3 { _ = served.accept(id) }
        _ = served.started(1, "one")
        _ = served.started(2, "two")
        _ = served.cancel(2)
        #expect(served.connectionLost() == ["one"])
        #expect(served.started(3, "three") == false)
        for id in UInt32(1)...3 { #expect(served.finished(id) == false) }
        #expect(served.inFlight == 0)
    }
}

@Suite struct KeepaliveTests {
    private let settings = Keepalive.Settings(pingInterval: .seconds(1), silenceMax: .seconds(5))

    @Test func `an answer measures the round trip, smoothed as TCP does`() {
        var keepalive = Keepalive(settings, now: .zero)
        #expect(keepalive.tick(at: .zero) == .ping(1))
        #expect(keepalive.acknowledged(1, at: .milliseconds(8)) == .milliseconds(8))
        #expect(keepalive.roundTrip == .milliseconds(8))
        #expect(keepalive.roundTripDeviation == .milliseconds(4))
        #expect(keepalive.tick(at: .milliseconds(8)) == .wait(until: .seconds(1)))
        #expect(keepalive.tick(at: .seconds(1)) == .ping(2))
        #expect(keepalive.acknowledged(2, at: .milliseconds(1016)) == .milliseconds(16))
        #expect(keepalive.roundTrip == .milliseconds(9))
        #expect(keepalive.roundTripDeviation == .milliseconds(5))
    }

    @Test func `an answer to nothing measures nothing`() {
        var keepalive = Keepalive(settings, now: .zero)
        #expect(keepalive.acknowledged(1, at: .zero) == nil)
        #expect(keepalive.tick(at: .zero) == .ping(1))
        #expect(keepalive.acknowledged(2, at: .milliseconds(1)) == nil)
        #expect(keepalive.acknowledged(1, at: .milliseconds(2)) != nil)
        #expect(keepalive.acknowledged(1, at: .milliseconds(3)) == nil)
    }

    @Test func `a silent peer is given up at the limit and not before`() {
        var keepalive = Keepalive(settings, now: .zero)
        #expect(keepalive.tick(at: .zero) == .ping(1))
        #expect(keepalive.tick(at: .zero) == .wait(until: .seconds(5)))
        #expect(keepalive.tick(at: .milliseconds(4999)) == .wait(until: .seconds(5)))
        #expect(keepalive.tick(at: .seconds(5)) == .giveUp(silent: .seconds(5)))
    }

    @Test func `any byte is a sign of life`() {
        var keepalive = Keepalive(settings, now: .zero)
        _ = keepalive.tick(at: .zero)
        for second in 1...20 {
            keepalive.heard(at: .seconds(second))
            #expect(keepalive.tick(at: .seconds(second)) == .wait(until: .seconds(second + 5)))
        }
        #expect(keepalive.tick(at: .seconds(25)) == .giveUp(silent: .seconds(5)))
    }

    @Test func `who was not asked need not have answered`() {
        var keepalive = Keepalive(settings, now: .zero)
        // Nobody ticked for a minute: the first thing is a question, not a verdict.
        #expect(keepalive.tick(at: .seconds(60)) == .ping(1))
        #expect(keepalive.tick(at: .seconds(60)) == .wait(until: .seconds(65)))
    }

    @Test func `when it was us who stood still, the peer gets its time again`() {
        var keepalive = Keepalive(settings, now: .zero)
        #expect(keepalive.tick(at: .zero) == .ping(1))
        #expect(keepalive.tick(at: .zero) == .wait(until: .seconds(5)))
        #expect(keepalive.tick(at: .seconds(30)) == .wait(until: .seconds(35)))
        // Its answer lay in the socket; it says nothing about the network.
        #expect(keepalive.acknowledged(1, at: .seconds(30)) == nil)
        #expect(keepalive.roundTrip == nil)
        #expect(keepalive.tick(at: .seconds(30)) == .ping(2))
        #expect(keepalive.acknowledged(2, at: .milliseconds(30_003)) == .milliseconds(3))
    }

    @Test func `a ping is eight bytes`() throws {
        let bytes = Samples.payload { Keepalive.append(0x0102_0304_0506_0708, to: &$0) }
        #expect(bytes == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try Keepalive.number(in: bytes[...]) == 0x0102_0304_0506_0708)
        #expect(wireError { _ = try Keepalive.number(in: bytes[..<7]) }?.code == .malformed)
        #expect(wireError { _ = try Keepalive.number(in: (bytes + [9])[...]) }?.code == .malformed)
    }
}
