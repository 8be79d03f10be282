import ActorCluster
import ClusterSimulation
import Distributed
import Testing

@Suite struct CallTargetTests {
    /// A node that allows nothing says the name of everything that it is asked to call.
    static func names(_ calls: @escaping @Sendable (ClusterActorSystem) async throws -> [() async throws -> Void])
        throws
        -> [String]
    {
        let tested = try TestWorld(nodes: 1, start: false) { $0.targets = CallTargets() }
        tested.world.start("node-1")
        return try tested.world.perform(on: "node-1") { system in
            var names: [String] = []
            for call in try await calls(system) {
                do {
                    try await call()
                } catch let error as ClusterCallError where error.code == .notAllowed {
                    names.append(error.detail)
                }
            }
            return names
        }
    }

    @Test func `the lists of these tests are what the compiler calls them`() throws {
        let names = try Self.names { system in
            let echo = try Echo.resolve(id: .virtual(kind: "echo", key: "any"), using: system)
            let counter = try Counter.resolve(id: .virtual(kind: "counter", key: "any"), using: system)
            return [
                { _ = try await echo.echo("") }, { _ = try await echo.refuse("") },
                { _ = try await echo.linger(milliseconds: 1) }, { _ = try await echo.look() },
                { _ = try await echo.lookThrough(echo.id) }, { _ = try await echo.ask(echo, "") },
                { _ = try await echo.introduce(echo) },
                { _ = try await echo.swallow([]) },
                { _ = try await counter.add(1) }, { _ = try await counter.addLater(1, milliseconds: 1) },
            ]
        }
        #expect(names.sorted() == (Echo.targets + Counter.targets).sorted())
    }
}
