import Testing
import WireProtocol

@Suite struct ConnectionClaimsTests {
    private let lane = LaneNumber(.call)

    private struct Outcome: Equatable {
        var replaced: [Int]?
        var rejection: HandshakeRejection?
    }

    /// Claims for `name` in `claims`, as a connection of number `token`.
    private func claim(
        _ claims: inout ConnectionClaims<Int>, _ peer: String, epoch: UInt64 = 5, dialledByPeer: Bool,
        known: UInt64? = nil, token: Int, at now: Duration = .zero, lane: LaneNumber? = nil
    ) -> Outcome {
        let (answer, receipt) = claims.claim(
            PeerLife(name: peer, epoch: epoch), lane: lane ?? self.lane, dialledByPeer: dialledByPeer,
            knownEpoch: known, token: token, at: now)
        switch answer {
        case .admitted(let replaced):
            #expect(receipt != nil)
            return Outcome(replaced: replaced)
        case .turnedAway(let rejection):
            #expect(receipt == nil)
            return Outcome(rejection: rejection)
        }
    }

    private var duplicate: Outcome {
        Outcome(rejection: .duplicateConnection(PeerLife(name: "b", epoch: 5), lane))
    }

    @Test func `lanes and their numbers do not disturb each other`() {
        var claims = ConnectionClaims<Int>(ownName: "a")
        var token = 0
        for lane in Lane.allCases {
            for number in UInt8(0)..<3 {
                token += 1
                let lane = LaneNumber(lane, number: number)
                #expect(
                    claim(&claims, "b", dialledByPeer: true, token: token, lane: lane) == Outcome(replaced: []))
            }
        }
        #expect(claims.count == 9)
    }

    @Test func `an older life than known is turned away`() {
        var claims = ConnectionClaims<Int>(ownName: "a")
        let older = Outcome(rejection: .olderEpoch(PeerLife(name: "b", epoch: 5), known: 6))
        #expect(claim(&claims, "b", dialledByPeer: true, known: 6, token: 1) == older)
        #expect(claim(&claims, "b", epoch: 6, dialledByPeer: true, known: 6, token: 2) == Outcome(replaced: []))
        // Known from a connection alone, on another lane.
        let other = LaneNumber(.bulk)
        #expect(
            claim(&claims, "b", dialledByPeer: false, token: 3, lane: other)
                == Outcome(rejection: .olderEpoch(PeerLife(name: "b", epoch: 5), known: 6)))
    }

    @Test func `a newer life takes the place of all connections of the older one, and of nobody else's`() {
        var claims = ConnectionClaims<Int>(ownName: "a")
        _ = claim(&claims, "b", dialledByPeer: true, token: 1)
        _ = claim(&claims, "b", dialledByPeer: false, token: 2, lane: LaneNumber(.bulk))
        _ = claim(&claims, "c", dialledByPeer: false, token: 3)
        let newer = claim(&claims, "b", epoch: 6, dialledByPeer: true, token: 4, lane: LaneNumber(.control))
        #expect(newer == Outcome(replaced: [1, 2]))
        #expect(claims.count == 2)
    }

    @Test(arguments: [true, false])
    func `of two dialled by one side the later stays`(dialledByPeer: Bool) {
        var claims = ConnectionClaims<Int>(ownName: "a")
        _ = claim(&claims, "b", dialledByPeer: dialledByPeer, token: 1)
        #expect(claim(&claims, "b", dialledByPeer: dialledByPeer, token: 2) == Outcome(replaced: [1]))
    }

    @Test func `of two dialled at the same time that of the lower name stays, on both sides, in either order`() {
        // Connection 1 was dialled by a, connection 2 by b.
        for own in ["a", "b"] {
            let peer = own == "a" ? "b" : "a"
            for order in [[1, 2], [2, 1]] {
                var claims = ConnectionClaims<Int>(ownName: own)
                let results = order.map { connection in
                    claim(&claims, peer, dialledByPeer: (connection == 1) == (peer == "a"), token: connection)
                }
                let stays = results[1].replaced == nil ? order[0] : order[1]
                #expect(stays == 1, "\(own), \(order)")
                #expect(results[0] == Outcome(replaced: []))
                if order == [2, 1] { #expect(results[1] == Outcome(replaced: [2])) }
            }
        }
    }

    @Test func `a peer that dials long after has lost the first one`() {
        var claims = ConnectionClaims<Int>(ownName: "a", handshakeTimeLimit: .seconds(5))
        _ = claim(&claims, "b", dialledByPeer: false, token: 1)
        #expect(claim(&claims, "b", dialledByPeer: true, token: 2, at: .milliseconds(9999)) == duplicate)
        #expect(
            claim(&claims, "b", dialledByPeer: true, token: 2, at: .seconds(10)) == Outcome(replaced: [1]))
    }

    @Test func `a connection that was replaced takes nothing with it when it ends`() throws {
        var claims = ConnectionClaims<Int>(ownName: "a")
        let peer = PeerLife(name: "b", epoch: 5)
        let first = claims.claim(peer, lane: lane, dialledByPeer: true, knownEpoch: nil, token: 1, at: .zero)
        let second = claims.claim(peer, lane: lane, dialledByPeer: true, knownEpoch: nil, token: 2, at: .zero)
        claims.release(try #require(first.receipt))
        #expect(claims.count == 1)
        claims.release(try #require(second.receipt))
        #expect(claims.count == 0)
        claims.release(try #require(second.receipt))
        #expect(claims.count == 0)
    }
}
