import Limits
import Membership

/// The smallest world with a lender in it: one key, its owner, one borrower, and letters between them that may be late,
/// lost or, where the protocol allows it, sent twice. (A call has at most one reply, so answers are not.) Time goes in
/// steps of a millisecond.
///
/// A state is a value, so every history up to a length can be looked at, and long ones at random.
struct SliceWorld: Hashable {
    /// Mistakes that the bound must not survive: that the checker notices them is what it is worth.
    enum Fault: CaseIterable {
        /// The borrower counts the lease from the answer, not from the question.
        case trustsFromAnswer
        /// The lender counts a shorter lease than the borrower.
        case forgetsEarly
        /// A return that came twice is put back twice.
        case putsBackTwice
        /// The lender does not look at what is outstanding.
        case lendsWithoutBound
        /// Lent units are not taken from the bucket.
        case lendsForNothing
    }

    enum Letter: Hashable {
        case question(askedAt: Nanoseconds)
        case answer(LentSlice, askedAt: Nanoseconds)
        case comesBack(number: UInt64, unspent: Int)

        var isAnswer: Bool { if case .answer = self { true } else { false } }
    }

    enum Event: Hashable {
        case timePasses, ownerAdmits, borrowerSpends, borrowerAsks, borrowerGivesBack
        case arrives(Int), isLost(Int), isDoubled(Int)
    }

    static let lettersMax = 2
    static let hot = key("hot")
    static let owner = member("owner")
    static let borrower = member("borrower")

    let policy: LimitPolicy
    let rule: GCRA
    let fault: Fault?
    /// In milliseconds.
    let lease: Nanoseconds
    let margin: Nanoseconds
    private(set) var now: Nanoseconds = 0
    private(set) var bucket: GCRA.Arrival
    private(set) var ledger = SliceLedger(slicesMax: 4, firstNumber: 0)
    private(set) var purse = SlicePurse(keysMax: 1)
    private(set) var letters: [Letter] = []
    private(set) var checker: BoundChecker

    /// One unit comes back in `step` milliseconds.
    init(
        burst: Int, lentUnitsMax: Int, unitEvery step: Int, lease: Int = 6, margin: Int = 1, fault: Fault? = nil
    ) throws {
        policy = try LimitPolicy(
            "api", limit: 1, per: .milliseconds(step), burst: burst, lentUnitsMax: lentUnitsMax)
        rule = GCRA(policy)
        bucket = rule.full(at: 0)
        checker = BoundChecker(policy)
        self.fault = fault
        self.lease = Nanoseconds(lease)
        self.margin = Nanoseconds(fault == .forgetsEarly ? 1 - lease : margin)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.now == right.now && left.bucket == right.bucket && left.checker == right.checker
            && left.letters == right.letters && left.purse == right.purse && left.ledger == right.ledger
    }

    /// Of what differs between the states of one world, and is cheap.
    func hash(into hasher: inout Hasher) {
        hasher.combine(now)
        hasher.combine(bucket)
        hasher.combine(checker)
        hasher.combine(letters)
        hasher.combine(purse)
    }

    private var clock: Nanoseconds { now * millisecond }

    // MARK: Events

    var events: [Event] {
        var events: [Event] = [.timePasses, .ownerAdmits]
        if !purse.isEmpty { events += [.borrowerSpends, .borrowerGivesBack] }
        let isRoom = letters.count < Self.lettersMax
        if isRoom { events.append(.borrowerAsks) }
        for place in letters.indices {
            events += [.arrives(place), .isLost(place)]
            if isRoom, !letters[place].isAnswer { events.append(.isDoubled(place)) }
        }
        return events
    }

