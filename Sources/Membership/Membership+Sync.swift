/// A sync that we asked for, and what its answer has named so far.
struct SyncSession: Sendable {
    let peer: MemberLife
    /// Of those we know; nothing that a peer makes up is kept.
    var named: Set<MemberID> = []
    /// Whether we knew nobody when it began.
    let isFirst: Bool
}

/// Somebody who spoke to us and whom we do not know.
struct Stranger: Sendable {
    let life: MemberLife
    let askedAt: Duration
}

/// Finding others, and comparing notes.
extension Membership {
    var isAlone: Bool { memberCount <= 1 }

    // MARK: - Calling

    mutating func setSeeds(_ found: [PeerAddress]) {
        var seeds: [PeerAddress] = []
        for seed in found where seed != own.member.metadata.peerAddress && !seeds.contains(seed) {
            seeds.append(seed)
            if seeds.count == configuration.seedsMax { break }
        }
        self.seeds = seeds
        if isAlone { nextCallAt = now }
    }

    /// When to call again; nil when there is nobody to call.
    var callDueAt: Duration? {
        let isAnybodyMissing = !seeds.isEmpty || doubts.doubts.contains { $0.status == .dead }
        return isAnybodyMissing ? nextCallAt : nil
    }

    /// Calls seeds until joined; then, now and then, a seed that is no member or a member that is dead: the other half
    /// of a partition looks like that from here.
    mutating func callIfDue() {
        guard let due = callDueAt, due <= now else { return }
        if isAlone {
            for seed in seeds.shuffled(using: &random).prefix(3) { actions.append(.connect(seed, expecting: nil)) }
            if let dead = deadToCall() { actions.append(dead) }
            // Decorrelated jitter (Brooker 2015): up to three times the last wait, within the limits.
            let limits = configuration.joinBackoff
            joinWait = min(limits.upperBound, random.duration(in: limits.lowerBound...joinWait * 3))
            nextCallAt = now + joinWait
        } else {
            joinWait = configuration.joinBackoff.lowerBound
            if let call = seedOrDeadToCall() { actions.append(call) }
            let wait = configuration.healInterval * configuration.scale(members: memberCount)
            nextCallAt = now + random.duration(in: wait * 3 / 4...wait * 5 / 4)
        }
    }

    private mutating func seedOrDeadToCall() -> Action? {
        let missing = seeds.filter { seed in
            !table.entries.contains { $0.member.status.isPresent && $0.member.metadata.peerAddress == seed }
        }
        let dead = deadToCall()
        guard let seed = missing.randomElement(using: &random) else { return dead }
        guard let dead, Bool.random(using: &random) else { return .connect(seed, expecting: nil) }
        return dead
    }

    private mutating func deadToCall() -> Action? {
        let dead = table.sample(1, using: &random) { $0.member.status == .dead }
        return dead.first.map { .connect($0.member.metadata.peerAddress, expecting: $0.member.life) }
    }

    // MARK: - Meeting

    mutating func connected(_ peer: MemberLife) {
        guard phase == .running, admit(peer) else { return }
        showedLife(peer)
        // Unknown, or known for worse: compare notes. It hears what is said about it, and we hear who it is.
        if table[peer]?.member.status != .alive { sync(with: peer) }
    }

    /// Whether to listen to it. A life that is over is told so, and a newer life of our own ends ours.
    mutating func admit(_ peer: MemberLife) -> Bool {
        if peer.id == life.id {
            if peer.epoch > life.epoch {
                stop(replacedBy: peer)
            } else if peer.epoch < life.epoch {
                counters.oldLivesRefused += 1
                reply(.gossip([own.rumour]), to: peer)
            }
            return false
        }
        guard let entry = table[peer.id], entry.member.life.epoch > peer.epoch else { return true }
        counters.oldLivesRefused += 1
        reply(.gossip([entry.rumour]), to: peer)
        return false
    }

    mutating func askWhoItIs(_ sender: MemberLife) {
        guard phase == .running, table[sender] == nil else { return }
        strangers.removeAll { now - $0.askedAt >= .seconds(1) }
        guard strangers.count < configuration.strangersMax, !strangers.contains(where: { $0.life == sender }) else {
            return
        }
        strangers.append(Stranger(life: sender, askedAt: now))
        sync(with: sender)
    }

    // MARK: - Comparing notes

    mutating func syncIfDue() {
        guard nextSyncAt <= now else { return }
        let wait = configuration.syncInterval * configuration.scale(members: memberCount)
        nextSyncAt = now + random.duration(in: wait * 3 / 4...wait * 5 / 4)
        let peer = table.sample(1, using: &random) { [life] entry in
            entry.member.life.id != life.id && entry.member.status.isReachable
        }
        if let peer = peer.first { sync(with: peer.member.life) }
    }

    private mutating func sync(with peer: MemberLife) {
        counters.syncs += 1
        sessions.removeAll { $0.peer == peer }
        // One whose answer never came goes. Without a session an answer is believed all the same; only what we know
        // better is not told back, and the next sync makes up for that.
        if sessions.count >= configuration.syncSessionsMax { sessions.removeFirst() }
        sessions.append(SyncSession(peer: peer, isFirst: isAlone))
        var rumours = [own.rumour]
        rumours += gossip(for: peer).filter { $0.member.life != life }
        reply(.sync(digest: table.digest, gossip: rumours), to: peer)
    }

    /// Somebody compares notes with us.
    mutating func synced(_ digest: UInt64, _ rumours: [Rumour], by sender: MemberLife) {
        hear(rumours, from: sender, by: .gossip)
        guard phase == .running else { return }
        guard digest != table.digest else {
            counters.syncsEqual += 1
            return reply(.syncReply(rumours: [], isLast: true), to: sender)
        }
        sendInParts(table.entries.map(\.rumour), to: sender, isLast: true)
    }

    mutating func syncAnswered(_ rumours: [Rumour], isLast: Bool, by sender: MemberLife) {
        guard let isFirst = sessions.first(where: { $0.peer == sender })?.isFirst else {
            return hear(rumours, from: sender, by: .sync)
        }
        // What we know better is told back, so that both end up with the same.
        let better = rumours.compactMap { rumour -> Rumour? in
            guard let entry = table[rumour.member.id], entry.standing > rumour.standing else { return nil }
            return entry.rumour
        }
        hear(rumours, from: sender, by: isFirst ? .firstSync : .sync)
        // Hearing may have ended our life.
        guard phase == .running, let index = sessions.firstIndex(where: { $0.peer == sender }) else { return }
        for rumour in rumours where table[rumour.member.id] != nil { sessions[index].named.insert(rumour.member.id) }
        var missing: [Rumour] = []
        if isLast {
            let named = sessions.remove(at: index).named
            // Nothing named at all: our notes are equal.
            if !named.isEmpty {
                missing = table.entries.filter { $0.member.status.isPresent && !named.contains($0.member.life.id) }
                    .map(\.rumour)
            }
        }
        sendInParts(better + missing, to: sender, isLast: false)
    }

    private mutating func sendInParts(_ rumours: [Rumour], to peer: MemberLife, isLast: Bool) {
        var part: [Rumour] = [], bytes = 0
        for rumour in rumours {
            if bytes + rumour.bytes > configuration.syncBytesMax {
                reply(.syncReply(rumours: part, isLast: false), to: peer)
                part = []
                bytes = 0
            }
            part.append(rumour)
            bytes += rumour.bytes
        }
        if !part.isEmpty { reply(.syncReply(rumours: part, isLast: isLast), to: peer) }
    }
}
