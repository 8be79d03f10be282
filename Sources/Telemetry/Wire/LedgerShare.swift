package import Membership

/// What a keeper knows of one node, in short.
package struct RecordStamp: Hashable, Sendable, Codable {
    package let life: MemberLife
    package let sequence: UInt64
    /// Of what is known of its earlier lives.
    package let endedDigest: UInt64
    /// The keeper has not heard the node for a while: it may be that only others hear it.
    package let isQuiet: Bool

    /// Whether a keeper that has `own` lacks what one with `theirs` has.
    static func lacks(_ own: RecordStamp?, _ theirs: RecordStamp) -> Bool {
        guard let own else { return true }
        if own.life.epoch != theirs.life.epoch { return own.life.epoch < theirs.life.epoch }
        // Each may know something that the other does not.
        if own.endedDigest != theirs.endedDigest { return true }
        // Reports that are on their way to both need not travel between them too.
        return own.isQuiet && own.sequence < theirs.sequence
    }
}

/// What a keeper knows of one node.
package struct SharedRecord: Hashable, Sendable, Codable {
    /// Its last report, with what is known of its earlier lives.
    package let report: NodeReport
    package let ageMilliseconds: UInt64
}

/// One keeper tells another what it knows of a region. Safe to repeat: what is known already changes nothing.
package struct LedgerShare: Hashable, Sendable, Codable {
    package let region: String
    /// Of all nodes.
    package let stamps: [RecordStamp]
    /// Of the sum of nodes that were summed up.
    package let retiredDigest: UInt64
    package let memoryMilliseconds: UInt64
    /// What the other one asked for.
    package let records: [SharedRecord]
    package let retired: EndedSum?
    /// How many records the answer may hold.
    package let recordsMax: Int
}

package enum ShareOutcome: Hashable, Sendable, Codable {
    case answered(LedgerAnswer)
    case notKeeper
}

package struct LedgerAnswer: Hashable, Sendable, Codable {
    /// What the sender lacks, or the first part of it.
    package let records: [SharedRecord]
    package let retired: EndedSum?
    /// Nodes that the sender knows more of.
    package let wanted: [MemberID]
    package let wantsRetired: Bool
    package let memoryMilliseconds: UInt64

    /// Neither lacks anything.
    package var isNothing: Bool { records.isEmpty && retired == nil && wanted.isEmpty && !wantsRetired }
}
