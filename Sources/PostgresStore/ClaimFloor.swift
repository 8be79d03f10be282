/// Where claims begin. Below the lowest rank that is open an index holds nothing but what has ended, and holds it for
/// as long as some snapshot may see it: a backup, a long report. A claim that began at the bottom would walk over all
/// of that each time.
///
/// A job may turn up below the floor: one that is retried, or an interactive one among batch jobs. Where it was
/// submitted it lowers the floor. Elsewhere it is overlooked for a second at most; by claims that bring less than was
/// asked for, for a quarter of one; and never by one that would bring nothing. Where looking takes long, because much
/// has ended under an old snapshot, it is done less often: never for more than a fiftieth of the time, and at least
/// every five seconds.
package struct ClaimFloor {
    private static let ageMax = Duration.seconds(1)
    private static let freshFor = Duration.milliseconds(250)
    private static let lookShare = 50
    private static let lookMax = Duration.milliseconds(50)
    package static let bottom = -Double.infinity

    private var rank = bottom
    private var foundAt: Duration?
    private var lookTook = Duration.zero

    package init() {}

    /// The floor, or nil when it has to be looked up again.
    package func reading(at now: Duration) -> (rank: Double, isFresh: Bool)? {
        let rest = lookTook * Self.lookShare
        guard let foundAt, now - foundAt <= max(Self.ageMax, rest * 2) else { return nil }
        return (rank, now - foundAt <= max(Self.freshFor, rest))
    }

    /// `rank` is the lowest that is open; nil when none is.
    /// - Parameter took: how long it took to find.
    package mutating func found(_ rank: Double?, at now: Duration, took: Duration = .zero) {
        self.rank = rank ?? Self.bottom
        foundAt = now
        lookTook = min(took, Self.lookMax)
    }

    /// A job of this rank is about to be open.
    package mutating func lower(to rank: Double) { self.rank = min(self.rank, rank) }
}
