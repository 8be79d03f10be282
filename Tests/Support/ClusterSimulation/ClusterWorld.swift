package import ActorCluster
package import Membership
import Synchronization
package import WireProtocol

/// A cluster in one thread: the real actor systems, protocol and machines over a simulated network, under a seed.
///
/// Used by the thread that made it.
package final class ClusterWorld {
    package struct Setting {
        package var nodes = 3
        package var regions = ["one"]
        package var targets = CallTargets()
        /// For a node that has others.
        package var targetsOf: (_ node: String) -> CallTargets? = { _ in nil }
        /// Changes what a node is configured with.
        package var configure: (inout ClusterConfiguration) -> Void = { _ in }
        /// Registers actors and kinds, before the node runs.
        package var register: (ClusterActorSystem, any Clock<Duration>) -> Void = { _, _ in }
        /// Stands between a node and its transport: for bugs that are planted.
        package var meddle: (_ node: String, any PeerTransport) -> any PeerTransport = { $1 }
        /// Clocks run fast or slow by up to this.
        package var driftMax = 0.0005

        package init() {}
    }

    package let seed: Seed
    package let scheduler: Scheduler
    package let network: SimulatedNetwork
    package let tap = ReplyTap()
    private let setting: Setting
    private var random: SeededGenerator
    private var lives: [String: SimulatedNode] = [:]
    private var epochs: [String: UInt64] = [:]
    /// Every life there was, in order.
    package private(set) var history: [SimulatedNode] = []
    package let names: [String]

    package init(_ seed: Seed, _ setting: Setting) {
        self.seed = seed
        self.setting = setting
        random = SeededGenerator(seed.number)
        scheduler = Scheduler(seed: random.next())
        network = SimulatedNetwork(scheduler, seed: random.next())
        names = (0..<setting.nodes).map { "node-\($0 + 1)" }
    }

    // MARK: Nodes

    /// The present, or last, life of that node.
    package subscript(name: String) -> SimulatedNode {
        guard let node = lives[name] else { preconditionFailure("\(name) was never started") }
        return node
    }

    /// Nodes that run, by name.
    package var running: [SimulatedNode] { names.compactMap { lives[$0] }.filter(\.isRunning) }

    package func startAll() { for name in names { start(name) } }

    /// A life of the node begins; a further one has a higher epoch.
    package func start(_ name: String) {
        guard let id = MemberID(name) else { preconditionFailure("\(name) is not a name") }
        let epoch = (epochs[name] ?? 1_000) + 1
        epochs[name] = epoch
        let life = MemberLife(id: id, epoch: epoch)
        let executor = scheduler.executor()
        let drift = (random.fraction() * 2 - 1) * setting.driftMax
        let clock = VirtualClock(scheduler, drift: drift)
        let index = names.firstIndex(of: name) ?? 0
        let metadata = MemberMetadata(
            region: setting.regions[index % setting.regions.count], zone: "zone-\(index)", version: "1",
            peerAddress: PeerAddress(host: name, port: 7000))
        var configuration = ClusterConfiguration(cluster: "simulated", life: life, metadata: metadata)
        setting.configure(&configuration)
        let tap = tap
        let transport = SimulatedTransport(network, host: name, owner: executor.owner) { tap.newConnection() }
        let log = RecordingLog(scheduler, name: name)
        let system = ClusterActorSystem(
            configuration, targets: setting.targetsOf(name) ?? setting.targets,
            transport: setting.meddle(name, transport), clock: clock,
            generator: random.fork(), log: log.logger)
        setting.register(system, clock)
        let node = SimulatedNode(life: life, system: system, executor: executor, clock: clock, log: log)
        lives[name] = node
        history.append(node)
        // Everybody is told the same few seeds, itself perhaps among them.
        node.start(seeds: names.prefix(3).map { PeerAddress(host: $0, port: 7000) })
    }

    /// `kill -9`: the process is gone, its machine answers for it that nobody listens.
    package func crash(_ name: String) { end(name, .refusing) }

    /// The machine is off: silence.
    package func powerOff(_ name: String) { end(name, .silent) }

    private func end(_ name: String, _ machine: SimulatedNetwork.Machine) {
        guard let node = lives[name], node.isRunning else { return }
        scheduler.resume(node.executor.owner)
        network.set(name, machine)
        node.kill()
    }

    package func restart(_ name: String) {
        crash(name)
        start(name)
    }

    /// `SIGSTOP`: the process stands still, its machine does not.
    package func pause(_ name: String) { scheduler.pause(self[name].executor.owner) }

    package func resume(_ name: String) { scheduler.resume(self[name].executor.owner) }

    /// As an operator does.
    package func set(_ name: String, _ schedulability: Schedulability) {
        let node = self[name]
        var metadata =
            node.system.members.first { $0.life == node.life }?.metadata
            ?? node.system.configuration.metadata
        guard metadata.schedulability != schedulability else { return }
        metadata.schedulability = schedulability
        node.system.changeMetadata(metadata)
    }

    /// Asks the node to leave.
    package func stop(_ name: String) { self[name].system.stop() }

    // MARK: Time

    package func run(for duration: Duration) { scheduler.run(until: scheduler.now + duration) }

    /// False when `limit` passed first.
    @discardableResult
    package func run(atMost limit: Duration, until isDone: () -> Bool) -> Bool {
        scheduler.run(until: scheduler.now + limit, isDone)
    }

    /// Begins something on a node, in the midst of what else happens there.
    package func begin<Answer: Sendable>(
        on name: String, _ body: @escaping @Sendable (ClusterActorSystem) async throws -> Answer
    ) -> Errand<Answer> {
        let node = self[name]
        return Errand(node.executor) { try await body(node.system) }
    }

    /// Begins something that is no node.
    package func beginOutside<Answer: Sendable>(
        _ body: @escaping @Sendable () async throws -> Answer
    ) -> Errand<Answer> { Errand(scheduler.executor(), body) }

    /// Begins it and lets time pass until it is done.
    package func perform<Answer: Sendable>(
        on name: String, atMost limit: Duration = .seconds(60),
        _ body: @escaping @Sendable (ClusterActorSystem) async throws -> Answer
    ) throws -> Answer {
        let errand = begin(on: name, body)
        run(atMost: limit) { errand.isDone }
        guard let result = errand.result else { throw NeverDone(limit: limit) }
        return try result.get()
    }

    package struct NeverDone: Error { let limit: Duration }

    /// Lets time pass until all nodes that run agree about who is there.
    @discardableResult
    package func settle(atMost limit: Duration = .seconds(120)) -> Bool { run(atMost: limit) { agrees } }

    /// Ends every node, so that nothing of the run is left behind.
    package func tearDown() {
        for node in history { node.kill() }
        for node in history { scheduler.resume(node.executor.owner) }
        run(for: .seconds(30))
    }
}
