/// Who is there: SWIM (Das, Gupta, Motivala 2002) with Lifeguard (Dadgar, Phillips, Currey 2017) as a value.
///
/// Events go in, actions come out; `now` is a `Duration` since any start that the shell keeps, chance comes from a
/// seed. Beyond the papers: node epochs, refused connections as evidence, leases in the database as evidence to the
/// contrary, pauses of our own taken out of time, and numbered views. docs/membership.md tells how it works and what it
/// promises.
package struct Membership: Sendable {
    enum Phase: Hashable, Sendable {
        case idle, running
        case leaving(until: Duration)
        case stopped
    }

    package let life: MemberLife
    package let configuration: MembershipConfiguration
    package internal(set) var counters = MembershipCounters()
    /// Until when the shell may sleep; nil before `started` and after `departed` or `replaced`.
    package private(set) var nextWakeUp: Duration?
    /// The view that was published last.
    package internal(set) var view: MembershipView?

    var phase = Phase.idle
    var clock: AwakeClock
    /// Our time at the event being handled.
    var now: Duration = .zero
    var random: SeededGenerator
    var health: LocalHealth
    /// Includes ourselves.
    var table = MemberTable()
    var doubts = DoubtBook()
    var queue = RumourQueue()
    var gossipedAt: Duration?
    var actions: [Action] = []

    var order = ProbeOrder()
    var probes: [Probe] = []
    var relays: [Relay] = []
    var nextProbeAt: Duration = .zero
    var lastNumber: UInt64 = 0

    var seeds: [PeerAddress] = []
    var joinWait: Duration
    var nextCallAt: Duration = .zero
    var nextSyncAt: Duration = .zero
    /// Oldest first, one for each peer.
    var sessions: [SyncSession] = []
    var strangers: [Stranger] = []

    var settling: Settling
    private var wakeUpAsked: Duration?

    /// `seed` should differ from node to node; two equal runs from equal seeds are equal.
    package init(
        life: MemberLife, metadata: MemberMetadata, configuration: MembershipConfiguration = .lan, seed: UInt64
    ) {
        precondition(metadata.problem == nil, "metadata of \(life): \(metadata.problem ?? "")")
        precondition(life.epoch < Rumour.numberMax, "epoch of \(life) is not below \(Rumour.numberMax)")
        precondition(configuration.gossipBytesMax >= 2048, "gossipBytesMax below 2048 has no room for a large rumour")
        precondition(configuration.syncBytesMax >= 2048, "syncBytesMax below 2048 has no room for a large rumour")
        precondition(configuration.membersMax >= 1 && configuration.gossipInterval > .zero)
        self.life = life
        self.configuration = configuration
        clock = AwakeClock(pauseNoticedAfter: configuration.pauseNoticedAfter)
        random = SeededGenerator(seed: seed)
        health = LocalHealth(max: configuration.localHealthMax)
        joinWait = configuration.joinBackoff.lowerBound
        settling = Settling(configuration)
        table.put(MemberTable.Entry(member: Member(life: life, metadata: metadata)))
    }

    // MARK: - Surface

    /// Present members as they are believed to be right now, unsettled, sorted by id.
    package var members: [Member] { table.present }
    /// What is believed of that member, present or remembered.
    package func member(_ id: MemberID) -> Member? { table[id]?.member }
    /// This node as the others see it.
    package var ownMember: Member { own.member }
    /// Smoothed time from a direct ping to its answer.
    package func roundTrip(of id: MemberID) -> Duration? { table[id]?.roundTrip }
    /// Lifeguard's score: 0 is well, `localHealthMax` is in trouble.
    package var localHealth: Int { health.score }
    /// How much of the shell's time this node was paused.
    package var timePaused: Duration { clock.paused }
    /// Equal on nodes that believe the same of everybody, incarnations and suspicions included.
    package var tableDigest: UInt64 { table.digest }

    /// `now` never goes back. What is due is done with every event, so a late `tick` delays nothing that moves anyway.
    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        switch (phase, event) {
        case (.stopped, _): return []
        case (.idle, .started(let seeds)): start(seeds, at: now)
        case (.idle, _): return []
        default:
            readClock(now)
            // The event first: an answer that lies in the buffer counts, even when its deadline has come too.
            react(to: event)
        }
        if phase != .stopped { doWhatIsDue() }
        wakeUpAsked = phase == .stopped ? nil : soonest()
        nextWakeUp = wakeUpAsked.map(clock.outer)
        defer { actions = [] }
        return actions
    }

    // MARK: - Events

    private mutating func react(to event: Event) {
        switch event {
        case .started, .tick: break
        case .seedsFound(let seeds): setSeeds(seeds)
        case .received(let message, let sender): received(message, from: sender)
        case .connected(let peer): connected(peer)
        case .disconnected(let peer): disconnected(peer)
        case .couldNotConnect(let peer, .refused): refused(peer)
        // Silence of a connection says no more than silence to a probe; whoever rejects us is at least there. Both are
        // left to the probes, and a seed that did not answer is simply called again.
        case .couldNotConnect(_, .silent), .couldNotConnect(_, .rejected), .couldNotReach: break
        case .leasesSeen(let sightings): leasesSeen(sightings)
        case .metadataChanged(let metadata): changeMetadata(metadata)
        case .leaveRequested: leave()
        }
    }

    private mutating func start(_ seeds: [PeerAddress], at outer: Duration) {
        now = clock.read(outer, expected: nil).now
        phase = .running
        setSeeds(seeds)
        // Nodes that start together shall not probe in step.
        nextProbeAt = now + random.duration(in: .zero...configuration.probeInterval)
        nextSyncAt = now + random.duration(in: .zero...configuration.syncInterval)
        nextCallAt = now
        settling.began(at: now, hasSeeds: !self.seeds.isEmpty)
    }

    /// Notices when we were late, and when we were gone.
    private mutating func readClock(_ outer: Duration) {
        let reading = clock.read(outer, expected: wakeUpAsked)
        now = reading.now
        if reading.wasPaused {
            counters.pausesNoticed += 1
            health.worsen()
            // What was said about us meanwhile shall be heard soon.
            nextSyncAt = now
        } else if reading.lateness > configuration.probeTimeout {
            counters.latenessNoticed += 1
            health.worsen()
        }
    }

    // MARK: - Time

    private mutating func doWhatIsDue() {
        if case .leaving(let until) = phase {
            gossipIfDue()
            if now >= until {
                phase = .stopped
                actions.append(.departed)
            }
            return
        }
        actOnDoubts()
        advanceRelays()
        advanceProbes()
        syncIfDue()
        callIfDue()
        publishIfSettled()
        gossipIfDue()
    }

    private mutating func soonest() -> Duration? {
        var soonest: Duration?
        func consider(_ time: Duration?) {
            if let time { soonest = soonest.map { min($0, time) } ?? time }
        }
        consider(gossipDueAt)
        if case .leaving(let until) = phase {
            consider(until)
            return soonest
        }
        consider(nextProbeAt)
        for probe in probes { consider(probe.dueAt) }
        for relay in relays { consider(relay.dueAt) }
        consider(doubts.dueAt(configuration))
        consider(nextSyncAt)
        consider(callDueAt)
        consider(settling.dueAt)
        return soonest
    }

    // MARK: - Ourselves

    var own: MemberTable.Entry {
        // Put in by `init` and never taken out.
        table[life]!
    }

    var memberCount: Int { table.presentCount }

    /// Says something new about ourselves. The only place where an incarnation is raised.
    mutating func declare(above heard: UInt64 = 0, _ change: (inout Member) -> Void) {
        var entry = own
        let before = entry.member
        change(&entry.member)
        entry.member.incarnation = max(entry.member.incarnation, heard) + 1
        table.put(entry)
        enqueue(entry.rumour)
        if entry.member.metadata != before.metadata {
            actions.append(.changed(MemberChange(member: entry.member, before: before.status, reason: .metadata)))
            settling.changed(at: now)
        }
    }

    private mutating func changeMetadata(_ metadata: MemberMetadata) {
        precondition(metadata.problem == nil, "metadata of \(life): \(metadata.problem ?? "")")
        guard phase == .running, metadata != own.member.metadata else { return }
        declare { $0.metadata = metadata }
    }

    private mutating func leave() {
        guard phase == .running else { return }
        declare { $0.status = .left }
        let told = table.sample(configuration.leaveToldMax, using: &random) { [life] entry in
            entry.member.life.id != life.id && entry.member.status.isReachable
        }
        for entry in told { send(.gossip([own.rumour]), to: entry.member) }
        phase = .leaving(until: told.isEmpty ? now : now + configuration.leaveLinger)
    }

    /// A newer life of us exists. Nothing that we still meant to say matters.
    mutating func stop(replacedBy newer: MemberLife) {
        phase = .stopped
        actions = [.replaced(by: newer)]
    }

    mutating func send(_ message: MembershipMessage, to member: Member) {
        actions.append(.send(message, to: member.life, at: member.metadata.peerAddress))
    }
}
