import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Placement
import Testing
import WireProtocol

/// A stranger that speaks, or does not speak, the protocol to a node.
struct Stranger {
    let world: ClusterWorld
    let transport: SimulatedTransport

    init(_ world: ClusterWorld, certified: [String]) {
        self.world = world
        transport = SimulatedTransport(world.network, host: "stranger", certifiedNames: certified)
    }

    /// Sends the bytes and reads until the node closes; nil when it has not by then.
    func say(_ bytes: [UInt8], to name: String, waiting: Duration = .seconds(30)) throws -> [UInt8]? {
        let transport = transport
        let errand = world.beginOutside { () async throws -> [UInt8] in
            let connection = try await transport.connect(host: name, port: 7000)
            _ = connection.send(bytes)
            var heard: [UInt8] = []
            while let more = try? await connection.receive() { heard += more }
            return heard
        }
        world.run(atMost: waiting) { errand.isDone }
        return try errand.result?.get()
    }

    /// The code and text of the `goAway` that a node answers with.
    func goAway(_ bytes: [UInt8], to name: String) throws -> GoAway? {
        let heard = try #require(try say(bytes, to: name))
        var cutter = FrameCutter()
        let farewell = cutter.cut(heard).last { $0.kind == FrameKind.goAway.rawValue }
        return try farewell.map { try GoAway(parsing: $0.bytes[Frame.headerBytes...]) }
    }
}

@Suite struct HandshakeTests {
    static func identity(
        name: String = "stranger", epoch: UInt64 = 5000, cluster: String = "simulated", placement: String? = nil,
        versions: VersionRange = .spoken
    ) -> LocalIdentity {
        var identity = LocalIdentity(
            cluster: cluster, life: PeerLife(name: name, epoch: epoch), calls: CallTargets.ofTheseTests.list,
            placementAlgorithm: placement ?? ClusterConfiguration.ofTheseTests.placement.algorithmID)
        identity.versions = versions
        return identity
    }

    static func hello(_ identity: LocalIdentity, lane: LaneNumber = LaneNumber(.call)) -> [UInt8] {
        Handshake(
            .dialler(lane, expecting: nil), local: identity, certifiedNames: ["any"], now: .zero
        ).opening()
    }

