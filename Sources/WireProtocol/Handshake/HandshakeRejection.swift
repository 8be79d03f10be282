/// Why a connection does not come to be. Each has a code that is counted, and a text that the peer is sent and both
/// sides log.
package enum HandshakeRejection: Error, Hashable, Sendable {
    /// The bytes are no hello: garbage, another protocol, a limit.
    case malformed(WireError)
    case noCommonVersion(ours: VersionRange, theirs: VersionRange)
    case otherCluster(ours: String, theirs: String)
    /// The peer's certificate does not have the name it says it has.
    case notCertified(name: String, certified: [String])
    /// The peer has our name. The same epoch: we dialled ourselves. Another: two nodes were given one name.
    case ownName(String, sameEpoch: Bool)
    /// Another node answers at the address of the one we dialled.
    case unexpectedPeer(expected: String, found: String)
    /// The answer is for another lane than was asked for.
    case otherLane(expected: LaneNumber, found: LaneNumber)
    /// A newer life of this node is known: an old process still runs, or an old hello is replayed.
    case olderEpoch(PeerLife, known: UInt64)
    case otherPlacement(ours: String, theirs: String)
    /// The list of call targets is not the one whose digest was announced.
    case callListMismatch
    /// Another connection of this lane stands, and wins (`ConnectionClaims`).
    case duplicateConnection(PeerLife, LaneNumber)
    case tookTooLong(limit: Duration)
    case tooManyConnections(limit: Int)
    /// An operator denied this node.
    case denied(String)
    /// This node is ending.
    case stopping

    package var code: GoAway.Code {
        switch self {
        case .malformed: .malformedHello
        case .noCommonVersion: .noCommonVersion
        case .otherCluster: .otherCluster
        case .notCertified: .notCertified
        case .ownName: .ownName
        case .unexpectedPeer: .unexpectedPeer
        case .otherLane: .otherLane
        case .olderEpoch: .olderEpoch
        case .otherPlacement: .otherPlacement
        case .callListMismatch: .callListMismatch
        case .duplicateConnection: .duplicateConnection
        case .tookTooLong: .tookTooLong
        case .tooManyConnections: .tooManyConnections
        case .denied: .denied
        case .stopping: .stopping
        }
    }

    /// What is wrong and, where somebody can do something, what.
    package var text: String {
        switch self {
        case .malformed(let error): "the handshake was not understood: \(error)"
        case .noCommonVersion(let ours, let theirs):
            "this node speaks protocol versions \(ours), the peer \(theirs): upgrade one release at a time"
        case .otherCluster(let ours, let theirs):
            "this node is of cluster \(ours), the peer of \(theirs): compare their cluster settings"
        case .notCertified(let name, let certified):
            "the certificate of \(name) names \(certified.prefix(4).joined(separator: ", ")): issue one for \(name)"
        case .ownName(let name, let sameEpoch):
            sameEpoch ? "\(name) dialled itself" : "two nodes have the name \(name): give one another name"
        case .unexpectedPeer(let expected, let found): "\(expected) was dialled and \(found) answers"
        case .otherLane(let expected, let found): "lane \(expected) was asked for and \(found) is answered"
        case .olderEpoch(let life, let known):
            "\(life.name) has started anew at \(known), this is its life of \(life.epoch)"
        case .otherPlacement(let ours, let theirs):
            "this node places keys by \(ours), the peer by \(theirs): they would disagree on every owner"
        case .callListMismatch: "the list of call targets does not match its digest"
        case .duplicateConnection(let life, let lane): "lane \(lane) to \(life.name) stands already"
        case .tookTooLong(let limit): "the handshake was not through after \(limit)"
        case .tooManyConnections(let limit): "\(limit) connections are open"
        case .denied(let reason): "denied: \(reason)"
        case .stopping: "this node is ending"
        }
    }

    package var goAway: GoAway { GoAway(code, text) }
}
