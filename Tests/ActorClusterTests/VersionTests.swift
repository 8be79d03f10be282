import ActorCluster
import ClusterSimulation
import Membership
import Synchronization
import Testing
import WireProtocol

/// A cluster goes over to another version of the protocol node by node, and works all the while.
@Suite struct VersionTests {
    /// What each node speaks in its next life.
    private final class Spoken: Sendable {
        private let ranges = Mutex<[String: VersionRange]>([:])

        subscript(name: String) -> VersionRange {
            get { ranges.withLock { $0[name] ?? VersionRange(1, 1) } }
            set { ranges.withLock { $0[name] = newValue } }
        }
    }

    private func world(_ seed: Seed, _ spoken: Spoken) throws -> TestWorld {
        try TestWorld(seed) { setting in
            setting.configure = { $0.versions = spoken[$0.life.id.rawValue] }
        }
    }

    /// Calls from every node to every other one.
    private func expectAnswers(_ tested: TestWorld, _ sourceLocation: SourceLocation = #_sourceLocation) throws {
        for from in tested.world.names {
            for to in tested.world.names where to != from {
                let echo = tested.echo(on: to)
                let answer = try tested.world.perform(on: from) { try await $0.echo(echo).echo("hola") }
                #expect(answer == "hola", "\(from) calls \(to)", sourceLocation: sourceLocation)
            }
        }
    }

    /// The versions that are spoken between two nodes.
    private func between(_ tested: TestWorld, _ one: String, _ other: String) -> Set<UInt8> {
        let links = tested.world[one].system.linkStatus.filter { $0.peer.id.rawValue == other }
        return Set(links.map(\.version))
    }

    @Test(arguments: Seed.forThisRun(3))
    func `nodes of two versions work together until all speak the new one`(seed: Seed) throws {
        let spoken = Spoken()
        let tested = try world(seed, spoken)
        try expectAnswers(tested)
        for name in ["node-2", "node-3"] {
            spoken[name] = VersionRange(1, 2)
            tested.world.restart(name)
            try #require(tested.world.settle(), "\(tested.world.report(tested.world.disagreements))")
            try expectAnswers(tested)
            #expect(between(tested, "node-1", name) == [1])
        }
        #expect(between(tested, "node-2", "node-3") == [2])
        spoken["node-1"] = VersionRange(2, 3)
        tested.world.restart("node-1")
        try #require(tested.world.settle(), "\(tested.world.report(tested.world.disagreements))")
        try expectAnswers(tested)
        for other in ["node-2", "node-3"] { #expect(between(tested, "node-1", other) == [2]) }
    }

    @Test func `a node that comes back with a version nobody speaks any more is told so and stays outside`() throws {
        let spoken = Spoken()
        for name in ["node-1", "node-2"] { spoken[name] = VersionRange(2, 3) }
        spoken["node-3"] = VersionRange(2, 2)
        let tested = try world(Seed(1), spoken)
        spoken["node-3"] = VersionRange(1, 1)
        tested.world.restart("node-3")
        tested.world.run(for: .seconds(30))
        #expect(tested.world["node-1"].log.contains("code=noCommonVersion"))
        #expect(tested.world["node-1"].system.members.allSatisfy { $0.life != tested.world["node-3"].life })
        #expect(between(tested, "node-1", "node-2") == [3])
        #expect(between(tested, "node-3", "node-1").isEmpty)
    }
}
