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

    /// The same view with the suspicions of `now`. A view keeps those of the moment it was made, and neither a
    /// suspicion nor its refutation makes another.
    package func suspecting(as now: [Member]) -> MembershipView {
        let statuses = Dictionary(now.map { ($0.life, $0.status) }) { first, _ in first }
        return MembershipView(
            number: number,
            members: members.map { member in
                guard let status = statuses[member.life], status.isReachable, member.status.isReachable else {
                    return member
                }
                var member = member
                member.status = status
                return member
            })
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
