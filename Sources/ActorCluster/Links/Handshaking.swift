import Logging
import Membership
import Synchronization
import WireProtocol

/// A connection that holds a claim, and how to end it when a better one comes.
final class ClaimedConnection: Sendable {
    private let connection: any PeerConnection
    private let life: PeerLife
    private let dialledByPeer: Bool
    /// Once the handshake is through.
    private let standing = Mutex<StandingLane?>(nil)

    init(_ connection: any PeerConnection, _ life: PeerLife, dialledByPeer: Bool) {
        self.connection = connection
        self.life = life
        self.dialledByPeer = dialledByPeer
    }

    func stands(_ lane: StandingLane) { standing.withLock { $0 = lane } }

    /// One that was dialled by the other side at the same moment works and may be in use already: it begins nothing new
    /// and ends when it is idle. All others are dead, or their peer's life is over.
    func giveWay(to hello: Hello, dialledByPeer other: Bool) -> StandingLane? {
        if life == hello.life, dialledByPeer != other, let standing = standing.withLock({ $0 }) { return standing }
        let goAway = GoAway(.replaced, "a newer connection has taken the place of this one")
        _ = connection.send(goAway.frame())
        connection.close(flush: true)
        return nil
    }
}

/// Why a connection did not get through its handshake.
enum HandshakeFailure: Error, Sendable {
    /// We said no.
    case rejected(HandshakeRejection)
    /// The peer said no.
    case turnedAway(GoAway)
    /// The peer closed without a word.
    case closed
    case failed(any Error)

    /// Another connection of the lane stands, or is about to: not a failure of the peer.
    var isDuplicate: Bool {
        switch self {
        case .rejected(.duplicateConnection): true
        case .turnedAway(let goAway): goAway.code == .duplicateConnection || goAway.code == .replaced
        case .rejected, .closed, .failed: false
        }
    }

    /// Nothing for an operator to do: a duplicate, or a seed's name that is also this node's. Whoever was dialled by
    /// another node of its own name says so.
    var isOrdinary: Bool {
        switch self {
        case .rejected(.ownName(_, sameEpoch: true)): true
        case .turnedAway(let goAway): isDuplicate || goAway.code == .ownName
        case .rejected, .closed, .failed: isDuplicate
        }
    }

    /// What it tells about the peer's life.
    var evidence: ConnectionFailure {
        switch self {
        case .rejected(.tookTooLong), .closed: .silent
        case .rejected(let rejection): .rejected(reason: rejection.text)
        case .turnedAway(let goAway): .rejected(reason: goAway.description)
        case .failed(let error): (error as? PeerConnectError).map { ConnectionFailure($0) } ?? .silent
        }
    }
}

extension ConnectionFailure {
    init(_ error: PeerConnectError) {
        switch error {
        case .refused: self = .refused
        case .timedOut, .unreachable: self = .silent
        case .rejected(let reason): self = .rejected(reason: reason)
        }
    }
}

extension ClusterActorSystem {
    /// What a connection holds while it stands.
    struct Receipt: Sendable {
        let claim: ClaimedConnection
        /// Lanes that work and whose place it takes, once both sides are known to have agreed on it.
        fileprivate(set) var replacing: [StandingLane] = []
        fileprivate let receipt: ConnectionClaims<ClaimedConnection>.Receipt
    }

    func release(_ receipt: Receipt) { claims.withLock { $0.release(receipt.receipt) } }

    /// From the first byte to an agreed connection. The claim is ours when it returns, and nobody's when it throws; the
    /// peer has been told why.
    func shakeHands(
        _ connection: any PeerConnection, _ role: Handshake.Role
    ) async throws(HandshakeFailure) -> (PeerSession, Receipt) {
        var handshake = Handshake(
            role, local: identity, certifiedNames: connection.certifiedNames, now: timeline.now)
        var receipt: Receipt?
        do throws(HandshakeFailure) {
            let opening = handshake.opening()
            if !opening.isEmpty, !connection.send(opening) { throw .closed }
            while true {
                let bytes = try await received(connection, before: handshake.deadline)
                var answer: [UInt8] = []
                guard let bytes else {
                    let late = handshake.expired(at: handshake.deadline, replyingInto: &answer)
                    _ = connection.send(answer)
                    throw late.map { .rejected($0) } ?? .closed
                }
                let progress = handshake.received(bytes, replyingInto: &answer) { hello in
                    admit(hello, connection, dialledByPeer: role == .accepter, &receipt)
                }
                if !answer.isEmpty, !connection.send(answer) { throw .closed }
                switch progress {
                case .waiting: continue
                case .established(let session):
                    guard let receipt else { preconditionFailure("a session without a claim") }
                    return (session, receipt)
                case .rejected(let rejection): throw .rejected(rejection)
                case .turnedAway(let goAway): throw .turnedAway(goAway)
                }
            }
        } catch {
            if let receipt { release(receipt) }
            connection.close(flush: true)
            throw error
        }
    }

    /// Nil when the time is over.
    private func received(
        _ connection: any PeerConnection, before deadline: Duration
    ) async throws(HandshakeFailure) -> [UInt8]? {
        let bytes: [UInt8]??
        do {
            bytes = try await timeline.before(deadline) { try await connection.receive() }
        } catch {
            throw .failed(error)
        }
        switch bytes {
        case .none: return nil
        case .some(.none): throw .closed
        case .some(.some(let bytes)): return bytes
        }
    }

    /// What only this node knows: other connections, newer lives, whether it stops.
    private func admit(
        _ hello: Hello, _ connection: any PeerConnection, dialledByPeer: Bool, _ receipt: inout Receipt?
    ) -> HandshakeRejection? {
        if isStopping { return .stopping }
        let lanesMax = hello.lane.lane == .call ? configuration.callLanes : 1
        guard Int(hello.lane.number) < lanesMax else { return .tooManyConnections(limit: lanesMax) }
        guard let life = MemberLife(hello.life) else { return .denied("\(hello.life.name) is not a member's name") }
        let known = membership.member(life.id)?.life.epoch
        let now = timeline.now
        let claim = ClaimedConnection(connection, hello.life, dialledByPeer: dialledByPeer)
        var claimed: ConnectionClaims<ClaimedConnection>.Receipt?
        let answer = claims.withLock { claims in
            let (answer, receipt) = claims.claim(
                hello.life, lane: hello.lane, dialledByPeer: dialledByPeer, knownEpoch: known,
                token: claim, at: now)
            claimed = receipt
            return answer
        }
        receipt = claimed.map { Receipt(claim: claim, receipt: $0) }
        switch answer {
        case .admitted(let replaced):
            for old in replaced {
                counters.connectionsReplaced.count()
                guard let lane = old.giveWay(to: hello, dialledByPeer: dialledByPeer) else { continue }
                receipt?.replacing.append(lane)
            }
            return nil
        case .turnedAway(let rejection): return rejection
        }
    }
}
