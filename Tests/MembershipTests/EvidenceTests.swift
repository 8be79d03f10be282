import Membership
import Testing

/// Refused connections against leases and living witnesses.
@Suite struct EvidenceTests {
    private let refused = Membership.Event.couldNotConnect(life("n1"), .refused)

    @Test func `a lost connection is tried again at once`() {
        var bench = Bench.among(2)
        #expect(
            bench.tell(.disconnected(life("n1"))).contains(.connect(address("n1"), expecting: life("n1"))))
        // Not that of a life we do not know, nor of one who left.
        #expect(bench.tell(.disconnected(life("n1", 50))).calls.isEmpty)
        bench.hear(.gossip([rumour("n2", .left, incarnation: 1)]), from: "n2")
        #expect(bench.tell(.disconnected(life("n2"))).calls.isEmpty)
    }

    @Test func `of two, the other is dead after the second refusal`() {
        var bench = Bench.among(1)
        #expect(bench.tell(refused).changes.map(\.member.status) == [.suspect])
        // The same instant again proves nothing.
        bench.tell(refused)
        #expect(bench.status("n1") == .suspect)
        #expect(bench.run(for: .milliseconds(251)).calls.contains(address("n1")))
        bench.tell(refused)
        #expect(bench.status("n1") == .dead)
        #expect(bench.machine.counters.deathsByRefusal == 1)
    }

    @Test func `two witnesses are enough`() {
        var bench = Bench.among(4)
        bench.hear(.gossip([rumour("n1", .suspect, accuser: "n2", isRefused: true)]), from: "n2")
        #expect(bench.status("n1") == .suspect)
        // The same witness, through somebody else, is no second one.
        bench.hear(.gossip([rumour("n1", .suspect, accuser: "n2", isRefused: true)]), from: "n3")
        #expect(bench.status("n1") == .suspect)
        let actions = bench.hear(.gossip([rumour("n1", .suspect, accuser: "n3", isRefused: true)]), from: "n3")
        #expect(bench.status("n1") == .dead)
        #expect(actions.changes.last?.reason == .refused)
    }

    @Test func `an accuser that only met silence is no witness of a refusal`() {
        var bench = Bench.among(4)
        bench.tell(refused)
        bench.hear(.gossip([rumour("n1", .suspect, accuser: "n2")]), from: "n2")
        #expect(bench.status("n1") == .suspect)
    }

    @Test func `a single witness asks others, and believes three refusals if nobody contradicts`() {
        var bench = Bench.among(4)
        bench.tell(refused)
        _ = bench.run(for: .milliseconds(251))
        let asked = bench.tell(refused).relayRequests
        #expect(asked.count == 3)
        #expect(bench.status("n1") == .suspect)
        _ = bench.run(for: .milliseconds(251))
        bench.tell(refused)
        #expect(bench.status("n1") == .dead)
    }

    @Test func `a relay that reached the member voids our refusals`() throws {
        var bench = Bench.among(4)
        bench.tell(refused)
        _ = bench.run(for: .milliseconds(251))
        let asked = try #require(bench.tell(refused).relayRequests.first)
        bench.hear(.ack(number: asked.number, gossip: []), from: asked.to)
        #expect(bench.machine.counters.refusalsContradicted == 1)
        _ = bench.run(for: .milliseconds(251))
        bench.tell(refused)
        #expect(bench.status("n1") == .suspect)
    }

    @Test func `a relay that was refused is the second witness`() throws {
        var bench = Bench.among(4)
        bench.tell(refused)
        _ = bench.run(for: .milliseconds(251))
        let asked = try #require(bench.tell(refused).relayRequests.first)
        bench.hear(.nack(number: asked.number, isRefused: true, gossip: []), from: asked.to)
        #expect(bench.status("n1") == .dead)
    }

    @Test func `a member that speaks is not buried for refused connections`() {
        var bench = Bench.among(1)
        bench.tell(refused)
        bench.hear(.gossip([]), from: "n1")
        _ = bench.run(for: .milliseconds(251))
        bench.tell(refused)
        #expect(bench.status("n1") == .suspect)
    }

    @Test func `a silent or rejected connection is no evidence`() {
        var bench = Bench.among(1)
        for failure in [ConnectionFailure.silent, .rejected(reason: "certificate expired")] {
            for _ in 0..<5 {
                bench.tell(.couldNotConnect(life("n1"), failure))
                _ = bench.run(for: .milliseconds(251), answering: true)
            }
        }
        #expect(bench.status("n1") == .alive)
    }

    // MARK: - Leases

    private func sighting(_ stamp: UInt64, age: Duration = .zero, epoch: UInt64 = 100) -> Membership.Event {
        .leasesSeen([LeaseSighting(life: life("n1", epoch), renewedAt: stamp, age: age)])
    }

    private func benchWithUnreachable() -> Bench {
        var bench = Bench.among(3)
        bench.hear(.gossip([rumour("n1", .unreachable)]), from: "n2")
        return bench
    }

    @Test func `a renewed lease keeps a silent member unreachable for as long as it is renewed`() {
        var bench = benchWithUnreachable()
        for second in UInt64(1)...100 {
            _ = bench.run(for: .seconds(1), answering: true, except: ["n1"])
            bench.tell(sighting(1_000_000 + second * 1000))
            #expect(bench.status("n1") == .unreachable)
        }
        // Told to others a third of their patience apart, not with every heartbeat.
        #expect(9...12 ~= bench.machine.counters.leasesVouched)
        _ = bench.run(for: .seconds(31), answering: true, except: ["n1"])
        #expect(bench.status("n1") == .dead)
    }

    @Test func `a lease renewed before the doubt, or of an earlier life, says nothing`() {
        var bench = benchWithUnreachable()
        _ = bench.run(for: .seconds(5), answering: true, except: ["n1"])
        bench.tell(sighting(1_000_000, age: .seconds(6)))
        bench.tell(sighting(1_000_000, epoch: 99))
        #expect(bench.machine.counters.leasesVouched == 0)
    }

    @Test func `a lease renewed after a death makes it unreachable, and refusals no longer count`() {
        var bench = Bench.among(4)
        for witness in ["n2", "n3"] {
            bench.hear(.gossip([rumour("n1", .suspect, accuser: witness, isRefused: true)]), from: witness)
        }
        #expect(bench.status("n1") == .dead)
        _ = bench.run(for: .seconds(1), answering: true)
        let actions = bench.tell(sighting(1_000_000))
        #expect(bench.status("n1") == .unreachable)
        #expect(actions.changes.last?.reason == .leaseRenewed)
        for _ in 0..<4 {
            bench.tell(refused)
            _ = bench.run(for: .milliseconds(251), answering: true, except: ["n1"])
        }
        #expect(bench.status("n1") == .unreachable)
    }
}
