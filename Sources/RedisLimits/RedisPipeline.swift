import NIOCore

/// Who waits for which answer on a connection. Redis answers in the order in which it was asked, so an answer belongs
/// to whoever has waited longest, even when he no longer waits.
///
/// This is the circuit breaker as well. Whoever is asked behind an answer that is overdue can only be later, so from
/// then on nobody else waits: a check costs its `patience` at most, and only while Redis has not hung for longer than
/// that. The overdue answers are the probe: when they have come, checks go on. When they do not, the connection is
/// given up, and making the next one is the probe.
struct RedisPipeline<Waiter> {
    private struct Entry {
        /// Nil: was told that it is late.
        var waiter: Waiter?
        let deadline: NIODeadline
    }

    private let waitingMax: Int
    private var entries = CircularBuffer<Entry>()
    private var overdueCount = 0
    /// How often an answer was overdue since one came in time. A Redis that always answers too late decides nothing,
    /// and every stall costs somebody his patience.
    private(set) var stallsInRow = 0

    init(waitingMax: Int) { self.waitingMax = waitingMax }

    var isEmpty: Bool { entries.isEmpty }
    /// An answer is overdue.
    var isStalled: Bool { overdueCount > 0 }

    /// True: it may be sent, and somebody waits for it. Deadlines must not go back.
    mutating func send(_ waiter: Waiter, until deadline: NIODeadline) -> Bool {
        guard !isStalled, entries.count < waitingMax else { return false }
        entries.append(Entry(waiter: waiter, deadline: deadline))
        return true
    }

    enum Answer {
        case to(Waiter)
        /// Whoever asked has been told that it is late.
        case nobody
        /// Nothing was asked.
        case unexpected
    }

    mutating func answered() -> Answer {
        guard let first = entries.popFirst() else { return .unexpected }
        guard let waiter = first.waiter else {
            overdueCount -= 1
            return .nobody
        }
        stallsInRow = 0
        return .to(waiter)
    }

    /// Those whose time is over. They are told once.
    mutating func expire(at now: NIODeadline) -> [Waiter] {
        var late: [Waiter] = []
        // Those that were told before stand first.
        for index in entries.indices.dropFirst(overdueCount) {
            guard entries[index].deadline <= now, let waiter = entries[index].waiter else { break }
            late.append(waiter)
            entries[index].waiter = nil
        }
        if !isStalled, !late.isEmpty { stallsInRow += 1 }
        overdueCount += late.count
        return late
    }

    /// When somebody's time is over next.
    var nextDeadline: NIODeadline? { entries.dropFirst(overdueCount).first?.deadline }
    /// Since when an answer is overdue.
    var stalledSince: NIODeadline? { isStalled ? entries.first?.deadline : nil }

    /// The connection is gone.
    mutating func removeAll() -> [Waiter] {
        defer { (entries, overdueCount) = ([], 0) }
        return entries.compactMap(\.waiter)
    }
}
