/// Hearing and telling.
extension Membership {
    /// How a rumour came.
    enum Channel {
        /// It spreads now.
        case gossip
        /// A peer told us all it knows, which may be what its half of a partition believed.
        case sync
        /// As `sync`, and we knew nobody: what we hear is old news to everyone else.
        case firstSync
    }

    // MARK: - Hearing

    mutating func hear(_ rumours: [Rumour], from sender: MemberLife, by channel: Channel) {
        for rumour in rumours {
            guard phase != .stopped else { return }
            hear(rumour, from: sender, by: channel)
        }
    }

    private mutating func hear(_ rumour: Rumour, from sender: MemberLife, by channel: Channel) {
        guard rumour.isWellFormed else {
            counters.malformed += 1
            return
        }
        guard rumour.member.id != life.id else { return hearOfOurselves(rumour.member, from: sender) }
        guard let entry = table[rumour.member.id] else { return hearOfStranger(rumour, by: channel) }
        let theirs = rumour.standing, ours = entry.standing
        if theirs > ours {
            if channel != .gossip { counters.syncsHealed += 1 }
            if shouldChallenge(rumour, against: entry, by: channel) {
                challenge(rumour, against: entry, from: sender)
            } else {
                believe(rumour, tell: channel != .firstSync, accuser: rumour.accuser ?? sender.id)
            }
        } else if theirs == ours, let accuser = rumour.accuser {
            testify(against: entry.member, accuser: accuser, isRefused: rumour.isRefused)
        }
    }

    private mutating func hearOfOurselves(_ said: Member, from sender: MemberLife) {
        guard said.life.epoch <= life.epoch else { return stop(replacedBy: said.life) }
        // Of an earlier life: whoever still believes in it hears of this one by the next sync.
        guard said.life == life, phase == .running else { return }
        // News of our own that we never told: a twin with our name and epoch. It is outbid as well.
        let isNews = said.incarnation > own.member.incarnation
        guard said.status > .alive || isNews else { return }
        if isNews || said.incarnation == own.member.incarnation {
            counters.refutations += 1
            // Lifeguard: being suspected is a sign that we are slow.
            health.worsen()
            declare(above: said.incarnation) { $0.status = .alive }
        }
        // Whoever says so shall be the first to know better.
        actions.append(.send(.gossip([own.rumour]), to: sender, at: table[sender]?.member.metadata.peerAddress))
    }

    private mutating func hearOfStranger(_ rumour: Rumour, by channel: Channel) {
        // Nothing would have to be removed; and so the dead are forgotten for good.
        guard rumour.member.status.isPresent else { return }
        guard table.presentCount < configuration.membersMax else {
            counters.membersRefused += 1
            return
        }
        believe(rumour, tell: channel != .firstSync, accuser: rumour.accuser)
        order.insert(rumour.member.id, using: &random)
    }

    // MARK: - Challenges

    /// Whether news of an end is put to the member before it is believed.
    ///
    /// Halves of a partition bury each other. When one link heals, the grave-diggers' tables must not bury the living
    /// on this side even for the moment that their refutations take. So we suspect whom we took for alive, tell it, and
    /// let the suspicion decide. Death by refusal that spreads as gossip is believed at once: it is fresh, and meant to
    /// be fast.
    private func shouldChallenge(_ rumour: Rumour, against entry: MemberTable.Entry, by channel: Channel) -> Bool {
        guard rumour.member.life == entry.member.life, entry.member.status.isReachable else { return false }
        return switch rumour.member.status {
        case .alive, .suspect, .left: false
        case .unreachable: channel != .gossip
        case .dead: channel != .gossip || !rumour.isRefused
        }
    }

    private mutating func challenge(_ rumour: Rumour, against entry: MemberTable.Entry, from sender: MemberLife) {
        counters.deathsChallenged += 1
        var suspect = rumour.member
        suspect.status = .suspect
        let softened = Rumour(suspect, accuser: sender.id)
        if softened.standing > entry.standing { believe(softened, accuser: sender.id) }
        send(.gossip([rumour]), to: rumour.member)
    }

    // MARK: - Believing

    /// Takes it into the table, and draws the consequences. `accuser` is who began the suspicion, for a suspect.
    mutating func believe(
        _ rumour: Rumour, tell: Bool = true, accuser: MemberID?, because reason: MemberChange.Reason? = nil
    ) {
        let member = rumour.member
        let before = table[member.id]
        table.put(
            MemberTable.Entry(
                member: member, leaseStamp: rumour.standing.leaseStamp,
                isRefused: rumour.isRefused && member.status == .dead,
                roundTrip: before?.member.life == member.life ? before?.roundTrip : nil))
        if let before, before.member.life != member.life { counters.livesReplaced += 1 }
        reviseDoubt(rumour, accuser: accuser, before: before?.member)
        // An accuser keeps the credit on the way: whoever repeats a rumour is no further accuser.
        let isAccusation = member.status == .suspect && rumour.accuser == nil
        if tell { enqueue(isAccusation ? Rumour(member, accuser: accuser) : rumour) }
        report(member, before: before?.member, because: reason ?? .init(rumour, before: before?.member))
        if rumour.isRefused { weighRefusals(of: member.life) }
    }

