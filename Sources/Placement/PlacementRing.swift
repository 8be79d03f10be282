/// The members of one standing, by region: where a key is looked for, and where next.
struct PlacementRing: Sendable {
    struct Region: Sendable {
        let name: String
        let hash: UInt64
        let pool: PlacementPool
    }

    let everywhere: PlacementPool
    /// In the order of their names.
    let regions: [Region]
    private let places: [String: Int]

    /// - Parameter candidates: with the region of each, in the order of their names.
    init(_ candidates: [(region: String, candidate: PlacementPool.Candidate)], keyed: SipHash) {
        everywhere = PlacementPool(candidates.map(\.candidate))
        let byRegion = Dictionary(grouping: candidates, by: \.region)
        regions = byRegion.sorted { $0.key < $1.key }.map { name, members in
            var hash = keyed
            hash.absorb(field: "region")
            hash.absorb(field: name)
            return Region(name: name, hash: hash.finished(), pool: PlacementPool(members.map(\.candidate)))
        }
        places = Dictionary(uniqueKeysWithValues: regions.enumerated().map { ($1.name, $0) })
    }

    var isEmpty: Bool { everywhere.candidates.isEmpty }

    subscript(_ name: String) -> Region? { places[name].map { regions[$0] } }

    /// The region that all keys of `home` go to, where that does not depend on the key: home itself, else the first of
    /// its configured fallbacks that has members here.
    func commonRegion(_ home: String, _ policy: PlacementPolicy) -> Region? {
        self[home] ?? policy.fallbackRegions[home]?.lazy.compactMap { self[$0] }.first
    }

    /// The pool in which a key is owned.
    @inline(__always)
    func pool(of key: UInt64, home: String?, _ policy: PlacementPolicy) -> PlacementPool? {
        guard let home else { return everywhere }
        if let place = places[home] { return regions[place].pool }
        return regionsInOrder(for: key, home: home, policy).first?.pool
    }

    /// Home, its configured fallbacks, then the others by rendezvous of the key with the regions. All regions weigh the
    /// same there: with their capacities, a node that joins one region would move keys between two others.
    func regionsInOrder(for key: UInt64, home: String, _ policy: PlacementPolicy) -> [Region] {
        var named: [Region] = []
        for name in [home] + (policy.fallbackRegions[home] ?? []) {
            if let region = self[name], !named.contains(where: { $0.name == name }) { named.append(region) }
        }
        let rest = regions.filter { region in !named.contains { $0.name == region.name } }
        return named
            + rest.sorted { left, right in
                let (one, other) = (mixed(key ^ left.hash), mixed(key ^ right.hash))
                return one == other ? left.name < right.name : one > other
            }
    }
}
