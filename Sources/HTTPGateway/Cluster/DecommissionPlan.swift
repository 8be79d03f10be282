import ClipModel
import Membership
package import Placement

/// What would happen if a node went for good: `tijera cluster decommission NODE --dry-run`.
package struct DecommissionPlan: Codable, Hashable, Sendable {
    package let node: String
    package let isSafe: Bool
    /// Why it should not go now; empty when it is safe.
    package let objections: [ClusterHealth.Finding]
    /// What will be different without it.
    package let consequences: [ClusterHealth.Finding]
    /// Stages that would have to end or be handed back.
    package let stages: Int
    /// Which keys move, from whom to whom.
    package let keys: PlacementDifference
}

extension DecommissionPlan {
    /// Nil: the report shows no such node.
    package static func make(_ name: String, _ report: ClusterReport, _ placement: Placement) -> DecommissionPlan? {
        guard let node = report.nodes.first(where: { $0.id == name }) else { return nil }
        let takers = report.nodes.filter {
            $0.id != name && $0.state == .alive && $0.schedulability == .schedulable && $0.holdsLease != false
        }
        var objections: [ClusterHealth.Finding] = []
        if takers.isEmpty {
            objections.append(
                .init("last_node", "No other node is alive and takes new work: the cluster would stand still."))
        }
        // What is wrong with others comes first: two losses at once are more than one.
        objections += report.health.reasons.filter { $0.node != name && $0.code != "region_without_nodes" }
        var consequences: [ClusterHealth.Finding] = []
        if !takers.isEmpty, !takers.contains(where: { $0.region == node.region }) {
            consequences.append(
                .init("region_without_nodes", "Nobody in region \(node.region) would take new work; others would."))
        }
        let threads = takers.reduce(0) { $0 + ($1.load?.threads ?? 0) }
        if let own = node.load?.threads {
            consequences.append(.init("threads", "Threads for work go from \(threads + own) to \(threads)."))
        }
        let id = placement.members.first { $0.id.rawValue == name }?.id
        return DecommissionPlan(
            node: name, isSafe: objections.isEmpty, objections: objections, consequences: consequences,
            stages: node.load?.stages ?? 0,
            keys: placement.difference(to: id.map { placement.without($0) } ?? placement))
    }
}