    /// Each is refused with a reason that the stranger is told, that is counted and that is in the log.
    private func expectRefusal(
        _ code: GoAway.Code, _ bytes: [UInt8], certified: [String] = ["stranger"], nodes: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let tested = try TestWorld(nodes: nodes)
        let before = tested.world["node-1"].system.counts.handshakesRefused["\(code)", default: 0]
        let told = try Stranger(tested.world, certified: certified).goAway(bytes, to: "node-1")
        #expect(told?.code == code, sourceLocation: sourceLocation)
        #expect(
            tested.world["node-1"].system.counts.handshakesRefused["\(code)", default: 0] == before + 1,
            sourceLocation: sourceLocation)
        #expect(tested.world["node-1"].log.contains("code=\(code)"), sourceLocation: sourceLocation)
    }

    @Test func `garbage is refused`() throws {
        try expectRefusal(.malformedHello, Array("GET / HTTP/1.1\r\nHost: node-1\r\n\r\n".utf8))
    }

    @Test func `a length of two gigabytes is refused before anything is made for it`() throws {
        try expectRefusal(.malformedHello, [0x7f, 0xff, 0xff, 0xff, 0, 1, 0x80, 0, 0, 0, 0, 0])
    }

    @Test func `another cluster is refused`() throws {
        try expectRefusal(.otherCluster, Self.hello(Self.identity(cluster: "staging")))
    }

    @Test func `a name that the certificate does not have is refused`() throws {
        try expectRefusal(.notCertified, Self.hello(Self.identity(name: "node-2")), certified: ["stranger"])
    }

    @Test func `another node with our name is refused`() throws {
        try expectRefusal(.ownName, Self.hello(Self.identity(name: "node-1")), certified: ["node-1"])
    }

    @Test func `a future version is refused`() throws {
        try expectRefusal(.noCommonVersion, Self.hello(Self.identity(versions: VersionRange(7, 9))))
    }

    @Test func `another way of placing keys is refused`() throws {
        try expectRefusal(.otherPlacement, Self.hello(Self.identity(placement: "modulo-1")))
    }

    @Test func `an old life of a node that is known by a newer one is refused, be it a replay or a zombie`() throws {
        let hello = Self.hello(Self.identity(name: "node-2", epoch: 7))
        try expectRefusal(.olderEpoch, hello, certified: ["node-2"], nodes: 2)
    }

    @Test func `a lane with a number that no configuration here has is refused`() throws {
        try expectRefusal(.tooManyConnections, Self.hello(Self.identity(), lane: LaneNumber(.call, number: 5)))
    }

    @Test func `who says nothing is refused when the time is over`() throws {
        let tested = try TestWorld(nodes: 1)
        let before = tested.world.scheduler.now
        let told = try Stranger(tested.world, certified: ["stranger"]).goAway([], to: "node-1")
        #expect(told?.code == .tookTooLong)
        #expect(tested.world["node-1"].log.contains("code=tookTooLong"))
        #expect(tested.world.scheduler.now - before < .seconds(6))
    }

    @Test func `who says one byte at a time is refused when the time is over`() throws {
        let tested = try TestWorld(nodes: 1)
        let transport = SimulatedTransport(tested.world.network, host: "stranger")
        let hello = Self.hello(Self.identity())
        let clock = VirtualClock(tested.world.scheduler)
        let errand = tested.world.beginOutside { () async throws -> Int in
            let connection = try await transport.connect(host: "node-1", port: 7000)
            for (index, byte) in hello.enumerated() {
                guard connection.send([byte]) else { return index }
                try await clock.sleep(for: .milliseconds(500))
                _ = connection
            }
            return hello.count
        }
        tested.world.run(for: .seconds(60))
        #expect(errand.isDone)
        #expect(tested.world["node-1"].system.counts.handshakesRefused["tookTooLong"] == 1)
        #expect(tested.world["node-1"].log.contains("code=tookTooLong"))
    }

    @Test func `a target that is not on the list is not called, by number or by name`() throws {
        let tested = try TestWorld(nodes: 1)
        let life = tested.world["node-1"].life
        let actor = ClusterActorID.named("echo", on: life).bytes
        var bytes = Self.hello(Self.identity())
        let writer = FrameWriter(version: 1, frameBytesMax: 1 << 20)
        for (id, target) in [(UInt32(65_537), CallTarget.number(4_000)), (65_538, .name("$sSS4ExitYaKFTE"))] {
            try writer.append(.call, streamID: id, to: &bytes) {
                try CallHeader(target: target, actor: actor[...]).append(to: &$0)
            }
        }
        let transport = SimulatedTransport(tested.world.network, host: "stranger")
        let sent = bytes
        let errand = tested.world.beginOutside { () async throws -> [UInt8] in
            let connection = try await transport.connect(host: "node-1", port: 7000)
            _ = connection.send(sent)
            var (heard, cutter): ([FrameCutter.Cut], FrameCutter) = ([], FrameCutter())
            while heard.count(where: { $0.kind == FrameKind.reply.rawValue }) < 2 {
                guard let more = try await connection.receive() else { break }
                heard += cutter.cut(more)
            }
            connection.close(flush: false)
            return heard.filter { $0.kind == FrameKind.reply.rawValue }.map { $0.bytes[Frame.headerBytes] }
        }
        tested.world.run(for: .seconds(2))
        // 5 is `notAllowed` (docs/protocol.md).
        #expect(try errand.result?.get() == [5, 5])
        #expect(tested.world["node-1"].system.counts.callsRefusedNotAllowed == 2)
    }

    @Test func `nodes whose lists differ call what both have, and know at once what the other lacks`() throws {
        let tested = try TestWorld(nodes: 2) { setting in
            setting.targetsOf = { name in
                name == "node-2"
                    ? CallTargets([CallTargets.Group(Echo.self, Echo.targets.filter { !$0.contains("swallow") })]) : nil
            }
        }
        let echo = tested.echo(on: "node-2")
        let answer = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        #expect(answer == "hola")
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { _ = try await $0.echo(echo).swallow([1]) }
        }
        #expect(error?.code == .notAllowed)
        #expect(tested.world["node-2"].system.counts.callsRefusedNotAllowed == 0)
    }

    @Test(arguments: Seed.forThisRun(30))
    func `two nodes that dial each other at the same moment keep one connection, and no call fails`(seed: Seed) throws {
        let tested = try TestWorld(seed, nodes: 2)
        let (one, other) = (tested.echo(on: "node-1"), tested.echo(on: "node-2"))
        let errands =
            (0..<4).map { _ in tested.world.begin(on: "node-1") { try await $0.echo(other).echo("hola") } }
            + (0..<4).map { _ in tested.world.begin(on: "node-2") { try await $0.echo(one).echo("hola") } }
        tested.world.run(for: .seconds(5))
        for errand in errands { #expect(try errand.result?.get() == "hola", "\(seed.replay)") }
        for name in tested.world.names {
            let lanes = tested.world[name].system.linkStatus.filter { $0.lane.lane == .call }
            #expect(lanes.count == 1, "\(seed.replay)")
        }
    }
}

extension ClusterConfiguration {
    /// As `ClusterWorld` has it.
    static var ofTheseTests: ClusterConfiguration {
        // The name is one.
        let life = MemberLife(id: MemberID("node")!, epoch: 1)
        return ClusterConfiguration(
            cluster: "simulated", life: life,
            metadata: MemberMetadata(region: "one", zone: "", peerAddress: PeerAddress(host: "node", port: 7000)))
    }
}
