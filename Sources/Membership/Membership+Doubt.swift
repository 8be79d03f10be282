/// Accusing, and deciding.
extension Membership {
    // MARK: - Silence

    /// It answered neither us nor those we asked.
    mutating func accuseOfSilence(_ life: MemberLife) {
        guard let entry = table[life] else { return }
        switch entry.member.status {
        case .alive: suspect(entry, isRefused: false)
        case .suspect: testify(against: entry.member, accuser: self.life.id, isRefused: false)
        case .unreachable, .dead, .left: break
        }
    }

    private mutating func suspect(_ entry: MemberTable.Entry, isRefused: Bool) {
        var member = entry.member
        member.status = .suspect
        believe(
            Rumour(member, accuser: life.id, isRefused: isRefused), accuser: life.id,
            because: isRefused ? .refused : .silence)
    }

    /// `accuser` says so too.
    mutating func testify(against member: Member, accuser: MemberID, isRefused: Bool) {
        guard var doubt = doubts[member.life], doubt.concerns(member), member.status.isPresent else { return }
        guard doubt.accused(by: accuser, isRefused: isRefused) else { return }
        doubts.put(doubt)
        if doubt.status == .suspect { counters.confirmations += 1 }
        enqueue(Rumour(member, leaseStamp: table[member.life]?.leaseStamp ?? 0, accuser: accuser, isRefused: isRefused))
        if isRefused { weighRefusals(of: member.life) }
    }

    // MARK: - Refused connections

    mutating func disconnected(_ peer: MemberLife) {
        guard phase == .running, let entry = table[peer], entry.member.status.isPresent else { return }
        // Whether the process is gone or only the connection: the next attempt tells, and it must not wait.
        actions.append(.connect(entry.member.metadata.peerAddress, expecting: peer))
    }

    /// Nobody listens at its address.
    mutating func refused(_ peer: MemberLife) {
        guard phase == .running else { return }
        answerRelays(for: peer, isRefused: true)
        guard let entry = table[peer], entry.member.status.isPresent else { return }
        if entry.member.status == .alive { suspect(entry, isRefused: true) }
        guard let suspected = table[peer], var doubt = doubts[peer] else { return }
        doubt.refused(at: now, spacing: configuration.refusedAgainAfter)
        if doubt.redialAt == nil { doubt.redialAt = now + configuration.refusedAgainAfter }
        let shouldAsk = doubt.ownRefusals == 2
        doubts.put(doubt)
        testify(against: suspected.member, accuser: life.id, isRefused: true)
        weighRefusals(of: peer)
        // Nobody else has noticed: then somebody else shall look.
        if shouldAsk, doubts[peer]?.status.isPresent == true { askOthers(about: suspected.member) }
    }

    /// Two witnesses, or one that was refused again and again while nobody contradicted.
    mutating func weighRefusals(of life: MemberLife) {
        guard let entry = table[life], let doubt = doubts[life], entry.member.status.isPresent else { return }
        // Its lease has overruled a death of this incarnation before: somebody rejects connections in its place.
        guard entry.leaseStamp == 0 else { return }
        let others = table.reachableCount - (entry.member.status.isReachable ? 2 : 1)
        let needed = others > 0 ? configuration.refusalsBeforeDeath : configuration.refusalsBeforeDeath - 1
        guard doubt.witnesses.count >= 2 || doubt.ownRefusals >= needed else { return }
        counters.deathsByRefusal += 1
        bury(entry, isRefused: true)
    }

    private mutating func bury(_ entry: MemberTable.Entry, isRefused: Bool) {
        var member = entry.member
        member.status = .dead
        believe(
            Rumour(member, leaseStamp: entry.leaseStamp, isRefused: isRefused), accuser: nil,
            because: isRefused ? .refused : .silence)
    }

    // MARK: - Signs of life

    /// It spoke to us, or to a relay of ours. Does not clear a suspicion (only a refutation does: others would not
    /// know), but nothing that we would conclude from silence or refusals before this stands.
    mutating func showedLife(_ peer: MemberLife) {
        guard var doubt = doubts[peer] else { return }
        if doubt.showedLife(at: now) { counters.refusalsContradicted += 1 }
        doubts.put(doubt)
    }

    /// A lease that was renewed after we gave its holder up says that the process runs, wherever the network broke.
    mutating func leasesSeen(_ sightings: [LeaseSighting]) {
        guard phase == .running else { return }
        for sighting in sightings where sighting.renewedAt < Rumour.numberMax {
            guard let entry = table[sighting.life], var doubt = doubts[sighting.life] else { continue }
            guard doubt.status == .unreachable || doubt.status == .dead else { continue }
            let renewedAt = now - sighting.age
            guard renewedAt > doubt.since, sighting.renewedAt > entry.leaseStamp else { continue }
            _ = doubt.showedLife(at: renewedAt)
            doubts.put(doubt)
            // Those who cannot read the database are told before their patience ends, a third of it at a time.
            let spacing = UInt64(configuration.silenceBeforeDeath.inMilliseconds / 3)
            let isDue = entry.leaseStamp == 0 || sighting.renewedAt - entry.leaseStamp >= spacing
            guard doubt.status == .dead || isDue else { continue }
            counters.leasesVouched += 1
            var member = entry.member
            member.status = .unreachable
            believe(Rumour(member, leaseStamp: sighting.renewedAt), accuser: nil, because: .leaseRenewed)
        }
    }

    // MARK: - Time

    mutating func actOnDoubts() {
        guard let due = doubts.dueAt(configuration), due <= now else { return }
        for doubt in doubts.doubts where doubt.dueAt(configuration).map({ $0 <= now }) ?? false {
            guard let entry = table[doubt.life] else { continue }
            if let redialAt = doubt.redialAt, redialAt <= now {
                var doubt = doubt
                doubt.redialAt = nil
                doubts.put(doubt)
                actions.append(.connect(entry.member.metadata.peerAddress, expecting: doubt.life))
            }
            guard let deadline = doubt.deadline(configuration), deadline <= now else { continue }
            runOut(entry)
        }
    }

    private mutating func runOut(_ entry: MemberTable.Entry) {
        switch entry.member.status {
        case .alive: break
        case .suspect:
            counters.suspicionsRunOut += 1
            var member = entry.member
            member.status = .unreachable
            believe(Rumour(member), accuser: nil, because: .silence)
        case .unreachable:
            counters.deathsBySilence += 1
            bury(entry, isRefused: false)
        case .dead, .left: forget(entry.member.id)
        }
    }

    /// Keeps the memory of those who are gone within its limit.
    mutating func forgetOldest() {
        let gone = doubts.doubts.filter { !$0.status.isPresent }
        guard gone.count > configuration.deadMembersMax, let oldest = gone.min(by: { $0.since < $1.since }) else {
            return
        }
        forget(oldest.life.id)
    }

    private mutating func forget(_ id: MemberID) {
        counters.membersForgotten += 1
        table.remove(id)
        doubts.remove(id)
    }
}
