import Glibc
import Logging
import NIOCore
import NIOEmbedded
import TLSTransport
import Testing
import WireProtocol

/// Who comes when there is no room: refused at once and counted, and let in when there is room again.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    @Test func `a thousand connections are served, one more is refused, and a free slot is given again`() async throws {
        try #require(allowDescriptors(4096), "ulimit -n is too low for this test")
        let max = 1000
        let server = try Node(try Certificates.files("beta")) { configuration in
            configuration.connectionsMax = max
            configuration.connectionsPerAddressMax = max + 10
        }
        let client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            var connections: [any PeerConnection] = []
            for _ in 0..<max { connections.append(try await client.dial(port)) }
            for connection in connections { #expect(connection.send([42])) }
            for connection in connections { #expect(try await connection.receive() == [42]) }
            #expect(server.transport.counters.connections == max)

            await #expect(throws: PeerConnectError.self) { try await client.dial(port) }
            let refusal = try await server.log.refusal()
            #expect(refusal.metadata["reason"] == "too_many_connections")
            #expect(refusal.isWarning)
            #expect(server.transport.counters.refusals == [.tooManyConnections: 1])

            connections[0].close(flush: true)
            try await eventually("a slot is free") { server.transport.counters.connections == max - 1 }
            let next = try await client.dial(port)
            #expect(next.send([43]))
            #expect(try await next.receive() == [43])
        }
    }

    @Test func `one address does not get every slot`() async throws {
        let server = try Node(try Certificates.files("beta")) { $0.connectionsPerAddressMax = 2 }
        let client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let first = try await client.dial(port), second = try await client.dial(port)
            await #expect(throws: PeerConnectError.self) { try await client.dial(port) }
            #expect(server.transport.counters.refusals == [.tooManyFromAddress: 1])
            first.close(flush: true)
            second.close(flush: true)
        }
    }

    @Test func `strangers in a handshake do not keep members out of the other slots for longer than their limit`()
        async throws
    {
        let server = try Node(try Certificates.files("beta")) { configuration in
            configuration.handshakesMax = 2
            // All that follows until the strangers are closed must fit into it, on any machine.
            configuration.handshakeLimit = .seconds(4)
        }
        let client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let member = try await client.dial(port)
            let strangers = [try await Stranger(port), try await Stranger(port)]
            try await eventually("both are in their handshake") { server.transport.counters.handshakes == 2 }
            await #expect(throws: PeerConnectError.self) { try await client.dial(port) }
            #expect(server.transport.counters.refusals == [.tooManyHandshakes: 1])
            // Who is inside is not touched by it.
            #expect(member.send([1]))
            #expect(try await member.receive() == [1])
            for stranger in strangers { try await stranger.closed() }
            let late = try await client.dial(port)
            #expect(late.send([2]))
            #expect(try await late.receive() == [2])
        }
    }

    @Test func `who connects before anybody serves waits, and is served`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        let port = try await server.transport.listen()
        // Lies in the kernel's backlog until somebody accepts it.
        let early = try await Stranger(port, tls: try Stranger.tls("alpha"))
        try await withNodesListening(server, client) {
            try await early.write([5])
            try await eventually("it is served") { early.heard == [5] }
            try await early.close()
        }
    }

    @Test func `without a descriptor accepting pauses, and goes on after the pause`() throws {
        let log = LogBook()
        let channel = EmbeddedChannel(), reads = ReadCounter()
        let pause = Duration.milliseconds(50)
        try channel.pipeline.syncOperations.addHandlers(reads, AcceptGuard(pause: pause, logger: log.logger))
        channel.pipeline.read()
        #expect(reads.count == 1)
        for _ in 0..<3 { channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept")) }
        channel.pipeline.read()
        #expect(reads.count == 1, "accepting goes on without a pause")
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(49))
        #expect(reads.count == 1)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(reads.count == 2)
        #expect(log.lines.map(\.message) == ["accepting paused"])
        _ = try channel.finish()
    }

    @Test func `slots are counted by state and by address, and an address without connections is forgotten`() {
        var configuration = TLSTransportConfiguration()
        configuration.connectionsMax = 4
        configuration.connectionsPerAddressMax = 2
        configuration.handshakesMax = 3
        var admission = Admission(configuration)
        #expect(admission.enter("a") == nil)
        #expect(admission.enter("a") == nil)
        #expect(admission.enter("a")?.reason == .tooManyFromAddress)
        #expect(admission.enter("b") == nil)
        #expect(admission.enter("b")?.reason == .tooManyHandshakes)
        admission.prove()
        #expect(admission.enter("b") == nil)
        #expect(admission.enter("c")?.reason == .tooManyConnections)
        admission.leave("a", hadProved: true)
        admission.leave("a", hadProved: false)
        admission.leave("b", hadProved: false)
        admission.leave("b", hadProved: false)
        #expect(admission.connections == 0)
        #expect(admission.handshakes == 0)
        #expect(admission.addresses == 0)
    }

    @Test func `a flood of refusals is one line a second and reason, and tells how many it left out`() {
        var log = RefusalLog()
        #expect(log.admit(.plaintext, at: .zero) == 0)
        #expect(log.admit(.plaintext, at: .milliseconds(1)) == nil)
        #expect(log.admit(.expired, at: .milliseconds(2)) == 0)
        #expect(log.admit(.plaintext, at: .milliseconds(999)) == nil)
        #expect(log.admit(.plaintext, at: .seconds(1)) == 2)
        #expect(log.admit(.plaintext, at: .milliseconds(2001)) == 0)
    }

    private func withNodesListening(_ server: Node, _ client: Node, _ body: @Sendable () async throws -> Void)
        async throws
    {
        let outcome = await withTaskGroup { group in
            group.addTask { try? await server.transport.serve(echo) }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            group.cancelAll()
            return outcome
        }
        try await client.transport.shutdown()
        try await server.transport.shutdown()
        try outcome.get()
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = Never
    private(set) var count = 0

    func read(context: ChannelHandlerContext) { count += 1 }
}
