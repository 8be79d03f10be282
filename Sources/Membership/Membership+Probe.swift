/// A question on its way: is that member there?
struct Probe: Sendable {
    let number: UInt64
    let target: MemberLife
    let sentAt: Duration
    /// Until then we wait for its own answer; then others are asked. nil when they were.
    var directUntil: Duration?
    let until: Duration
    /// Whom we asked for help.
    var relays: [MemberLife] = []
    /// Those of them that said they had no answer either.
    var declined: [MemberLife] = []
    /// Only checks what a refused connection means; its failure proves nothing.
    let isCheck: Bool

    var dueAt: Duration { directUntil ?? until }
}

/// A question that we carry for another.
struct Relay: Sendable {
    let number: UInt64
    let target: MemberLife
    let requester: MemberLife
    let requesterNumber: UInt64
    /// When to say that no answer came; nil when it was said. A late answer is still handed on.
    var nackAt: Duration?
    let until: Duration

    var dueAt: Duration { nackAt ?? until }
}

/// Asking and answering.
extension Membership {
    // MARK: - Asking

    mutating func advanceProbes() {
        guard probes.contains(where: { $0.dueAt <= now }) || nextProbeAt <= now else { return }
        for index in probes.indices where probes[index].directUntil.map({ $0 <= now }) ?? false {
            probes[index].directUntil = nil
            askRelays(at: index)
        }
        let failed = probes.filter { $0.until <= now }
        probes.removeAll { $0.until <= now }
        for probe in failed where !probe.isCheck { fail(probe) }
        if nextProbeAt <= now { probeNext() }
    }

    private mutating func probeNext() {
        nextProbeAt = now + health.stretched(configuration.probeInterval)
        let id = order.draw(
            using: &random,
            where: { [table, life] in $0 != life.id && table[$0]?.member.status.isPresent == true },
            refill: { [table] in table.entries.lazy.filter { $0.member.status.isPresent }.map(\.member.life.id) })
        guard let id, let member = table[id]?.member else { return }
        counters.probes += 1
        lastNumber += 1
        probes.append(
            Probe(
                number: lastNumber, target: member.life, sentAt: now,
                directUntil: now + health.stretched(configuration.probeTimeout),
                until: now + health.stretched(configuration.probeTimeout) * 2, isCheck: false))
        send(.ping(number: lastNumber, target: member.life, gossip: gossip(for: member.life)), to: member)
    }

    /// A refused connection that nobody else has noticed.
    mutating func askOthers(about member: Member) {
        guard !probes.contains(where: { $0.isCheck && $0.target == member.life }) else { return }
        lastNumber += 1
        probes.append(
            Probe(
                number: lastNumber, target: member.life, sentAt: now, directUntil: nil,
                until: now + configuration.probeTimeout * 2, isCheck: true))
        askRelays(at: probes.count - 1)
    }

    private mutating func askRelays(at index: Int) {
        let probe = probes[index]
        guard let target = table[probe.target]?.member else { return }
        let chosen = relays(for: target)
        probes[index].relays = chosen.map(\.member.life)
        for entry in chosen {
            let rumours = gossip(for: entry.member.life)
            send(.pingRequest(number: probe.number, target: probe.target, gossip: rumours), to: entry.member)
        }
        // Once more ourselves: a single lost message must not make a suspect (memberlist's fallback).
        if !probe.isCheck {
            send(.ping(number: probe.number, target: target.life, gossip: gossip(for: target.life)), to: target)
        }
    }

    /// Members of another zone first: those of the target's own may be lost with it, and their silence would make us
    /// doubt ourselves (Lifeguard's missed nacks).
    private mutating func relays(for target: Member) -> [MemberTable.Entry] {
        let count = configuration.indirectProbes(members: memberCount)
        let isFit = { [life] (entry: MemberTable.Entry) in
            entry.member.status == .alive && entry.member.life.id != life.id && entry.member.life.id != target.id
        }
        let far = table.sample(count, using: &random) { isFit($0) && !$0.member.isNeighbour(of: target) }
        guard far.count < count else { return far }
        return far + table.sample(count - far.count, using: &random) { isFit($0) && $0.member.isNeighbour(of: target) }
    }

    private mutating func fail(_ probe: Probe) {
        counters.probesFailed += 1
        // Relays that are well and heard us said so. Those that did not: perhaps it is we who hear badly.
        health.worsen(by: probe.relays.isEmpty ? 1 : probe.relays.count - probe.declined.count)
        accuseOfSilence(probe.target)
    }

    // MARK: - Answers to us

    private mutating func acknowledged(_ number: UInt64, by sender: MemberLife) {
        if let index = probes.firstIndex(where: { $0.number == number }) {
            let probe = probes[index]
            guard sender == probe.target || probe.relays.contains(sender) else { return }
            if sender != probe.target {
                counters.indirectAcks += 1
                showedLife(probe.target)
            } else if probe.directUntil != nil {
                table.setRoundTrip(now - probe.sentAt, of: sender.id)
            }
            if !probe.isCheck { health.improve() }
            probes.remove(at: index)
        } else if let index = relays.firstIndex(where: { $0.number == number && $0.target == sender }) {
            let relay = relays.remove(at: index)
            answer(relay) { .ack(number: relay.requesterNumber, gossip: $0) }
        }
    }

