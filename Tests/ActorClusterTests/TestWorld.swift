import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Testing
import WireProtocol

/// A world in which every node hosts an `Echo` by that name and knows how to make `Counter`s.
struct TestWorld {
    let world: ClusterWorld
    let effects: Effects

    init(
        _ seed: Seed = Seed(1), nodes: Int = 3, start: Bool = true,
        _ change: (inout ClusterWorld.Setting) -> Void = { _ in }
    ) throws {
        let effects = Effects()
        var setting = ClusterWorld.Setting()
        setting.nodes = nodes
        setting.targets = .ofTheseTests
        setting.register = { system, clock in
            // The name is free: the system is new.
            _ = try? system.host("echo") { Echo(actorSystem: system, effects, clock) }
            system.serveStreams("echo") { stream, _, _ in
                while let bytes = try await stream.read() { try await stream.write(bytes) }
            }
            system.register(kind: "counter") { key, system in Counter(actorSystem: system, key, effects, clock) }
        }
        change(&setting)
        self.effects = effects
        world = ClusterWorld(seed, setting)
        guard start else { return }
        world.startAll()
        try #require(world.settle(), "\(world.report(world.disagreements))")
    }

    func echo(on name: String) -> ClusterActorID { .named("echo", on: world[name].life) }

    /// A key that belongs to that node.
    func key(ownedBy name: String) throws -> VirtualActorKey {
        let keys = (0..<10_000).lazy.map { VirtualActorKey(kind: "counter", key: "key-\($0)") }
        return try #require(keys.first { world[name].system.owner(of: $0)?.rawValue == name })
    }
}

extension ClusterActorSystem {
    func echo(_ id: ClusterActorID) throws -> Echo { try Echo.resolve(id: id, using: self) }
    func counter(_ key: VirtualActorKey) throws -> Counter { try Counter.resolve(id: .virtual(key), using: self) }
}

extension CallTargets {
    static let ofTheseTests = CallTargets([Group(Echo.self, Echo.targets), Group(Counter.self, Counter.targets)])
}
