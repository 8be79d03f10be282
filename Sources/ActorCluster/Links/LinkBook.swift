import Membership
import WireProtocol

/// A lane that stands, by its kind.
enum StandingLane: Sendable {
    case control(ControlLane)
    case call(CallLane)
    case bulk(BulkLane)

    var connection: LaneConnection {
        switch self {
        case .control(let lane): lane.connection
        case .call(let lane): lane.connection
        case .bulk(let lane): lane.connection
        }
    }

    /// Nothing is under way on it.
    var isIdle: Bool {
        switch self {
        case .control: true
        case .call(let lane): lane.inFlight == (0, 0)
        case .bulk(let lane): lane.isIdle
        }
    }
}

/// Which lanes to which peers stand, are being dialled, or rest.
///
/// One life per peer: a newer one takes the place of the older, whose lanes end by themselves.
struct LinkBook: Sendable {
    enum Wish: Sendable {
        case standing(StandingLane)
        /// Dial now; the promise is to be settled with what comes of it.
        case dial(Promise<StandingLane>)
        /// Somebody dials already.
        case wait(Promise<StandingLane>)
        /// The last attempt failed a moment ago.
        case resting(Duration)
        /// A newer life of the peer is known: that one will never be reached.
        case replaced(by: MemberLife)
    }

    struct Link: Sendable {
        var redial: Redial
        var standing: StandingLane?
        var dialling: Promise<StandingLane>?
        var isUsed: Bool { standing != nil || dialling != nil }
    }

    fileprivate struct Peer: Sendable {
        let life: MemberLife
        var links: [LaneNumber: Link] = [:]
        /// Those of `links` that stand and carry calls, in the order of their numbers: calls look here.
        var callLanes: [CallLane] = []
        var turn = 0
        /// Gossip that waits for the control lane.
        var pendingGossip: [[UInt8]] = []
        /// Connections that have not ended, those included that take nothing new any more.
        var connections: Set<ObjectIdentifier> = []
    }

    /// Gossip that waits for one control lane; 16. More is old news by the time the lane stands.
    static let pendingGossipMax = 16

    private var peers: [MemberID: Peer] = [:]
    /// Addresses of seeds that are being dialled.
    private var seeds: Set<PeerAddress> = []

    // MARK: Looking

    /// A lane for a call, each in turn.
    mutating func callLane(to life: MemberLife) -> CallLane? {
        guard let index = peers.index(forKey: life.id), peers.values[index].life == life else { return nil }
        let count = peers.values[index].callLanes.count
        if count == 1 { return peers.values[index].callLanes[0] }
        guard count > 1 else { return nil }
        let turn = peers.values[index].turn &+ 1
        peers.values[index].turn = turn
        return peers.values[index].callLanes[turn % count]
    }

    /// How many lanes for calls stand.
    func callLanes(to life: MemberLife) -> Int {
        guard let peer = peers[life.id], peer.life == life else { return 0 }
        return peer.callLanes.count
    }

    /// All lanes that stand, in the order of peers and lanes.
    var standing: [StandingLane] {
        peers.sorted { $0.key < $1.key }.flatMap { peer in
            peer.value.links.sorted { $0.key.order < $1.key.order }.compactMap(\.value.standing)
        }
    }

    func stands(_ lane: LaneNumber, to life: MemberLife) -> Bool {
        peers[life.id].map { $0.life == life && $0.links[lane]?.standing != nil } ?? false
    }

    func isConnected(to life: MemberLife) -> Bool {
        peers[life.id].map { $0.life == life && !$0.connections.isEmpty } ?? false
    }

    // MARK: Dialling

    mutating func wish(_ lane: LaneNumber, to life: MemberLife, at now: Duration, _ fresh: Redial) -> Wish {
        if let known = peers[life.id]?.life {
            if known.epoch > life.epoch { return .replaced(by: known) }
            if known.epoch < life.epoch { peers[life.id] = Peer(life: life) }
        }
        var peer = peers[life.id] ?? Peer(life: life)
        var link = peer.links[lane] ?? Link(redial: fresh)
        if let standing = link.standing { return .standing(standing) }
        if let dialling = link.dialling { return .wait(dialling) }
        if let pause = link.redial.wait(at: now) { return .resting(pause) }
        let promise = Promise<StandingLane>()
        link.dialling = promise
        peer.links[lane] = link
        peers[life.id] = peer
        return .dial(promise)
    }

