import Membership
import Testing

@Suite struct ProbeTests {
    /// Runs until it has pinged that member, who does not answer; all others do.
    private func silence(_ name: String, _ bench: inout Bench) -> (number: UInt64, actions: [Membership.Action]) {
        while true {
            let actions = bench.run(for: .milliseconds(10), answering: true, except: [name])
            if let number = actions.pings(to: name).first { return (number, actions) }
        }
    }

    @Test func `everybody is probed once in a round`() {
        var bench = Bench.among(12)
        // The round that is under way has an unknown rest: look at two whole ones.
        let actions = bench.run(for: .milliseconds(250 * 36), answering: true)
        for index in 1...12 {
            let count = actions.pings(to: "n\(index)").count
            #expect(2...4 ~= count, "n\(index) was probed \(count) times in three rounds")
        }
    }

    @Test func `a ping is answered, one for another life is corrected`() {
        var bench = Bench.among(2)
        let answer = bench.hear(.ping(number: 9, target: life("me"), gossip: []), from: "n1")
        #expect(answer.sent.contains { $0.to == "n1" && $0.message == .ack(number: 9, gossip: []) })
        let correction = bench.hear(.ping(number: 10, target: life("me", 50), gossip: []), from: "n1")
        #expect(correction.sent.first?.message == .gossip([rumour("me")]))
    }

