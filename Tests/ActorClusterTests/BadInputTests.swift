import ClusterSimulation
import Membership
import Synchronization
import Testing
import WireProtocol

@testable import ActorCluster

/// What a peer may write that was let in, and what becomes of it. `HandshakeTests` has what is refused before.
@Suite struct BadInputTests {
    private static let writer = FrameWriter(version: 1, frameBytesMax: 1 << 20)

    /// A length of 2 GiB, and the header of a call.
    private static let oversized: [UInt8] = [0x7f, 0xff, 0xff, 0xff, 1, 16, 0, 0, 0, 0, 0, 1]
    private static let garbage: [UInt8] = [0, 0, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9]

    /// A frame of another version than was agreed.
    private static var futureFrame: [UInt8] {
        get throws {
            var bytes: [UInt8] = []
            try FrameWriter(version: 9, frameBytesMax: 1 << 20).append(Frame(.cancel, streamID: 1), to: &bytes)
            return bytes
        }
    }

    private static func frame(_ frame: Frame) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try writer.append(frame, to: &bytes)
        return bytes
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var lane = Lane.call
        let bytes: @Sendable () throws -> [UInt8]
    }

    @Test(arguments: [
        Case(testDescription: "garbage") { garbage },
        Case(testDescription: "a frame of two gigabytes") { oversized },
        Case(testDescription: "a frame of a future version") { try futureFrame },
        Case(testDescription: "a call on the lane for gossip", lane: .control) {
            try frame(Frame(.call, streamID: 1))
        },
        Case(testDescription: "gossip on the lane for calls") { try frame(Frame(.gossip)) },
        Case(testDescription: "a call without a header") { try frame(Frame(.call, streamID: 1)) },
        Case(testDescription: "a second hello") { HandshakeTests.hello(HandshakeTests.identity()) },
    ])
    func `costs its writer the connection, with a reason in the log, a count, and a goaway`(example: Case) throws {
        let tested = try TestWorld(nodes: 1)
        let opening = HandshakeTests.hello(HandshakeTests.identity(), lane: LaneNumber(example.lane))
        let told = try Stranger(tested.world, certified: ["stranger"]).goAway(opening + example.bytes(), to: "node-1")
        #expect(told?.code == .protocolError)
        let node = tested.world["node-1"]
        #expect(node.system.counts.protocolErrors == 1)
        #expect(node.system.counts.connectionsEnded["protocolError"] == 1)
        let line = node.log.recent.first { $0.contains("ending=protocolError") }
        #expect(line?.contains("warning") == true && line?.contains("reason=") == true, "\(line ?? "not logged")")
        // And nothing else happens.
        let echo = tested.echo(on: "node-1")
        #expect(try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") } == "hola")
    }

    @Test func `who stops in the middle of a frame is given up`() throws {
        let tested = try TestWorld(nodes: 1)
        let half = HandshakeTests.hello(HandshakeTests.identity()) + [0, 1, 0, 0, 1, 16]
        let before = tested.world.scheduler.now
        let told = try Stranger(tested.world, certified: ["stranger"]).goAway(half, to: "node-1")
        #expect(told?.code == .silent)
        #expect(tested.world.scheduler.now - before < .seconds(8))
        #expect(tested.world["node-1"].system.counts.silentConnections == 1)
        #expect(tested.world["node-1"].log.contains("ending=silent"))
    }

    @Test func `gossip that is none is counted and logged, and what follows is heard`() throws {
        let tested = try TestWorld(nodes: 1)
        let transport = SimulatedTransport(tested.world.network, host: "stranger")
        let ping = try WireEncoder().encode(
            MembershipMessage.ping(number: 7, target: tested.world["node-1"].life, gossip: []))
        let bytes =
            try HandshakeTests.hello(HandshakeTests.identity(), lane: LaneNumber(.control))
            + Self.frame(Frame(.gossip, payload: [1, 2, 3])) + Self.frame(Frame(.gossip, payload: ping[...]))
        let before = tested.world["node-1"].system.counts
        let errand = tested.world.beginOutside { () async throws -> Int in
            let connection = try await transport.connect(host: "node-1", port: 7000)
            _ = connection.send(bytes)
            var (heard, cutter) = (0, FrameCutter())
            while heard == 0, let more = try await connection.receive() {
                heard += cutter.cut(more).count { $0.kind == FrameKind.gossip.rawValue }
            }
            connection.close(flush: false)
            return heard
        }
        tested.world.run(for: .seconds(2))
        #expect(try errand.result?.get() ?? 0 > 0, "the good one is answered")
        let after = tested.world["node-1"].system.counts
        #expect(after.gossipReceived == before.gossipReceived + 2)
        #expect(after.gossipDropped > before.gossipDropped)
        #expect(after.protocolErrors == 0)
        #expect(tested.world["node-1"].log.contains("gossip not understood"))
    }

    @Test func `a hello that was recorded from a living node is worth nothing without its certificate`() throws {
        let tested = try TestWorld(nodes: 2)
        let epoch = tested.world["node-2"].life.epoch
        let recorded = HandshakeTests.hello(HandshakeTests.identity(name: "node-2", epoch: epoch))
        let told = try Stranger(tested.world, certified: ["stranger"]).goAway(recorded, to: "node-1")
        #expect(told?.code == .notCertified)
        #expect(tested.world["node-1"].system.counts.handshakesRefused["notCertified"] == 1)
        #expect(tested.world["node-1"].log.contains("code=notCertified"))
        tested.world.run(for: .seconds(10))
        #expect(tested.world.agrees && tested.world.falseDeaths.isEmpty)
    }

    @Test func `hundreds of strangers leave nothing behind but their counts`() throws {
        let tested = try TestWorld(nodes: 2)
        let node = tested.world["node-1"]
        let (claims, links) = (node.system.claims.withLock { $0.count }, node.system.linkStatus.count)
        let known = node.system.members.count
        let hello = HandshakeTests.hello(HandshakeTests.identity())
        for number in 0..<50 {
            let stranger = Stranger(tested.world, certified: ["stranger", "node-2", "made-up-\(number)"])
            for bytes in [
                Self.garbage, Self.oversized, hello + Self.garbage, hello + Self.oversized,
                HandshakeTests.hello(HandshakeTests.identity(cluster: "other-\(number)")),
                HandshakeTests.hello(HandshakeTests.identity(name: "node-2", epoch: UInt64(number))),
                HandshakeTests.hello(HandshakeTests.identity(name: "uncertified-\(number)")),
                HandshakeTests.hello(HandshakeTests.identity(name: "made-up-\(number)")) + Self.garbage,
            ] { _ = try stranger.say(bytes, to: "node-1") }
        }
        let counts = node.system.counts
        #expect(
            counts.handshakesRefused == [
                "malformedHello": 100, "otherCluster": 50, "olderEpoch": 50, "notCertified": 50,
            ])
        #expect(counts.protocolErrors == 150)
        #expect(node.system.claims.withLock { $0.count } == claims)
        #expect(node.system.linkStatus.count == links)
        // Who says a name and no more is nobody's member.
        #expect(node.system.members.count == known)
        tested.world.run(for: .seconds(10))
        #expect(tested.world.agrees && tested.world.violations.isEmpty)
    }
}
