package import Membership

/// Buckets on their way to the node that owns them now. Sent twice it changes nothing more.
package struct Handover: Hashable, Sendable, Codable {
    package struct Bucket: Hashable, Sendable, Codable {
        package var policy: String
        package var subject: String
        /// How far its theoretical arrival time lies ahead. A time and not a moment: clocks of two nodes share no
        /// start, and whatever the way takes makes the receiver refuse longer, never shorter.
        package var debt: Nanoseconds
        /// Units that the sender lent and that may still be spent, and for how long.
        package var lentUnits: Int
        package var lentFor: Nanoseconds

        package init(
            policy: String, subject: String, debt: Nanoseconds, lentUnits: Int = 0, lentFor: Nanoseconds = 0
        ) {
            self.policy = policy
            self.subject = subject
            self.debt = debt
            self.lentUnits = lentUnits
            self.lentFor = lentFor
        }
    }

    package var sender: MemberID
    /// The placement by which the sender found that they are the receiver's.
    package var placementDigest: UInt64
    package var buckets: [Bucket]
    /// Whether the sender has nothing more to tell this receiver under that placement.
    package var isComplete: Bool

    package init(sender: MemberID, placementDigest: UInt64, buckets: [Bucket], isComplete: Bool) {
        self.sender = sender
        self.placementDigest = placementDigest
        self.buckets = buckets
        self.isComplete = isComplete
    }
}

package enum HandoverReply: Hashable, Sendable, Codable {
    /// Places in `buckets` of those that are not the receiver's either, as far as it knows; the sender keeps them and
    /// tries again. All others it may drop.
    case taken(except: [Int])
}
