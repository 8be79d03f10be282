import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Testing

@Suite struct VirtualActorTests {
    @Test func `the first message activates the actor on its owner, whoever sends it`() throws {
        let tested = try TestWorld()
        let key = try tested.key(ownedBy: "node-2")
        for (name, total) in [("node-1", 1), ("node-2", 2), ("node-3", 3)] {
            let count = try tested.world.perform(on: name) { try await $0.counter(key).add(1) }
            #expect(count == Counter.Count(node: "node-2", total: total))
        }
        #expect(tested.effects.count("activated") == 1)
        #expect(tested.world["node-2"].system.activeKeys == [key])
    }

    @Test(arguments: Seed.forThisRun(20))
    func `concurrent first messages activate one actor`(seed: Seed) throws {
        let tested = try TestWorld(seed)
        let key = try tested.key(ownedBy: "node-2")
        let errands = (0..<30).map { index in
            tested.world.begin(on: tested.world.names[index % 3]) { try await $0.counter(key).add(1) }
        }
        tested.world.run(for: .seconds(1))
        let totals = try errands.map { try #require(try $0.result?.get()).total }
        #expect(totals.sorted() == Array(1...30), "\(seed.replay)")
        #expect(tested.effects.count("activated") == 1, "\(seed.replay)")
    }

    @Test func `an idle actor is put to sleep and wakes anew`() throws {
        let tested = try TestWorld { $0.configure = { $0.idleLimit = .seconds(10) } }
        let key = try tested.key(ownedBy: "node-2")
        _ = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) }
        tested.world.run(for: .seconds(9))
        #expect(tested.effects.count("asleep: idle") == 0)
        // A call begins the time anew.
        _ = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) }
        tested.world.run(for: .seconds(9))
        #expect(tested.effects.count("asleep: idle") == 0)
        tested.world.run(for: .seconds(3))
        #expect(tested.effects.count("asleep: idle") == 1)
        #expect(tested.world["node-2"].system.activeKeys.isEmpty)
        let count = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) }
        #expect(count.total == 1)
        #expect(tested.effects.count("activated") == 2)
    }

    @Test func `an actor with a call inside is not idle, however long the call takes`() throws {
        let tested = try TestWorld { setting in
            setting.configure = {
                $0.idleLimit = .seconds(2)
                $0.callTimeLimit = .seconds(60)
            }
        }
        let key = try tested.key(ownedBy: "node-2")
        let errand = tested.world.begin(on: "node-1") { try await $0.counter(key).addLater(1, milliseconds: 10_000) }
        tested.world.run(for: .seconds(9))
        #expect(tested.effects.count("asleep: idle") == 0)
        tested.world.run(for: .seconds(2))
        #expect(try errand.result?.get().total == 1)
        tested.world.run(for: .seconds(3))
        #expect(tested.effects.count("asleep: idle") == 1)
    }

    @Test func `an actor whose key moves finishes its calls, sleeps, and lives on at the new owner`() throws {
        let tested = try TestWorld(nodes: 4, start: false)
        for name in ["node-1", "node-2", "node-3"] { tested.world.start(name) }
        try #require(tested.world.settle())
        // Keys that the fourth node will take over.
        let keys = (0..<40).map { VirtualActorKey(kind: "counter", key: "key-\($0)") }
        for key in keys { _ = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) } }
        let inside = keys.map { key in
            tested.world.begin(on: "node-2") { try await $0.counter(key).addLater(1, milliseconds: 3_000) }
        }
        tested.world.run(for: .milliseconds(100))
        tested.world.start("node-4")
        try #require(tested.world.settle())
        tested.world.run(for: .seconds(5))
        let moved = keys.filter { tested.world["node-1"].system.owner(of: $0)?.rawValue == "node-4" }
        #expect(!moved.isEmpty)
        for errand in inside { #expect(try errand.result?.get().total == 2) }
        #expect(tested.effects.count("asleep: moved") == moved.count)
        for key in moved {
            let count = try tested.world.perform(on: "node-2") { try await $0.counter(key).add(1) }
            #expect(count == Counter.Count(node: "node-4", total: 1))
        }
        #expect(tested.world.settledViolations.isEmpty)
    }

    @Test func `a node that is asked for another's key names the owner, and the caller asks there`() throws {
        // The second node lets changes settle for longer: it hears of the fourth and its view stays old for a while.
        let tested = try TestWorld(nodes: 4, start: false) { setting in
            setting.configure = {
                guard $0.life.id.rawValue == "node-2" else { return }
                ($0.membership.settling, $0.membership.settlingMax) = (.seconds(20), .seconds(20))
            }
        }
        for name in ["node-1", "node-2", "node-3"] { tested.world.start(name) }
        try #require(tested.world.settle())
        tested.world.start("node-4")
        tested.world.run(atMost: .seconds(15)) {
            tested.world["node-1"].system.view?.members.count == 4
                && tested.world["node-3"].system.view?.members.count == 4
                && tested.world["node-2"].system.members.count == 4
        }
        try #require(tested.world["node-2"].system.view?.members.count == 3)
        let keys = (0..<200).map { VirtualActorKey(kind: "counter", key: "key-\($0)") }
        let moved = keys.filter {
            tested.world["node-1"].system.owner(of: $0)?.rawValue == "node-4"
                && ["node-1", "node-3"].contains(tested.world["node-2"].system.owner(of: $0)?.rawValue)
        }
        try #require(!moved.isEmpty)
        let errands = moved.map { key in tested.world.begin(on: "node-2") { try await $0.counter(key).add(1) } }
        tested.world.run(for: .seconds(2))
        for errand in errands { #expect(try errand.result?.get() == Counter.Count(node: "node-4", total: 1)) }
        #expect(tested.world["node-2"].system.counts.callsRedirected == moved.count)
    }

    @Test func `a factory that fails tells all who wait, and the next call tries again`() throws {
        let tested = try TestWorld()
        let key = VirtualActorKey(kind: "stubborn", key: "one")
        let attempts = Effects()
        for name in tested.world.names {
            let node = tested.world[name]
            node.system.register(kind: "stubborn") { key, system in
                attempts.note(name, key.key, "attempted")
                try await node.clock.sleep(for: .milliseconds(100))
                if attempts.count("attempted") == 1 { throw Echo.Refusal(description: "not yet") }
                return Counter(actorSystem: system, key, attempts)
            }
        }
        let errands = (0..<3).map { _ in tested.world.begin(on: "node-1") { try await $0.counter(key).add(1) } }
        tested.world.run(for: .seconds(1))
        for errand in errands {
            let error = #expect(throws: ClusterCallError.self) { try errand.result?.get() }
            #expect(error?.detail.contains("not yet") == true)
        }
        let count = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) }
        #expect(count.total == 1)
    }

    @Test func `a factory that hangs is given up`() throws {
        let tested = try TestWorld { $0.configure = { $0.activationTimeLimit = .seconds(2) } }
        let key = VirtualActorKey(kind: "hanging", key: "one")
        for name in tested.world.names {
            let node = tested.world[name]
            node.system.register(kind: "hanging") { key, system in
                try await node.clock.sleep(for: .seconds(3600))
                return Counter(actorSystem: system, key, Effects())
            }
        }
        let before = tested.world.scheduler.now
        #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { _ = try await $0.counter(key).add(1) }
        }
        #expect(tested.world.scheduler.now - before < .seconds(3))
    }

    @Test func `a caller that gives up does not take the activation with it`() throws {
        let tested = try TestWorld()
        let key = VirtualActorKey(kind: "slow", key: "one")
        let effects = Effects()
        for name in tested.world.names {
            let node = tested.world[name]
            node.system.register(kind: "slow") { key, system in
                try await node.clock.sleep(for: .seconds(1))
                return Counter(actorSystem: system, key, effects)
            }
        }
        let first = tested.world.begin(on: "node-1") { try await $0.counter(key).add(1) }
        tested.world.run(for: .milliseconds(500))
        let second = tested.world.begin(on: "node-2") { try await $0.counter(key).add(1) }
        tested.world.run(for: .milliseconds(100))
        first.cancel()
        tested.world.run(for: .seconds(1))
        #expect(throws: CancellationError.self) { try first.result?.get() }
        #expect(try second.result?.get().total == 1)
        #expect(effects.count("activated") == 1)
    }

    @Test func `more actors than allowed are not made`() throws {
        let tested = try TestWorld(nodes: 1) { $0.configure = { $0.activationsMax = 3 } }
        let errands = (0..<5).map { index in
            tested.world.begin(on: "node-1") {
                try await $0.counter(VirtualActorKey(kind: "counter", key: "key-\(index)")).add(1)
            }
        }
        tested.world.run(for: .seconds(1))
        let codes = errands.compactMap { errand -> ClusterCallError.Code? in
            guard case .failure(let error) = errand.result else { return nil }
            return (error as? ClusterCallError)?.code
        }
        #expect(codes == [.busy, .busy])
    }

    @Test func `a kind that nobody registered has no actors`() throws {
        let tested = try TestWorld()
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") {
                _ = try await $0.counter(VirtualActorKey(kind: "unheard-of", key: "one")).add(1)
            }
        }
        #expect(error?.code == .noSuchActor)
    }

    @Test func `a key with a home lives in that region`() throws {
        let tested = try TestWorld(nodes: 4) { $0.regions = ["north", "south"] }
        for index in 0..<10 {
            let key = VirtualActorKey(kind: "counter", key: "key-\(index)", home: "south")
            let count = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) }
            #expect(["node-2", "node-4"].contains(count.node))
        }
    }

    @Test func `a node that stops lets its actors finish and write what they have to`() throws {
        let tested = try TestWorld()
        let key = try tested.key(ownedBy: "node-2")
        let errand = tested.world.begin(on: "node-1") { try await $0.counter(key).addLater(1, milliseconds: 2_000) }
        tested.world.run(for: .milliseconds(100))
        tested.world.stop("node-2")
        tested.world.run(for: .seconds(10))
        #expect(try errand.result?.get().total == 1)
        let asleep = tested.effects.all.filter { $0.what.hasPrefix("asleep") }
        #expect(asleep.map(\.node) == ["node-2"])
        guard case .returned = tested.world["node-2"].end else {
            Issue.record("the node has not stopped")
            return
        }
        let after = try tested.world.perform(on: "node-1") { try await $0.counter(key).add(1) }
        #expect(after.node != "node-2")
    }
}
