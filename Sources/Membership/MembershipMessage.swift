/// What members say to each other about who is there. Every message carries gossip, within a budget of bytes.
///
/// The sender is not in the message: the connection's handshake has proven it.
package enum MembershipMessage: Hashable, Sendable, Codable {
    /// "Are you there?" to exactly that life. Answered by `ack` with the same number.
    case ping(number: UInt64, target: MemberLife, gossip: [Rumour])
    /// "I am" or, from a relay, "it is".
    case ack(number: UInt64, gossip: [Rumour])
    /// "Ask this one for me": answered by `ack` when it answered, by `nack` when it did not in time.
    case pingRequest(number: UInt64, target: MemberLife, gossip: [Rumour])
    /// "I am here and heard you; the one you asked for did not answer me." Lifeguard: its absence tells the asker that
    /// the asker's own network or processor is the slow one. `isRefused`: its address refused the relay's connection.
    case nack(number: UInt64, isRefused: Bool, gossip: [Rumour])
    /// Rumours and nothing else.
    case gossip([Rumour])
    /// "This is the digest of all I know, and this is me. If yours differs, tell me all you know."
    case sync(digest: UInt64, gossip: [Rumour])
    /// The answer: everything, in as many parts as the budget asks for; `isLast` on the last one. Empty and last when
    /// the digests were equal. The asker answers with gossip about what it knows better.
    case syncReply(rumours: [Rumour], isLast: Bool)

    /// The rumours that travel in it.
    package var rumours: [Rumour] {
        switch self {
        case .ping(_, _, let rumours), .ack(_, let rumours), .pingRequest(_, _, let rumours),
            .nack(_, _, let rumours), .gossip(let rumours), .sync(_, let rumours), .syncReply(let rumours, _):
            rumours
        }
    }
}

/// One thing said about one member. Whole, metadata included: whoever hears it needs nothing else to believe it.
package struct Rumour: Hashable, Sendable, Codable {
    package let member: Member
    /// When the member's lease was last renewed, as the database's clock counts, as far as the teller knew when it said
    /// `unreachable` or `dead`; otherwise 0. A renewal that is younger than a death overrules it.
    package let leaseStamp: UInt64
    /// Who suspects it, for `suspect`: accusers that are independent of each other shorten the wait (Lifeguard).
    package let accuser: MemberID?
    /// The accuser's connection was refused: nobody listens there.
    package let isRefused: Bool

    package init(_ member: Member, leaseStamp: UInt64 = 0, accuser: MemberID? = nil, isRefused: Bool = false) {
        self.member = member
        self.leaseStamp = leaseStamp
        self.accuser = accuser
        self.isRefused = isRefused
    }
}
