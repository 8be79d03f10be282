import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Telemetry
import Testing

@Suite struct AggregatorTests {
    @Test func `the list of call targets is what the compiler calls them`() throws {
        var setting = ClusterWorld.Setting()
        setting.nodes = 1
        let world = ClusterWorld(Seed(1), setting)
        world.start("node-1")
        let names = try world.perform(on: "node-1") { system in
            // A node that allows nothing says the name of everything that it is asked to call.
            let actor = try MetricsAggregator.resolve(id: .virtual(kind: "metrics", key: "any"), using: system)
            let report = NodeReport(region: "one", life: system.life, sequence: 1, own: MetricSnapshot())
            let share = RegionLedger(region: "one", limits: MetricsConfiguration(), at: .zero).share(
                recordsMax: 1, at: .zero)
            let calls: [() async throws -> Void] = [
                { _ = try await actor.take(report) }, { _ = try await actor.exchange(share) },
                { _ = try await actor.answer(FiguresRequest(region: "one")) },
            ]
            var names: [String] = []
            for call in calls {
                do {
                    try await call()
                } catch let error as ClusterCallError where error.code == .notAllowed {
                    names.append(error.detail)
                }
            }
            return names
        }
        #expect(names.sorted() == MetricsAggregator.callTargets.sorted())
    }

    @Test func `every node knows the figures of all`() throws {
        let tested = try MetricsWorld(nodes: 6, regions: ["one", "two"])
        for (place, name) in tested.world.names.enumerated() { tested.count(name, place + 1) }
        tested.world.run(for: .seconds(2))
        for name in tested.world.names {
            let (figures, _) = try tested.figures(from: name)
            let series = try #require(figures["things_done_total"]?[[:]])
            #expect(series.cluster.counter == 21)
            #expect(series.regions.mapValues(\.counter) == ["one": 9, "two": 12])
            #expect(figures["things_waiting"]?[[:]]?.cluster.gauge?.nodes == 6)
            #expect(figures["things_done_total"]?.help == "Things.")
            #expect(figures.regions.map(\.isFresh) == [true, true])
            #expect(figures.unheardNodes.isEmpty)
            #expect(figures.node == name)
        }
    }

    @Test(arguments: [3, 6, 12])
    func `reporting costs two calls for each node and interval`(nodes: Int) throws {
        let tested = try MetricsWorld(nodes: nodes, regions: ["one", "two"])
        tested.world.run(for: .seconds(3))
        let before = tested.world.running.reduce(0) { $0 + $1.system.counts.callsSent }
        tested.world.run(for: .seconds(10))
        let perInterval = Double(tested.world.running.reduce(0) { $0 + $1.system.counts.callsSent } - before) / 10
        // Two reports for each node, less those that a keeper sends to itself, and one comparison for each region.
        #expect(perInterval <= Double(2 * nodes + 2) * 1.1 + 1, "\(perInterval) calls")
        #expect(perInterval >= Double(nodes), "\(perInterval) calls: nobody reports")
    }

    @Test func `a question costs two calls for each region, and a dashboard does not become a load`() throws {
        let tested = try MetricsWorld(nodes: 9, regions: ["one", "two", "three"])
        tested.world.run(for: .seconds(2))
        let before = tested.world["node-1"].system.counts.callsSent
        for _ in 0..<10 { _ = try tested.figures(from: "node-1") }
        #expect(tested.world["node-1"].system.counts.callsSent - before <= 2 * 3 + 2)
    }

    // MARK: Faults

    @Test func `a keeper in a black hole is answered for by the other one, in time`() throws {
        let tested = try MetricsWorld(nodes: 5)
        for name in tested.world.names { tested.count(name, 10) }
        tested.world.run(for: .seconds(3))
        let keepers = try tested.keepers(of: "one")
        let asker = try #require(tested.world.names.first { !keepers.contains($0) })
        tested.world.powerOff(keepers[0])
        let (figures, took) = try tested.figures(from: asker)
        #expect(figures["things_done_total"]?[[:]]?.cluster.counter == 50)
        #expect(figures.regions.first?.keeper == keepers[1])
        #expect(took <= MetricsWorld.configuration.askTimeLimit + .milliseconds(50), "\(took)")
        // The next question does not wait for it again.
        tested.world.run(for: .seconds(1))
        let (_, again) = try tested.figures(from: asker)
        #expect(again < .milliseconds(50), "\(again)")
    }