    private mutating func reviseDoubt(_ rumour: Rumour, accuser: MemberID?, before: Member?) {
        let member = rumour.member
        guard member.status != .alive else {
            doubts.remove(member.id)
            // A view may have waited for this suspicion.
            if before?.status == .suspect { settling.suspicionEnded(at: now) }
            return
        }
        var doubt = Doubt(
            member, suspicion: configuration.suspicion(members: memberCount), accuser: accuser,
            isRefused: rumour.isRefused, at: now)
        if let earlier = doubts[member.life], member.status.isPresent { doubt.keepRefusals(of: earlier) }
        doubts.put(doubt)
        if member.status == .suspect {
            counters.suspicions += 1
            lookAround(member, accuser: accuser)
        } else if before?.status == .suspect {
            settling.suspicionEnded(at: now)
        }
        if member.status == .unreachable { confirmNeighbours(of: member) }
        if !member.status.isPresent { forgetOldest() }
    }

    /// What is lost together is found together: members of the suspect's zone are probed next. And a few of those who
    /// heard probe the suspect itself, because a suspicion that others confirm takes half the time; not all of them, or
    /// a thousand nodes would fall upon one.
    private mutating func lookAround(_ suspect: Member, accuser: MemberID?) {
        if isElsewhere(suspect) {
            order.hurry { [table] id in table[id].map { suspect.isNeighbour(of: $0.member) } ?? false }
        }
        guard accuser != life.id else { return }
        let lookers = min(memberCount, configuration.suspicionConfirmations * 3)
        if Int.random(in: 0..<memberCount, using: &random) < lookers { order.hurry(suspect.id) }
    }

    /// A suspicion ran out somewhere: one about a member of the same zone needs no more accusers. So a zone that went
    /// dark leaves the view at once, not one by one.
    private mutating func confirmNeighbours(of lost: Member) {
        guard isElsewhere(lost) else { return }
        for doubt in doubts.doubts where doubt.status == .suspect && doubt.isOpen {
            guard let neighbour = table[doubt.life]?.member, neighbour.isNeighbour(of: lost) else { continue }
            var doubt = doubt
            doubt.confirmed()
            doubts.put(doubt)
        }
    }

    /// Whether it is in a zone that can be lost while we are here to notice.
    func isElsewhere(_ member: Member) -> Bool { !member.isNeighbour(of: own.member) }

    private mutating func report(_ member: Member, before: Member?, because reason: MemberChange.Reason) {
        let isSameFact =
            before?.life == member.life && before?.metadata == member.metadata
            && before?.status.isReachable == member.status.isReachable
            && before?.status.isPresent == member.status.isPresent
        if !isSameFact, member.status.isPresent || before?.status.isPresent == true {
            if settling.isWaiting { counters.changesCoalesced += 1 }
            settling.changed(at: now)
        }
        if before?.status != member.status || before?.life != member.life || before?.metadata != member.metadata {
            actions.append(.changed(MemberChange(member: member, before: before?.status, reason: reason)))
        }
    }

    // MARK: - Telling

    mutating func enqueue(_ rumour: Rumour) {
        counters.rumoursDropped += queue.insert(rumour, max: configuration.rumoursMax)
    }

    /// Rumours to travel with a message to `recipient`; what is held against the recipient goes first, so that it can
    /// refute (Lifeguard's buddy system).
    mutating func gossip(for recipient: MemberLife) -> [Rumour] {
        var first: [Rumour] = []
        if let entry = table[recipient], entry.member.status != .alive, entry.member.status != .left {
            first.append(entry.rumour)
        }
        guard !queue.isEmpty else { return first }
        let bytes = configuration.gossipBytesMax - first.reduce(0) { $0 + $1.bytes }
        first += queue.take(
            bytes: bytes, transmissionsMax: configuration.transmissionsMax(members: memberCount),
            isCurrent: { [table] rumour in
                guard let entry = table[rumour.member.id] else { return false }
                return entry.standing == rumour.standing
            })
        return first
    }

    var gossipDueAt: Duration? {
        guard !queue.isEmpty else { return nil }
        guard let gossipedAt else { return now }
        return gossipedAt + configuration.gossipInterval
    }

    mutating func gossipIfDue() {
        guard let due = gossipDueAt, due <= now else { return }
        gossipedAt = now
        let chosen = table.sample(configuration.gossipFanout, using: &random) { [life] entry in
            entry.member.life.id != life.id && entry.member.status.isReachable
        }
        for entry in chosen {
            let rumours = gossip(for: entry.member.life)
            if !rumours.isEmpty { send(.gossip(rumours), to: entry.member) }
        }
        // Nobody to tell: a later sync will.
        if chosen.isEmpty { queue = RumourQueue() }
    }
}

extension Member {
    func isNeighbour(of other: Member) -> Bool {
        metadata.zone == other.metadata.zone && metadata.region == other.metadata.region
    }
}

extension MemberChange.Reason {
    /// Why a heard rumour changed what we believed.
    init(_ rumour: Rumour, before: Member?) {
        self =
            switch rumour.member.status {
            case .alive:
                if before?.life != rumour.member.life {
                    .joined
                } else if before?.status == .alive {
                    .metadata
                } else {
                    .refuted
                }
            case .left: .left
            case .suspect, .dead: rumour.isRefused ? .refused : .silence
            case .unreachable: rumour.leaseStamp > 0 ? .leaseRenewed : .silence
            }
    }
}
