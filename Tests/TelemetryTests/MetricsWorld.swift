import ActorCluster
import ClusterSimulation
import Membership
import Synchronization
import Telemetry
import Testing

/// A cluster whose nodes count and report, every second.
struct MetricsWorld {
    let world: ClusterWorld
    let parts: Parts

    /// What each life of a node has.
    final class Parts: Sendable {
        struct Part: Sendable {
            let registry: MetricRegistry
            let aggregator: MetricsAggregator
            let things: Counter
        }

        private let parts = Mutex<[MemberLife: Part]>([:])

        func add(_ part: Part, _ life: MemberLife) { parts.withLock { $0[life] = part } }
        func of(_ life: MemberLife) -> Part? { parts.withLock { $0[life] } }
    }

    static var configuration: MetricsConfiguration {
        var configuration = MetricsConfiguration()
        configuration.interval = .seconds(1)
        configuration.quietAfter = .milliseconds(2500)
        configuration.gaugeAgeMax = .seconds(6)
        return configuration
    }

    init(
        _ seed: Seed = Seed(1), nodes: Int = 3, regions: [String] = ["one"], starting: [String]? = nil,
        _ configuration: MetricsConfiguration = Self.configuration
    ) throws {
        let parts = Parts()
        var setting = ClusterWorld.Setting()
        setting.nodes = nodes
        setting.regions = regions
        setting.targets = CallTargets([MetricsAggregator.callTargetGroup])
        setting.register = { system, clock in
            let registry = MetricRegistry()
            let things = registry.counter(.counter("things_done_total", help: "Things."))
            registry.gauge(.gauge("things_waiting", help: "Things.")).set(1)
            // The name is free: the system is new.
            guard
                let aggregator = try? MetricsAggregator.host(
                    on: system, registry: registry, configuration: configuration, clock: clock)
            else { return }
            parts.add(Parts.Part(registry: registry, aggregator: aggregator, things: things), system.life)
        }
        self.parts = parts
        world = ClusterWorld(seed, setting)
        for name in starting ?? world.names { start(name) }
        try #require(world.settle(), "\(world.report(world.disagreements))")
    }

    func start(_ name: String) {
        world.start(name)
        guard let aggregator = parts.of(world[name].life)?.aggregator else { return }
        // Ends with the node.
        _ = world.begin(on: name) { system in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await aggregator.run() }
                for await _ in system.views() {}
                group.cancelAll()
            }
        }
    }

    func restart(_ name: String) {
        world.crash(name)
        start(name)
    }

    func aggregator(_ name: String) -> MetricsAggregator {
        guard let part = parts.of(world[name].life) else { preconditionFailure("\(name) has none") }
        return part.aggregator
    }

    func count(_ name: String, _ amount: Int) { parts.of(world[name].life)?.things.count(amount) }

    /// The cluster's figures as one node knows them, and how long it took to know them.
    func figures(from name: String) throws -> (figures: ClusterFigures, took: Duration) {
        let aggregator = aggregator(name)
        let before = world.scheduler.now
        let figures = try world.perform(on: name) { _ in await aggregator.clusterFigures() }
        return (figures, world.scheduler.now - before)
    }

    func total(from name: String) throws -> UInt64 {
        try figures(from: name).figures["things_done_total"]?[[:]]?.cluster.counter ?? 0
    }

    /// Owner and stand-in of a region.
    func keepers(of region: String, by name: String = "node-1") throws -> [String] {
        let system = world[name].system
        let view = try #require(system.view)
        return Keepers(view, system.configuration.placement).of(region).map(\.id.rawValue)
    }
}
