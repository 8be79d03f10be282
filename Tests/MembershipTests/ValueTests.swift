import Foundation
import Membership
import Testing

@Suite struct ValueTests {
    @Test(arguments: ["a", "node-1", "0", String(repeating: "x", count: 63)])
    func `names of members`(text: String) throws {
        let id = try #require(MemberID(text))
        let coded = try JSONDecoder().decode([MemberID].self, from: JSONEncoder().encode([id]))
        #expect(coded == [id])
    }

    @Test(arguments: ["", "A", "a.b", "a b", "ü", "a\n", String(repeating: "x", count: 64)])
    func `what is no name is refused, from the operator and from the wire`(text: String) throws {
        #expect(MemberID(text) == nil)
        let json = try JSONEncoder().encode([text])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([MemberID].self, from: json) }
    }

    @Test func `an address is written as in a URL`() {
        #expect(PeerAddress(host: "10.0.0.1", port: 7070).description == "10.0.0.1:7070")
        #expect(PeerAddress(host: "fd00::1", port: 7070).description == "[fd00::1]:7070")
    }

    @Test func `every message survives a coder`() throws {
        let rumours = [
            rumour("a"), rumour("b", .suspect, incarnation: 3, accuser: "c", isRefused: true),
            rumour("d", .unreachable, leaseStamp: 77), rumour("e", .left),
        ]
        let messages: [MembershipMessage] = [
            .ping(number: 1, target: life("a"), gossip: rumours), .ack(number: .max, gossip: []),
            .pingRequest(number: 2, target: life("b"), gossip: rumours),
            .nack(number: 3, isRefused: true, gossip: rumours), .gossip(rumours), .sync(digest: 4, gossip: rumours),
            .syncReply(rumours: rumours, isLast: false),
        ]
        let coded = try JSONDecoder().decode([MembershipMessage].self, from: JSONEncoder().encode(messages))
        #expect(coded == messages)
    }

    @Test func `metadata outside its limits has a problem`() {
        #expect(metadata("a").problem == nil)
        let wrong: [(inout MemberMetadata) -> Void] = [
            { $0.capacity = 0 }, { $0.capacity = 1_000_001 }, { $0.peerAddress.port = 0 },
            { $0.peerAddress.port = 65536 }, { $0.peerAddress.host = "" },
            { $0.region = String(repeating: "x", count: 256) }, { $0.zone = String(repeating: "x", count: 256) },
            { $0.version = String(repeating: "x", count: 256) },
            { $0.httpAddress = String(repeating: "x", count: 256) },
        ]
        for change in wrong {
            var changed = metadata("a")
            change(&changed)
            #expect(changed.problem != nil, "\(changed)")
        }
    }
}

@Suite struct ViewTests {
    private let members = [member("a"), member("b", zone: "y"), member("c")]

    private func digest(_ change: (inout [Member]) -> Void) -> UInt64 {
        var changed = members
        change(&changed)
        return MembershipView(number: 9, members: changed).digest
    }

    @Test func `a view is sorted and holds those who are present`() {
        let view = MembershipView(
            number: 1,
            members: [member("c"), member("a"), member("x", .dead), member("y", .left), member("b", .unreachable)])
        #expect(view.members.map(\.id.rawValue) == ["a", "b", "c"])
        #expect(view[memberID("b")]?.status == .unreachable)
        #expect(view[memberID("x")] == nil)
    }

    @Test func `a view may be told with the suspicions of now, and nothing else changes`() {
        let view = MembershipView(number: 4, members: [member("a", .suspect), member("b"), member("c", .unreachable)])
        let now = view.suspecting(as: [member("a"), member("b", .suspect), member("c"), member("d")])
        #expect(now.members.map(\.status) == [.alive, .suspect, .unreachable])
        #expect(now.number == 4 && now.digest == view.digest)
        // Another life of that name, one that went away, or one that is unknown by now: another view will tell.
        for other in [member("a", epoch: 101), member("a", .unreachable), member("a", .dead), member("x")] {
            #expect(view.suspecting(as: [other]) == view)
        }
    }

    @Test func `equal facts have an equal digest`() {
        let digest = MembershipView(number: 1, members: members).digest
        #expect(self.digest { $0.reverse() } == digest)
        #expect(self.digest { $0[0].incarnation = 7 } == digest)
        #expect(self.digest { $0[0].status = .suspect } == digest)
        #expect(self.digest { $0.append(member("d", .dead)) } == digest)
    }

    @Test func `whatever placement may look at changes the digest`() {
        var digests: Set<UInt64> = [MembershipView(number: 1, members: members).digest]
        let changes: [(inout [Member]) -> Void] = [
            { $0.removeLast() }, { $0.append(member("d")) }, { $0[0].status = .unreachable },
            { $0[0] = member("a", epoch: 101) }, { $0[0].metadata.region = "q" }, { $0[0].metadata.zone = "q" },
            { $0[0].metadata.capacity = 2 }, { $0[0].metadata.schedulability = .cordoned },
            { $0[0].metadata.schedulability = .draining }, { $0[0].metadata.httpAddress = "q" },
            { $0[0].metadata.version = "q" }, { $0[0].metadata.peerAddress.port = 1 },
            { $0[0].metadata.peerAddress.host = "q" },
        ]
        for change in changes { digests.insert(digest(change)) }
        #expect(digests.count == changes.count + 1)
    }

    /// Nodes of two releases compare digests: a new value here needs a new placement algorithm id.
    @Test func `the digest is the same in every release`() {
        #expect(MembershipView(number: 1, members: members).digest == 15_965_953_896_269_177_248)
    }
}
