package import ActorCluster
import Limits
import Logging
import Membership
import Placement
import TLSTransport

/// The limiters of three nodes in this process, over mutual TLS on loopback: what a decision costs when all nodes share
/// a machine.
///
/// Nothing is lent, so every check of another node's key is decided by its owner and not on borrowed units.
package struct LimitBenchmark: Sendable {
    package struct Figures: Sendable, Codable {
        /// One caller, one check after the other, of keys that its node owns: what one core decides.
        package var localDecisionsPerSecond = 0.0
        /// `callers` on each node, keys of all nodes.
        package var clusterDecisionsPerSecond = 0.0
        /// The part of those that another node decided, and how many such checks left together.
        package var clusterForwardedShare = 0.0
        package var clusterChecksPerCall = 0.0
        /// What both kinds took while as many callers rested between two checks: some 10,000 checks a second.
        package var moderateDecisionsPerSecond = 0.0
        package var localMicrosecondsMedian = 0.0
        package var localMicrosecondsP99 = 0.0
        package var forwardedMicrosecondsMedian = 0.0
        package var forwardedMicrosecondsP99 = 0.0
        /// Checks of all these runs that no owner decided. With any, the other figures do not say what they seem to.
        package var decisionsWithoutOwner = 0
    }

    package static let targets = CallTargets([RateLimiter.targets])

    private struct Node: Sendable {
        let system: ClusterActorSystem
        let limiter: Limiter
        let address: PeerAddress
    }

    /// What one caller saw.
    private struct Tally: Sendable {
        var decisions = 0
        var withoutOwner = 0
        var local: [Duration] = []
        var forwarded: [Duration] = []
        /// How long it took all of them.
        var seconds = 0.0

        var decisionsPerSecond: Double { Double(decisions) / seconds }

        static func += (left: inout Self, right: Self) {
            left.decisions += right.decisions
            left.withoutOwner += right.withoutOwner
            left.local += right.local
            left.forwarded += right.forwarded
        }
    }

    /// Where a caller goes on among the keys: far away, so that it finds no bucket in the processor's cache.
    private static let stride = 61_813
    private static let policyName = "bench"
    private static let names = ["eu-1", "us-1", "eu-2"]

    private let certificates: String
    private let callers: Int
    private let seconds: Double
    private let keyCount = 100_000
    private let clock = ContinuousClock()

    /// - Parameters:
    ///   - certificates: a folder with `ca.pem`, and `eu-1`, `us-1` and `eu-2` as `.pem` and `.key`, as `cluster/up`
    ///     makes it.
    ///   - callers: on each node, each with one check under way.
    ///   - seconds: how long each kind of check is measured.
    package init(certificates: String, callers: Int = 256, seconds: Double = 5) {
        self.certificates = certificates
        self.callers = callers
        self.seconds = seconds
    }

    package func run() async throws -> Figures {
        var nodes: [Node] = []
        for name in Self.names { nodes.append(try await node(name)) }
        return try await withThrowingTaskGroup(of: Void.self) { [nodes] group in
            for node in nodes {
                let seeds = nodes.map(\.address).filter { $0 != node.address }
                group.addTask { try await node.system.run(seeds: seeds) }
                group.addTask { await node.limiter.run() }
            }
            for node in nodes {
                for await view in node.system.views() where view.members.count == nodes.count { break }
            }
            let figures = try await measure(nodes)
            group.cancelAll()
            return figures
        }
    }

    private func node(_ name: String) async throws -> Node {
        var listening = TLSTransportConfiguration()
        listening.host = "127.0.0.1"
        listening.port = 0
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let transport = try TLSTransport(
            listening,
            CredentialFiles(
                certificate: "\(certificates)/\(name).pem", key: "\(certificates)/\(name).key",
                authorities: "\(certificates)/ca.pem"),
            logger: logger, clock: clock)
        let address = PeerAddress(host: "127.0.0.1", port: try await transport.listen())
        guard let id = MemberID(name) else { preconditionFailure("\(name) is no name") }
        var configuration = ClusterConfiguration(
            cluster: "bench", life: MemberLife(id: id, epoch: 1),
            metadata: MemberMetadata(region: "bench", zone: "", peerAddress: address))
        configuration.membership = .local
        let system = ClusterActorSystem(
            configuration, targets: Self.targets, transport: transport, clock: clock, log: logger)
        let policy = try LimitPolicy(
            Self.policyName, limit: LimitPolicy.limitMax, per: .seconds(1), onFailure: .closed, lentUnitsMax: 0)
        let limiter = try Limiter(
            try LimitPolicies([policy]), snapshots: .none, on: system, clock: clock, log: logger)
        return Node(system: system, limiter: limiter, address: address)
    }

    private func measure(_ nodes: [Node]) async throws -> Figures {
        let keys = (0..<keyCount).compactMap { LimitKey(policy: 0, subject: "tenant-\($0)") }
        guard let view = nodes[0].system.view else { preconditionFailure("a system without a view") }
        let placement = Placement(view, policy: nodes[0].system.configuration.placement)
        let owners = keys.map { placement.owner(of: PlacementKey($0.subject, kind: "limit/\(Self.policyName)")) }
        // Connections, buckets, and the account of nobody that new owners wait for.
        _ = try await rush(nodes, keys, seconds: max(1, seconds / 5))

        var figures = Figures()
        let own = zip(keys, owners).filter { $0.1 == nodes[0].system.life.id }.map(\.0)
        let alone = try await timed { try await check(on: nodes[0], own, from: 0, seconds: seconds) }
        figures.localDecisionsPerSecond = alone.decisionsPerSecond

        let before = nodes.map(\.limiter.counts)
        let rushed = try await timed { try await rush(nodes, keys, seconds: seconds) }
        let after = nodes.map(\.limiter.counts)
        let forwarded = zip(after, before).reduce(0) { $0 + $1.0.checksForwarded - $1.1.checksForwarded }
        let calls = zip(after, before).reduce(0) { $0 + $1.0.calls - $1.1.calls }
        figures.clusterDecisionsPerSecond = rushed.decisionsPerSecond
        figures.clusterForwardedShare = Double(forwarded) / Double(max(rushed.decisions, 1))
        figures.clusterChecksPerCall = Double(forwarded) / Double(max(calls, 1))

        let rested = try await timed { try await stroll(nodes, keys, owners) }
        figures.moderateDecisionsPerSecond = rested.decisionsPerSecond
        let (local, far) = (rested.local.sorted(), rested.forwarded.sorted())
        figures.localMicrosecondsMedian = microseconds(local, at: 0.5)
        figures.localMicrosecondsP99 = microseconds(local, at: 0.99)
        figures.forwardedMicrosecondsMedian = microseconds(far, at: 0.5)
        figures.forwardedMicrosecondsP99 = microseconds(far, at: 0.99)
        figures.decisionsWithoutOwner = alone.withoutOwner + rushed.withoutOwner + rested.withoutOwner
        return figures
    }

    /// Callers end with what they have begun, a little after the time that was asked for.
    private func timed(_ body: () async throws -> Tally) async rethrows -> Tally {
        let start = clock.now
        var tally = try await body()
        tally.seconds = start.duration(to: clock.now) / .seconds(1)
        return tally
    }

    /// As many checks as they can, from every node.
    private func rush(_ nodes: [Node], _ keys: [LimitKey], seconds: Double) async throws -> Tally {
        try await withThrowingTaskGroup(of: Tally.self) { group in
            for (number, node) in nodes.enumerated() {
                for caller in 0..<callers {
                    let start = (number * callers + caller) * 1009
                    group.addTask { try await check(on: node, keys, from: start, seconds: seconds) }
                }
            }
            return try await group.reduce(into: Tally()) { $0 += $1 }
        }
    }

    /// One check after the other.
    @concurrent private func check(
        on node: Node, _ keys: [LimitKey], from start: Int, seconds: Double
    ) async throws -> Tally {
        var tally = Tally()
        var place = start % keys.count
        let end = clock.now + .seconds(seconds)
        // The time is asked for seldom: it costs a third of a decision.
        while clock.now < end {
            for _ in 0..<32 {
                let answer = await node.limiter.check(keys[place])
                tally.decisions += 1
                if answer.source != .owner { tally.withoutOwner += 1 }
                place = (place + Self.stride) % keys.count
            }
        }
        return tally
    }

    /// Checks with rests between them, each with the time it took.
    private func stroll(_ nodes: [Node], _ keys: [LimitKey], _ owners: [MemberID?]) async throws -> Tally {
        let rest = Duration.seconds(Double(nodes.count * callers) / 10_000)
        return try await withThrowingTaskGroup(of: Tally.self) { group in
            for (number, node) in nodes.enumerated() {
                for caller in 0..<callers {
                    let place = number * callers + caller
                    // They do not begin all at once.
                    let delay = rest * (Double(place) / Double(nodes.count * callers))
                    group.addTask {
                        try await clock.sleep(for: delay)
                        return try await stroll(on: node, keys, owners, from: place * 1009, rest)
                    }
                }
            }
            return try await group.reduce(into: Tally()) { $0 += $1 }
        }
    }

    private func stroll(
        on node: Node, _ keys: [LimitKey], _ owners: [MemberID?], from start: Int, _ rest: Duration
    ) async throws -> Tally {
        var tally = Tally()
        var place = start % keys.count
        let me = node.system.life.id
        let end = clock.now + .seconds(seconds)
        var next = clock.now
        while clock.now < end {
            let asked = clock.now
            let answer = await node.limiter.check(keys[place])
            let taken = asked.duration(to: clock.now)
            if owners[place] == me { tally.local.append(taken) } else { tally.forwarded.append(taken) }
            tally.decisions += 1
            if answer.source != .owner { tally.withoutOwner += 1 }
            place = (place + Self.stride) % keys.count
            next += rest
            try await clock.sleep(until: next)
        }
        return tally
    }

    private func microseconds(_ sorted: [Duration], at share: Double) -> Double {
        guard !sorted.isEmpty else { return .infinity }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / .microseconds(1)
    }
}