    mutating func happen(_ event: Event) {
        switch event {
        case .timePasses: now += 1
        case .ownerAdmits:
            if rule.take(1, from: &bucket, at: clock).isAllowed { checker.admit(1, at: clock) }
        case .borrowerSpends:
            if purse.pay(1, of: Self.hot, at: clock) != .short { checker.admit(1, at: clock) }
        case .borrowerAsks: letters.append(.question(askedAt: clock))
        case .borrowerGivesBack:
            for (_, slice) in purse.collect(at: clock) where letters.count < Self.lettersMax {
                letters.append(.comesBack(number: slice.number, unspent: slice.unspent))
            }
        case .arrives(let place): deliver(letters.remove(at: place))
        case .isLost(let place): letters.remove(at: place)
        case .isDoubled(let place): deliver(letters[place])
        }
    }

    private mutating func deliver(_ letter: Letter) {
        switch letter {
        case .question(let askedAt): lend(askedAt: askedAt)
        case .answer(let slice, let askedAt):
            let since = fault == .trustsFromAnswer ? clock : askedAt
            _ = purse.received(slice, of: Self.hot, from: Self.owner, askedAt: since, at: clock)
        case .comesBack(let number, let unspent):
            var units = ledger.returned(number, unspent: unspent, of: Self.hot, by: Self.borrower, at: clock)
            if fault == .putsBackTwice { units = unspent }
            rule.putBack(units, into: &bucket, at: clock)
        }
    }

    private mutating func lend(askedAt: Nanoseconds) {
        guard letters.count < Self.lettersMax else { return }
        let terms = LendingTerms(
            rule: rule, lentUnitsMax: fault == .lendsWithoutBound ? 10 * policy.burst : policy.lentUnitsMax,
            unitsMin: 1, lasting: (lease + margin) * millisecond)
        let before = bucket
        guard
            let slice = ledger.lend(
                policy.burst, of: Self.hot, to: Self.borrower, from: &bucket, terms, at: clock)
        else { return }
        if fault == .lendsForNothing { bucket = before }
        letters.append(
            .answer(LentSlice(number: slice.number, units: slice.units, lease: lease * millisecond), askedAt: askedAt))
    }
}

extension SliceWorld {
    struct Exploration {
        var states = 0
        var excess = 0
    }

    /// Looks at every history of up to `depth` events.
    func explore(depth: Int) -> Exploration {
        var exploration = Exploration()
        var level: Set<SliceWorld> = [self]
        var seen: Set<SliceWorld> = [self]
        for _ in 0..<depth {
            var next: Set<SliceWorld> = []
            for state in level {
                for event in state.events {
                    var successor = state
                    successor.happen(event)
                    guard seen.insert(successor).inserted else { continue }
                    exploration.excess = max(exploration.excess, successor.checker.excess)
                    next.insert(successor)
                }
            }
            level = next
        }
        exploration.states = seen.count
        return exploration
    }

    /// One history at random, and then all that can be had at that moment. The greatest excess on the way.
    ///
    /// Each history has its own likes and dislikes (A. Groce et al., "Swarm testing", ISSTA 2012): histories in which
    /// everything is equally likely are all alike.
    func wander(seed: UInt64) -> Int {
        var random = SeededGenerator(seed: seed)
        let weights = (0..<Event.kindCount).map { _ in [0, 1, 1, 3, 9].randomElement(using: &random) ?? 1 }
        var world = self
        for _ in 0..<Int.random(in: 8...80, using: &random) {
            let events = world.events
            let sum = events.reduce(0) { $0 + weights[$1.kind] }
            var draw = sum > 0 ? Int.random(in: 0..<sum, using: &random) : 0
            let event = events.first { event in
                draw -= weights[event.kind]
                return draw < 0
            }
            world.happen(event ?? .timePasses)
        }
        for _ in 0..<2 * policy.burst {
            world.happen(.borrowerSpends)
            world.happen(.ownerAdmits)
        }
        return world.checker.excess
    }
}

extension SliceWorld.Event {
    static let kindCount = 8

    var kind: Int {
        switch self {
        case .timePasses: 0
        case .ownerAdmits: 1
        case .borrowerSpends: 2
        case .borrowerAsks: 3
        case .borrowerGivesBack: 4
        case .arrives: 5
        case .isLost: 6
        case .isDoubled: 7
        }
    }
}
