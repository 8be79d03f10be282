import ClusterSimulation
import Distributed
import Membership
import Synchronization
import Testing
import WireProtocol

@testable import ActorCluster

@Suite struct RedialTests {
    private func fresh() -> Redial { Redial(.milliseconds(50)...Duration.seconds(2), stableAfter: .seconds(1)) }

    @Test func `the first dial need not wait`() { #expect(fresh().wait(at: .zero) == nil) }

    @Test func `pauses grow with chance, from the least to the most`() {
        var redial = fresh()
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<8 {
            redial.failed(at: now, fraction: 1)
            let pause = redial.wait(at: now) ?? .zero
            pauses.append(pause)
            now += pause
        }
        #expect(
            pauses.prefix(5) == [
                .milliseconds(50), .milliseconds(150), .milliseconds(450), .milliseconds(1350), .seconds(2),
            ])
        #expect(pauses.allSatisfy { $0 <= .seconds(2) })
    }

    @Test func `chance can bring the pause back to the least`() {
        var redial = fresh()
        redial.failed(at: .zero, fraction: 1)
        redial.failed(at: .zero, fraction: 1)
        redial.failed(at: .zero, fraction: 0)
        #expect(redial.wait(at: .zero) == .milliseconds(50))
    }

    @Test func `a connection that stood is dialled again at once, one that did not rests`() {
        var redial = fresh()
        redial.established(at: .seconds(1))
        redial.lost(at: .seconds(3), fraction: 0.5)
        #expect(redial.wait(at: .seconds(3)) == nil)
        redial.established(at: .seconds(4))
        redial.lost(at: .milliseconds(4100), fraction: 0.5)
        #expect(redial.wait(at: .milliseconds(4100)) == .milliseconds(50))
        #expect(redial.wait(at: .milliseconds(4150)) == nil)
    }
}

@Suite struct ActivationTableTests {
    private let system: ClusterActorSystem
    private let key = VirtualActorKey(kind: "counter", key: "one")

    init() throws {
        let tested = try TestWorld(nodes: 1, start: false)
        tested.world.start("node-1")
        system = tested.world["node-1"].system
    }

    private func actor() -> any DistributedActor { Counter(actorSystem: system, key, Effects()) }

    private func active(_ table: inout ActivationTable, at now: Duration = .zero) {
        guard case .activate = table.call(key) else {
            Issue.record("the first call activates")
            return
        }
        _ = table.activated(key, actor(), at: now)
    }

    @Test func `the first call activates, the others wait, then all run`() {
        var table = ActivationTable(activationsMax: 10)
        guard case .activate = table.call(key), case .wait = table.call(key) else {
            Issue.record("one activates, the other waits")
            return
        }
        #expect(table.activated(key, actor(), at: .zero) != nil)
        guard case .run = table.call(key), case .run = table.call(key) else {
            Issue.record("an active one runs")
            return
        }
        #expect(table.active == [key])
    }

    @Test func `a failed activation leaves nothing behind`() {
        var table = ActivationTable(activationsMax: 10)
        _ = table.call(key)
        #expect(table.failed(key) != nil)
        #expect(table.count == 0)
        guard case .activate = table.call(key) else {
            Issue.record("the next call tries again")
            return
        }
    }

    @Test func `there is room for so many and no more`() {
        var table = ActivationTable(activationsMax: 1)
        active(&table)
        guard case .full = table.call(VirtualActorKey(kind: "counter", key: "two")) else {
            Issue.record("the table is full")
            return
        }
    }

    @Test func `idle means no call inside and none for the limit, exactly`() {
        var table = ActivationTable(activationsMax: 10)
        active(&table)
        _ = table.call(key)
        #expect(table.sleepers(at: .seconds(100), limit: .seconds(10)).isEmpty)
        #expect(table.nextSleeper(limit: .seconds(10)) == nil)
        #expect(table.ended(key, at: .seconds(100)) == nil)
        #expect(table.nextSleeper(limit: .seconds(10)) == .seconds(110))
        #expect(table.sleepers(at: .milliseconds(109_999), limit: .seconds(10)).isEmpty)
        #expect(table.sleepers(at: .seconds(110), limit: .seconds(10)).map(\.key) == [key])
        // On its way out it takes no calls, and is not sent out twice.
        guard case .wait = table.call(key) else {
            Issue.record("a call waits for the next instance")
            return
        }
        #expect(table.sleepers(at: .seconds(200), limit: .seconds(10)).isEmpty)
        #expect(table.asleep(key) != nil)
        guard case .activate = table.call(key) else {
            Issue.record("the key is free")
            return
        }
    }

    @Test func `one that has to leave waits for the calls inside`() {
        var table = ActivationTable(activationsMax: 10)
        active(&table)
        _ = table.call(key)
        _ = table.call(key)
        #expect(table.keep(.moved) { _ in false }.isEmpty)
        #expect(table.ended(key, at: .zero) == nil)
        let departure = table.ended(key, at: .zero)
        #expect(departure?.reason == .moved)
        #expect(table.count == 1)
        #expect(table.asleep(key) != nil)
        #expect(table.count == 0)
    }
}

@Suite struct IdentityTests {
    private let life = MemberLife(id: MemberID("node-1")!, epoch: 1_764_000_000_123)

