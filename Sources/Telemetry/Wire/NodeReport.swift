package import Membership

/// What a node tells the keepers of its region. The same report sent twice counts once.
package struct NodeReport: Hashable, Sendable, Codable {
    package let region: String
    package let life: MemberLife
    /// Counts the reports of this life, from 1.
    package let sequence: UInt64
    /// What this life has counted since its start, and shows now.
    package let own: MetricSnapshot
    /// What the earlier lives of the node have counted, as far as it was told.
    package let ended: EndedLives?

    package init(region: String, life: MemberLife, sequence: UInt64, own: MetricSnapshot, ended: EndedLives? = nil) {
        self.region = region
        self.life = life
        self.sequence = sequence
        self.own = own
        self.ended = ended
    }

    /// Without what the earlier lives have counted: for when both do not fit into a frame.
    var withoutEnded: NodeReport { NodeReport(region: region, life: life, sequence: sequence, own: own) }

    /// Whether its history can be one: of earlier lives of the same node. It comes from a peer.
    var isPlausible: Bool {
        sequence > 0 && (ended?.precede(life) ?? true)
    }
}

/// What became of a report.
package enum ReportOutcome: Hashable, Sendable, Codable {
    /// It is kept. `ended`: what the keeper knows of earlier lives of the node beyond what the report says.
    case taken(ended: EndedLives?)
    /// The node that was asked does not keep the region, by its view.
    case notKeeper
    /// A later life of the node was heard.
    case outdated
    /// The life was given up, and is part of the sum of lives that are over: it cannot be told apart any more.
    case retired
    /// There is no room for another node or region.
    case full
    /// It is no report.
    case refused
}
