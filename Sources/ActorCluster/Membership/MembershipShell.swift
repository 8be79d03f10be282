import Membership
import Placement
import Synchronization

/// A view and the placement over it: what a call looks at. One reference, so that looking is cheap.
final class PlacedView: Sendable {
    let view: MembershipView
    let placement: Placement

    init(_ view: MembershipView, _ policy: PlacementPolicy) {
        self.view = view
        placement = Placement(view, policy: policy)
    }

    func owner(of key: VirtualActorKey) -> MemberID? {
        placement.owner(of: PlacementKey(key.key, kind: key.kind, home: key.home))
    }
}

/// What stands between the `Membership` value, which one loop owns, and everybody else: events go in, what is known
/// comes out. The loop is `ClusterActorSystem.runMembership`.
final class MembershipShell: Sendable {
    private struct Inbox {
        var events: [Membership.Event] = []
        var messages = 0
    }

    private struct Known {
        var members: [MemberID: Member] = [:]
        var subscribers: [Int: AsyncStream<MembershipView>.Continuation] = [:]
        var lastSubscriber = 0
    }

    let seed: UInt64
    let bell = Bell()
    private let inboxMax: Int
    private let policy: PlacementPolicy
    private let inbox = Mutex(Inbox())
    private let known = Mutex(Known())
    private let current = Mutex<PlacedView?>(nil)
    private let disowned = Mutex(false)

    init(_ configuration: ClusterConfiguration, seed: UInt64) {
        self.seed = seed
        inboxMax = configuration.membershipInboxMax
        policy = configuration.placement
    }

    // MARK: What goes in

    /// False when a message was dropped because too many wait. Evidence never is: it is bounded by connections.
    @discardableResult
    func tell(_ event: Membership.Event) -> Bool {
        let isTaken = inbox.withLock { inbox -> Bool in
            if case .received = event {
                guard inbox.messages < inboxMax else { return false }
                inbox.messages += 1
            }
            inbox.events.append(event)
            return true
        }
        if isTaken { bell.ring() }
        return isTaken
    }

    /// A peer has turned this node away because it knows a newer life of it. That peer holds a certificate of the
    /// cluster, and a node that is turned away for what it is can only start anew.
    func disown() {
        disowned.withLock { $0 = true }
        bell.ring()
    }

    var isDisowned: Bool { disowned.withLock { $0 } }

    func take() -> [Membership.Event] {
        inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return inbox.events
        }
    }

    // MARK: What is known

    /// The view that placement uses, nil before the first one.
    var placed: PlacedView? { current.withLock { $0 } }

    /// The member of that name as it is believed to be right now, which may be ahead of the view.
    func member(_ id: MemberID) -> Member? { known.withLock { $0.members[id] } }

    var members: [Member] { known.withLock { $0.members.values.sorted { $0.id < $1.id } } }

    func update(_ members: [Member]) {
        let byName = Dictionary(members.map { ($0.id, $0) }) { first, _ in first }
        known.withLock { $0.members = byName }
    }

    func publish(_ view: MembershipView) {
        let placed = PlacedView(view, policy)
        current.withLock { $0 = placed }
        for subscriber in known.withLock({ $0.subscribers.sorted { $0.key < $1.key } }) { subscriber.value.yield(view) }
    }

    /// Views as they are published, the current one first. Who is slow sees the newest and misses those between.
    func views() -> AsyncStream<MembershipView> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: MembershipView.self, bufferingPolicy: .bufferingNewest(1))
        let id = known.withLock { known -> Int in
            known.lastSubscriber += 1
            known.subscribers[known.lastSubscriber] = continuation
            return known.lastSubscriber
        }
        continuation.onTermination = { [weak self] _ in
            self?.known.withLock { _ = $0.subscribers.removeValue(forKey: id) }
        }
        if let view = placed?.view { continuation.yield(view) }
        return stream
    }

    /// Nothing follows.
    func end() {
        let subscribers = known.withLock { known in
            defer { known.subscribers = [:] }
            return known.subscribers
        }
        for subscriber in subscribers.values { subscriber.finish() }
    }
}
