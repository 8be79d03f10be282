import Membership
import Testing

@Suite struct LifeCycleTests {
    // MARK: - Leaving

    @Test func `a node that leaves says so, lingers and departs`() {
        var bench = Bench.among(4)
        let told = bench.tell(.leaveRequested).sent.filter {
            $0.message.rumours.contains(rumour("me", .left, incarnation: 1))
        }
        #expect(Set(told.map(\.to)) == ["n1", "n2", "n3", "n4"])
        let actions = bench.run(for: .milliseconds(490))
        #expect(!actions.contains(.departed))
        // What is said of it now is no concern of its.
        bench.hear(.gossip([rumour("me", .suspect, incarnation: 1)]), from: "n1")
        #expect(bench.status("me") == .left)
        #expect(bench.run(for: .milliseconds(20)).contains(.departed))
        #expect(bench.machine.nextWakeUp == nil)
        #expect(bench.tell(.tick).isEmpty)
    }

    @Test func `a node that is alone departs at once`() {
        var bench = Bench()
        #expect(bench.tell(.leaveRequested).contains(.departed))
    }

    @Test func `a member that left is out of the view, and does not come back by lease or rumour`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n2", .left, incarnation: 1)]), from: "n1")
        let views = bench.run(for: .milliseconds(250), answering: true).views
        #expect(views.map { $0.members.map(\.id.rawValue) } == [["me", "n1", "n3"]])
        bench.tell(.leasesSeen([LeaseSighting(life: life("n2"), renewedAt: 99, age: .zero)]))
        #expect(bench.status("n2") == .left)
    }

    // MARK: - Metadata

    @Test func `changed metadata raises the incarnation and spreads`() {
        var bench = Bench.among(3)
        var drained = metadata("me")
        drained.schedulability = .draining
        let actions = bench.tell(.metadataChanged(drained))
        #expect(bench.incarnation("me") == 1)
        #expect(actions.changes.map(\.reason) == [.metadata])
        #expect(Set(actions.sent.filter { !$0.message.rumours.isEmpty }.map(\.to)) == ["n1", "n2", "n3"])
        #expect(bench.tell(.metadataChanged(drained)).isEmpty, "the same again is no change")
        #expect(
            bench.run(for: .milliseconds(250), answering: true).views.map { $0[memberID("me")]?.isSchedulable } == [
                false
            ])
    }

    // MARK: - Views

    @Test func `changes of one settling window make one view`() {
        var bench = Bench.among(5)
        let number = bench.machine.view!.number
        var views: [MembershipView] = []
        for index in 1...4 {
            views += bench.hear(.gossip([rumour("n\(index)", .left, incarnation: 1)]), from: "n5").views
            views += bench.run(for: .milliseconds(150), answering: true).views
        }
        #expect(views.isEmpty)
        views += bench.run(for: .milliseconds(100), answering: true).views
        #expect(views.map(\.number) == [number + 1])
        #expect(views.last?.members.map(\.id.rawValue) == ["me", "n5"])
    }

    @Test func `a view waits at most settlingMax for changes that do not end`() {
        var bench = Bench.among(30)
        let start = bench.now
        var first: Duration?
        for index in 1...25 where first == nil {
            var views = bench.hear(.gossip([rumour("n\(index)", .left, incarnation: 1)]), from: "n30").views
            views += bench.run(for: .milliseconds(100), answering: true).views
            if !views.isEmpty { first = bench.now - start }
        }
        #expect(first.map { .milliseconds(1500) ... .milliseconds(1600) ~= $0 } == true, "\(String(describing: first))")
    }

    @Test func `a view waits for an open suspicion, and no longer than it lasts`() {
        var bench = Bench.among(5)
        bench.hear(.gossip([rumour("n1", .suspect, accuser: "n2")]), from: "n2")
        bench.hear(.gossip([rumour("n3", .left, incarnation: 1)]), from: "n2")
        #expect(bench.run(for: .milliseconds(600), answering: true).views.isEmpty)
        bench.hear(.gossip([rumour("n1", incarnation: 1)]), from: "n1")
        #expect(bench.run(for: .milliseconds(210), answering: true).views.count == 1)
    }

    @Test func `what changed back in the meantime makes no view`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n1", .unreachable)]), from: "n2")
        bench.hear(.gossip([rumour("n1", incarnation: 1)]), from: "n1")
        #expect(bench.run(for: .seconds(2), answering: true).views.isEmpty)
    }

    @Test func `a suspicion alone makes no view`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n1", .suspect, accuser: "n2")]), from: "n2")
        #expect(bench.run(for: .milliseconds(1900), answering: true).views.isEmpty)
    }

    // MARK: - The shell's side

    @Test func `nothing happens before it is started, and it is started once`() {
        var machine = Membership(life: life("me"), metadata: metadata("me"), seed: 1)
        #expect(machine.handle(.tick, at: .zero).isEmpty)
        #expect(machine.nextWakeUp == nil)
        #expect(!machine.handle(.started(seeds: []), at: .zero).isEmpty)
        #expect(machine.handle(.started(seeds: [address("s")]), at: .zero).isEmpty)
    }

    @Test func `it always asks for a wake-up that lies ahead`() {
        var bench = Bench.among(5)
        for _ in 0..<200 {
            _ = bench.run(for: .milliseconds(17), answering: true)
            #expect(bench.machine.nextWakeUp! >= bench.now)
        }
    }
}