    @Test func `identities survive the wire`() {
        let ids: [ClusterActorID] = [
            .named("echo", on: life), .virtual(kind: "job", key: "8c1f-é/~ x"),
            .virtual(kind: "job", key: "one", home: "eu-west"),
        ]
        for id in ids { #expect(ClusterActorID(parsing: id.bytes[...]) == id) }
    }

    @Test func `identities survive being arguments`() throws {
        for id in [ClusterActorID.named("echo", on: life), .virtual(kind: "job", key: "8c1f-é/~ x", home: "eu")] {
            #expect(try WireDecoder().decode(ClusterActorID.self, from: WireEncoder().encode(id)) == id)
        }
    }

    @Test func `the bytes are these`() {
        #expect(ClusterActorID.named("echo", on: life).bytes == Array("nnode-1\u{0}1764000000123\u{0}echo".utf8))
        #expect(ClusterActorID.virtual(kind: "job", key: "k").bytes == Array("vjob\u{0}\u{0}k".utf8))
        #expect(ClusterActorID.virtual(kind: "job", key: "k", home: "eu").bytes == Array("vjob\u{0}eu\u{0}k".utf8))
    }

    @Test(arguments: [
        "", "x", "n", "nnode-1", "nnode-1\u{0}12", "nnode-1\u{0}twelve\u{0}echo", "nnode-1\u{0}-1\u{0}echo",
        "nNODE\u{0}12\u{0}echo", "nnode-1\u{0}12\u{0}", "nnode-1\u{0}12\u{0}Echo", "vjob\u{0}\u{0}", "v\u{0}\u{0}key",
        "vJob\u{0}\u{0}key", "vjob\u{0}\u{0}k\u{0}y",
    ])
    func `what is no identity is not taken for one`(text: String) {
        #expect(ClusterActorID(parsing: Array(text.utf8)[...]) == nil)
    }

    @Test func `bytes that are not UTF-8, keys and homes that are too long are no identity`() {
        let long = String(repeating: "k", count: VirtualActorKey.keyBytesMax + 1)
        let home = String(repeating: "h", count: VirtualActorKey.homeBytesMax + 1)
        #expect(ClusterActorID(parsing: (Array("vjob\u{0}\u{0}".utf8) + [0xff, 0xfe])[...]) == nil)
        #expect(ClusterActorID(parsing: Array("vjob\u{0}\u{0}\(long)".utf8)[...]) == nil)
        #expect(ClusterActorID(parsing: Array("vjob\u{0}\(home)\u{0}k".utf8)[...]) == nil)
        #expect(ClusterActorID(parsing: Array("vjob\u{0}\u{0}\(long.dropLast())".utf8)[...]) != nil)
        #expect(!VirtualActorKey.isValid(kind: "job", key: long))
    }
}

@Suite struct DirectoryTests {
    private let system: ClusterActorSystem

    init() throws {
        let tested = try TestWorld(nodes: 1, start: false)
        tested.world.start("node-1")
        system = tested.world["node-1"].system
    }

    @Test func `a hosted actor stays, one that nobody holds goes`() throws {
        do { _ = try system.host("kept") { Echo(actorSystem: system, Effects(), ContinuousClock()) } }
        #expect(system.directory.withLock { $0.actor("kept") } != nil)
        let id: ClusterActorID
        do {
            let fleeting = Echo(actorSystem: system, Effects(), ContinuousClock())
            id = fleeting.id
            #expect(try Echo.resolve(id: id, using: system) === fleeting)
        }
        #expect(throws: ClusterCallError.self) { try Echo.resolve(id: id, using: system) }
        system.release("kept")
        #expect(system.directory.withLock { $0.actor("kept") } == nil)
    }

    @Test func `a name is given once, and again when it is free`() throws {
        _ = try system.host("one") { Echo(actorSystem: system, Effects(), ContinuousClock()) }
        #expect(throws: ClusterCallError.self) {
            try system.host("one") { Echo(actorSystem: system, Effects(), ContinuousClock()) }
        }
        system.release("one")
        _ = try system.host("one") { Echo(actorSystem: system, Effects(), ContinuousClock()) }
    }

    @Test func `an actor of another type does not resolve`() throws {
        let echo = try system.host("one") { Echo(actorSystem: system, Effects(), ContinuousClock()) }
        #expect(throws: ClusterCallError.self) { try Counter.resolve(id: echo.id, using: system) }
    }
}

@Suite struct CallTargetListTests {
    @Test func `places follow the sorted names, whatever the order they were given in`() {
        let one = CallTargets([.init(Echo.self, Echo.targets), .init(Counter.self, Counter.targets)])
        let other = CallTargets([.init(Counter.self, Counter.targets.reversed()), .init(Echo.self, Echo.targets)])
        #expect(one.list == other.list)
        #expect(one.list.names == one.list.names.sorted())
        for (number, name) in one.list.names.enumerated() { #expect(one.number(of: name) == UInt32(number)) }
        #expect(one.target(UInt32(one.list.names.count)) == nil)
    }

    @Test func `a name under the wrong type is a mistake that is found at once`() async {
        await #expect(processExitsWith: .failure) {
            _ = CallTargets.Group(Counter.self, Echo.targets)
        }
    }
}
