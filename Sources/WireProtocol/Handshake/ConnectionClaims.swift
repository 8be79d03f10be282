/// Which connections to peers stand, and which of two may stay. `Token` names a connection to whoever holds it.
///
/// Each node keeps one such table for all its connections, dialled and accepted, and asks it in the handshake, when the
/// peer is known. The rules depend on nothing that only one side knows, so both sides keep the same connection:
///
/// - A newer life of a peer takes the place of all connections of its older life; an older life is turned away.
/// - Of two connections of one lane that were dialled by the same side the later stays: that side would not have
///   dialled again had it not lost the first, which we may not have noticed yet.
/// - Of two that were dialled by different sides at the same time, the one dialled by the lower name stays. "At the
///   same time" means that the first has been standing for less than `simultaneousWindow`: a peer that dials later than
///   that does so because it has lost the first.
package struct ConnectionClaims<Token> {
    package enum Answer {
        /// The connection may stand; those of the tokens are to be closed, with the reason `replaced`.
        case admitted(replacing: [Token])
        case turnedAway(HandshakeRejection)
    }

    private struct Key: Hashable {
        let name: String
        let lane: LaneNumber
    }

    private struct Claim {
        let serial: UInt64
        let epoch: UInt64
        let dialledByPeer: Bool
        let since: Duration
        let token: Token
    }

    /// What a holder gives back when its connection ends.
    package struct Receipt: Hashable, Sendable {
        fileprivate let name: String
        fileprivate let lane: LaneNumber
        fileprivate let serial: UInt64
    }

    private let ownName: String
    private let simultaneousWindow: Duration
    private var claims: [Key: Claim] = [:]
    private var nextSerial: UInt64 = 1

    /// A dial that began before the other side's was seen ends within the handshake's time limit on both sides, so the
    /// window has to be at least twice that.
    package init(ownName: String, handshakeTimeLimit: Duration = WireLimits.standard.handshakeTimeLimit) {
        self.ownName = ownName
        simultaneousWindow = handshakeTimeLimit * 2
    }

    package var count: Int { claims.count }

    /// A peer has said who it is. `knownEpoch` is the newest life of it that anybody has heard of.
    package mutating func claim(
        _ peer: PeerLife, lane: LaneNumber, dialledByPeer: Bool, knownEpoch: UInt64?, token: Token, at now: Duration
    ) -> (answer: Answer, receipt: Receipt?) {
        let newestClaim = claims.lazy.filter { $0.key.name == peer.name }.map(\.value.epoch).max()
        if let known = [knownEpoch, newestClaim].compactMap({ $0 }).max(), peer.epoch < known {
            return (.turnedAway(.olderEpoch(peer, known: known)), nil)
        }
        var replaced = removeOlderLives(than: peer)
        let key = Key(name: peer.name, lane: lane)
        if let standing = claims[key] {
            guard gives(standing, wayTo: dialledByPeer, of: peer.name, at: now) else {
                return (.turnedAway(.duplicateConnection(peer, lane)), nil)
            }
            replaced.append(standing.token)
        }
        let claim = Claim(
            serial: nextSerial, epoch: peer.epoch, dialledByPeer: dialledByPeer, since: now, token: token)
        nextSerial += 1
        claims[key] = claim
        return (.admitted(replacing: replaced), Receipt(name: peer.name, lane: lane, serial: claim.serial))
    }

    /// The connection of `receipt` has ended. One that was replaced meanwhile takes nothing with it.
    package mutating func release(_ receipt: Receipt) {
        let key = Key(name: receipt.name, lane: receipt.lane)
        if claims[key]?.serial == receipt.serial { claims[key] = nil }
    }

    private func gives(_ standing: Claim, wayTo dialledByPeer: Bool, of peer: String, at now: Duration) -> Bool {
        if standing.dialledByPeer == dialledByPeer { return true }
        if now - standing.since >= simultaneousWindow { return true }
        return dialledByPeer == (peer < ownName)
    }

    private mutating func removeOlderLives(than peer: PeerLife) -> [Token] {
        let older = claims.filter { $0.key.name == peer.name && $0.value.epoch < peer.epoch }
        for key in older.keys { claims[key] = nil }
        return older.values.sorted { $0.serial < $1.serial }.map(\.token)
    }
}
