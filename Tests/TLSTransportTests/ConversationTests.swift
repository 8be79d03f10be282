import NIOPosix
import Synchronization
import TLSTransport
import Testing
import WireProtocol

/// Two nodes that mean each other well.
@Suite(.timeLimit(.minutes(5))) struct ConversationTests {
    @Test func `what is sent comes back whole and in order`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let connection = try await client.dial(port)
            let bytes = pattern(3_000_000)
            for start in stride(from: 0, to: bytes.count, by: 70_001) {
                let part = Array(bytes[start..<min(start + 70_001, bytes.count)])
                while !connection.send(part) { try await connection.drained() }
            }
            #expect(try await connection.receive(exactly: bytes.count) == bytes)
        }
    }

    @Test func `each side knows the other by the names in its certificate`() async throws {
        let server = try Node(try Certificates.files("several")), client = try Node(try Certificates.files("alpha"))
        let caller = Parcel<[String]>()
        try await withNodes(server, client, accepted: { caller.put($0.certifiedNames) }) { port in
            let connection = try await client.dial(port)
            // Lower case, once each, and without the name that everybody has.
            #expect(connection.certifiedNames == ["gamma", "gamma.internal"])
            #expect(connection.remoteAddress == "127.0.0.1:\(port)")
            #expect(try await caller.get() == ["alpha"])
            #expect(server.transport.ownNames == ["gamma", "gamma.internal"])
        }
    }

    @Test func `a certificate with very many names speaks for the first ones`() async throws {
        let server = try Node(try Certificates.files("crowd")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let max = TLSTransportConfiguration().namesMax
            let connection = try await client.dial(port)
            #expect(connection.certifiedNames == (1...max).map { "crowd-\($0)" })
        }
    }

    @Test func `a reader can stand on the event loop of its connection`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let connection = try #require(try await client.dial(port) as? TLSPeerConnection)
            try await withTaskExecutorPreference(connection.executor) {
                #expect(isOnEventLoop())
                for byte in 0..<100 as Range<UInt8> {
                    #expect(connection.send([byte]))
                    let answer = try await connection.receive()
                    #expect(answer == [byte])
                    #expect(isOnEventLoop())
                }
            }
            #expect(!isOnEventLoop())
        }
    }

    @Test func `a closed connection is freed, on both sides`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        let far = Watch(), near = Watch()
        try await withNodes(
            server, client,
            accepted: { connection in
                far.add(connection); await echo(connection)
            }
        ) { port in
            for _ in 0..<20 {
                let connection = try await client.dial(port)
                near.add(connection)
                #expect(connection.send([1]))
                #expect(try await connection.receive() == [1])
                connection.close(flush: true)
            }
            try await eventually("all are freed") { near.living == 0 && far.living == 0 }
        }
    }

    @Test func `closing with a flush delivers everything first, and then the end`() async throws {
        // Bytes that are not out by the end of the limit are not delivered.
        let server = try Node(try Certificates.files("beta")) { $0.closeLimit = .seconds(5) }
        let client = try Node(try Certificates.files("alpha"))
        let bytes = pattern(2_000_000)
        let speaker: @Sendable (any PeerConnection) async -> Void = { connection in
            #expect(connection.send(bytes))
            connection.close(flush: true)
            connection.close(flush: true)
        }
        try await withNodes(server, client, accepted: speaker) { port in
            let connection = try await client.dial(port)
            #expect(try await connection.receive(exactly: bytes.count) == bytes)
            #expect(try await connection.receive() == nil)
            #expect(try await connection.receive() == nil)
        }
    }

    @Test func `who returns from serving a connection has closed it`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client, accepted: { _ = $0.send([1, 2, 3]) }) { port in
            let connection = try await client.dial(port)
            #expect(try await connection.receive(exactly: 4) == [1, 2, 3])
        }
    }

    @Test func `a closed connection takes and gives nothing more`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let connection = try await client.dial(port)
            async let end = connection.receive()
            connection.close(flush: false)
            #expect(try await end == nil)
            #expect(try await connection.receive() == nil)
            #expect(!connection.send([1]))
            await #expect(throws: TLSTransportError.self) { try await connection.drained() }
            try await eventually("both sides forget it") {
                server.transport.counters.connections == 0 && client.transport.counters.connections == 0
            }
        }
    }

    @Test func `a cancelled reader leaves the connection as it was`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let connection = try await client.dial(port)
            await withTaskGroup { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await connection.receive() }
                }
                group.cancelAll()
            }
            #expect(connection.send([7]))
            #expect(try await connection.receive() == [7])
        }
    }

    @Test func `a cancelled server closes its connections and lets go of its port`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        let port = try await server.transport.listen()
        let connection = await withTaskGroup { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { try await server.transport.serve(listenOnly) }
            }
            let connection = try? await client.dial(port)
            group.cancelAll()
            return connection
        }
        #expect(try await connection?.receive() == nil)
        await #expect(throws: PeerConnectError.refused) { try await client.dial(port) }
        #expect(server.transport.counters.connections == 0)
        try await client.transport.shutdown()
        try await server.transport.shutdown()
    }

    @Test func `traffic and connections are counted`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let connection = try await client.dial(port)
            #expect(connection.send(pattern(1000)))
            _ = try await connection.receive(exactly: 1000)
            #expect(client.transport.counters.dialled == 1)
            #expect(client.transport.counters.connections == 1)
            #expect(server.transport.counters.accepted == 1)
            #expect(server.transport.counters.handshakes == 0)
            connection.close(flush: true)
            try await eventually("the counts outlive the connection") {
                let sides = [client, server].map(\.transport.counters)
                return sides.allSatisfy { $0.connections == 0 && $0.bytesSent == 1000 && $0.bytesReceived == 1000 }
            }
        }
    }

    @Test func `two event loops serve as well as one`() async throws {
        let server = try Node(try Certificates.files("beta")) { $0.eventLoopThreads = 2 }
        let client = try Node(try Certificates.files("alpha")) { $0.eventLoopThreads = 2 }
        try await withNodes(server, client) { port in
            try await withThrowingTaskGroup { group in
                for number in 0..<8 {
                    group.addTask {
                        let connection = try await client.dial(port)
                        let bytes = pattern(200_000, from: number)
                        #expect(connection.send(bytes))
                        #expect(try await connection.receive(exactly: bytes.count) == bytes)
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

/// Asked of a function that is not asynchronous: where it is called is where it runs.
private func isOnEventLoop() -> Bool { MultiThreadedEventLoopGroup.currentEventLoop != nil }

/// Knows connections without keeping them.
private final class Watch: Sendable {
    private struct Known: Sendable { weak let connection: (any PeerConnection)? }
    private let known = Mutex<[Known]>([])

    func add(_ connection: any PeerConnection) { known.withLock { $0.append(Known(connection: connection)) } }

    var living: Int { known.withLock { $0.count { $0.connection != nil } } }
}
