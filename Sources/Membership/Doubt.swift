/// What this node holds against a member that is not simply alive, and when it will act on it.
struct Doubt: Sendable {
    let life: MemberLife
    let incarnation: UInt64
    let status: MemberStatus
    /// When this status was taken up here.
    let since: Duration

    // Suspect.
    let suspicion: Suspicion
    private(set) var accusers: [MemberID] = []
    private var suspectUntil: Duration

    // Suspect or unreachable: refused connections.
    private(set) var witnesses: [MemberID] = []
    private(set) var ownRefusals = 0
    private var lastOwnRefusalAt: Duration?
    /// When to try the connection again.
    var redialAt: Duration?

    /// The last sign of life that was seen here: it spoke to us, or its lease was renewed.
    private(set) var lastSignAt: Duration?
    /// When we last told it what is said about it.
    var toldAt: Duration?

    init(
        _ member: Member, suspicion: Suspicion, accuser: MemberID?, isRefused: Bool, at now: Duration
    ) {
        life = member.life
        incarnation = member.incarnation
        status = member.status
        since = now
        self.suspicion = suspicion
        suspectUntil = now + suspicion.length(confirmations: 0)
        if let accuser {
            accusers = [accuser]
            if isRefused { witnesses = [accuser] }
        }
    }

    /// Whether it is about exactly that state of the member.
    func concerns(_ member: Member) -> Bool { life == member.life && incarnation == member.incarnation }

    /// Another one accuses. Answers whether that changed anything, and so is worth telling on.
    mutating func accused(by accuser: MemberID, isRefused: Bool) -> Bool {
        var isNew = false
        if status == .suspect, accusers.count <= suspicion.confirmationsMax, !accusers.contains(accuser) {
            accusers.append(accuser)
            suspectUntil = min(suspectUntil, since + suspicion.length(confirmations: accusers.count - 1))
            isNew = true
        }
        // Two witnesses are enough; more would only make noise.
        if isRefused, witnesses.count < 2, !witnesses.contains(accuser) {
            witnesses.append(accuser)
            isNew = true
        }
        return isNew
    }

    /// Whether further accusers would still shorten the suspicion.
    var isOpen: Bool { suspectUntil > since + suspicion.shortest }

    /// No more accusers are needed.
    mutating func confirmed() { suspectUntil = since + suspicion.shortest }

    /// Our own connection was refused. Refusals of one moment count as one.
    mutating func refused(at now: Duration, spacing: Duration) {
        if let lastOwnRefusalAt, now - lastOwnRefusalAt < spacing * 3 / 4 { return }
        lastOwnRefusalAt = now
        ownRefusals += 1
    }

    /// The status changed and the evidence stays.
    mutating func keepRefusals(of earlier: Doubt) {
        guard earlier.incarnation == incarnation else { return }
        for witness in earlier.witnesses where witnesses.count < 2 && !witnesses.contains(witness) {
            witnesses.append(witness)
        }
        ownRefusals = earlier.ownRefusals
        lastOwnRefusalAt = earlier.lastOwnRefusalAt
        redialAt = earlier.redialAt
        lastSignAt = earlier.lastSignAt
        toldAt = earlier.toldAt
    }

    /// It lives: refusals so far are void. Answers whether there were any.
    mutating func showedLife(at now: Duration) -> Bool {
        defer {
            witnesses.removeAll()
            ownRefusals = 0
            lastSignAt = max(now, lastSignAt ?? now)
        }
        return !witnesses.isEmpty
    }

    /// When the status runs out, if nothing happens.
    func deadline(_ configuration: MembershipConfiguration) -> Duration? {
        switch status {
        case .alive: nil
        case .suspect: suspectUntil
        case .unreachable: max(since, lastSignAt ?? since) + configuration.silenceBeforeDeath
        case .dead, .left: since + configuration.deadMemory
        }
    }

    /// When something is due about it.
    func dueAt(_ configuration: MembershipConfiguration) -> Duration? {
        guard let redialAt else { return deadline(configuration) }
        return deadline(configuration).map { min($0, redialAt) } ?? redialAt
    }
}

/// All doubts, sorted by id.
struct DoubtBook: Sendable {
    private(set) var doubts: [Doubt] = []
    private(set) var suspectCount = 0
    /// When the next one is due.
    private var nextDue: Duration?
    private var isNextDueKnown = true

    subscript(life: MemberLife) -> Doubt? {
        let place = lowerBound(life.id)
        guard place < doubts.count, doubts[place].life == life else { return nil }
        return doubts[place]
    }

    mutating func put(_ doubt: Doubt) {
        isNextDueKnown = false
        let place = lowerBound(doubt.life.id)
        if doubt.status == .suspect { suspectCount += 1 }
        if place < doubts.count, doubts[place].life.id == doubt.life.id {
            if doubts[place].status == .suspect { suspectCount -= 1 }
            doubts[place] = doubt
        } else {
            doubts.insert(doubt, at: place)
        }
    }

    mutating func remove(_ id: MemberID) {
        let place = lowerBound(id)
        guard place < doubts.count, doubts[place].life.id == id else { return }
        isNextDueKnown = false
        if doubts[place].status == .suspect { suspectCount -= 1 }
        doubts.remove(at: place)
    }

    mutating func dueAt(_ configuration: MembershipConfiguration) -> Duration? {
        if !isNextDueKnown {
            nextDue = doubts.lazy.compactMap { $0.dueAt(configuration) }.min()
            isNextDueKnown = true
        }
        return nextDue
    }

    private func lowerBound(_ id: MemberID) -> Int {
        var low = 0, high = doubts.count
        while low < high {
            let middle = (low + high) / 2
            if doubts[middle].life.id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
