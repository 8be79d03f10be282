import Membership
import Testing

@Suite struct SyncTests {
    // MARK: - Joining

    @Test func `a node without seeds is a cluster of its own at once`() {
        let bench = Bench()
        #expect(bench.first.views.map(\.number) == [1])
        #expect(bench.first.views.first?.members.map(\.id.rawValue) == ["me"])
    }

    @Test func `seeds are called until somebody is found, with longer and longer waits`() {
        var bench = Bench(seeds: [address("s1"), address("s2"), address("me")])
        #expect(Set(bench.first.calls) == [address("s1"), address("s2")], "and never ourselves")
        #expect(bench.first.views.isEmpty)
        var gaps: [Duration] = [], last = bench.now
        while bench.now < .seconds(60) {
            if !bench.run(for: .milliseconds(10)).calls.isEmpty {
                gaps.append(bench.now - last)
                last = bench.now
            }
        }
        #expect(gaps.allSatisfy { .milliseconds(190) ... .milliseconds(5020) ~= $0 }, "\(gaps)")
        #expect(gaps.suffix(3).max()! > .seconds(1))
        #expect(bench.machine.view?.members.count == 1, "it began alone")
    }

    @Test func `a node that found nobody publishes itself after firstViewWait`() {
        var bench = Bench(seeds: [address("s1")])
        #expect(bench.run(for: .milliseconds(1990)).views.isEmpty)
        #expect(bench.run(for: .milliseconds(20)).views.map(\.members.count) == [1])
    }

    @Test func `a seed that answers is asked for everything, and the first view has everybody`() {
        var bench = Bench(seeds: [address("s1")])
        let asked = bench.tell(.connected(life("s1")))
        guard case .sync(_, let gossip)? = asked.sent.first?.message else {
            Issue.record("no sync")
            return
        }
        #expect(gossip.map(\.member.id.rawValue) == ["me"], "it introduces itself")
        bench.hear(.syncReply(rumours: [rumour("s1"), rumour("s2")], isLast: false), from: "s1")
        bench.hear(.syncReply(rumours: [rumour("s3")], isLast: true), from: "s1")
        let actions = bench.run(for: .milliseconds(400), answering: true)
        #expect(actions.views.map { $0.members.map(\.id.rawValue) } == [["me", "s1", "s2", "s3"]])
        // What it has just learnt is old news to the others.
        #expect(actions.sent.flatMap(\.message.rumours).allSatisfy { $0.member.id.rawValue == "me" })
    }

    @Test func `seeds may be looked up again`() {
        var bench = Bench(seeds: [address("s1")])
        #expect(bench.tell(.seedsFound([address("s2")])).calls == [address("s2")])
    }

    @Test func `at most seedsMax seeds are kept`() {
        var bench = Bench(seeds: (0..<500).map { PeerAddress(host: "s", port: 1 + $0) }) { $0.seedsMax = 4 }
        let calls = Set(bench.run(for: .seconds(120)).calls)
        #expect(calls.count == 4)
    }

    @Test func `a joined node goes on calling seeds that are no members, and the dead`() {
        var bench = Bench(seeds: [address("n1"), address("elsewhere")])
        bench.hear(.syncReply(rumours: [rumour("n1"), rumour("n2"), rumour("n3")], isLast: true), from: "n1")
        bench.hear(.gossip([rumour("n3", .dead, isRefused: true)]), from: "n2")
        let calls = Set(bench.run(for: .seconds(60), answering: true).calls)
        #expect(calls == [address("elsewhere"), address("n3")])
        // The dead one lives: it shall hear what is said.
        let met = bench.tell(.connected(life("n3")))
        #expect(met.sent.contains { $0.to == "n3" && $0.message.rumours.contains { $0.member.status == .dead } })
    }

    // MARK: - Comparing notes

    @Test func `whoever knows the same says so in one small message`() {
        var bench = Bench.among(3)
        let actions = bench.hear(.sync(digest: bench.machine.tableDigest, gossip: []), from: "n1")
        #expect(actions.sent.map(\.message) == [.syncReply(rumours: [], isLast: true)])
        #expect(bench.machine.counters.syncsEqual == 1)
    }

