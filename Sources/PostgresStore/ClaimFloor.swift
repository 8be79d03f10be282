/// Where claims begin. Below the lowest rank that is open an index holds nothing but what has ended, and holds it for
/// as long as some snapshot may see it: a backup, a long report. A claim that began at the bottom would walk over all
/// of that each time.
///
/// A job may turn up below the floor: one that is retried, or an interactive one among batch jobs. Where it was
/// submitted it lowers the floor. Elsewhere it is overlooked for a second at most; by claims that bring less than was
/// asked for, for a quarter of one; and never by one that would bring nothing.
package struct ClaimFloor {
    private static let ageMax = Duration.seconds(1)
    private static let freshFor = Duration.milliseconds(250)
    package static let bottom = -Double.infinity

    private var rank = bottom
    private var foundAt: Duration?

    package init() {}

    /// The floor, or nil when it has to be looked up again.
    package func reading(at now: Duration) -> (rank: Double, isFresh: Bool)? {
        guard let foundAt, now - foundAt <= Self.ageMax else { return nil }
        return (rank, now - foundAt <= Self.freshFor)
    }

    /// `rank` is the lowest that is open; nil when none is.
    package mutating func found(_ rank: Double?, at now: Duration) {
        self.rank = rank ?? Self.bottom
        foundAt = now
    }

    /// A job of this rank is about to be open.
    package mutating func lower(to rank: Double) { self.rank = min(self.rank, rank) }
}
