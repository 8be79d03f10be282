/// How two things said about one member compare: the higher one is believed. A total order, so what nodes believe is a
/// join semilattice: whatever the order in which they hear things, they end up agreeing.
///
/// A new life beats an old one; in a life only the member raises the incarnation; within one the worse news wins,
/// except that a lease renewed after a death overrules it. A member's own farewell is final.
struct Standing: Comparable {
    let epoch: UInt64
    let incarnation: UInt64
    let leaseStamp: UInt64
    let status: MemberStatus

    init(_ member: Member, leaseStamp: UInt64) {
        epoch = member.life.epoch
        incarnation = member.incarnation
        status = member.status
        self.leaseStamp =
            switch member.status {
            case .alive, .suspect: 0
            case .unreachable, .dead: leaseStamp
            case .left: .max
            }
    }

    static func < (left: Self, right: Self) -> Bool {
        if left.epoch != right.epoch { return left.epoch < right.epoch }
        if left.incarnation != right.incarnation { return left.incarnation < right.incarnation }
        if left.leaseStamp != right.leaseStamp { return left.leaseStamp < right.leaseStamp }
        return left.status < right.status
    }
}

/// What is believed of everybody, sorted by id: iteration must not depend on a hash seed, or no run could be replayed.
struct MemberTable: Sendable {
    struct Entry: Sendable {
        var member: Member
        var leaseStamp: UInt64 = 0
        /// It is dead because its address refused connections.
        var isRefused = false
        var roundTrip: Duration?

        var standing: Standing { Standing(member, leaseStamp: leaseStamp) }
        var rumour: Rumour { Rumour(member, leaseStamp: leaseStamp, isRefused: isRefused) }
    }

    private(set) var entries: [Entry] = []
    private(set) var presentCount = 0
    private(set) var reachableCount = 0

    func index(of id: MemberID) -> Int? {
        let place = lowerBound(id)
        return place < entries.count && entries[place].member.life.id == id ? place : nil
    }

    subscript(id: MemberID) -> Entry? { index(of: id).map { entries[$0] } }

    /// The entry of exactly that life.
    subscript(life: MemberLife) -> Entry? {
        guard let index = index(of: life.id), entries[index].member.life.epoch == life.epoch else { return nil }
        return entries[index]
    }

    mutating func put(_ entry: Entry) {
        let place = lowerBound(entry.member.life.id)
        if place < entries.count, entries[place].member.life.id == entry.member.life.id {
            count(entries[place].member.status, by: -1)
            entries[place] = entry
        } else {
            entries.insert(entry, at: place)
        }
        count(entry.member.status, by: 1)
    }

    mutating func remove(_ id: MemberID) {
        guard let index = index(of: id) else { return }
        count(entries[index].member.status, by: -1)
        entries.remove(at: index)
    }

    mutating func setRoundTrip(_ roundTrip: Duration, of id: MemberID) {
        guard let index = index(of: id) else { return }
        // Smoothed like TCP's (RFC 6298): an eighth of each new sample.
        let before = entries[index].roundTrip ?? roundTrip
        entries[index].roundTrip = before + (roundTrip - before) / 8
    }

    var present: [Member] {
        entries.lazy.filter { $0.member.status.isPresent }.map(\.member)
    }

    /// Of everything that a sync would repair about present members. Those who are gone do not count: each node forgets
    /// them in its own time.
    var digest: UInt64 {
        var digest = Digest()
        for entry in entries where entry.member.status.isPresent {
            digest.mix(entry.member.life.id.rawValue)
            digest.mix(entry.member.life.epoch)
            digest.mix(entry.member.incarnation)
            digest.mix(entry.standing.leaseStamp)
            digest.mix(entry.member.status.rawValue)
        }
        return digest.value
    }

    /// Up to `count` different entries that `isWanted`, by chance.
    func sample(
        _ count: Int, using random: inout SeededGenerator, where isWanted: (Entry) -> Bool
    ) -> [Entry] {
        guard count > 0, !entries.isEmpty else { return [] }
        // In a small table every candidate must have its chance; in a large one a few draws find somebody.
        guard entries.count > 64 else { return smallSample(count, using: &random, where: isWanted) }
        var chosen: [Int] = []
        for _ in 0..<8 * count where chosen.count < count {
            let index = Int.random(in: 0..<entries.count, using: &random)
            if isWanted(entries[index]), !chosen.contains(index) { chosen.append(index) }
        }
        return chosen.isEmpty ? smallSample(count, using: &random, where: isWanted) : chosen.map { entries[$0] }
    }

    private func smallSample(
        _ count: Int, using random: inout SeededGenerator, where isWanted: (Entry) -> Bool
    ) -> [Entry] {
        var candidates = entries.indices.filter { isWanted(entries[$0]) }
        let count = min(count, candidates.count)
        // The first `count` steps of a Fisher-Yates shuffle.
        for step in 0..<count {
            candidates.swapAt(step, Int.random(in: step..<candidates.count, using: &random))
        }
        return candidates.prefix(count).map { entries[$0] }
    }

    private mutating func count(_ status: MemberStatus, by change: Int) {
        if status.isPresent { presentCount += change }
        if status.isReachable { reachableCount += change }
    }

    private func lowerBound(_ id: MemberID) -> Int {
        var low = 0, high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].member.life.id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
