import Glibc
import NIOCore
import TLSTransport
import Testing
import WireProtocol

/// Who cannot be reached, and how that is told apart: the membership takes a refusal for death, and silence for doubt.
@Suite(.timeLimit(.minutes(5))) struct DialTests {
    @Test(arguments: ["127.0.0.1", "localhost"])
    func `a machine without a listener refuses, at once`(host: String) async throws {
        let limit = Duration.seconds(60)
        let client = try Node(try Certificates.files("alpha")) { $0.connectLimit = limit }
        let port = try await deafPort()
        let start = ContinuousClock.now
        await #expect(throws: PeerConnectError.refused) { try await client.transport.connect(host: host, port: port) }
        // Far below the limit: the membership counts on a refusal within a second, of a machine that is not busy.
        #expect(start.duration(to: .now) < .seconds(3))
        #expect(client.transport.counters.dialsFailed == 1)
        try await client.transport.shutdown()
    }

    @Test func `a host is reached by name too`() async throws {
        let server = try Node(try Certificates.files("beta")), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let connection = try await client.transport.connect(host: "localhost", port: port)
            #expect(connection.certifiedNames == ["beta"])
        }
    }

    @Test(arguments: 2...9, 1...4)
    func `of a name's addresses each is begun with now and then, however many names are dialled`(
        addresses: Int, names: Int
    ) {
        var begun: [Int: Int] = [:]
        for dial in stride(from: 0, to: 100 * names, by: names) {
            let order = AddressTurn(dial).order(Array(0..<addresses))
            #expect(order.sorted() == Array(0..<addresses))
            #expect((0..<addresses).contains { order == Array($0..<addresses) + Array(0..<$0) })
            begun[order[0], default: 0] += 1
        }
        #expect(begun.count == addresses)
        #expect(begun.values.allSatisfy { $0 >= 50 / addresses }, "\(begun)")
        #expect(AddressTurn(0).order(["nearest", "far"]) == ["nearest", "far"])
    }

    @Test func `a name that nobody has is unreachable`() async throws {
        let client = try Node(try Certificates.files("alpha"))
        let error = await #expect(throws: PeerConnectError.self) {
            try await client.transport.connect(host: "nobody.invalid", port: 1)
        }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        try await client.transport.shutdown()
    }

    @Test func `a host that swallows packets times out`() async throws {
        let hole = try BlackHole()
        let client = try Node(try Certificates.files("alpha")) { $0.connectLimit = .milliseconds(200) }
        let start = ContinuousClock.now
        await #expect(throws: PeerConnectError.timedOut) { try await client.dial(hole.port) }
        #expect(start.duration(to: .now) >= .milliseconds(200))
        try await client.transport.shutdown()
    }

    @Test func `a host that accepts and keeps silent times out`() async throws {
        let silent = try await silentServer()
        let client = try Node(try Certificates.files("alpha")) { $0.handshakeLimit = .milliseconds(200) }
        let port = try #require(silent.localAddress?.port)
        await #expect(throws: PeerConnectError.timedOut) { try await client.dial(port) }
        #expect(client.transport.counters.refusals == [.handshakeTimedOut: 1])
        try await client.transport.shutdown()
        try await silent.close().get()
    }

    @Test func `a cancelled dial ends at once`() async throws {
        let hole = try BlackHole()
        let client = try Node(try Certificates.files("alpha")) { $0.connectLimit = .seconds(50) }
        await withTaskGroup { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { try await client.dial(hole.port) }
            }
            group.cancelAll()
        }
        try await client.transport.shutdown()
    }

    @Test func `an address that is taken cannot be listened on`() async throws {
        let first = try Node(try Certificates.files("alpha"))
        let port = try await first.transport.listen()
        let second = try Node(try Certificates.files("beta")) { $0.port = port }
        let error = await #expect(throws: TLSTransportError.self) { _ = try await second.transport.listen() }
        #expect(error?.code == .cannotListen)
        try await first.transport.shutdown()
        try await second.transport.shutdown()
    }
}

/// A listening socket whose queue is full, so that the kernel drops every further attempt to connect.
private final class BlackHole: Sendable {
    private let sockets: [Int32]
    let port: Int

    struct Failed: Error {}

    init() throws {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // `address` is ours, has the size that is told, and outlives the calls; so below.
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listening, pointer, length) == 0 && listen(listening, 0) == 0
                    && getsockname(listening, pointer, &length) == 0
            }
        }
        guard isBound else { throw Failed() }
        port = Int(UInt16(bigEndian: address.sin_port))
        // A backlog of zero holds one connection that nobody accepts; the others make sure.
        var sockets = [listening]
        for _ in 0..<4 {
            let caller = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(caller, $0, length) }
            }
            sockets.append(caller)
        }
        self.sockets = sockets
    }

    deinit { for descriptor in sockets { _ = close(descriptor) } }
}
