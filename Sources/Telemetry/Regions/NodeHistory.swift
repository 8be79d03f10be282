package import Membership

/// A node's own side: it numbers its reports, and carries what it is told of its earlier lives, so that whoever becomes
/// its keeper learns of them.
package struct NodeHistory: Sendable {
    package let life: MemberLife
    /// The region at the start: a node that changed it while it lives would be counted in two.
    package let region: String
    package private(set) var sequence: UInt64 = 0
    package private(set) var ended: EndedLives?

    package init(life: MemberLife, region: String) {
        self.life = life
        self.region = region
    }

    package mutating func nextReport(_ own: MetricSnapshot) -> NodeReport {
        sequence += 1
        return NodeReport(region: region, life: life, sequence: sequence, own: own, ended: ended)
    }

    /// A keeper answered.
    package mutating func received(_ outcome: ReportOutcome) {
        guard case .taken(let offered?) = outcome else { return }
        // A peer may say what it likes.
        guard offered.precede(life) else { return }
        var joined = ended ?? EndedLives()
        joined.join(offered)
        ended = joined
    }
}