    private mutating func declined(_ number: UInt64, isRefused: Bool, by sender: MemberLife) {
        guard let index = probes.firstIndex(where: { $0.number == number }) else { return }
        // Each relay counts once, however often the network repeats it.
        guard probes[index].relays.contains(sender), !probes[index].declined.contains(sender) else { return }
        probes[index].declined.append(sender)
        counters.nacksReceived += 1
        if isRefused, let member = table[probes[index].target]?.member {
            testify(against: member, accuser: sender.id, isRefused: true)
        }
    }

    // MARK: - Answers to others

    private mutating func pinged(_ number: UInt64, target: MemberLife, by sender: MemberLife) {
        guard target == life else {
            // For another life of ours: it hears of this one instead.
            return reply(.gossip([own.rumour]), to: sender)
        }
        reply(.ack(number: number, gossip: gossip(for: sender)), to: sender)
    }

    private mutating func asked(_ number: UInt64, about target: MemberLife, by sender: MemberLife) {
        guard let entry = table[target], relays.count < configuration.relaysMax, target != life else {
            // We cannot help, but we are here. What we know better about the target goes along.
            if relays.count >= configuration.relaysMax { counters.relaysRefused += 1 }
            counters.nacksSent += 1
            let known = table[target.id].map { [$0.rumour] } ?? []
            return reply(.nack(number: number, isRefused: false, gossip: known), to: sender)
        }
        lastNumber += 1
        relays.append(
            Relay(
                number: lastNumber, target: target, requester: sender, requesterNumber: number,
                // Early enough to reach the requester before its own deadline (memberlist: 0.8 of the timeout).
                nackAt: now + configuration.probeTimeout * 4 / 5, until: now + configuration.probeTimeout * 4))
        send(.ping(number: lastNumber, target: target, gossip: gossip(for: target)), to: entry.member)
    }

    mutating func advanceRelays() {
        guard relays.contains(where: { $0.dueAt <= now }) else { return }
        for index in relays.indices where relays[index].nackAt.map({ $0 <= now }) ?? false {
            relays[index].nackAt = nil
            decline(relays[index], isRefused: false)
        }
        relays.removeAll { $0.until <= now }
    }

    /// The target's address refused us: those who asked shall know at once.
    mutating func answerRelays(for target: MemberLife, isRefused: Bool) {
        for index in relays.indices where relays[index].target == target && relays[index].nackAt != nil {
            relays[index].nackAt = nil
            decline(relays[index], isRefused: isRefused)
        }
    }

    private mutating func decline(_ relay: Relay, isRefused: Bool) {
        counters.nacksSent += 1
        answer(relay) { .nack(number: relay.requesterNumber, isRefused: isRefused, gossip: $0) }
    }

    private mutating func answer(_ relay: Relay, _ message: ([Rumour]) -> MembershipMessage) {
        let rumours = gossip(for: relay.requester)
        reply(message(rumours), to: relay.requester)
    }

    /// To whoever sent us something, known or not.
    mutating func reply(_ message: MembershipMessage, to sender: MemberLife) {
        actions.append(.send(message, to: sender, at: table[sender]?.member.metadata.peerAddress))
    }

    // MARK: - All that arrives

    mutating func received(_ message: MembershipMessage, from sender: MemberLife) {
        guard admit(sender) else { return }
        guard message.rumours.count <= configuration.rumoursPerMessageMax else {
            counters.malformed += 1
            return
        }
        showedLife(sender)
        let actionsBefore = actions.count
        switch message {
        case .sync(let digest, let rumours): synced(digest, rumours, by: sender)
        case .syncReply(let rumours, let isLast): syncAnswered(rumours, isLast: isLast, by: sender)
        default: hear(message.rumours, from: sender, by: .gossip)
        }
        guard phase != .stopped else { return }
        switch message {
        case .ping(let number, let target, _): pinged(number, target: target, by: sender)
        case .ack(let number, _): acknowledged(number, by: sender)
        case .pingRequest(let number, let target, _): asked(number, about: target, by: sender)
        case .nack(let number, let isRefused, _): declined(number, isRefused: isRefused, by: sender)
        case .gossip, .sync, .syncReply: break
        }
        tellDoubt(to: sender, unlessAnsweredSince: actionsBefore)
        askWhoItIs(sender)
    }

    /// It speaks, and is held for silent: then it does not know. Its answers to our probes would come to know, but
    /// others that are dead to us are not probed.
    private mutating func tellDoubt(to sender: MemberLife, unlessAnsweredSince count: Int) {
        guard var doubt = doubts[sender], doubt.status != .left, let entry = table[sender] else { return }
        if let toldAt = doubt.toldAt, now - toldAt < configuration.gossipInterval { return }
        doubt.toldAt = now
        doubts.put(doubt)
        // An answer carries it already.
        let isTold = actions[count...].contains { action in
            guard case .send(let message, let recipient, _) = action, recipient == sender else { return false }
            return message.rumours.contains { $0.member.life == sender }
        }
        if !isTold { reply(.gossip([entry.rumour]), to: sender) }
    }
}
