package import Membership

/// Who is asked first for a key: a function of the members and the key that every node computes for itself and finds
/// the same. Nothing is stored for a key, and nothing is remembered between calls.
///
/// It is a guess, not a lock (law 1): two nodes may hold different views for a moment and both believe to own a key.
/// What they then write is fenced. `digest` tells whether two nodes agree: it travels in calls, and whoever is asked
/// for a key that is not its own answers with the owner it sees.
package struct Placement: Sendable {
    package let policy: PlacementPolicy
    /// In the order of their names.
    package let members: [PlacementMember]
    /// Equal digests: equal owners, rankings and replicas for every key. Statuses that move no key (a suspicion, a
    /// cordon, a restart) leave it as it is.
    package let digest: UInt64
    /// Those who hold keys; where there are none, those who are departing.
    let keyRing: PlacementRing
    private let keyed: SipHash
    let logarithm = BinaryLogarithm.shared

    package init(_ view: MembershipView, policy: PlacementPolicy) {
        self.init(view.members.map { PlacementMember($0) }, policy: policy)
    }

    /// - Parameter members: of two with one name, the first counts.
    package init(_ members: [PlacementMember], policy: PlacementPolicy) {
        var known: Set<MemberID> = []
        let sorted = members.filter { known.insert($0.id).inserted }.sorted { $0.id < $1.id }
        let keyed = policy.keyed
        let candidates = sorted.enumerated().map { place, member in
            var hash = keyed
            hash.absorb(field: "member")
            hash.absorb(field: member.id.rawValue)
            return PlacementPool.Candidate(hash: hash.finished(), weight: UInt64(member.weight), place: place)
        }
        func ring(_ isIn: (PlacementMember) -> Bool) -> PlacementRing {
            let chosen = sorted.indices.filter { isIn(sorted[$0]) }
            return PlacementRing(chosen.map { (sorted[$0].region, candidates[$0]) }, keyed: keyed)
        }
        let holders = ring { $0.standing == .open || $0.standing == .holding }
        keyRing = holders.isEmpty ? ring { $0.standing == .departing } : holders
        self.policy = policy
        self.members = sorted
        self.keyed = keyed
        digest = Self.digest(of: keyRing, sorted, policy, keyed)
    }

    // MARK: Owners

    /// Who owns the key. Nil when no member can hold keys.
    package func owner(of key: PlacementKey) -> MemberID? {
        let hash = hash(of: key)
        return keyRing.pool(of: hash, home: key.home, policy)?.owner(of: hash, logarithm).map { members[$0].id }
    }

    /// Everybody who can hold the key, the owner first, then whoever would own it if those before were gone.
    package func ranking(of key: PlacementKey) -> [MemberID] { places(of: key, in: keyRing).map { members[$0].id } }

    /// Where `count` copies belong: first the best member of every zone of the home region, then the others of that
    /// region, then other regions alike. The first one is the owner. Fewer when there are not so many members.
    package func replicas(of key: PlacementKey, count: Int) -> [MemberID] {
        let ranked = places(of: key, in: keyRing)
        // Without a home all regions are one pool, and a zone is only the same inside its region.
        let groups = key.home == nil ? [ranked] : grouped(ranked)
        var chosen: [Int] = []
        for group in groups {
            var zones: Set<[String]> = []
            var others: [Int] = []
            for place in group {
                let isNewZone = zones.insert([members[place].region, members[place].zone]).inserted
                if isNewZone { chosen.append(place) } else { others.append(place) }
            }
            chosen += others
        }
        return chosen.prefix(max(0, count)).map { members[$0].id }
    }

    /// The same cluster without one member.
    package func without(_ id: MemberID) -> Placement {
        Placement(members.filter { $0.id != id }, policy: policy)
    }

    // MARK: Inside

    func hash(of key: PlacementKey) -> UInt64 {
        var hash = keyed
        // The zero parts kind from name; should one of them hold a zero, two keys share an owner, which harms nobody.
        // No lengths, because this is the hot path: every call to an actor by name passes here.
        hash.absorb(key.kind)
        hash.absorb(0 as UInt8)
        hash.absorb(key.name)
        return hash.finished()
    }

    func places(of key: PlacementKey, in ring: PlacementRing) -> [Int] {
        let hash = hash(of: key)
        guard let home = key.home else { return ring.everywhere.ranking(of: hash, logarithm) }
        return ring.regionsInOrder(for: hash, home: home, policy).flatMap { $0.pool.ranking(of: hash, logarithm) }
    }

    /// Runs of one region.
    private func grouped(_ places: [Int]) -> [[Int]] {
        places.reduce(into: []) { groups, place in
            if let last = groups.last?.last, members[last].region == members[place].region {
                groups[groups.count - 1].append(place)
            } else {
                groups.append([place])
            }
        }
    }

    private static func digest(
        of ring: PlacementRing, _ members: [PlacementMember], _ policy: PlacementPolicy, _ keyed: SipHash
    ) -> UInt64 {
        var hash = keyed
        hash.absorb(field: policy.algorithmID)
        for candidate in ring.everywhere.candidates {
            let member = members[candidate.place]
            hash.absorb(field: member.id.rawValue)
            hash.absorb(field: member.region)
            hash.absorb(field: member.zone)
            hash.absorb(candidate.weight)
        }
        return hash.finished()
    }
}
