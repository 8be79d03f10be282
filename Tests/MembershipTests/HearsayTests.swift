import Membership
import Testing

/// What is believed of what is heard.
@Suite struct HearsayTests {
    struct Case: Sendable {
        let held: Rumour
        let heard: Rumour
        let isBelieved: Bool
    }

    @Test(arguments: [
        // Only a higher incarnation takes a suspicion back.
        Case(held: rumour("x", .suspect), heard: rumour("x"), isBelieved: false),
        Case(held: rumour("x", .suspect), heard: rumour("x", incarnation: 1), isBelieved: true),
        Case(held: rumour("x", incarnation: 1), heard: rumour("x", .suspect), isBelieved: false),
        Case(held: rumour("x", incarnation: 1), heard: rumour("x", .suspect, incarnation: 1), isBelieved: true),
        // Within one incarnation the worse news wins.
        Case(held: rumour("x", .suspect), heard: rumour("x", .unreachable), isBelieved: true),
        Case(held: rumour("x", .unreachable), heard: rumour("x", .suspect), isBelieved: false),
        Case(held: rumour("x", .unreachable), heard: rumour("x", .dead), isBelieved: true),
        // A lease that was renewed after a death overrules it, and one that was renewed before does not.
        Case(held: rumour("x", .dead), heard: rumour("x", .unreachable, leaseStamp: 5), isBelieved: true),
        Case(held: rumour("x", .unreachable, leaseStamp: 5), heard: rumour("x", .dead), isBelieved: false),
        Case(
            held: rumour("x", .unreachable, leaseStamp: 5), heard: rumour("x", .dead, leaseStamp: 5), isBelieved: true),
        Case(
            held: rumour("x", .dead, leaseStamp: 5), heard: rumour("x", .unreachable, leaseStamp: 5),
            isBelieved: false),
        // The dead come back by refuting; who left does not.
        Case(held: rumour("x", .dead), heard: rumour("x", incarnation: 1), isBelieved: true),
        Case(held: rumour("x", .left), heard: rumour("x", .unreachable, leaseStamp: 9), isBelieved: false),
        Case(held: rumour("x", .dead, leaseStamp: 9), heard: rumour("x", .left), isBelieved: true),
        // A new life beats anything that was said of the old one.
        Case(held: rumour("x", .dead, incarnation: 9), heard: rumour("x", epoch: 101), isBelieved: true),
        Case(held: rumour("x", .left, incarnation: 9), heard: rumour("x", epoch: 101), isBelieved: true),
        Case(held: rumour("x", epoch: 101), heard: rumour("x", .dead, incarnation: 9, epoch: 100), isBelieved: false),
        Case(held: rumour("x", epoch: 101), heard: rumour("x", incarnation: 9, epoch: 100), isBelieved: false),
    ])
    func `the higher standing is believed, in whatever order it is heard`(example: Case) {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("x")]), from: "n1")
        bench.hear(.gossip([example.held]), from: "n1")
        // A death by silence is put to whom we hold for alive; by refusal it is believed. Here it shall be held.
        if bench.status("x") != example.held.member.status {
            bench.hear(.gossip([example.held.with { $0.status = .unreachable }]), from: "n1")
            bench.hear(.gossip([example.held]), from: "n1")
        }
        #expect(bench.machine.member(memberID("x")) == example.held.member)
        bench.hear(.gossip([example.heard]), from: "n2")
        let expected = example.isBelieved ? example.heard.member : example.held.member
        #expect(bench.machine.member(memberID("x")) == expected)
    }

    @Test func `a suspicion of ourselves is refuted above what was heard, and its teller hears it first`() {
        var bench = Bench.among(3)
        let actions = bench.hear(.gossip([rumour("me", .suspect, incarnation: 4, accuser: "n1")]), from: "n2")
        #expect(bench.incarnation("me") == 5)
        #expect(bench.status("me") == .alive)
        #expect(actions.sent.contains { $0.to == "n2" && $0.message.rumours.contains { $0.member.incarnation == 5 } })
        #expect(bench.machine.localHealth == 1)
        #expect(bench.machine.counters.refutations == 1)
        // Said again by somebody who has not heard, it is answered and not refuted again.
        let again = bench.hear(.gossip([rumour("me", .dead, incarnation: 4)]), from: "n3")
        #expect(again.rumours(about: "me").allSatisfy { $0.member.incarnation == 5 } && !again.sent.isEmpty)
        #expect(bench.incarnation("me") == 5)
    }

    @Test func `an old life of ours troubles nobody`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("me", .dead, incarnation: 9, epoch: 99)]), from: "n1")
        #expect(bench.incarnation("me") == 0)
    }

    @Test func `a newer life of ours ends this one`() {
        for event: Membership.Event in [
            .received(.gossip([rumour("me", epoch: 101)]), from: life("n1")), .connected(life("me", 101)),
            .received(.gossip([]), from: life("me", 101)),
        ] {
            var bench = Bench.among(3)
            #expect(bench.tell(event) == [.replaced(by: life("me", 101))])
            #expect(bench.machine.nextWakeUp == nil)
            #expect(bench.tell(.tick).isEmpty && bench.tell(.connected(life("n1"))).isEmpty)
        }
    }

    @Test func `a life that is over is told so and not listened to`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n1", epoch: 101)]), from: "n2")
        let actions = bench.hear(.gossip([rumour("n3", .suspect)]), from: "n1", epoch: 100)
        #expect(bench.status("n3") == .alive)
        #expect(actions.sent.contains { $0.to == "n1" && $0.message.rumours == [rumour("n1", epoch: 101)] })
        #expect(bench.machine.counters.oldLivesRefused == 1)
        // Our own earlier life, which somebody forgot to stop, hears the same.
        let twin = bench.hear(.gossip([]), from: "me", epoch: 99)
        #expect(twin.sent.first?.message.rumours.first?.member.life == life("me"))
    }

    @Test func `a member that speaks and is held for dead is told`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n1", .dead, isRefused: true)]), from: "n2")
        #expect(bench.status("n1") == .dead)
        let actions = bench.hear(.gossip([]), from: "n1")
        #expect(actions.sent.contains { $0.to == "n1" && $0.message.rumours.first?.member.status == .dead })
        // Once a gossip interval is enough.
        #expect(bench.hear(.gossip([]), from: "n1").rumours(about: "n1").isEmpty)
    }

    @Test func `the dead are unknown to whoever did not know them`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("x", .dead), rumour("y", .left)]), from: "n1")
        #expect(bench.status("x") == nil && bench.status("y") == nil)
    }

    @Test func `a death that a sync tells of is put to the member`() {
        var bench = Bench.among(3)
        let actions = bench.hear(.syncReply(rumours: [rumour("n2", .dead, isRefused: true)], isLast: false), from: "n1")
        #expect(bench.status("n2") == .suspect)
        #expect(actions.sent.contains { $0.to == "n2" && $0.message.rumours.first?.member.status == .dead })
        bench.hear(.gossip([rumour("n2", incarnation: 1)]), from: "n2")
        #expect(bench.status("n2") == .alive)
    }

    @Test func `a suspect that does not refute becomes unreachable, then dead`() {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n2", .suspect, accuser: "n1")]), from: "n1")
        // n = 4: one accuser 4 s, two 2.74 s, three 2 s.
        _ = bench.run(for: .seconds(1.9), answering: true, except: ["n2"])
        #expect(bench.status("n2") == .suspect)
        _ = bench.run(for: .seconds(2.2), answering: true, except: ["n2"])
        #expect(bench.status("n2") == .unreachable)
        _ = bench.run(for: .seconds(27), answering: true, except: ["n2"])
        #expect(bench.status("n2") == .unreachable)
        let actions = bench.run(for: .seconds(4), answering: true, except: ["n2"])
        #expect(bench.status("n2") == .dead)
        #expect(actions.rumours(about: "n2").contains { $0.member.status == .dead && !$0.isRefused })
    }

    @Test func `further accusers shorten a suspicion, the same one twice does not`() {
        func length(_ accusers: [String]) -> Duration {
            var bench = Bench.among(8)
            for accuser in accusers {
                bench.hear(.gossip([rumour("n8", .suspect, accuser: accuser)]), from: accuser)
            }
            let start = bench.now
            while bench.status("n8") == .suspect, bench.now - start < .seconds(10) {
                // All answer, the suspect too: so we accuse nobody ourselves.
                _ = bench.run(for: .milliseconds(10), answering: true)
            }
            return bench.now - start
        }
        #expect(length(["n1"]) > .seconds(3.9))
        #expect(length(["n1", "n1", "n1"]) > .seconds(3.9))
        #expect(length(["n1", "n2"]) < .seconds(2.8))
        #expect(length(["n1", "n2", "n3"]) < .seconds(2.1))
    }
}
