package import Membership

/// Why a check gets no answer from the owner.
package enum CheckFailure: String, Hashable, Sendable, CaseIterable {
    /// A call to it failed or took too long, just now or within the pause.
    case unreachable
    /// Too many checks wait for it already.
    case crowded
    /// It does not know the policy, or finds the item wrong: another release or another configuration.
    case notUnderstood = "not_understood"
    /// No member can hold keys, or two nodes in a row said that the key is somebody else's.
    case ownerless
    /// The limiter does not run, or not any more.
    case closed
}

/// What becomes of a check that asked another node.
package enum CheckVerdict: Hashable, Sendable {
    case decided(LimitDecision)
    case elsewhere(owner: MemberID?)
    case failed(CheckFailure)
}

/// The checks of this node that wait for one owner. While a call is under way they gather, and then leave together:
/// at most one call to an owner is in flight, so the more there is to ask, the more each call carries.
///
/// `idle` -> in flight (something waits) -> `idle` (answered), `paused` (failed)
/// `paused` -> `idle` (the pause is over; the next check finds out whether the owner is back)
///
/// `Waiter` is whatever is to be told: a continuation in the shell, a number in tests.
package struct CheckBatcher<Waiter: Sendable>: Sendable {
    private struct Group: Sendable {
        let key: LimitKey
        let quantity: Int
        var waiters: [Waiter] = []
        var wish = 0
    }

    private struct GroupKey: Hashable, Sendable {
        let key: LimitKey
        let quantity: Int
    }

    private struct Flight: Sendable {
        let groups: [Group]
        let askedAt: Nanoseconds
    }

    /// What an answer brought.
    package struct Landing: Sendable {
        package var verdicts: [(waiter: Waiter, verdict: CheckVerdict)] = []
        package var slices: [(key: LimitKey, slice: LentSlice)] = []
        /// Slices are trusted from here.
        package var askedAt: Nanoseconds = 0
    }

    private let sender: MemberID
    private let policies: LimitPolicies
    private let limits: LimiterConfiguration
    private var groups: [Group] = []
    private var places: [GroupKey: Int] = [:]
    private var returns: [SliceReturn] = []
    private var flight: Flight?
    private var failures = 0
    private var pausedUntil = Nanoseconds.min
    private var isClosed = false
    package private(set) var waitingCount = 0

    package init(sender: MemberID, policies: LimitPolicies, limits: LimiterConfiguration) {
        self.sender = sender
        self.policies = policies
        self.limits = limits
    }

    /// Whether there is something to send.
    package var isReady: Bool { flight == nil && !(groups.isEmpty && returns.isEmpty) }

    // MARK: Events

    /// A check wants an answer. Nil: it waits for one.
    package mutating func asked(
        _ key: LimitKey, quantity: Int, _ waiter: Waiter, at now: Nanoseconds
    ) -> CheckFailure? {
        if isClosed { return .closed }
        if now < pausedUntil { return .unreachable }
        guard waitingCount < limits.waitingMax else { return .crowded }
        groups[place(of: key, quantity)].waiters.append(waiter)
        waitingCount += 1
        return nil
    }

    /// A slice runs low. A wish that finds no room or no owner is forgotten: the next check asks.
    package mutating func wished(_ units: Int, of key: LimitKey, at now: Nanoseconds) {
        guard !isClosed, now >= pausedUntil, groups.count < limits.waitingMax else { return }
        let place = place(of: key, 1)
        groups[place].wish = max(groups[place].wish, units)
    }

    /// A slice goes back; when there is no room, it ends by itself.
    package mutating func returned(_ slice: SliceReturn, at now: Nanoseconds) {
        guard !isClosed, now >= pausedUntil, returns.count < limits.itemsPerCallMax else { return }
        returns.append(slice)
    }

    /// What leaves now; nil when nothing waits or a call is under way.
    package mutating func depart(at now: Nanoseconds) -> CheckBatch? {
        guard isReady else { return nil }
        let leaving = Array(groups.prefix(limits.itemsPerCallMax))
        groups.removeFirst(leaving.count)
        places = [:]
        for (place, group) in groups.enumerated() {
            places[GroupKey(key: group.key, quantity: group.quantity)] = place
        }
        waitingCount -= leaving.reduce(0) { $0 + $1.waiters.count }
        flight = Flight(groups: leaving, askedAt: now)
        defer { returns = [] }
        return batch(leaving, returns)
    }

    /// The owner answered.
    package mutating func landed(_ reply: CheckReply, at now: Nanoseconds) -> Landing {
        guard let flight else { return Landing() }
        self.flight = nil
        failures = 0
        pausedUntil = .min
        var landing = Landing(askedAt: flight.askedAt)
        for (place, group) in flight.groups.enumerated() {
            // A reply that is too short is a wrong one.
            let answer = place < reply.answers.count ? reply.answers[place] : .invalid
            if case .decided(let decision) = answer {
                add(decision, to: group, &landing)
            } else {
                let verdict = Self.verdict(answer)
                landing.verdicts += group.waiters.map { ($0, verdict) }
            }
        }
        return landing
    }

    /// The call failed or took too long. Everybody is told, also those who only wait: the owner is left alone for a
    /// while.
    package mutating func failed(at now: Nanoseconds) -> [Waiter] {
        failures += 1
        let growth = Int64(1) << min(failures - 1, 20)
        let pause = min(limits.pause * Int(growth), limits.pauseMax)
        pausedUntil = now.advanced(atMostBy: pause.wholeNanoseconds)
        return empty()
    }

    /// The owner began a new life, or left: what was learned of it does not count any more.
    package mutating func forgive() {
        failures = 0
        pausedUntil = .min
    }

    /// Nothing more will be sent.
    package mutating func close() -> [Waiter] {
        isClosed = true
        return empty()
    }

    // MARK: Inside

    private mutating func empty() -> [Waiter] {
        let told = ((flight?.groups ?? []) + groups).flatMap(\.waiters)
        flight = nil
        groups = []
        places = [:]
        returns = []
        waitingCount = 0
        return told
    }

    private mutating func place(of key: LimitKey, _ quantity: Int) -> Int {
        let group = GroupKey(key: key, quantity: quantity)
        if let place = places[group] { return place }
        places[group] = groups.count
        groups.append(Group(key: key, quantity: quantity))
        return groups.count - 1
    }

    /// A key that is asked for often within one call gets a wish: four times what the call asks for, which is about
    /// four calls saved. Later wishes grow with what is really spent (`SlicePurse`).
    private func wish(of group: Group) -> Int {
        guard group.waiters.count >= limits.hotChecksMin else { return group.wish }
        let (units, overflow) = group.quantity.multipliedReportingOverflow(by: 4 * group.waiters.count)
        return max(group.wish, overflow ? LimitPolicy.burstMax : min(units, LimitPolicy.burstMax))
    }

    private func batch(_ groups: [Group], _ returns: [SliceReturn]) -> CheckBatch {
        var names: [String] = []
        var numbers: [Int: Int] = [:]
        func number(_ policy: Int) -> Int {
            if let known = numbers[policy] { return known }
            numbers[policy] = names.count
            names.append(policies[policy].policy.name)
            return names.count - 1
        }
        let items = groups.map { group in
            CheckBatch.Item(
                policy: number(group.key.policy), subject: group.key.subject, quantity: group.quantity,
                count: group.waiters.count, wish: wish(of: group))
        }
        let back = returns.map { slice in
            CheckBatch.Return(
                policy: number(slice.key.policy), subject: slice.key.subject, number: slice.number,
                unspent: slice.unspent)
        }
        return CheckBatch(sender: sender, policies: names, items: items, returns: back)
    }

    private func add(_ decision: ItemDecision, to group: Group, _ landing: inout Landing) {
        if let slice = decision.slice { landing.slices.append((group.key, slice)) }
        let admitted = min(max(decision.admitted, 0), group.waiters.count)
        let remaining = min(max(decision.remaining, 0), LimitPolicy.burstMax)
        let resetAfter = max(decision.resetAfter, 0)
        for (place, waiter) in group.waiters.enumerated() {
            let outcome: LimitDecision.Outcome =
                place < admitted
                ? .allowed : decision.retryAfter.map { .refused(retryAfter: max($0, 0)) } ?? .exceedsBurst
            // Those that were admitted first had those after them still before them.
            let later = place < admitted ? (admitted - 1 - place) &* group.quantity : 0
            let verdict = LimitDecision(outcome, remaining: remaining &+ later, resetAfter: resetAfter)
            landing.verdicts.append((waiter, .decided(verdict)))
        }
    }

    private static func verdict(_ answer: ItemAnswer) -> CheckVerdict {
        switch answer {
        case .elsewhere(let owner): .elsewhere(owner: owner)
        case .decided, .unknownPolicy, .invalid: .failed(.notUnderstood)
        }
    }
}
