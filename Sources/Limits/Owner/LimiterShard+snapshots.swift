/// What survives a restart: debts that would outlive it.
extension LimiterShard {
    package struct Unsaved: Sendable {
        package var keys: [LimitKey] = []
        package var debts: [LimiterDebt] = []
        /// Where to look on; nil at the end.
        package var next: Int?
    }

    /// Looks through all buckets from `place` on, until `count` are found that are ours, changed since they were last
    /// saved, and owe more than `snapshotDebtMin`. They count as saved.
    package mutating func unsaved(from place: Int, upTo count: Int, at now: Nanoseconds) -> Unsaved {
        var unsaved = Unsaved()
        let least = limits.snapshotDebtMin.wholeNanoseconds
        var place = place
        while place < table.count {
            guard unsaved.keys.count < count else {
                unsaved.next = place
                break
            }
            defer { place += 1 }
            guard table.isUnsaved(at: place), table.isConfirmed(view, at: place) else { continue }
            let bucket = table[place]
            let debt = table.rule(at: place).debt(of: bucket.arrival, at: now)
            guard debt >= least else { continue }
            table.setUnsaved(false, at: place)
            unsaved.keys.append(bucket.key)
            unsaved.debts.append(
                LimiterDebt(policy: policies[bucket.key].policy.name, subject: bucket.key.subject, debt: debt))
        }
        return unsaved
    }

    /// They could not be saved after all.
    package mutating func notSaved(_ keys: [LimitKey]) {
        for key in keys {
            if let place = table.place(of: key) { table.setUnsaved(true, at: place) }
        }
    }
}
