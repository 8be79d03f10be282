import Membership
import Testing

/// Bugs that we planted between a machine and its shell, and the story whose checks must find each of them. A check
/// that never fails is no check.
@Suite struct PlantedBugTests {
    @Test(arguments: PlantedBug.all)
    func `a planted bug is caught`(bug: PlantedBug) throws {
        let scenario = try #require(Scenario.all.first { $0.name == bug.scenario }, "\(bug.scenario)")
        var caught: String?
        for seed in UInt64(0)..<bug.seeds where caught == nil {
            let healthy = scenario.run(seed: seed).record.violations
            #expect(healthy.isEmpty, "seed \(seed) fails without the bug: \(healthy)")
            caught = scenario.run(seed: seed, tamper: bug.tamper).record.violations.first
        }
        let finding = try #require(caught, "\(bug.tamper.name) was not noticed in \(bug.seeds) runs")
        print("\(bug.tamper.name): \(finding)")
    }
}

struct PlantedBug: Sendable, CustomTestStringConvertible {
    let tamper: Tamper
    let scenario: String
    /// A bug that only some runs show is looked for in so many.
    var seeds: UInt64 = 10

    var testDescription: String { tamper.name }
}

extension PlantedBug {
    static let all = [
        PlantedBug(
            tamper: .rewriting("others raise an incarnation") { rumour, teller in
                guard rumour.member.id != teller.id, rumour.member.status == .suspect else { return rumour }
                return rumour.with { $0.incarnation += 1 }
            }, scenario: "half of the messages is lost for half a minute"),
        PlantedBug(
            tamper: .rewriting("a refutation is not told") { rumour, teller in
                rumour.member.life == teller && rumour.member.incarnation > 0 && rumour.member.status == .alive
                    ? nil : rumour
            }, scenario: "eight seconds of SIGSTOP remove nobody"),
        PlantedBug(
            tamper: .rewriting("a silent member is dead at once") { rumour, _ in
                rumour.member.status == .unreachable ? rumour.with { $0.status = .dead } : rumour
            }, scenario: "eight seconds of SIGSTOP remove nobody"),
        PlantedBug(
            tamper: Tamper(
                name: "silence counts as refusal",
                incoming: { event, _, _ in
                    guard case .couldNotConnect(let life, .silent) = event else { return [event] }
                    return [.couldNotConnect(life, .refused)]
                }), scenario: "a short partition in halves"),
        PlantedBug(
            tamper: Tamper(
                name: "a refusal counts as silence",
                incoming: { event, _, _ in
                    guard case .couldNotConnect(let life, .refused) = event else { return [event] }
                    return [.couldNotConnect(life, .silent)]
                }), scenario: "kill -9 is seen within a second"),
        PlantedBug(
            tamper: .hearing("the answer to a sync is lost") { message in
                if case .syncReply = message { nil } else { message }
            }, scenario: "nodes come one after the other, each knowing only the one before"),
        PlantedBug(
            tamper: Tamper(
                name: "a relay answers without asking",
                incoming: { event, _, _ in
                    guard case .received(.pingRequest(let number, let target, _), let sender) = event else {
                        return [event]
                    }
                    // It acknowledges below what it was asked here.
                    return [.received(.pingRequest(number: number, target: target, gossip: []), from: sender)]
                },
                outgoing: { action, _, _ in
                    guard case .send(.nack(let number, _, let gossip), let recipient, let address) = action else {
                        return [action]
                    }
                    return [.send(.ack(number: number, gossip: gossip), to: recipient, at: address)]
                }), scenario: "a host is lost without a word"),
        PlantedBug(
            tamper: .hearing("requests to relays are lost") { message in
                if case .pingRequest = message { nil } else { message }
            }, scenario: "two nodes cannot talk to each other, everybody else can"),
        PlantedBug(
            tamper: Tamper(
                name: "a view is published under the number before",
                outgoing: { action, _, _ in
                    guard case .publish(let view) = action, view.number > 1 else { return [action] }
                    return [.publish(MembershipView(number: view.number - 1, members: view.members))]
                }), scenario: "three nodes start together"),
        PlantedBug(
            tamper: Tamper(
                name: "changes are not gathered into one view",
                configure: {
                    $0.settling = .zero
                    $0.settlingMax = .zero
                }), scenario: "a rack of four of nine is killed"),
        PlantedBug(
            tamper: Tamper(
                name: "leases are not looked at",
                incoming: { event, _, _ in
                    if case .leasesSeen = event { [] } else { [event] }
                }), scenario: "a long partition with leases buries nobody"),
        PlantedBug(
            tamper: Tamper(
                name: "a lease that nobody renews counts as renewed",
                incoming: { event, world, _ in
                    guard case .leasesSeen(let sightings) = event else { return [event] }
                    let now = UInt64(1_000_000 + world.now / 1000)
                    return [.leasesSeen(sightings.map { LeaseSighting(life: $0.life, renewedAt: now, age: .zero) })]
                }), scenario: "a host is lost without a word"),
        PlantedBug(
            tamper: .rewriting("a farewell is taken for a death") { rumour, _ in
                rumour.member.status == .left ? rumour.with { $0.status = .dead } : rumour
            }, scenario: "a node takes its leave"),
        PlantedBug(
            tamper: Tamper(
                name: "a life of old is listened to",
                incoming: { event, world, index in
                    // The handshake forgets the epoch: whoever has the name is taken for the life we know.
                    let known = { world.nodes[index].machine?.member($0.id)?.life ?? $0 } as (MemberLife) -> MemberLife
                    return switch event {
                    case .received(let message, let sender): [.received(message, from: known(sender))]
                    case .connected(let peer): [.connected(known(peer))]
                    default: [event]
                    }
                }), scenario: "a clock was set back before a restart"),
        PlantedBug(
            tamper: .rewriting("epochs are not told apart") { rumour, _ in
                rumour.with(life: MemberLife(id: rumour.member.id, epoch: 1_000_000))
            }, scenario: "a node is restarted at once"),
        PlantedBug(
            tamper: Tamper(
                name: "a pause of our own goes unnoticed",
                incoming: { event, world, index in
                    // A shell that makes up for the ticks it missed, one by one, before it reads what has arrived.
                    world.catchUp(index)
                    return [event]
                }), scenario: "eight seconds of SIGSTOP remove nobody"),
        PlantedBug(
            tamper: Tamper(
                name: "the dead and the seeds are never called again",
                outgoing: { action, world, _ in
                    guard case .connect = action, world.now > 40_000_000 else { return [action] }
                    return []
                }), scenario: "a long partition: the halves bury each other and heal"),
        PlantedBug(
            tamper: Tamper(
                name: "gossip waits for the next sync",
                outgoing: { action, _, _ in
                    guard case .send(let message, let recipient, let address) = action else { return [action] }
                    return message.withoutGossip.map { [.send($0, to: recipient, at: address)] } ?? []
                }), scenario: "a node takes its leave"),
        PlantedBug(
            tamper: Tamper(
                name: "a new name for the same facts",
                outgoing: { action, _, _ in
                    guard case .publish(let view) = action else { return [action] }
                    let next = MembershipView(number: view.number + 1, members: view.members)
                    return [action, .publish(next)]
                }), scenario: "three nodes start together"),
    ]
}

