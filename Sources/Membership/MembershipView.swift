/// What placement and operators see: the members at one moment. Changes of the same settling window make one view.
package struct MembershipView: Hashable, Sendable, Codable {
    /// Counts this node's views since it started, from 1. Two nodes number the same facts differently: compare
    /// `digest`.
    package let number: UInt64
    /// Equal on all nodes that hold the same facts. Covers everything that placement may look at: lives, whether each
    /// is reachable, and metadata. A mere suspicion or a refutation does not change it.
    package let digest: UInt64
    /// Alive, suspect and unreachable members, sorted by id.
    package let members: [Member]

    /// Keeps those of `members` that belong to a view.
    package init(number: UInt64, members: [Member]) {
        self.number = number
        self.members = members.filter(\.status.isPresent).sorted { $0.life < $1.life }
        digest = Digest.ofFacts(self.members)
    }

    /// The member of that name, if it is in the view.
    package subscript(id: MemberID) -> Member? {
        // Sorted, so halve: a call looks up its target in here.
        var low = 0, high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < members.count && members[low].id == id ? members[low] : nil
    }
}
