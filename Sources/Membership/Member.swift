/// Whether new work may be placed on a member. Set by its operator, spread as gossip.
package enum Schedulability: String, Hashable, Sendable, Codable, CaseIterable {
    /// Takes new work.
    case schedulable
    /// Takes no new work and keeps what it has.
    case cordoned
    /// Takes no new work and hands over what it has.
    case draining
}

/// What a member tells of itself. Only the member changes it, and each change raises its incarnation.
package struct MemberMetadata: Hashable, Sendable, Codable {
    package var region: String
    /// Members of one zone are likely to be lost together: a rack, a room, an availability zone.
    package var zone: String
    /// Weight in placement, at least 1.
    package var capacity: Int
    package var version: String
    /// Base URL of its HTTP port, for redirects.
    package var httpAddress: String
    package var peerAddress: PeerAddress
    package var schedulability: Schedulability

    package init(
        region: String, zone: String, capacity: Int = 1, version: String = "", httpAddress: String = "",
        peerAddress: PeerAddress, schedulability: Schedulability = .schedulable
    ) {
        self.region = region
        self.zone = zone
        self.capacity = capacity
        self.version = version
        self.httpAddress = httpAddress
        self.peerAddress = peerAddress
        self.schedulability = schedulability
    }
}

/// What is believed of one life of a member.
package enum MemberStatus: UInt8, Hashable, Comparable, Sendable, Codable, CaseIterable {
    /// It answers. Can become any other.
    case alive = 0
    /// It did not answer a probe, directly or through others. Keeps its place; becomes `alive` (it refuted),
    /// `unreachable` (the suspicion ran out) or `dead` (its address refuses connections).
    case suspect = 1
    /// Silent for longer than a suspicion lasts. Gets no new work and is still a member: it may be paused, cut off or
    /// slow. Becomes `alive` (it refuted) or `dead` (silent for `silenceBeforeDeath`, and no lease of it was renewed).
    case unreachable = 2
    /// Gone: its address refused connections, or it was silent for too long. It can still come back by refuting, which
    /// is how the halves of a healed partition find each other again.
    case dead = 3
    /// It said so itself. Final for this life.
    case left = 4

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Whether the member belongs to the view.
    package var isPresent: Bool { self <= .unreachable }
    /// Whether new work may be sent to it, as far as its health goes.
    package var isReachable: Bool { self <= .suspect }
}

/// One member, as it is believed to be.
package struct Member: Hashable, Sendable, Codable {
    package let life: MemberLife
    /// Only the member itself raises it, to refute a rumour or to change its metadata: a rumour raised by others could
    /// never be refuted.
    package var incarnation: UInt64
    package var status: MemberStatus
    package var metadata: MemberMetadata

    package init(life: MemberLife, incarnation: UInt64 = 0, status: MemberStatus = .alive, metadata: MemberMetadata) {
        self.life = life
        self.incarnation = incarnation
        self.status = status
        self.metadata = metadata
    }

    package var id: MemberID { life.id }
    /// Whether new work may be placed here: reachable, and neither cordoned nor draining.
    package var isSchedulable: Bool { status.isReachable && metadata.schedulability == .schedulable }
}
