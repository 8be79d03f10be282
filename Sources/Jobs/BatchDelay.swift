/// Which way a node claims while the load delays batch jobs, claim by claim.
///
/// They get only what nobody else wants: a queue of nothing but batch jobs would otherwise keep the level up that keeps
/// them waiting. One claim in twenty still goes by the ranks alone, so that a batch job that has aged to the front is
/// begun however long the others last.
package struct BatchDelay: Sendable, Hashable {
    package enum Way: Sendable, Hashable {
        /// By rank, and before that what the node knows.
        case ordinary
        /// The same without batch jobs; with them when there is nothing else.
        case othersFirst
        /// By rank, whatever the node knows: that would go on keeping batch jobs from their turn.
        case byRankAlone
    }

    /// One claim of so many goes by rank alone.
    package static let period = 20

    /// Claims in a row that left batch jobs out.
    private var delayed = 0

    package init() {}

    /// How the next claim goes.
    /// - Parameter isOn: whether batch jobs are delayed now.
    package mutating func next(isOn: Bool) -> Way {
        guard isOn else {
            delayed = 0
            return .ordinary
        }
        delayed = (delayed + 1) % Self.period
        return delayed == 0 ? .byRankAlone : .othersFirst
    }
}
