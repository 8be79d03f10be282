import ActorCluster
import ClipModel
import HTTPGateway
import Jobs
import Limits
import Logging
import Membership
import Placement
import PostgresStore
import RedisLimits
import ServiceLifecycle
import Store
import TLSTransport
import Telemetry
import WireProtocol

/// The node's part in the actor cluster: its socket, its system of actors with the duties that run on it, and the wires
/// between them and the rest of the node.
///
/// Nothing here is needed for correctness: a node without peers works alone on what the database gives it.
struct ClusterPart: Sendable {
    let transport: TLSTransport
    let system: ClusterActorSystem
    let admission: RequestAdmission
    let metrics: MetricsInspection
    private let limiter: Limiter
    private let redis: RedisLimiter?
    private let aggregator: MetricsAggregator
    private let witness: PlacementWitness
    private let opinions = PlacementWitness.Heard()
    private let settings: ClusterSettings
    private let metadata: MemberMetadata
    private let logger: Logger

    /// Throws when the credentials cannot be used, or are not this node's.
    /// - Parameter lastEpoch: of this node's life before, as the database knows it: a clock that was set back must not
    ///   make the new life the older one.
    init(
        _ configuration: NodeConfiguration, version: String, lastEpoch: UInt64, schedulability: NodeSchedulability,
        store: PostgresStore, clock: any Clock<Duration>, now: WallTime, chance: Chance, logger: Logger
    ) throws {
        settings = configuration.cluster
        self.logger = logger
        var listening = TLSTransportConfiguration()
        listening.host = settings.host
        listening.port = settings.port
        transport = try TLSTransport(listening, settings.credentials, logger: logger, clock: clock)
        guard let id = MemberID(configuration.name.rawValue), transport.ownNames.contains(id.rawValue) else {
            throw ConfigurationError([
                "cluster.certificate: it speaks for \(transport.ownNames.joined(separator: ", ")), and not "
                    + "for this node, \(configuration.name); peers would turn it away"
            ])
        }
        metadata = MemberMetadata(
            region: configuration.region.rawValue, zone: configuration.zone, capacity: configuration.capacity,
            version: version, httpAddress: configuration.httpAddress, peerAddress: settings.address,
            schedulability: Schedulability(schedulability))
        let life = MemberLife(id: id, epoch: max(UInt64(clamping: now().millisecondsSinceEpoch), lastEpoch + 1))
        var cluster = ClusterConfiguration(cluster: settings.name, life: life, metadata: metadata)
        cluster.membership = settings.membership
        cluster.placement = PlacementPolicy(salt: settings.name)
        system = ClusterActorSystem(
            cluster, targets: Self.targets, transport: transport, clock: clock, log: logger)
        let policies = LimitRule.policies(of: configuration.limitRules + [configuration.refusedKeys])
        let limiter = try Limiter(
            LimitPolicies(policies), snapshots: .table(of: store), on: system, clock: clock, log: logger)
        self.limiter = limiter
        let redis = configuration.redis.redis.map {
            RedisLimiter(policies, $0, clock: clock, chance: { chance.fraction() }, log: logger)
        }
        self.redis = redis
        admission = .by(limiter, or: redis, configuration.limitRules, refusedKeys: configuration.refusedKeys)
        let registry = MetricRegistry()
        registry.addLimiter(limiter)
        if let redis { registry.addRedis(redis) }
        registry.addTransport(transport)
        let aggregator = try MetricsAggregator.host(on: system, registry: registry, clock: clock, log: logger)
        self.aggregator = aggregator
        witness = try PlacementWitness.host(on: system, heard: opinions, clock: clock)
        metrics = MetricsInspection(registry: registry) { await aggregator.clusterFigures() }
    }

    /// What other nodes may call here.
    static let targets = CallTargets(
        [RateLimiter.targets, MetricsAggregator.callTargetGroup, PlacementWitness.callTargetGroup]
            + Coordination.callTargets)

    var life: MemberLife { system.life }