    @Test func `a node that is cut off answers with what it knew, how old it is, and in time`() throws {
        let tested = try MetricsWorld(nodes: 5, regions: ["one", "two"])
        for name in tested.world.names { tested.count(name, 10) }
        tested.world.run(for: .seconds(3))
        let keepers = try ["one", "two"].map { try tested.keepers(of: $0) }
        let asker = try #require(tested.world.names.first { name in !keepers.contains { $0.contains(name) } })
        _ = try tested.figures(from: asker)
        tested.world.run(for: .seconds(2))
        for name in tested.world.names where name != asker {
            tested.world.network.cut(asker, name)
        }
        let (figures, took) = try tested.figures(from: asker)
        #expect(took <= MetricsWorld.configuration.askTimeLimit + .milliseconds(50), "\(took)")
        #expect(figures["things_done_total"]?[[:]]?.cluster.counter == 50)
        #expect(figures.regions.allSatisfy { !$0.isFresh && ($0.ageSeconds ?? 0) >= 2 })
        #expect(figures.unheardNodes.count >= 4)
    }

    @Test func `a restart neither counts twice nor lets a counter fall`() throws {
        let tested = try MetricsWorld(nodes: 4)
        for name in tested.world.names { tested.count(name, 10) }
        tested.world.run(for: .seconds(3))
        var (last, expected) = (try tested.total(from: "node-1"), UInt64(40))
        #expect(last == expected)
        // Every node in turn, keepers included.
        for (round, name) in (tested.world.names + tested.world.names).enumerated() {
            tested.restart(name)
            for _ in 0..<12 {
                tested.world.run(for: .milliseconds(500))
                let asker = tested.world.names[(round + 1) % 4]
                let now = try tested.total(from: asker)
                #expect(now >= last, "round \(round)")
                last = now
            }
            tested.count(name, 3)
            expected += 3
            tested.world.run(for: .seconds(3))
            #expect(try tested.total(from: name) == expected, "round \(round)")
            last = expected
        }
    }

    @Test func `a keeper that dies takes nothing along`() throws {
        let tested = try MetricsWorld(nodes: 5)
        for name in tested.world.names { tested.count(name, 10) }
        tested.world.run(for: .seconds(3))
        var dead: [String] = []
        for _ in 0..<3 {
            let alive = try #require(tested.world.names.first { !dead.contains($0) })
            let owner = try tested.keepers(of: "one", by: alive)[0]
            tested.world.crash(owner)
            dead.append(owner)
            // The next owner is the former stand-in, and gets a stand-in that has to be told.
            tested.world.settle()
            tested.world.run(for: .seconds(6))
            let asker = try #require(tested.world.names.first { !dead.contains($0) })
            let (figures, _) = try tested.figures(from: asker)
            #expect(figures["things_done_total"]?[[:]]?.cluster.counter == 50, "after \(dead)")
            #expect(figures["things_waiting"]?[[:]]?.cluster.gauge?.nodes == UInt64(5 - dead.count))
            #expect(figures.regions.first?.nodes.count { $0.state == .ended } == dead.count)
        }
    }

