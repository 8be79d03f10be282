import Membership

/// One machine on a workbench: the test is its shell and all of its peers.
struct Bench {
    var machine: Membership
    private(set) var now: Duration = .zero

    init(
        seeds: [PeerAddress] = [], epoch: UInt64 = 100, seed: UInt64 = 1,
        _ configure: (inout MembershipConfiguration) -> Void = { _ in }
    ) {
        var configuration = MembershipConfiguration.lan
        configure(&configuration)
        machine = Membership(
            life: life("me", epoch), metadata: metadata("me"), configuration: configuration, seed: seed)
        first = machine.handle(.started(seeds: seeds), at: .zero)
    }

    /// What it said to `started`.
    private(set) var first: [Membership.Action] = []

    /// With that many others, n1, n2, ..., all alive and settled.
    static func among(_ others: Int, _ configure: (inout MembershipConfiguration) -> Void = { _ in }) -> Bench {
        among(others, zones: Array(repeating: "z", count: others), configure)
    }

    static func among(
        _ others: Int, zones: [String], _ configure: (inout MembershipConfiguration) -> Void = { _ in }
    ) -> Bench {
        var bench = Bench(configure)
        let rumours = (1...others).map { rumour("n\($0)", zone: zones[$0 - 1]) }
        _ = bench.hear(.syncReply(rumours: rumours, isLast: true), from: "n1")
        // Let the news of them run out of the queue, and the view settle.
        _ = bench.run(for: .seconds(3), answering: true)
        return bench
    }

    @discardableResult mutating func tell(_ event: Membership.Event) -> [Membership.Action] {
        machine.handle(event, at: now)
    }

    @discardableResult mutating func hear(
        _ message: MembershipMessage, from name: String, epoch: UInt64 = 100
    ) -> [Membership.Action] {
        tell(.received(message, from: life(name, epoch)))
    }

    /// Wakes it whenever it asks for it. `answering`: all whom it pings answer at once.
    mutating func run(
        for length: Duration, answering: Bool = false, except silent: Set<String> = []
    ) -> [Membership.Action] {
        let end = now + length
        var all: [Membership.Action] = []
        while let next = machine.nextWakeUp, next <= end {
            now = max(now, next)
            let actions = tell(.tick)
            all += actions
            guard answering else { continue }
            for case .send(.ping(let number, let target, _), _, _) in actions where !silent.contains(target.id.rawValue)
            {
                all += tell(.received(.ack(number: number, gossip: []), from: target))
            }
        }
        now = end
        return all
    }

    /// Time passes and nobody wakes it.
    mutating func sleep(for length: Duration) { now += length }

    func status(_ name: String) -> MemberStatus? { machine.member(memberID(name))?.status }
    func incarnation(_ name: String) -> UInt64? { machine.member(memberID(name))?.incarnation }
}

func life(_ name: String, _ epoch: UInt64 = 100) -> MemberLife { MemberLife(id: memberID(name), epoch: epoch) }

func address(_ name: String) -> PeerAddress { PeerAddress(host: name, port: 7000) }

func metadata(_ name: String, zone: String = "z") -> MemberMetadata {
    MemberMetadata(region: "r", zone: zone, version: "1", httpAddress: "http://\(name)", peerAddress: address(name))
}

func member(
    _ name: String, _ status: MemberStatus = .alive, incarnation: UInt64 = 0, epoch: UInt64 = 100, zone: String = "z"
) -> Member {
    Member(life: life(name, epoch), incarnation: incarnation, status: status, metadata: metadata(name, zone: zone))
}

func rumour(
    _ name: String, _ status: MemberStatus = .alive, incarnation: UInt64 = 0, epoch: UInt64 = 100, zone: String = "z",
    leaseStamp: UInt64 = 0, accuser: String? = nil, isRefused: Bool = false
) -> Rumour {
    Rumour(
        member(name, status, incarnation: incarnation, epoch: epoch, zone: zone), leaseStamp: leaseStamp,
        accuser: accuser.map(memberID), isRefused: isRefused)
}

extension [Membership.Action] {
    /// Messages, and to whom.
    var sent: [(message: MembershipMessage, to: String)] {
        compactMap { action in
            guard case .send(let message, let recipient, _) = action else { return nil }
            return (message, recipient.id.rawValue)
        }
    }

    var views: [MembershipView] {
        compactMap { action in
            guard case .publish(let view) = action else { return nil }
            return view
        }
    }

    var changes: [MemberChange] {
        compactMap { action in
            guard case .changed(let change) = action else { return nil }
            return change
        }
    }

    var calls: [PeerAddress] {
        compactMap { action in
            guard case .connect(let address, _) = action else { return nil }
            return address
        }
    }

    /// Everything said about that member.
    func rumours(about name: String) -> [Rumour] {
        sent.flatMap(\.message.rumours).filter { $0.member.id.rawValue == name }
    }

    func pings(to name: String) -> [UInt64] {
        sent.compactMap { sent in
            guard sent.to == name, case .ping(let number, _, _) = sent.message else { return nil }
            return number
        }
    }

    var relayRequests: [(number: UInt64, to: String)] {
        sent.compactMap { sent in
            guard case .pingRequest(let number, _, _) = sent.message else { return nil }
            return (number, sent.to)
        }
    }
}
