/// How often each thing happened in this life, for metrics; simulations use it to prove that rare paths ran.
package struct MembershipCounters: Hashable, Sendable {
    package var probes = 0
    /// No answer came, directly or through others.
    package var probesFailed = 0
    /// A member answered through a relay only.
    package var indirectAcks = 0
    package var nacksSent = 0
    package var nacksReceived = 0
    /// Relay requests that were answered with a nack at once, for `relaysMax`.
    package var relaysRefused = 0
    /// We raised our incarnation because of what was said about us.
    package var refutations = 0
    /// A suspicion of somebody began.
    package var suspicions = 0
    /// A further accuser shortened a suspicion.
    package var confirmations = 0
    /// A suspicion ran out here: unreachable.
    package var suspicionsRunOut = 0
    package var deathsByRefusal = 0
    package var deathsBySilence = 0
    /// A relay had spoken to a member whose address refused us.
    package var refusalsContradicted = 0
    /// A renewed lease kept or made a member unreachable instead of dead.
    package var leasesVouched = 0
    /// A death that another node believed in was put to the member instead of being believed.
    package var deathsChallenged = 0
    /// A new life took the place of an earlier one.
    package var livesReplaced = 0
    /// Messages of a life that is over.
    package var oldLivesRefused = 0
    package var syncs = 0
    /// Syncs in which both knew the same.
    package var syncsEqual = 0
    /// Something we already knew was changed by a sync: gossip had not brought it.
    package var syncsHealed = 0
    package var pausesNoticed = 0
    /// Our own timer came late by more than a probe's timeout.
    package var latenessNoticed = 0
    /// Rumours outside the limits of `MemberMetadata`, and messages with more than `rumoursPerMessageMax`.
    package var malformed = 0
    /// Rumours of members that `membersMax` left no room for.
    package var membersRefused = 0
    /// Rumours that `rumoursMax` pushed out.
    package var rumoursDropped = 0
    package var membersForgotten = 0
    package var viewsPublished = 0
    /// Changes that shared a view with an earlier one.
    package var changesCoalesced = 0

    package init() {}

    /// All of them by name, for whoever exports or sums them.
    package static let fields: [(name: String, path: any WritableKeyPath<MembershipCounters, Int> & Sendable)] = [
        ("probes", \.probes), ("probesFailed", \.probesFailed), ("indirectAcks", \.indirectAcks),
        ("nacksSent", \.nacksSent), ("nacksReceived", \.nacksReceived), ("relaysRefused", \.relaysRefused),
        ("refutations", \.refutations), ("suspicions", \.suspicions), ("confirmations", \.confirmations),
        ("suspicionsRunOut", \.suspicionsRunOut), ("deathsByRefusal", \.deathsByRefusal),
        ("deathsBySilence", \.deathsBySilence), ("refusalsContradicted", \.refusalsContradicted),
        ("leasesVouched", \.leasesVouched), ("deathsChallenged", \.deathsChallenged),
        ("livesReplaced", \.livesReplaced), ("oldLivesRefused", \.oldLivesRefused), ("syncs", \.syncs),
        ("syncsEqual", \.syncsEqual), ("syncsHealed", \.syncsHealed), ("pausesNoticed", \.pausesNoticed),
        ("latenessNoticed", \.latenessNoticed), ("malformed", \.malformed), ("membersRefused", \.membersRefused),
        ("rumoursDropped", \.rumoursDropped), ("membersForgotten", \.membersForgotten),
        ("viewsPublished", \.viewsPublished), ("changesCoalesced", \.changesCoalesced),
    ]

    package mutating func add(_ other: MembershipCounters) {
        for (_, path) in Self.fields { self[keyPath: path] += other[keyPath: path] }
    }
}
