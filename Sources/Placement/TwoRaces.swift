/// The same runners in two races: who wins the first, and who then wins the second.
///
/// In weighted rendezvous hashing member k draws one exponential variable E_k for a key, and the least E_k / w_k owns
/// it. Before and after a change the draws are the same and only the weights differ (a weight of zero is not there). So
/// the part of the keys that goes from i to j is the probability that i has the least E_k / a_k and j the least
/// E_k / b_k. Given E_i = x and E_j = t x, every other k must have E_k above max(a_k / a_i, t b_k / b_j) x; hence
///
///     P(i, then j) = integral of dt / S(t)^2  for t from a_j / a_i to b_j / b_i,
///     S(t) = 1 + t + sum over the others of max(a_k / a_i, t b_k / b_j)
///
/// S is made of straight pieces, and on one piece the integral of 1 / (c + d t)^2 is elementary. For i = j the sum is
/// P = 1 / sum over all k of max(a_k / a_i, b_k / b_i).
struct TwoRaces {
    private let before: [Double]
    private let after: [Double]

    init(before: [Double], after: [Double]) {
        precondition(before.count == after.count, "\(before.count) runners before, \(after.count) after")
        self.before = before
        self.after = after
    }

    /// The probability that `one` wins both.
    func bothWon(by one: Int) -> Double {
        guard before[one] > 0, after[one] > 0 else { return 0 }
        let sum = before.indices.reduce(0) {
            $0 + max(before[$1] / before[one], after[$1] / after[one])
        }
        return 1 / sum
    }

    /// The probability that `one` wins the first and `other` the second.
    func won(by one: Int, then other: Int) -> Double {
        precondition(one != other, "a runner does not lose to itself")
        guard before[one] > 0, after[other] > 0 else { return 0 }
        // Compared without division, so that weights that did not change give exactly nothing.
        guard before[other] * after[one] < after[other] * before[one] else { return 0 }
        let start = before[other] / before[one]
        let end = after[one] > 0 ? after[other] / after[one] : Double.infinity
        var level = 1.0, slope = 1.0
        var bends: [(at: Double, level: Double, slope: Double)] = []
        for runner in before.indices where runner != one && runner != other {
            let (flat, rising) = (before[runner] / before[one], after[runner] / after[other])
            let bend = rising > 0 ? flat / rising : Double.infinity
            if bend <= start {
                slope += rising
            } else {
                level += flat
                if bend < end { bends.append((bend, flat, rising)) }
            }
        }
        var sum = 0.0, from = start
        for bend in bends.sorted(by: { $0.at < $1.at }) {
            sum += Self.piece(level, slope, from, bend.at)
            level -= bend.level
            slope += bend.slope
            from = bend.at
        }
        return sum + Self.piece(level, slope, from, end)
    }

    /// The integral of 1 / (level + slope t)^2. The slope is at least one, because the winner's own term rises.
    private static func piece(_ level: Double, _ slope: Double, _ from: Double, _ to: Double) -> Double {
        let start = level + slope * from
        return to.isFinite ? (to - from) / (start * (level + slope * to)) : 1 / (slope * start)
    }
}
