package import ClipModel
package import Membership
package import Placement

/// How the front door looks at the cluster. The composition root fills it in; a test fills in what it likes.
package struct ClusterInspection: Sendable {
    /// What this node knows, from its own memory. Must answer at once and ask nobody: operators ask when something does
    /// not answer.
    package let snapshot: @Sendable () -> ClusterSnapshot

    package init(snapshot: @escaping @Sendable () -> ClusterSnapshot) { self.snapshot = snapshot }
}

/// The cluster as one node sees it at one moment.
package struct ClusterSnapshot: Sendable {
    /// Which cluster it is.
    package var cluster: String
    package var local: MemberLife
    package var view: MembershipView
    /// Made from `view`: who owns what.
    package var placement: Placement
    /// The other members, as far as this node has links to them.
    package var peers: [MemberID: PeerFacts]
    /// End of this node's own certificate.
    package var certificateExpiresAt: Timestamp?

    package init(
        cluster: String, local: MemberLife, view: MembershipView, placement: Placement,
        peers: [MemberID: PeerFacts] = [:], certificateExpiresAt: Timestamp? = nil
    ) {
        self.cluster = cluster
        self.local = local
        self.view = view
        self.placement = placement
        self.peers = peers
        self.certificateExpiresAt = certificateExpiresAt
    }
}

/// What a node knows of a peer from its links to it. Nil: not known.
package struct PeerFacts: Sendable, Hashable {
    /// Whether a connection stands.
    package var isConnected: Bool
    /// Of the last answered ping of a connection.
    package var roundTrip: Duration?
    /// End of the certificate that the peer showed.
    package var certificateExpiresAt: Timestamp?
    /// The placement digest that came with the peer's last call or answer.
    package var placementDigest: UInt64?

    package init(
        isConnected: Bool, roundTrip: Duration? = nil, certificateExpiresAt: Timestamp? = nil,
        placementDigest: UInt64? = nil
    ) {
        self.isConnected = isConnected
        self.roundTrip = roundTrip
        self.certificateExpiresAt = certificateExpiresAt
        self.placementDigest = placementDigest
    }
}
