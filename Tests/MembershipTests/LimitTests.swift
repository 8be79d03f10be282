import Membership
import Testing

/// Each limit is hit.
@Suite struct LimitTests {
    @Test func `no more than membersMax members`() {
        var bench = Bench.among(3) { $0.membersMax = 6 }
        bench.hear(.gossip((10..<20).map { rumour("n\($0)") }), from: "n1")
        #expect(bench.machine.members.count == 6)
        #expect(bench.machine.counters.membersRefused == 8)
        // One that is known may still change.
        bench.hear(.gossip([rumour("n2", epoch: 200)]), from: "n1")
        #expect(bench.machine.member(memberID("n2"))?.life.epoch == 200)
    }

    @Test func `no more than deadMembersMax of the dead, the oldest go`() {
        var bench = Bench.among(20) { $0.deadMembersMax = 4 }
        for index in 1...10 {
            bench.hear(.gossip([rumour("n\(index)", .left, incarnation: 1)]), from: "n11")
            _ = bench.run(for: .milliseconds(5), answering: true)
        }
        #expect(
            (1...10).map { bench.status("n\($0)") != nil } == Array(repeating: false, count: 6)
                + Array(repeating: true, count: 4))
        #expect(bench.machine.counters.membersForgotten == 6)
    }

    @Test func `the dead are forgotten after deadMemory`() {
        var bench = Bench.among(3) { $0.deadMemory = .seconds(20) }
        bench.hear(.gossip([rumour("n3", .left, incarnation: 1)]), from: "n3")
        _ = bench.run(for: .seconds(19), answering: true)
        #expect(bench.status("n3") == .left)
        _ = bench.run(for: .seconds(2), answering: true)
        #expect(bench.status("n3") == nil)
    }

    @Test func `no more than rumoursMax rumours wait`() {
        var bench = Bench.among(3) { $0.rumoursMax = 16 }
        bench.hear(.gossip((10..<60).map { rumour("n\($0)") }), from: "n1")
        // 50 came, some left at once with the gossip that they started.
        #expect(bench.machine.counters.rumoursDropped >= 34)
    }

    @Test func `gossip stays within gossipBytesMax`() {
        var bench = Bench.among(3) { $0.gossipBytesMax = 2048 }
        var actions = bench.hear(.gossip((10..<200).map { rumour("n\($0)") }), from: "n1")
        actions += bench.run(for: .seconds(3))
        let sizes = actions.sent.map { $0.message.rumours.reduce(0) { $0 + $1.bytes } }
        #expect(sizes.max()! > 1800 && sizes.max()! <= 2048, "\(sizes.max()!)")
    }

    @Test func `no more than strangersMax strangers are asked in a second`() {
        var bench = Bench.among(2) { $0.strangersMax = 8 }
        let asked = (0..<50).flatMap { bench.hear(.gossip([]), from: "x\($0)").sent }.count {
            if case .sync = $0.message { true } else { false }
        }
        #expect(asked == 8)
    }

    @Test func `a message with more than rumoursPerMessageMax rumours is dropped whole`() {
        var bench = Bench.among(2) { $0.rumoursPerMessageMax = 4 }
        bench.hear(.gossip((10..<15).map { rumour("n\($0)") }), from: "n1")
        #expect(bench.machine.members.count == 3)
        #expect(bench.machine.counters.malformed == 1)
        bench.hear(.gossip((10..<14).map { rumour("n\($0)") }), from: "n1")
        #expect(bench.machine.members.count == 7)
    }

    @Test func `rumours outside the limits are not believed`() {
        var bench = Bench.among(2)
        var long = member("x")
        long.metadata.region = String(repeating: "x", count: 256)
        var port = member("x")
        port.metadata.peerAddress.port = 65536
        var weight = member("x")
        weight.metadata.capacity = .max
        let wrong = [
            Rumour(long), Rumour(port), Rumour(weight), rumour("x", incarnation: .max), rumour("x", epoch: .max),
            rumour("x", .unreachable, leaseStamp: .max), rumour("me", .suspect, incarnation: .max),
        ]
        bench.hear(.gossip(wrong), from: "n1")
        #expect(bench.status("x") == nil)
        #expect(bench.incarnation("me") == 0)
        #expect(bench.machine.counters.malformed == wrong.count)
    }

    @Test func `a node that leaves tells at most leaveToldMax members itself`() {
        var bench = Bench.among(20) { $0.leaveToldMax = 5 }
        let told = bench.tell(.leaveRequested).sent.filter {
            $0.message == .gossip([rumour("me", .left, incarnation: 1)])
        }
        #expect(told.count >= 5 && told.count <= 5 + bench.machine.configuration.gossipFanout)
    }
}
