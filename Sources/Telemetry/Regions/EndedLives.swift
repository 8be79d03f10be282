package import Membership

/// What the earlier lives of one node have counted.
///
/// The latest ones are kept one by one: two keepers may have heard different last words of them, and the later word of
/// each is the true one. The older ones, of which nothing new will be heard, are one sum.
package struct EndedLives: Hashable, Sendable, Codable {
    /// One life, by its last report.
    package struct Life: Hashable, Sendable, Codable {
        package let life: MemberLife
        package let sequence: UInt64
        /// Counters and histograms.
        package let totals: MetricSnapshot

        package init(life: MemberLife, sequence: UInt64, totals: MetricSnapshot) {
            self.life = life
            self.sequence = sequence
            self.totals = totals.cumulative
        }

        init(_ report: NodeReport) { self.init(life: report.life, sequence: report.sequence, totals: report.own) }
    }

    /// Lives that are kept one by one; 3. Keepers that compare notes every few seconds need not remember more restarts
    /// apart, and each costs the room of a report.
    package static let apartMax = 3

    /// By epoch.
    package private(set) var apart: [Life] = []
    package private(set) var sum: EndedSum?

    package init(_ lives: [Life] = []) {
        for life in lives { add(life) }
    }

    package var isEmpty: Bool { apart.isEmpty && sum == nil }
    package var lives: [MemberLife] { (sum?.lives ?? []) + apart.map(\.life) }
    package var reports: UInt64 { apart.reduce(sum?.reports ?? 0) { $0.plus($1.sequence) } }

    package func contains(_ life: MemberLife) -> Bool {
        apart.contains { $0.life == life } || sum?.contains(life) == true
    }

    /// Equal for those that know the same.
    var digest: UInt64 {
        var digest = KnowledgeDigest()
        digest.mix(sum?.digest ?? 0)
        for life in apart {
            digest.mix(life.life)
            digest.mix(life.sequence)
        }
        return digest.value
    }

    /// A life is over, or a later word of one that is.
    mutating func add(_ life: Life) {
        if sum?.contains(life.life) == true { return }
        if let place = apart.firstIndex(where: { $0.life == life.life }) {
            if life.sequence > apart[place].sequence { apart[place] = life }
        } else {
            apart.append(life)
            apart.sort { $0.life < $1.life }
            foldOldest()
        }
    }

    private mutating func foldOldest() {
        while apart.count > Self.apartMax { sum = EndedSum.joined(sum, Self.sum([apart.removeFirst()])) }
    }

    private static func sum(_ lives: [Life]) -> EndedSum? {
        lives.reduce(nil) { sum, life in
            EndedSum.joined(sum, EndedSum(lives: [life.life], reports: life.sequence, totals: life.totals))
        }
    }

    package mutating func join(_ other: EndedLives) {
        sum = EndedSum.joined(sum, other.sum)
        let lives = apart + other.apart
        apart = []
        // All of them first, and then what is too many: the order must not decide what is folded.
        for life in lives where sum?.contains(life.life) != true {
            if let place = apart.firstIndex(where: { $0.life == life.life }) {
                if life.sequence > apart[place].sequence { apart[place] = life }
            } else {
                apart.append(life)
            }
        }
        apart.sort { $0.life < $1.life }
        foldOldest()
    }

    /// Leaves out what is part of a sum of many nodes already.
    mutating func leaveOut(_ counted: EndedSum) {
        apart.removeAll { counted.contains($0.life) }
        if let lives = sum?.lives, lives.contains(where: { counted.contains($0) }) { sum = nil }
    }

    /// All of it in one sum.
    var whole: EndedSum? { EndedSum.joined(sum, Self.sum(apart)) }

    func merge(into totals: inout MetricSnapshot) {
        if let sum { totals.merge(sum.totals) }
        for life in apart { totals.merge(life.totals) }
    }

    /// Whether these can be earlier lives of that one. They come from peers.
    func precede(_ life: MemberLife) -> Bool {
        apart.count <= Self.apartMax && lives.allSatisfy { $0.id == life.id && $0.epoch < life.epoch }
    }
}
