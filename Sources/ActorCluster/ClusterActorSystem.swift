package import Distributed
package import Logging
package import Membership
import Placement
import Synchronization
package import WireProtocol

/// Distributed actors on a cluster of equal nodes.
///
/// One system is one life of a node. It is made, its actors and kinds are registered, then `run` lives as long as the
/// node does; every task is a child of it. What a call is, may cost and means when it fails is in docs/protocol.md; who
/// is called for a key is decided by `Placement` over the view that `Membership` publishes.
package final class ClusterActorSystem: DistributedActorSystem {
    package typealias ActorID = ClusterActorID
    package typealias SerializationRequirement = any Codable
    package typealias InvocationEncoder = ClusterInvocationEncoder
    package typealias InvocationDecoder = ClusterInvocationDecoder
    package typealias ResultHandler = ClusterResultHandler

    package let configuration: ClusterConfiguration
    package let targets: CallTargets
    let identity: LocalIdentity
    let transport: any PeerTransport
    let timeline: Timeline
    let chance: Chance
    let log: Logger
    let counters = ClusterCounters.Cells()

    let nursery = Nursery()
    let directory = Mutex(Directory())
    let activations: Mutex<ActivationTable>
    let activationsToSweep = Bell()
    let factories = Mutex<[String: Factory]>([:])
    let links: Mutex<LinkBook>
    let claims: Mutex<ConnectionClaims<ClaimedConnection>>
    let membership: MembershipShell
    let watchers: Watchers
    let streamHandlers = Mutex<[String: StreamHandler]>([:])
    private let hasStopped = Mutex(false)

    /// - Parameters:
    ///   - generator: draws the pauses before dialling again and the seed of gossip.
    package init(
        _ configuration: ClusterConfiguration, targets: CallTargets, transport: any PeerTransport,
        clock: any Clock<Duration> = ContinuousClock(),
        generator: sending any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        log: Logger = Logger(label: "cluster")
    ) {
        configuration.validate()
        self.configuration = configuration
        self.targets = targets
        self.transport = transport
        timeline = Timeline(clock)
        chance = Chance(generator)
        self.log = log
        var limits = configuration.wire
        limits.callsInFlightMax /= configuration.callLanes
        var identity = LocalIdentity(
            cluster: configuration.cluster, life: PeerLife(configuration.life), calls: targets.list,
            placementAlgorithm: configuration.placement.algorithmID, release: configuration.metadata.version,
            limits: limits)
        identity.versions = configuration.versions
        self.identity = identity
        activations = Mutex(ActivationTable(activationsMax: configuration.activationsMax))
        links = Mutex(LinkBook())
        claims = Mutex(
            ConnectionClaims(
                ownName: configuration.life.id.rawValue, handshakeTimeLimit: limits.handshakeTimeLimit))
        membership = MembershipShell(configuration, seed: chance.seed())
        watchers = Watchers(watchersMax: configuration.watchersMax)
    }

    /// This life of this node.
    package var life: MemberLife { configuration.life }

    /// What happened so far.
    package var counts: ClusterCounters { counters.snapshot }

    /// Reads arguments and answers; distributed actors among them find their system there. Made anew each time, and
    /// kept by lanes: it holds the system, which must not hold it.
    var decoder: WireDecoder { WireDecoder(limits: configuration.coding, userInfo: [.actorSystemKey: self]) }

    /// New connections and calls are turned away.
    var isStopping: Bool {
        get { hasStopped.withLock { $0 } }
        set { hasStopped.withLock { $0 = newValue } }
    }

    // MARK: Identities

    package func assignID<Act: DistributedActor>(_ type: Act.Type) -> ClusterActorID where Act.ID == ClusterActorID {
        if let id = AssignedID.next?.take() { return id }
        return .named(directory.withLock { $0.nextName() }, on: life)
    }

    package func actorReady<Act: DistributedActor>(_ actor: Act) where Act.ID == ClusterActorID {
        // A virtual actor is known by its activation.
        guard case .named(let name, _) = actor.id else { return }
        directory.withLock { $0.ready(actor, name: name) }
    }

    package func resignID(_ id: ClusterActorID) {
        guard case .named(let name, _) = id else { return }
        directory.withLock { $0.resigned(name) }
        watchers.actorEnded(id)
    }

    /// The actor itself when it lives here under a name; a stand-in for every other, a virtual one always: it may move
    /// between two calls.
    package func resolve<Act: DistributedActor>(
        id: ClusterActorID, as type: Act.Type
    ) throws -> Act? where Act.ID == ClusterActorID {
        guard case .named(let name, life) = id else { return nil }
        guard let actor = directory.withLock({ $0.actor(name) }) as? Act else {
            throw ClusterCallError(.noSuchActor, "no \(type) of the name \(name) is on this node")
        }
        return actor
    }

    package func makeInvocationEncoder() -> ClusterInvocationEncoder { ClusterInvocationEncoder() }
}