    @Test func `whoever knows something else is told everything`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n2", .dead, isRefused: true)]), from: "n1")
        let actions = bench.hear(.sync(digest: 1, gossip: []), from: "n1")
        let reply = actions.sent.first { if case .syncReply = $0.message { true } else { false } }
        #expect(reply?.message.rumours.map(\.member.id.rawValue) == ["me", "n1", "n2", "n3"], "the dead as well")
    }

    @Test func `what we know better, and whom they do not know, is told back`() throws {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n2", incarnation: 5)]), from: "n2")
        // Ask somebody.
        var peer: String?
        while peer == nil {
            peer =
                bench.run(for: .milliseconds(100), answering: true).sent.first {
                    if case .sync = $0.message { true } else { false }
                }?.to
        }
        let name = try #require(peer)
        let actions = bench.hear(
            .syncReply(rumours: [rumour("me"), rumour("n2"), rumour("n9")], isLast: true), from: name)
        #expect(bench.status("n9") == .alive)
        let told = actions.sent.filter {
            if case .syncReply = $0.message { $0.to == name } else { false }
        }.flatMap(\.message.rumours)
        #expect(Set(told.map(\.member.id.rawValue)) == ["n1", "n2", "n3"])
        #expect(told.contains { $0.member.id.rawValue == "n2" && $0.member.incarnation == 5 })
    }

    /// Whom `peer` is told of in answer to its part of a sync.
    private func toldBack(_ actions: [Membership.Action], to peer: String) -> Set<String> {
        Set(
            actions.sent.filter {
                if case .syncReply = $0.message { $0.to == peer } else { false }
            }.flatMap(\.message.rumours).map(\.member.id.rawValue))
    }

    @Test func `several seeds are asked at once, and each is told what the others said`() {
        var bench = Bench(seeds: [address("s1"), address("s2"), address("s3")])
        for seed in ["s1", "s2", "s3"] { bench.tell(.connected(life(seed))) }
        // In another order than they were asked, and one of them in parts.
        bench.hear(.syncReply(rumours: [rumour("s2"), rumour("n2")], isLast: false), from: "s2")
        let first = bench.hear(.syncReply(rumours: [rumour("s3"), rumour("n3")], isLast: true), from: "s3")
        let second = bench.hear(.syncReply(rumours: [rumour("s1"), rumour("me")], isLast: true), from: "s1")
        let third = bench.hear(.syncReply(rumours: [rumour("m2")], isLast: true), from: "s2")
        #expect(toldBack(first, to: "s3") == ["me", "s2", "n2"])
        #expect(toldBack(second, to: "s1") == ["s2", "n2", "s3", "n3"])
        #expect(toldBack(third, to: "s2") == ["me", "s1", "s3", "n3"], "both parts of its answer count")
    }

    @Test func `answers to more than syncSessionsMax syncs are believed, and the oldest is not told back`() {
        var bench = Bench(seeds: ["s1", "s2", "s3"].map(address)) { $0.syncSessionsMax = 2 }
        for seed in ["s1", "s2", "s3"] { bench.tell(.connected(life(seed))) }
        var told: [Bool] = []
        for seed in ["s1", "s2", "s3"] {
            let actions = bench.hear(.syncReply(rumours: [rumour(seed)], isLast: true), from: seed)
            told.append(!toldBack(actions, to: seed).isEmpty)
        }
        #expect(told == [false, true, true])
        #expect(bench.machine.members.count == 4)
    }

    @Test func `a long table is told in parts within syncBytesMax`() {
        var bench = Bench.among(60) { $0.syncBytesMax = 2048 }
        let parts = bench.hear(.sync(digest: 1, gossip: []), from: "n1").sent.compactMap { sent -> ([Rumour], Bool)? in
            if case .syncReply(let rumours, let isLast) = sent.message { (rumours, isLast) } else { nil }
        }
        #expect(parts.count > 2)
        #expect(parts.allSatisfy { $0.0.reduce(0) { $0 + $1.bytes } <= 2048 })
        #expect(parts.map(\.1) == Array(repeating: false, count: parts.count - 1) + [true])
        #expect(parts.flatMap(\.0).count == 61)
    }

    @Test func `a stranger is asked who it is, once a second`() {
        var bench = Bench.among(2)
        func syncs(_ actions: [Membership.Action]) -> Int {
            actions.sent.count { if case .sync = $0.message { $0.to == "x" } else { false } }
        }
        #expect(syncs(bench.hear(.ping(number: 1, target: life("me"), gossip: []), from: "x")) == 1)
        #expect(syncs(bench.hear(.ping(number: 2, target: life("me"), gossip: []), from: "x")) == 0)
        bench.sleep(for: .milliseconds(1001))
        #expect(syncs(bench.hear(.ping(number: 3, target: life("me"), gossip: []), from: "x")) == 1)
    }
}