    @Test func `nodes that come and become keepers are told what there was`() throws {
        let tested = try MetricsWorld(nodes: 9, starting: ["node-1", "node-2"])
        tested.count("node-1", 10)
        tested.count("node-2", 10)
        tested.world.run(for: .seconds(3))
        tested.world.crash("node-2")
        tested.world.settle()
        tested.world.run(for: .seconds(3))
        // Of nine, the first two are the keepers of hardly any key; whoever is one now knows of the dead one all the
        // same.
        for name in tested.world.names.dropFirst(2) { tested.start(name) }
        tested.world.settle()
        tested.world.run(for: .seconds(8))
        tested.world.crash("node-1")
        tested.world.settle()
        tested.world.run(for: .seconds(3))
        let keepers = try tested.keepers(of: "one", by: "node-3")
        #expect(!keepers.contains("node-1") && !keepers.contains("node-2"))
        for keeper in keepers { #expect(try tested.total(from: keeper) == 20) }
    }

    @Test func `what a node counts at the end is not lost when it reports before it leaves`() throws {
        let tested = try MetricsWorld(nodes: 3)
        tested.world.run(for: .seconds(3))
        tested.count("node-3", 7)
        let aggregator = tested.aggregator("node-3")
        try tested.world.perform(on: "node-3") { _ in await aggregator.reportNow() }
        tested.world.stop("node-3")
        tested.world.run(for: .seconds(5))
        #expect(try tested.total(from: "node-1") == 7)
    }

    @Test func `a region that is gone as a whole stays in the figures of those who knew it`() throws {
        let tested = try MetricsWorld(nodes: 4, regions: ["one", "two"])
        for name in tested.world.names { tested.count(name, 10) }
        tested.world.run(for: .seconds(3))
        #expect(try tested.total(from: "node-1") == 40)
        tested.world.crash("node-2")
        tested.world.crash("node-4")
        tested.world.settle()
        tested.world.run(for: .seconds(2))
        let (figures, _) = try tested.figures(from: "node-1")
        #expect(figures["things_done_total"]?[[:]]?.cluster.counter == 40)
        let region = try #require(figures.regions.first { $0.region == "two" })
        #expect(!region.isFresh && (region.ageSeconds ?? 0) > 1)
    }

    @Test func `questions at a time have a limit, beyond it what is known is answered`() throws {
        var configuration = MetricsWorld.configuration
        configuration.collectionsMax = 2
        let tested = try MetricsWorld(nodes: 5, configuration)
        tested.world.run(for: .seconds(3))
        let keepers = try tested.keepers(of: "one")
        let asker = try #require(tested.world.names.first { !keepers.contains($0) })
        for keeper in keepers { tested.world.network.cut(keeper, asker) }
        let aggregator = tested.aggregator(asker)
        let errands = (0..<5).map { _ in tested.world.begin(on: asker) { _ in await aggregator.clusterFigures() } }
        tested.world.run(for: .milliseconds(20))
        #expect(errands.count { $0.isDone } == 3)
        tested.world.run(for: .seconds(1))
        #expect(errands.count { $0.isDone } == 5)
    }

    @Test(arguments: Seed.forThisRun(10))
    func `under faults no counter falls, and afterwards all nodes know the same`(seed: Seed) throws {
        let tested = try MetricsWorld(seed, nodes: 5, regions: ["one", "two"])
        var random = ClusterSimulation.SeededGenerator(seed.number)
        var (expected, last) = (UInt64(0), UInt64(0))
        for _ in 0..<12 {
            // One node after the other, so that of two keepers one remembers.
            let name = tested.world.names[random.below(5)]
            for name in tested.world.names {
                let amount = random.below(10)
                tested.count(name, amount)
                expected += UInt64(amount)
            }
            tested.world.run(for: .seconds(3))
            if random.chance(0.5) {
                tested.restart(name)
            } else {
                let other = tested.world.names[random.below(5)]
                tested.world.network.cut(name, other)
                tested.world.run(for: random.duration(in: .seconds(1)...(.seconds(4))))
                tested.world.network.mend(name, other)
            }
            tested.world.settle()
            tested.world.run(for: .seconds(4))
            let now = try tested.total(from: "node-1")
            #expect(now >= last, "\(seed.replay)")
            last = now
        }
        tested.world.run(for: .seconds(35))
        for name in tested.world.names { #expect(try tested.total(from: name) == expected, "\(seed.replay) \(name)") }
    }
}
