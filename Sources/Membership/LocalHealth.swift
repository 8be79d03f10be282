/// Lifeguard's local health multiplier: how far this node trusts its own ears.
///
/// Raised by signs that *we* are slow: a probe failed and the relays did not even say so, somebody suspected us, our
/// own timer came late. Lowered by each probe that succeeds.
struct LocalHealth: Hashable, Sendable {
    private(set) var score = 0
    private let max: Int

    init(max: Int) { self.max = max }

    mutating func worsen(by points: Int = 1) { score = Swift.min(max, score + points) }
    mutating func improve() { score = Swift.max(0, score - 1) }
    func stretched(_ duration: Duration) -> Duration { duration * (1 + score) }
}
