package import Membership
package import Placement

/// Who keeps the figures of a region: its owner by `Placement`, and a stand-in, in another zone where there is one.
/// Nodes report to both, so either can be lost.
package struct Keepers: Sendable {
    /// 2. With one, its death would be the end of all that ended nodes have counted.
    package static let perRegion = 2
    package static let kind = "metrics"

    package let view: MembershipView
    private let placement: Placement

    package init(_ view: MembershipView, _ policy: PlacementPolicy) {
        self.view = view
        placement = Placement(view, policy: policy)
    }

    /// The owner first. Another region's nodes where the region has none.
    package func of(_ region: String) -> [Member] {
        let key = PlacementKey(region, kind: Self.kind, home: region)
        return placement.replicas(of: key, count: Self.perRegion).compactMap { view[$0] }
    }

    /// Of all members, in order.
    package var regions: [String] { Set(view.members.map(\.metadata.region)).sorted() }

    package var lives: Set<MemberLife> { Set(view.members.map(\.life)) }
}
