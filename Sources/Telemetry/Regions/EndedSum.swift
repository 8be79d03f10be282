package import Membership

/// What lives that are over have counted, in one sum that knows whom it is of.
///
/// Two such sums of different lives add up. Two that share a life cannot be added, because that life would count twice,
/// and cannot be taken apart: the one that knows more is kept, so a life counts once or, at worst, not at all.
package struct EndedSum: Hashable, Sendable, Codable {
    /// Lives that are remembered by name; 1,024, the latest ones. A life that is forgotten here and comes back would
    /// count twice; only a node that was taken for dead 1,024 deaths ago could.
    package static let livesMax = 1024

    /// In order.
    package let lives: [MemberLife]
    /// How many reports of these lives are in it: the more, the more it knows.
    package let reports: UInt64
    /// Counters and histograms.
    package let totals: MetricSnapshot

    package init(lives: [MemberLife], reports: UInt64, totals: MetricSnapshot) {
        self.lives = Self.latest(lives)
        self.reports = reports
        self.totals = totals.cumulative
    }

    /// The highest epochs are the latest: they are times.
    private static func latest(_ lives: [MemberLife]) -> [MemberLife] {
        guard lives.count > livesMax else { return lives.sorted() }
        return lives.sorted { ($1.epoch, $1.id) < ($0.epoch, $0.id) }.prefix(livesMax).sorted()
    }

    func contains(_ life: MemberLife) -> Bool {
        var low = 0, high = lives.count
        while low < high {
            let middle = (low + high) / 2
            if lives[middle] < life { low = middle + 1 } else { high = middle }
        }
        return low < lives.count && lives[low] == life
    }

    private func shares(aLifeWith other: EndedSum) -> Bool {
        let (few, many) = lives.count < other.lives.count ? (self, other) : (other, self)
        return few.lives.contains { many.contains($0) }
    }

    /// Whether this is the one to keep of two that share a life.
    private func knowsMore(than other: EndedSum) -> Bool {
        if (lives.count, reports) != (other.lives.count, other.reports) {
            return (lives.count, reports) > (other.lives.count, other.reports)
        }
        return other.lives.lexicographicallyPrecedes(lives)
    }

    package func joined(with other: EndedSum) -> EndedSum {
        if shares(aLifeWith: other) { return other.knowsMore(than: self) ? other : self }
        var totals = totals
        totals.merge(other.totals)
        return EndedSum(lives: lives + other.lives, reports: reports.plus(other.reports), totals: totals)
    }

    /// Of two that may not be there.
    static func joined(_ one: EndedSum?, _ other: EndedSum?) -> EndedSum? {
        guard let one else { return other }
        return other.map { one.joined(with: $0) } ?? one
    }

    /// Equal for sums that know the same.
    var digest: UInt64 {
        var digest = KnowledgeDigest()
        for life in lives { digest.mix(life) }
        digest.mix(reports)
        return digest.value
    }
}

/// FNV-1a over who is known, and how well: two keepers compare it instead of what they know.
struct KnowledgeDigest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { mix(byte: UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func mix(_ life: MemberLife) {
        for byte in life.id.rawValue.utf8 { mix(byte: byte) }
        mix(life.epoch)
    }

    private mutating func mix(byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
}
