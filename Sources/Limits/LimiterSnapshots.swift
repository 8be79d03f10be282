package import Membership
import Synchronization

/// What a bucket owes, as it is kept while nobody runs.
package struct LimiterDebt: Hashable, Sendable {
    package let policy: String
    package let subject: String
    /// How far the theoretical arrival time lies ahead at this moment. The keeper counts it down on its own clock, so
    /// the nodes' clocks do not matter; whatever the way takes makes a bucket refuse longer, never shorter.
    package let debt: Nanoseconds

    package init(policy: String, subject: String, debt: Nanoseconds) {
        self.policy = policy
        self.subject = subject
        self.debt = debt
    }
}

/// Where debts outlive their node: a table in PostgreSQL, or memory where there is none.
///
/// Keepers owe this much: a debt is never lowered by saving (the later end of two stands, whoever saves when), so a
/// node that was asleep can spoil nothing; whoever saves a debt is its holder from then on; debts that are over are not
/// loaded.
package struct LimiterSnapshots: Sendable {
    /// Where a page of `load` ends, exclusively.
    package struct Cursor: Hashable, Sendable {
        package let policy: String
        package let subject: String

        package init(policy: String, subject: String) {
            self.policy = policy
            self.subject = subject
        }
    }

    /// Rows of one page.
    package static let pageRowsMax = 1000

    /// Keeps these debts, in the name of this holder.
    package let save: @Sendable (_ holder: MemberID, _ debts: [LimiterDebt]) async throws -> Void
    /// Debts that `holder` was the last to save, in the order of policy and subject, those after `cursor`, at most
    /// `pageRowsMax`.
    package let load: @Sendable (_ holder: MemberID, _ cursor: Cursor?) async throws -> [LimiterDebt]
    /// Everybody who holds debts that are not over.
    package let holders: @Sendable () async throws -> [MemberID]
    /// Removes debts that are over.
    package let tidy: @Sendable () async throws -> Void

    package init(
        save: @escaping @Sendable (MemberID, [LimiterDebt]) async throws -> Void,
        load: @escaping @Sendable (MemberID, Cursor?) async throws -> [LimiterDebt],
        holders: @escaping @Sendable () async throws -> [MemberID],
        tidy: @escaping @Sendable () async throws -> Void
    ) {
        self.save = save
        self.load = load
        self.holders = holders
        self.tidy = tidy
    }

    /// In the memory of a process: for one node that shall survive its limiter, and for tests.
    package static func inMemory(clock: any Clock<Duration>) -> LimiterSnapshots {
        let keeper = MemoryKeeper(now: nanosecondReader(clock))
        return LimiterSnapshots(
            save: { holder, debts in keeper.save(holder, debts) },
            load: { holder, cursor in keeper.load(holder, cursor) },
            holders: { keeper.holders() },
            tidy: { keeper.tidy() })
    }

    /// For a limiter that may forget.
    package static var none: LimiterSnapshots {
        LimiterSnapshots(save: { _, _ in }, load: { _, _ in [] }, holders: { [] }, tidy: {})
    }
}

private final class MemoryKeeper: Sendable {
    private struct Row {
        var holder: MemberID
        var endsAt: Nanoseconds
    }

    private let now: @Sendable () -> Nanoseconds
    private let rows = Mutex<[LimiterSnapshots.Cursor: Row]>([:])

    init(now: @escaping @Sendable () -> Nanoseconds) { self.now = now }

    func save(_ holder: MemberID, _ debts: [LimiterDebt]) {
        let now = now()
        rows.withLock { rows in
            for debt in debts {
                let key = LimiterSnapshots.Cursor(policy: debt.policy, subject: debt.subject)
                let end = now.advanced(atMostBy: debt.debt)
                rows[key] = Row(holder: holder, endsAt: max(end, rows[key]?.endsAt ?? .min))
            }
        }
    }

    func load(_ holder: MemberID, _ cursor: LimiterSnapshots.Cursor?) -> [LimiterDebt] {
        let now = now()
        return rows.withLock { rows in
            let found = rows.filter { key, row in
                guard row.holder == holder, row.endsAt > now else { return false }
                guard let cursor else { return true }
                return (cursor.policy, cursor.subject) < (key.policy, key.subject)
            }
            let sorted = found.sorted { ($0.key.policy, $0.key.subject) < ($1.key.policy, $1.key.subject) }
            return sorted.prefix(LimiterSnapshots.pageRowsMax).map {
                LimiterDebt(policy: $0.key.policy, subject: $0.key.subject, debt: $0.value.endsAt - now)
            }
        }
    }

    func holders() -> [MemberID] {
        let now = now()
        return rows.withLock { rows in Set(rows.values.filter { $0.endsAt > now }.map(\.holder)).sorted() }
    }

    func tidy() {
        let now = now()
        rows.withLock { rows in rows = rows.filter { $0.value.endsAt > now } }
    }
}

/// Nanoseconds since this call, on an injected clock.
func nanosecondReader(_ clock: any Clock<Duration>) -> @Sendable () -> Nanoseconds { reader(clock) }

private func reader<Source: Clock>(_ clock: Source) -> @Sendable () -> Nanoseconds where Source.Duration == Duration {
    let start = clock.now
    return { start.duration(to: clock.now).wholeNanoseconds }
}
