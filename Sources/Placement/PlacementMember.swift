package import Membership

/// What placement knows of a member.
package struct PlacementMember: Hashable, Sendable {
    package let id: MemberID
    package let region: String
    /// What fails together inside a region: a rack, a zone of a cloud. Empty: unknown, which is one zone.
    package let zone: String
    /// Keys are shared in proportion to it.
    package let weight: Int
    package let status: MemberStatus
    package let schedulability: Schedulability

    package init(
        id: MemberID, region: String, zone: String = "", weight: Int = 1, status: MemberStatus = .alive,
        schedulability: Schedulability = .schedulable
    ) {
        self.id = id
        self.region = region
        self.zone = zone
        // Weights arrive from other nodes, so a wild one is bent and not a crash.
        self.weight = min(max(1, weight), PlacementPolicy.weightMax)
        self.status = status
        self.schedulability = schedulability
    }

    package init(_ member: Member) {
        self.init(
            id: member.id, region: member.metadata.region, zone: member.metadata.zone,
            weight: member.metadata.capacity, status: member.status, schedulability: member.metadata.schedulability)
    }

    /// How far a member may be trusted with keys. docs/placement.md says why for every state.
    package enum Standing: String, Sendable, Codable, CaseIterable {
        /// Alive and schedulable: holds keys, and claims work.
        case open
        /// Cordoned, or suspected: holds its keys and gets nothing new. A cordon moves nothing, so it is cheap to take
        /// back; a suspicion is mostly refuted within a second, and keys that moved would have to move back.
        case holding
        /// Draining: its keys belong to others at once, while it is still there to hand them over. It keeps them only
        /// where no other member holds any.
        case departing
        /// Unreachable, left or dead: a key that nobody can ask for is better held twice than not at all, because every
        /// durable write is fenced.
        case absent
    }

    package var standing: Standing {
        switch (status, schedulability) {
        case (.unreachable, _), (.left, _), (.dead, _): .absent
        case (_, .draining): .departing
        case (.suspect, _), (_, .cordoned): .holding
        case (.alive, .schedulable): .open
        }
    }

    /// The standing in words, for operators.
    var reason: String {
        switch (status, schedulability) {
        case (.unreachable, _): "it is unreachable, so its keys are held by others until it can be reached again"
        case (.left, _): "it has left"
        case (.dead, _): "it is dead"
        case (_, .draining): "it is draining, so its keys have moved to others"
        case (.suspect, .cordoned), (.alive, .cordoned): "it is cordoned: it keeps its keys and gets nothing new"
        case (.suspect, .schedulable): "it is suspected: it keeps its keys until the suspicion is settled"
        case (.alive, .schedulable): "it is alive and schedulable"
        }
    }
}