// MARK: - Ways to plant

extension Tamper {
    /// Changes rumours on their way out; nil drops one.
    static func rewriting(_ name: String, _ change: @escaping @Sendable (Rumour, MemberLife) -> Rumour?) -> Tamper {
        Tamper(
            name: name,
            outgoing: { action, world, index in
                guard case .send(let message, let recipient, let address) = action else { return [action] }
                guard let teller = world.nodes[index].life else { return [action] }
                return [.send(message.mapping { change($0, teller) }, to: recipient, at: address)]
            })
    }

    /// Changes messages on their way in; nil drops one.
    static func hearing(
        _ name: String, _ change: @escaping @Sendable (MembershipMessage) -> MembershipMessage?
    ) -> Tamper {
        Tamper(
            name: name,
            incoming: { event, _, _ in
                guard case .received(let message, let sender) = event else { return [event] }
                return change(message).map { [.received($0, from: sender)] } ?? []
            })
    }
}

extension Rumour {
    func with(life: MemberLife? = nil, _ change: (inout Member) -> Void = { _ in }) -> Rumour {
        var changed = Member(
            life: life ?? member.life, incarnation: member.incarnation, status: member.status,
            metadata: member.metadata)
        change(&changed)
        return Rumour(changed, leaseStamp: leaseStamp, accuser: accuser, isRefused: isRefused)
    }
}

extension MembershipMessage {
    func mapping(_ change: (Rumour) -> Rumour?) -> MembershipMessage {
        let rumours = rumours.compactMap(change)
        return switch self {
        case .ping(let number, let target, _): .ping(number: number, target: target, gossip: rumours)
        case .ack(let number, _): .ack(number: number, gossip: rumours)
        case .pingRequest(let number, let target, _): .pingRequest(number: number, target: target, gossip: rumours)
        case .nack(let number, let isRefused, _): .nack(number: number, isRefused: isRefused, gossip: rumours)
        case .gossip: .gossip(rumours)
        case .sync(let digest, _): .sync(digest: digest, gossip: rumours)
        case .syncReply(_, let isLast): .syncReply(rumours: rumours, isLast: isLast)
        }
    }

    /// Only a sync still carries rumours.
    var withoutGossip: MembershipMessage? {
        switch self {
        case .gossip: nil
        case .sync, .syncReply: self
        case .ping, .ack, .pingRequest, .nack: mapping { _ in nil }
        }
    }
}

extension World {
    /// Plays the ticks that the node missed, as if each had come when it was due.
    func catchUp(_ index: Int) {
        let now = nodes[index].localTime(now)
        while let due = nodes[index].machine?.nextWakeUp, now - due > .milliseconds(100) {
            for action in nodes[index].machine?.handle(.tick, at: due) ?? [] { act(index, action) }
        }
    }
}