    @Test(arguments: [(1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
    func `a silent member is asked for through min(3, n - 2) others`(others: Int, relays: Int) {
        var bench = Bench.among(others)
        let (number, _) = silence("n1", &bench)
        let actions = bench.run(for: .milliseconds(260), answering: true, except: ["n1"])
        let asked = actions.relayRequests.filter { $0.number == number }
        #expect(asked.count == relays)
        #expect(Set(asked.map(\.to)).count == relays && !asked.map(\.to).contains("n1"))
        // And once more directly: one lost message makes no suspect.
        #expect(actions.pings(to: "n1").contains(number))
        _ = bench.run(for: .milliseconds(260), answering: true, except: ["n1"])
        #expect(bench.status("n1") == .suspect)
    }

    @Test func `relays of another zone are asked first`() {
        var bench = Bench.among(8, zones: Array(repeating: "dark", count: 5) + ["z", "z", "z"])
        let (number, _) = silence("n1", &bench)
        let actions = bench.run(for: .milliseconds(260), answering: true, except: ["n1"])
        #expect(Set(actions.relayRequests.filter { $0.number == number }.map(\.to)) == ["n6", "n7", "n8"])
    }

    @Test func `an answer through a relay is an answer`() {
        var bench = Bench.among(4)
        let (number, _) = silence("n1", &bench)
        let asked = bench.run(for: .milliseconds(260), answering: true, except: ["n1"]).relayRequests
        #expect(!asked.isEmpty)
        // From somebody who was not asked it is none.
        bench.hear(.ack(number: number, gossip: []), from: "n9")
        #expect(bench.machine.counters.indirectAcks == 0)
        bench.hear(.ack(number: number, gossip: []), from: asked[0].to)
        #expect(bench.machine.counters.indirectAcks == 1)
        #expect(bench.machine.counters.probesFailed == 0)
        #expect(bench.status("n1") == .alive)
    }

    @Test func `relays that say nothing make us doubt ourselves, nacks do not`() {
        for nacks in 0...3 {
            var bench = Bench.among(4)
            let before = bench.machine.counters.probesFailed
            let (number, _) = silence("n1", &bench)
            let asked = bench.run(for: .milliseconds(260), answering: true, except: ["n1"]).relayRequests
            for relay in asked.filter({ $0.number == number }).prefix(nacks) {
                for _ in 0..<2 { bench.hear(.nack(number: number, isRefused: false, gossip: []), from: relay.to) }
            }
            while bench.machine.counters.probesFailed == before {
                // Nobody is answered any more, so nothing improves our score.
                _ = bench.run(for: .milliseconds(1))
            }
            #expect(bench.machine.localHealth == 3 - nacks)
        }
    }

    @Test func `a node that doubts itself probes slower`() {
        var bench = Bench.among(3)
        for _ in 0..<3 {
            let incarnation = bench.incarnation("me")!
            bench.hear(.gossip([rumour("me", .suspect, incarnation: incarnation)]), from: "n1")
        }
        #expect(bench.machine.localHealth == 3)
        let slow = bench.run(for: .seconds(2)).filter {
            if case .send(.ping, _, _) = $0 { true } else { false }
        }
        #expect(slow.count <= 5, "\(slow.count) pings in two seconds at a score of 3")
    }

    @Test func `we ask for others, and pass on what they say`() throws {
        var bench = Bench.among(3)
        let asked = bench.hear(.pingRequest(number: 77, target: life("n2"), gossip: []), from: "n1")
        let number = try #require(asked.pings(to: "n2").first)
        // Somebody else's answer is none.
        #expect(bench.hear(.ack(number: number, gossip: []), from: "n3").sent.isEmpty)
        let answer = bench.hear(.ack(number: number, gossip: []), from: "n2")
        #expect(answer.sent.contains { $0.to == "n1" && $0.message == .ack(number: 77, gossip: []) })
    }

    @Test func `we say so in time when no answer came, and at once when the address refused`() {
        var bench = Bench.among(3)
        bench.hear(.pingRequest(number: 77, target: life("n2"), gossip: []), from: "n1")
        #expect(nacks(bench.run(for: .milliseconds(199))).isEmpty)
        #expect(nacks(bench.run(for: .milliseconds(2))) == [false])
        bench.hear(.pingRequest(number: 78, target: life("n2"), gossip: []), from: "n1")
        #expect(nacks(bench.tell(.couldNotConnect(life("n2"), .refused))) == [true])
    }

    @Test func `for a stranger, or one we know better, the answer is a nack`() {
        var bench = Bench.among(3)
        #expect(nacks(bench.hear(.pingRequest(number: 77, target: life("x"), gossip: []), from: "n1")) == [false])
        bench.hear(.gossip([rumour("n2", epoch: 101)]), from: "n3")
        let actions = bench.hear(.pingRequest(number: 78, target: life("n2"), gossip: []), from: "n1")
        #expect(nacks(actions) == [false])
        #expect(actions.rumours(about: "n2").contains { $0.member.life.epoch == 101 })
    }

    @Test func `at most relaysMax questions are carried at a time`() {
        var bench = Bench.among(3) { $0.relaysMax = 5 }
        for number in UInt64(0)..<5 {
            #expect(nacks(bench.hear(.pingRequest(number: number, target: life("n2"), gossip: []), from: "n1")).isEmpty)
        }
        #expect(nacks(bench.hear(.pingRequest(number: 5, target: life("n2"), gossip: []), from: "n1")) == [false])
        #expect(bench.machine.counters.relaysRefused == 1)
        _ = bench.run(for: .seconds(2), answering: true)
        #expect(nacks(bench.hear(.pingRequest(number: 6, target: life("n2"), gossip: []), from: "n1")).isEmpty)
    }

    @Test func `the time of a direct answer is measured`() throws {
        var bench = Bench.among(2)
        let (number, _) = silence("n1", &bench)
        bench.sleep(for: .milliseconds(8))
        bench.hear(.ack(number: number, gossip: []), from: "n1")
        // An eighth of the new sample on top of those before, which were zero.
        #expect(try #require(bench.machine.roundTrip(of: memberID("n1"))) > .zero)
        #expect(try #require(bench.machine.roundTrip(of: memberID("n1"))) <= .milliseconds(18))
    }

    @Test func `a node that was paused accuses nobody`() {
        var bench = Bench.among(4)
        // In the middle of a probe that nobody answers.
        _ = bench.run(for: .milliseconds(300))
        bench.sleep(for: .seconds(8))
        let actions = bench.tell(.tick)
        #expect(bench.machine.counters.pausesNoticed == 1)
        #expect(bench.machine.timePaused > .seconds(7.5))
        #expect(actions.changes.isEmpty)
        // It asks somebody what happened meanwhile.
        #expect(actions.sent.contains { if case .sync = $0.message { true } else { false } })
        // The wake-up it asks for lies ahead of the shell's clock, not eight seconds behind it.
        #expect(bench.machine.nextWakeUp! >= bench.now)
    }

    private func nacks(_ actions: [Membership.Action]) -> [Bool] {
        actions.sent.compactMap { if case .nack(_, let isRefused, _) = $0.message { isRefused } else { nil } }
    }
}
