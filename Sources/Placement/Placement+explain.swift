import Membership

extension Placement {
    /// Copies that an explanation names.
    package static let replicasExplained = 3

    /// Why the key is where it is.
    package func explain(_ key: PlacementKey) -> PlacementExplanation {
        let hash = hash(of: key)
        let ranked = places(of: key, in: keyRing)
        let regions = explainRegions(key, hash)
        let rest = members.indices.filter { !ranked.contains($0) }
        return PlacementExplanation(
            key: key.name, kind: key.kind, home: key.home, hash: hexadecimal(hash), algorithm: policy.algorithmID,
            digest: hexadecimal(digest), owner: ranked.first.map { members[$0].id.rawValue },
            reason: reason(key, ranked, regions),
            replicas: replicas(of: key, count: Self.replicasExplained).map(\.rawValue), regions: regions,
            candidates: ranked.enumerated().map { candidate($1, rank: $0 + 1, ranked, hash) }
                + rest.map { candidate($0, rank: nil, ranked, hash) })
    }

    private func explainRegions(_ key: PlacementKey, _ hash: UInt64) -> [PlacementExplanation.Region] {
        guard let home = key.home else { return [] }
        let usable = keyRing.regionsInOrder(for: hash, home: home, policy)
        let configured = policy.fallbackRegions[home] ?? []
        var names = usable.map(\.name)
        // Those that were passed over stand where they would have been asked; the rest of the empty ones say nothing.
        for (place, name) in ([home] + configured).enumerated() where keyRing[name] == nil && !names.contains(name) {
            names.insert(name, at: min(place, names.count))
        }
        return names.map { name in
            let holders = keyRing[name]?.pool.candidates.count ?? 0
            let place =
                name == home
                ? "the key's home" : configured.contains(name) ? "a configured fallback" : "next by the key's own order"
            return PlacementExplanation.Region(
                name: name, holders: holders, isChosen: name == usable.first?.name,
                reason: holders == 0 ? "\(place), but no member there can hold keys" : place)
        }
    }

    private func reason(
        _ key: PlacementKey, _ ranked: [Int], _ regions: [PlacementExplanation.Region]
    ) -> String {
        guard let owner = ranked.first else { return "No member of the cluster can hold keys." }
        let region = members[owner].region
        let count = key.home == nil ? keyRing.everywhere.candidates.count : keyRing[region]?.pool.candidates.count ?? 0
        let pool = key.home == nil ? "the cluster" : "region \(region)"
        var words =
            count == 1
            ? "\(members[owner].id) is the only member of \(pool) that holds keys"
            : "\(members[owner].id) has the greatest weight / depth of the \(count) members of \(pool) that hold keys"
        if let home = key.home, home != region {
            words += "; home \(home) has none, and \(region) is "
            words += regions.first(where: \.isChosen)?.reason ?? "next"
        }
        if members[owner].standing == .departing { words += "; all of them are draining, and nobody else is there" }
        return words + "."
    }

    private func candidate(
        _ place: Int, rank: Int?, _ ranked: [Int], _ hash: UInt64
    ) -> PlacementExplanation.Candidate {
        let member = members[place]
        let entry = keyRing.everywhere.candidates.first { $0.place == place }
        let draw = entry.map { mixed(hash ^ $0.hash) }
        let depth = draw.map { Double(logarithm.depth(of: $0)) / Double(BinaryLogarithm.one) }
        let standing =
            rank != nil && member.standing == .departing
            ? "it is draining, but nobody else can hold keys" : member.reason
        let words =
            switch rank {
            case nil: "cannot hold the key: \(standing)"
            case 1: "owns the key: \(standing)"
            case .some: "would own the key without those before it: \(standing)"
            }
        return PlacementExplanation.Candidate(
            member: member.id.rawValue, region: member.region, zone: member.zone, weight: member.weight,
            standing: member.standing.rawValue, rank: rank, draw: draw.map { hexadecimal($0) }, depth: depth,
            // A depth of zero, one in 2^44, has no finite score, and JSON no word for another.
            score: depth.flatMap { $0 > 0 ? Double(member.weight) / $0 : nil }, reason: words)
    }
}
