/// Weighted rendezvous hashing over one set of members.
///
/// Every member draws an exponential variable from the key and its own name, divides it by its weight, and the least
/// one owns the key. The draw of a member depends on nothing but itself and the key: whoever leaves takes only its own
/// keys along, whoever comes takes only what it wins, and no key moves between two who stay.
///
/// Sources: D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN 1998;
/// C. Schindelhauer, G. Schomaker, "Weighted distributed hash tables", SPAA 2005 (the logarithmic method).
struct PlacementPool: Sendable {
    struct Candidate: Sendable {
        let hash: UInt64
        let weight: UInt64
        /// Where the member stands in `Placement.members`.
        let place: Int
    }

    let candidates: [Candidate]
    let weightTotal: Int

    /// - Parameter candidates: in the order of their names, which settles ties.
    init(_ candidates: [Candidate]) {
        self.candidates = candidates
        weightTotal = candidates.reduce(0) { $0 + Int($1.weight) }
    }

    /// The place of the owner. Divisions are avoided: a/v < b/w is compared as a w < b v, exactly.
    @inline(__always)
    func owner(of key: UInt64, _ logarithm: BinaryLogarithm) -> Int? {
        guard var best = candidates.first else { return nil }
        var bestDepth = logarithm.depth(of: mixed(key ^ best.hash))
        for candidate in candidates.dropFirst() {
            let depth = logarithm.depth(of: mixed(key ^ candidate.hash))
            if depth &* best.weight < bestDepth &* candidate.weight { (best, bestDepth) = (candidate, depth) }
        }
        return best.place
    }

    /// Places from the owner to whoever would own the key last.
    func ranking(of key: UInt64, _ logarithm: BinaryLogarithm) -> [Int] {
        let drawn = candidates.map { ($0, logarithm.depth(of: mixed(key ^ $0.hash))) }
        return drawn.sorted { left, right in
            let (one, other) = (left.1 &* right.0.weight, right.1 &* left.0.weight)
            return one == other ? left.0.place < right.0.place : one < other
        }.map(\.0.place)
    }

    /// The part of all keys that belongs to a candidate.
    func share(of candidate: Candidate) -> Double { Double(candidate.weight) / Double(weightTotal) }
}
