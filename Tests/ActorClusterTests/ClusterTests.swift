import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Testing
import WireProtocol

@Suite struct ClusterTests {
    @Test func `nodes that know one seed find each other and agree`() throws {
        let tested = try TestWorld(nodes: 5)
        #expect(tested.world.agrees)
        #expect(tested.world["node-4"].system.members.count == 5)
        #expect(tested.world.settledViolations.isEmpty)
    }

    @Test(arguments: Seed.forThisRun(10))
    func `a killed node is known to be gone by all within a second`(seed: Seed) throws {
        let tested = try TestWorld(seed, nodes: 5)
        tested.world.run(for: .seconds(5))
        tested.world.crash("node-3")
        let isSeen = tested.world.run(atMost: .seconds(1)) {
            tested.world.running.allSatisfy { node in !node.system.members.contains { $0.id.rawValue == "node-3" } }
        }
        #expect(isSeen, "\(tested.world.report([]))")
        #expect(tested.world.settle())
    }

    @Test(arguments: Seed.forThisRun(5))
    func `a node that stands still for eight seconds is nobody's loss`(seed: Seed) throws {
        let tested = try TestWorld(seed, nodes: 4)
        tested.world.run(for: .seconds(5))
        tested.world.pause("node-3")
        tested.world.run(for: .seconds(8))
        tested.world.resume("node-3")
        tested.world.run(for: .seconds(20))
        #expect(tested.world.falseDeaths.isEmpty, "\(tested.world.report(tested.world.falseDeaths))")
        #expect(tested.world.settle(), "\(tested.world.report(tested.world.disagreements))")
    }