    /// The attempt failed. What waited is to be told, and is forgotten here.
    mutating func dialFailed(_ lane: LaneNumber, to life: MemberLife, at now: Duration, fraction: Double) -> Int {
        guard var peer = peers[life.id], peer.life == life, var link = peer.links[lane] else { return 0 }
        link.dialling = nil
        link.redial.failed(at: now, fraction: fraction)
        peer.links[lane] = link
        let dropped = lane.lane == .control ? peer.pendingGossip.count : 0
        if lane.lane == .control { peer.pendingGossip = [] }
        peers[life.id] = peer
        return dropped
    }

    /// A lane stands. Who waited for it is to be told; gossip that waited is to be sent. Nil when the lane was replaced
    /// before it was known to stand.
    mutating func established(
        _ standing: StandingLane, at now: Duration, _ fresh: Redial
    ) -> (waiting: Promise<StandingLane>?, gossip: [[UInt8]], isFirst: Bool)? {
        let (life, lane) = (standing.connection.peer, standing.connection.lane)
        if standing.connection.isRetired || (peers[life.id].map { $0.life.epoch > life.epoch } ?? false) { return nil }
        if let known = peers[life.id]?.life, known != life { peers[life.id] = nil }
        var peer = peers[life.id] ?? Peer(life: life)
        let isFirst = peer.connections.isEmpty
        peer.connections.insert(ObjectIdentifier(standing.connection))
        var link = peer.links[lane] ?? Link(redial: fresh)
        let waiting = link.dialling
        link.dialling = nil
        link.standing = standing
        link.redial.established(at: now)
        peer.links[lane] = link
        var gossip: [[UInt8]] = []
        if lane.lane == .control { swap(&gossip, &peer.pendingGossip) }
        peer.setCallLanes()
        peers[life.id] = peer
        return (waiting, gossip, isFirst)
    }

    /// The connection has ended; one that was replaced meanwhile takes nothing with it. Whether it was the last.
    mutating func ended(_ connection: LaneConnection, at now: Duration, fraction: Double) -> Bool {
        let (life, lane) = (connection.peer, connection.lane)
        guard var peer = peers[life.id], peer.life == life,
            peer.connections.remove(ObjectIdentifier(connection)) != nil
        else { return false }
        if var link = peer.links[lane], link.standing?.connection === connection {
            link.standing = nil
            link.redial.lost(at: now, fraction: fraction)
            peer.links[lane] = link
            peer.setCallLanes()
        }
        peers[life.id] = peer
        return peer.connections.isEmpty
    }

    /// The lane still works and takes nothing new: it is not to be found any more.
    mutating func hide(_ connection: LaneConnection) {
        let (life, lane) = (connection.peer, connection.lane)
        guard var peer = peers[life.id], peer.life == life, peer.links[lane]?.standing?.connection === connection else {
            return
        }
        peer.links[lane]?.standing = nil
        peer.setCallLanes()
        peers[life.id] = peer
    }

    /// Drops what is remembered of a life that is over.
    mutating func forget(_ life: MemberLife) {
        guard let peer = peers[life.id], peer.life == life, peer.connections.isEmpty,
            !peer.links.values.contains(where: \.isUsed)
        else { return }
        peers[life.id] = nil
    }

    // MARK: Gossip

    enum Way: Sendable {
        case lane(ControlLane)
        /// It waits for the lane, which is to be dialled.
        case dial
        /// Too many wait already.
        case dropped
    }

    /// How a message gets to a peer; it is kept when it has to wait.
    mutating func gossip(_ payload: [UInt8], to life: MemberLife, mayDial: Bool) -> Way {
        let lane = LaneNumber(.control)
        if let peer = peers[life.id], peer.life == life, case .control(let standing) = peer.links[lane]?.standing {
            return .lane(standing)
        }
        guard mayDial else { return .dropped }
        if let known = peers[life.id]?.life, known.epoch > life.epoch { return .dropped }
        if peers[life.id]?.life != life { peers[life.id] = Peer(life: life) }
        guard peers[life.id]?.pendingGossip.count ?? 0 < Self.pendingGossipMax else { return .dropped }
        peers[life.id]?.pendingGossip.append(payload)
        return .dial
    }

    // MARK: Seeds

    /// False when it is being dialled already.
    mutating func dialsSeed(_ address: PeerAddress) -> Bool { seeds.insert(address).inserted }
    mutating func seedDialled(_ address: PeerAddress) { seeds.remove(address) }
}

extension LinkBook.Peer {
    fileprivate mutating func setCallLanes() {
        callLanes = links.sorted { $0.key.order < $1.key.order }.compactMap { _, link in
            if case .call(let lane) = link.standing { lane } else { nil }
        }
    }
}

extension LaneNumber {
    fileprivate var order: Int { Int(lane.rawValue) << 8 | Int(number) }
}
