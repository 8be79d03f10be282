import Logging
package import Membership
import Synchronization
import WireProtocol

// MARK: - What others see

extension ClusterActorSystem {
    /// The view that placement uses; nil before the first one.
    package var view: MembershipView? { membership.placed?.view }

    /// Views as they are published, the current one first. Who is slow sees the newest and misses those between.
    package func views() -> AsyncStream<MembershipView> { membership.views() }

    /// Members as they are believed to be right now, which may be ahead of the view; sorted by name.
    package var members: [Member] { membership.members }

    /// The node that a virtual actor belongs to by the present view.
    package func owner(of key: VirtualActorKey) -> MemberID? { membership.placed?.owner(of: key) }

    /// The operator changed what this node tells of itself: its state, its capacity.
    package func changeMetadata(_ metadata: MemberMetadata) { membership.tell(.metadataChanged(metadata)) }

    /// The lease rows were read: a node that still renews its lease is not dead.
    package func leasesSeen(_ leases: [LeaseSighting]) { membership.tell(.leasesSeen(leases)) }

    /// More addresses of nodes were found.
    package func seedsFound(_ seeds: [PeerAddress]) { membership.tell(.seedsFound(seeds)) }

    /// Waits until the actor, or the life of the node it is on, has come to an end. A virtual actor has none: it moves.
    package func terminated(_ id: ClusterActorID) async throws -> Termination {
        guard case .named(_, let life) = id else {
            preconditionFailure("\(id) moves between nodes and never ends")
        }
        let isOurs = life == self.life
        return try await watchers.wait(id, on: life, isOurs: isOurs) {
            if isOurs, case .named(let name, _) = id {
                return directory.withLock { $0.actor(name) } == nil ? .released : nil
            }
            guard let member = membership.member(life.id) else { return view == nil ? nil : .nodeDied }
            return member.life.epoch > life.epoch ? .nodeReplaced(by: member.life) : nil
        }
    }
}

// MARK: - The loop

extension ClusterActorSystem {
    enum MembershipEnd: Sendable {
        case departed
        case replaced(by: MemberLife?)
        case cancelled
    }

    /// Feeds the `Membership` value and does what it says, until it says that this node is out.
    func runMembership(seeds: [PeerAddress]) async -> MembershipEnd {
        var machine = Membership(
            life: life, metadata: configuration.metadata, configuration: configuration.membership,
            seed: membership.seed)
        defer { membership.end() }
        var events: [Membership.Event] = [.started(seeds: seeds)]
        while !Task.isCancelled {
            if membership.isDisowned {
                log.error("a peer knows a newer life of this node", metadata: ["life": "\(life)"])
                return .replaced(by: nil)
            }
            for event in events {
                let actions = machine.handle(event, at: timeline.now)
                if actions.contains(where: \.changesMembers) { membership.update(machine.members) }
                for action in actions {
                    if let end = perform(action) { return end }
                }
            }
            events = membership.take()
            if let wakeUp = machine.nextWakeUp, wakeUp <= timeline.now {
                events.append(.tick)
            } else if events.isEmpty {
                await membership.bell.wait(until: machine.nextWakeUp, on: timeline)
            }
        }
        return .cancelled
    }

    private func perform(_ action: Membership.Action) -> MembershipEnd? {
        switch action {
        case .send(let message, let life, let address): send(message, to: life, at: address)
        case .connect(let address, let expected): connect(address, expecting: expected)
        case .publish(let view): publish(view)
        case .changed(let change): tell(change)
        case .replaced(let newer):
            log.error("a newer life of this node exists", metadata: ["life": "\(life)", "newer": "\(newer)"])
            return .replaced(by: newer)
        case .departed:
            log.info("left the cluster", metadata: ["life": "\(life)"])
            return .departed
        }
        return nil
    }

    private func publish(_ view: MembershipView) {
        membership.publish(view)
        log.info(
            "view published",
            metadata: ["view": "\(view.number)", "digest": "\(view.digest)", "members": "\(view.members.count)"])
        leaveMovedKeys()
    }

    private func tell(_ change: MemberChange) {
        let member = change.member
        log.info(
            "member changed",
            metadata: [
                "member": "\(member.life)", "status": "\(member.status)",
                "before": "\(change.before.map { "\($0)" } ?? "-")",
                "reason": "\(change.reason)",
            ])
        switch member.status {
        case .dead: watchers.nodeEnded(member.life, .nodeDied)
        case .left: watchers.nodeEnded(member.life, .nodeLeft)
        case .alive, .suspect, .unreachable: watchers.nodeLives(member.life)
        }
        if member.status == .dead || member.status == .left { forgetLinks(to: member.life) }
    }
}

extension Membership.Action {
    fileprivate var changesMembers: Bool {
        switch self {
        case .publish, .changed: true
        case .send, .connect, .replaced, .departed: false
        }
    }
}

extension PeerLife {
    init(_ life: MemberLife) { self.init(name: life.id.rawValue, epoch: life.epoch) }
}

extension MemberLife {
    /// Nil for a name that is none, which no handshake lets through.
    init?(_ life: PeerLife) {
        guard let id = MemberID(life.name) else { return nil }
        self.init(id: id, epoch: life.epoch)
    }
}