    @Test func `a black hole is seen within six seconds, by the connection too`() throws {
        let tested = try TestWorld(nodes: 4)
        tested.world.run(for: .seconds(5))
        for name in ["node-1", "node-2", "node-4"] { tested.world.network.cut("node-3", name) }
        let isSeen = tested.world.run(atMost: .seconds(6)) {
            tested.world["node-1"].system.members.first { $0.id.rawValue == "node-3" }?.status.isReachable != true
        }
        #expect(isSeen)
        tested.world.run(for: .seconds(6))
        #expect(
            tested.world["node-1"].system.counts.silentConnections > 0,
            "\(tested.world.report(["\(tested.world["node-1"].system.linkStatus)"]))")
        for name in ["node-1", "node-2", "node-4"] { tested.world.network.mend("node-3", name) }
        #expect(tested.world.settle(), "\(tested.world.report(tested.world.disagreements))")
    }

    @Test func `a restarted node takes the place of its earlier life at once`() throws {
        let tested = try TestWorld(nodes: 4)
        let (old, echo) = (tested.world["node-2"].life, tested.echo(on: "node-2"))
        let watched = tested.world.begin(on: "node-1") { try await $0.terminated(echo) }
        tested.world.run(for: .seconds(1))
        tested.world.restart("node-2")
        try #require(tested.world.settle())
        let new = tested.world["node-2"].life
        let end = try #require(try watched.result?.get())
        #expect(end == .nodeReplaced(by: new) || end == .nodeDied)
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        }
        #expect(error?.code == .noSuchActor, "\(error as Any)")
        let answer = try tested.world.perform(on: "node-1") {
            try await $0.echo(.named("echo", on: new)).echo("hola")
        }
        #expect(answer == "hola")
        #expect(old.epoch < new.epoch)
    }

    @Test func `watchers hear of death, of leaving, and of what was over before they asked`() throws {
        let tested = try TestWorld(nodes: 4)
        let (two, three) = (tested.echo(on: "node-2"), tested.echo(on: "node-3"))
        let died = tested.world.begin(on: "node-1") { try await $0.terminated(two) }
        let left = tested.world.begin(on: "node-1") { try await $0.terminated(three) }
        tested.world.run(for: .seconds(1))
        tested.world.stop("node-3")
        tested.world.crash("node-2")
        tested.world.run(for: .seconds(30))
        #expect(try died.result?.get() == .nodeDied)
        #expect(try left.result?.get() == .nodeLeft)
        let late = try tested.world.perform(on: "node-1") { try await $0.terminated(two) }
        #expect(late == .nodeDied)
    }

    @Test func `a watcher that is cancelled waits no longer`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let watched = tested.world.begin(on: "node-1") { try await $0.terminated(echo) }
        tested.world.run(for: .seconds(1))
        watched.cancel()
        tested.world.run(for: .milliseconds(1))
        #expect(throws: CancellationError.self) { try watched.result?.get() }
    }

    @Test func `an old life that wakes up beside its successor stops itself`() throws {
        let tested = try TestWorld(nodes: 3)
        tested.world.pause("node-2")
        let zombie = tested.world["node-2"]
        // The supervisor has given up on the process and has started another.
        tested.world.start("node-2")
        tested.world.run(for: .seconds(20))
        tested.world.scheduler.resume(zombie.executor.owner)
        tested.world.run(for: .seconds(60))
        guard case .threw(let error) = zombie.end, let replaced = error as? ReplacedError else {
            Issue.record("\(zombie.end as Any)\n\(zombie.log.recent.suffix(30).joined(separator: "\n"))")
            return
        }
        #expect(replaced.newer == nil || replaced.newer == tested.world["node-2"].life)
        #expect(tested.world.settle())
    }

    @Test func `views come as a sequence and as a snapshot`() throws {
        let tested = try TestWorld()
        let errand = tested.world.begin(on: "node-1") { system -> MembershipView? in
            for await view in system.views() where view.members.count == 2 { return view }
            return nil
        }
        tested.world.crash("node-3")
        tested.world.run(for: .seconds(30))
        let view = try #require(try errand.result?.get())
        #expect(view.digest == tested.world["node-1"].system.view?.digest)
    }

    @Test func `metadata that an operator changes reaches everybody`() throws {
        let tested = try TestWorld()
        var metadata = tested.world["node-2"].system.configuration.metadata
        metadata.schedulability = .draining
        tested.world["node-2"].system.changeMetadata(metadata)
        tested.world.run(for: .seconds(20))
        for node in tested.world.running {
            let member = node.system.view?.members.first { $0.id.rawValue == "node-2" }
            #expect(member?.metadata.schedulability == .draining)
        }
        let owners = (0..<100).map { index in
            tested.world["node-1"].system.owner(of: VirtualActorKey(kind: "counter", key: "key-\(index)"))?.rawValue
        }
        #expect(!owners.contains("node-2"))
    }

    @Test func `a node that leaves is gone without having been suspected, and its run returns`() throws {
        let tested = try TestWorld(nodes: 4)
        tested.world.stop("node-2")
        tested.world.run(for: .seconds(10))
        guard case .returned = tested.world["node-2"].end else {
            Issue.record("\(tested.world["node-2"].end as Any)")
            return
        }
        #expect(tested.world.settle())
        #expect(!tested.world["node-1"].log.contains("status=suspect"))
    }

    @Test func `links are seen with their round trips, without asking anybody`() throws {
        let tested = try TestWorld(nodes: 2)
        tested.world.run(for: .seconds(5))
        let status = tested.world["node-1"].system.linkStatus
        let control = try #require(status.first { $0.lane.lane == .control })
        #expect(control.peer == tested.world["node-2"].life)
        let roundTrip = try #require(control.roundTrip)
        #expect(Duration.microseconds(200)...Duration.milliseconds(2) ~= roundTrip)
    }

    // MARK: The simulation itself

    @Test(arguments: Seed.forThisRun(3))
    func `one seed has one trace`(seed: Seed) throws {
        let hashes = try (0..<2).map { _ in try Self.busyMinute(seed).world.scheduler.traceHash }
        #expect(hashes[0] == hashes[1], "\(seed.replay)")
        let other = try Self.busyMinute(Seed(seed.number &+ 1)).world.scheduler.traceHash
        #expect(other != hashes[0])
    }

    /// Some calls, a crash and a restart.
    private static func busyMinute(_ seed: Seed) throws -> TestWorld {
        let tested = try TestWorld(seed)
        let keys = (0..<10).map { VirtualActorKey(kind: "counter", key: "key-\($0)") }
        var errands: [Errand<Counter.Count>] = []
        for round in 0..<20 {
            let name = tested.world.names[round % 3]
            if tested.world[name].isRunning {
                errands += keys.map { key in tested.world.begin(on: name) { try await $0.counter(key).add(1) } }
            }
            if round == 8 { tested.world.crash("node-2") }
            if round == 12 { tested.world.start("node-2") }
            tested.world.run(for: .seconds(1))
        }
        tested.world.settle()
        return tested
    }

    @Test func `nothing in a simulation runs on another thread`() throws {
        let tested = try Self.busyMinute(Seed(7))
        #expect(tested.world.scheduler.foreignJobs == 0)
        #expect(tested.world.scheduler.steps > 1000)
    }
}
