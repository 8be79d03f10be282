package import Membership

/// Which nodes have vanished from the cluster, and whose stages are to be freed before their leases run out.
///
/// A node that vanished is pursued until the store has freed its stages, or knows better, or the node is back, or so
/// much time has passed that its lease has run out anyway.
package struct DeathWatch: Sendable, Hashable {
    /// How long a vanished node is pursued; after it the sweeper has freed its stages by the end of their leases.
    private let pursuit: Duration
    private var members: [MemberID: MemberLife] = [:]
    private var vanished: [MemberLife: Duration] = [:]

    package init(pursuit: Duration = .seconds(15)) { self.pursuit = pursuit }

    /// The members of the cluster as they are now; times are of one clock.
    package mutating func saw(_ lives: [MemberLife], at now: Duration) {
        let present = Dictionary(lives.map { ($0.id, $0) }, uniquingKeysWith: { max($0, $1) })
        // A newer life of the same node frees the stages of the former one by itself, when it registers.
        for (id, life) in members where present[id] == nil { vanished[life] = now + pursuit }
        members = present
        vanished = vanished.filter { present[$0.key.id] == nil }
    }

    /// Those to ask the store about, sorted.
    package mutating func due(at now: Duration) -> [MemberLife] {
        vanished = vanished.filter { $0.value > now }
        return vanished.keys.sorted()
    }

    /// Nothing of that life is left to be freed.
    package mutating func settled(_ life: MemberLife) { vanished[life] = nil }

    package var isEmpty: Bool { vanished.isEmpty }
}