    /// Nil: no Redis counts limits.
    var redisReport: DefenceReport.Limits? {
        guard let redis else { return nil }
        return redis.state == .up ? .redis : .redisAway
    }

    /// The operator wants something else of this node: the others learn it as gossip.
    func obey(_ wanted: NodeSchedulability) {
        var changed = metadata
        changed.schedulability = Schedulability(wanted)
        system.changeMetadata(changed)
    }

    /// What this node knows of the cluster, from its own memory.
    var snapshot: ClusterSnapshot {
        let view = system.view?.suspecting(as: system.members) ?? MembershipView(number: 0, members: [])
        var peers: [MemberID: PeerFacts] = [:]
        for link in system.linkStatus {
            var facts = peers[link.peer.id] ?? PeerFacts(isConnected: true)
            // The lane for gossip is the least loaded: its round trip is the network's.
            if link.lane.lane == .control || facts.roundTrip == nil { facts.roundTrip = link.roundTrip }
            facts.certificateExpiresAt = link.certificateEnd.map {
                Timestamp(millisecondsSinceEpoch: Int64($0) * 1000)
            }
            peers[link.peer.id] = facts
        }
        let placement = Placement(view, policy: system.configuration.placement)
        for member in view.members {
            peers[member.id]?.placementDigest = opinions.digest(of: member.life, while: placement.digest)
        }
        return ClusterSnapshot(
            cluster: settings.name, local: life, view: view,
            placement: placement, peers: peers,
            certificateExpiresAt: Timestamp(millisecondsSinceEpoch: Int64(transport.certificateExpiry) * 1000))
    }

    // MARK: Services

    /// Lives as long as the node. A graceful stop saves what others will read, and tells them; the duties end with the
    /// system.
    struct Service: ServiceLifecycle.Service {
        let part: ClusterPart

        func run() async throws {
            let (stops, stop) = AsyncStream<Void>.makeStream()
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await _ in stops {}
                        if !Task.isCancelled { await part.saveDebts() }
                        part.system.stop()
                    }
                    // Ends by cancellation only.
                    group.addTask { try await part.transport.run() }
                    group.addTask { await part.limiter.run() }
                    if let redis = part.redis { group.addTask { await redis.run() } }
                    group.addTask { try await part.aggregator.run() }
                    group.addTask { try await part.witness.run() }
                    try await part.system.run(seeds: part.settings.seeds)
                    group.cancelAll()
                }
            } onGracefulShutdown: {
                stop.finish()
            }
        }
    }

    /// What clients owe since the last snapshot is kept before the others are told of the goodbye: they read it then,
    /// so that a rolling restart is nobody's second burst. A database that does not answer holds up the stop for as
    /// long as its connection may be silent (`PostgresConfiguration`).
    private func saveDebts() async {
        do { try await limiter.saveEverything() } catch {
            logger.info("limiter debts not saved; a few may be forgotten", metadata: ["error": "\(error)"])
        }
    }

    /// Tells membership which nodes still renew their lease in the database: a node that does is not dead, whatever the
    /// network between us says. Ends by cancellation only.
    func watchLeases(of store: any Store, every interval: Duration, on clock: any Clock<Duration>) async {
        while !Task.isCancelled {
            // A database that does not answer tells nothing of others, and membership knows how old its sightings are.
            if let nodes = try? await store.nodes() {
                system.leasesSeen(nodes.filter(\.isAlive).compactMap(sighting(of:)))
            }
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: interval)
        }
    }

    private func sighting(of node: Node) -> LeaseSighting? {
        guard let id = MemberID(node.id.rawValue), node.memberEpoch > 0 else { return nil }
        return LeaseSighting(
            life: MemberLife(id: id, epoch: node.memberEpoch),
            renewedAt: UInt64(clamping: node.seenAt.millisecondsSinceEpoch), age: node.seenAgo)
    }
}

extension Schedulability {
    /// What the operator wants, in the words of the members.
    init(_ wanted: NodeSchedulability) {
        self =
            switch wanted {
            case .schedulable: .schedulable
            case .cordoned: .cordoned
            case .draining: .draining
            }
    }
}
