/// When the members have settled enough to be published as a view.
///
/// A change waits `settling` for others, each change anew, and for suspicions that are still open: a rack is never lost
/// in one instant. But it never waits longer than `settlingMax`.
struct Settling: Sendable {
    private let window: Duration
    private let longest: Duration
    private let firstWait: Duration
    private(set) var dueAt: Duration?
    private var changedAt: Duration?
    /// Until then a node that knows nobody publishes nothing.
    private var aloneUntil: Duration?

    init(_ configuration: MembershipConfiguration) {
        window = configuration.settling
        longest = configuration.settlingMax
        firstWait = configuration.firstViewWait
    }

    /// Whether a change waits to be published.
    var isWaiting: Bool { changedAt != nil }

    /// The first view waits for the others, unless there is nobody to wait for.
    mutating func began(at now: Duration, hasSeeds: Bool) {
        aloneUntil = hasSeeds ? now + firstWait : now
        dueAt = aloneUntil
    }

    mutating func changed(at now: Duration) {
        let first = changedAt ?? now
        changedAt = first
        dueAt = min(first + longest, now + window)
    }

    /// The last word about a suspect was said; a change that waited for it need not wait for long any more.
    mutating func suspicionEnded(at now: Duration) {
        guard let changedAt else { return }
        dueAt = min(changedAt + longest, now + window)
    }

    /// Whether to publish now. `areSuspicionsOpen` makes a change wait longer.
    mutating func isOver(at now: Duration, areSuspicionsOpen: Bool, isAlone: Bool) -> Bool {
        guard let dueAt, dueAt <= now else { return false }
        if isAlone, let aloneUntil, now < aloneUntil {
            self.dueAt = aloneUntil
            return false
        }
        if let changedAt, areSuspicionsOpen, now < changedAt + longest {
            self.dueAt = changedAt + longest
            return false
        }
        self.dueAt = nil
        changedAt = nil
        aloneUntil = nil
        return true
    }
}

extension Membership {
    mutating func publishIfSettled() {
        guard settling.isOver(at: now, areSuspicionsOpen: doubts.suspectCount > 0, isAlone: isAlone) else { return }
        let next = MembershipView(number: (view?.number ?? 0) + 1, members: table.present)
        // What changed may have changed back.
        guard next.digest != view?.digest else { return }
        view = next
        counters.viewsPublished += 1
        actions.append(.publish(next))
    }
}
