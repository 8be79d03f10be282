import Membership

/// Keys that became ours, from the change of the view until their former owner has told what they owe.
///
/// Until then such a key is admitted with care: it begins with a small part of its burst (`takeoverPercent`), and what
/// is admitted is counted. When the former owner's account arrives, both are added; when it says that there is nothing
/// more to tell, the care ends; when nothing arrives in `inheritancePeriod`, the careful beginning is all there is.
package struct Inheritance: Sendable {
    /// A key in the meantime.
    struct Heir: Sendable {
        let previous: MemberID
        /// Units admitted here so far.
        var admitted = 0
        /// The bucket as it would be if the former owner had nothing to tell.
        var own: GCRA.Arrival
    }

    private let heirsMax: Int
    private var awaited: [MemberID: Nanoseconds] = [:]
    private var heirs: [LimitKey: Heir] = [:]
    /// The placement for which a member has told everything: it may do so before we have seen that placement ourselves.
    private var told: [MemberID: UInt64] = [:]

    init(heirsMax: Int) { self.heirsMax = heirsMax }

    var isIdle: Bool { heirs.isEmpty }
    package var awaitsNobody: Bool { awaited.isEmpty }
    package var heirCount: Int { heirs.count }

    /// Keys moved: `members` have something to tell under the placement of that digest.
    mutating func begin(awaiting members: [MemberID], for digest: UInt64, until end: Nanoseconds) {
        for member in members where told[member] != digest { awaited[member] = end }
    }

    func awaits(_ member: MemberID, at now: Nanoseconds) -> Bool {
        guard let end = awaited[member] else { return false }
        return now < end
    }

    /// Above `heirsMax` a key still begins with care, but what it admits is not added to what arrives.
    mutating func adopt(_ key: LimitKey, from previous: MemberID, own: GCRA.Arrival) {
        if heirs.count < heirsMax { heirs[key] = Heir(previous: previous, own: own) }
    }

    func isHeir(_ key: LimitKey) -> Bool { heirs[key] != nil }

    mutating func admitted(_ units: Int, from key: LimitKey, _ rule: GCRA, at now: Nanoseconds) {
        guard heirs[key] != nil else { return }
        heirs[key]?.admitted += units
        if var own = heirs[key]?.own {
            rule.charge(units, to: &own, at: now)
            heirs[key]?.own = own
        }
    }

    /// The account of this key has arrived.
    mutating func settle(_ key: LimitKey) -> Heir? { heirs.removeValue(forKey: key) }

    /// `member` has told everything it knows under the placement of that digest. Answers with the keys it knew nothing
    /// about.
    mutating func completed(_ member: MemberID, for digest: UInt64) -> [LimitKey: Heir] {
        told[member] = digest
        awaited[member] = nil
        let settled = heirs.filter { $0.value.previous == member }
        for key in settled.keys { heirs[key] = nil }
        return settled
    }

    /// Waits no longer for those who did not tell in time.
    mutating func expire(at now: Nanoseconds) {
        guard !awaited.isEmpty else { return }
        awaited = awaited.filter { now < $0.value }
        heirs = heirs.filter { awaited[$0.value.previous] != nil }
    }

    /// Forgets members that are gone, so that names do not pile up.
    mutating func forget(allBut present: Set<MemberID>) { told = told.filter { present.contains($0.key) } }
}
