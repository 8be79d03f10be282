import NIOCore
import NIOPosix
import Synchronization
import TLSTransport
import Testing
import WireProtocol

/// A reader that is slower than its peer, and one that does not read at all.
@Suite(.timeLimit(.minutes(5))) struct PressureTests {
    static let outboundBytesMax = 512 << 10
    static let inboundBytesMax = 256 << 10
    static let readBytesMax = 32 << 10

    static func limits(_ configuration: inout TLSTransportConfiguration) {
        configuration.outboundBytesMax = outboundBytesMax
        configuration.inboundBytesMax = inboundBytesMax
        configuration.socketReadBytesMax = readBytesMax
        configuration.flushBytesMax = 64 << 10
    }

    @Test func `a reader that stands still stops its peer, memory stays flat, and nothing is lost`() async throws {
        let server = try Node(try Certificates.files("beta"), Self.limits)
        let client = try Node(try Certificates.files("alpha"), Self.limits)
        let gate = Gate(), arrived = Parcel<any PeerConnection>()
        let total = 64 << 20, chunk = 100_000
        let reader: @Sendable (any PeerConnection) async -> Void = { connection in
            arrived.put(connection)
            await gate.pass()
            var count = 0
            while let bytes = try? await connection.receive() {
                #expect(bytes == pattern(bytes.count, from: count), "from byte \(count)")
                count += bytes.count
                if count >= total { break }
            }
            #expect(count == total)
            #expect(connection.send([1]))
        }
        try await withNodes(server, client, accepted: reader) { port in
            let connection = try #require(try await client.dial(port) as? TLSPeerConnection)
            let far = try #require(try await arrived.get() as? TLSPeerConnection)
            let sent = Count()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    while sent.value < total {
                        let start = sent.value
                        let bytes = pattern(min(chunk, total - start), from: start)
                        while !connection.send(bytes) { try await connection.drained() }
                        sent.value = start + bytes.count
                        // A message is taken or refused whole, so one of them may overshoot.
                        #expect(connection.waitingBytes.outbound < Self.outboundBytesMax + chunk)
                    }
                }
                try await eventually("the far inbox fills, the near outbox fills") {
                    far.waitingBytes.inbound >= Self.inboundBytesMax
                        && connection.waitingBytes.outbound > Self.outboundBytesMax / 2
                }
                // What one turn of the event loop reads comes on top; the kernel's buffers are the rest.
                #expect(far.waitingBytes.inbound <= Self.inboundBytesMax + 5 * Self.readBytesMax)
                #expect(sent.value < total)
                gate.open()
                try await group.waitForAll()
            }
            #expect(try await connection.receive() == [1])
        }
    }

    @Test func `a stream lets its event loop look at the other sockets after every block`() async throws {
        let server = try Node(try Certificates.files("beta"), Self.limits)
        let watch = TickWatch()
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1, metricsDelegate: watch)
        let client = try Node(try Certificates.files("alpha"), loops: loops, Self.limits)
        let total = 64 << 20
        let reader: @Sendable (any PeerConnection) async -> Void = { connection in
            #expect((try? await connection.receive(exactly: total))?.count == total)
            #expect(connection.send([1]))
        }
        try await withNodes(server, client, accepted: reader) { port in
            let connection = try await client.dial(port)
            let block = [UInt8](repeating: 1, count: 64 << 10)
            for _ in 0..<total / block.count {
                while !connection.send(block) { try await connection.drained() }
            }
            #expect(try await connection.receive() == [1])
        }
        // A thousand blocks. One after another without a look, some looks would be hundreds of tasks apart.
        #expect(watch.tasksMax < 50, "\(watch.tasksMax) tasks between two looks at the sockets")
        try await loops.shutdownGracefully()
    }

    @Test func `a full outbox refuses, and a waiter who is cancelled is not forgotten`() async throws {
        let server = try Node(try Certificates.files("beta"), Self.limits)
        let client = try Node(try Certificates.files("alpha"), Self.limits)
        let gate = Gate()
        try await withNodes(server, client, accepted: { _ in await gate.pass() }) { port in
            let connection = try await client.dial(port)
            let block = [UInt8](repeating: 1, count: 1 << 20)
            // Until the kernel's buffers are full as well: then nothing leaves, and the outbox stays full.
            for _ in 0..<64 { _ = connection.send(block) }
            try await eventually("the outbox stays full") {
                for _ in 0..<8 { _ = connection.send(block) }
                return !connection.send(block)
            }
            await withTaskGroup { group in
                group.addTask { await #expect(throws: CancellationError.self) { try await connection.drained() } }
                group.cancelAll()
            }
            await withTaskGroup { group in
                group.addTask {
                    await #expect(throws: TLSTransportError.connectionClosed) { try await connection.drained() }
                }
                connection.close(flush: false)
            }
            gate.open()
        }
    }

    @Test func `a peer that does not read cannot keep us from closing`() async throws {
        let server = try Node(try Certificates.files("beta"), Self.limits)
        let client = try Node(try Certificates.files("alpha"), Self.limits)
        let gate = Gate()
        try await withNodes(server, client, accepted: { _ in await gate.pass() }) { port in
            let connection = try await client.dial(port)
            let block = [UInt8](repeating: 1, count: 1 << 20)
            try await eventually("the outbox stays full") {
                for _ in 0..<8 { _ = connection.send(block) }
                return !connection.send(block)
            }
            let start = ContinuousClock.now
            connection.close(flush: true)
            try await eventually("it is closed after closeLimit") { client.transport.counters.connections == 0 }
            let limit = TLSTransportConfiguration.test.closeLimit
            #expect((limit / 2...limit * 20).contains(start.duration(to: .now)))
            gate.open()
        }
    }
}

private final class Count: Sendable {
    private let stored = Atomic(0)
    var value: Int {
        get { stored.load(ordering: .relaxed) }
        set { stored.store(newValue, ordering: .relaxed) }
    }
}

/// Counts what an event loop does between two looks at its sockets.
private final class TickWatch: NIOEventLoopMetricsDelegate {
    private let most = Mutex(0)
    var tasksMax: Int { most.withLock { $0 } }

    func processedTick(info: NIOEventLoopTickInfo) { most.withLock { $0 = max($0, info.numberOfTasks) } }
}
