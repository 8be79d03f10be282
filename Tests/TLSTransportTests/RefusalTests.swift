import NIOSSL
import TLSTransport
import Testing
import WireProtocol

/// Who is not let in: with a reason that reaches the log and a counter, and without harm to those who are inside.
@Suite(.timeLimit(.minutes(5))) struct RefusalTests {
    /// Certificates that a node must not accept, and as what it refuses them.
    static let bad: [(certificate: String, reason: PeerRefusal)] = [
        ("other/alpha", .untrusted), ("expired", .expired), ("early", .notYetValid), ("nameless", .nameless),
        ("loopback", .nameless), ("onlyserver", .untrusted),
    ]

    @Test(arguments: bad)
    func `a caller with a bad certificate is refused`(certificate: String, reason: PeerRefusal) async throws {
        let server = try Node(try Certificates.files("beta"))
        try await withServer(server) { port in
            let stranger = try await Stranger(port, tls: try Stranger.tls(certificate))
            try await stranger.closed()
            #expect(try await server.log.refusal().metadata["reason"] == reason.rawValue)
            #expect(server.transport.counters.refusals == [reason: 1])
            try await stillServes(server, port)
        }
    }

    static let badServers: [(certificate: String, reason: String)] = [
        ("other/alpha", "untrusted"), ("expired", "expired"), ("early", "not_yet_valid"), ("nameless", "nameless"),
    ]

    @Test(arguments: badServers)
    func `who answers with a bad certificate is refused by the caller`(certificate: String, reason: String) async throws
    {
        let imposter = try await Imposter(try Stranger.tls(certificate))
        let client = try Node(try Certificates.files("alpha"))
        let error = await #expect(throws: PeerConnectError.self) { try await client.dial(imposter.port) }
        guard case .rejected(let text) = error else {
            Issue.record("\(String(describing: error)) is not a rejection")
            return
        }
        #expect(text.hasPrefix(reason + ":"))
        #expect(client.transport.counters.refusals.map(\.key.rawValue) == [reason])
        #expect(client.transport.counters.dialsFailed == 1)
        try await client.transport.shutdown()
        try await imposter.close()
    }

    @Test func `a caller learns that its certificate was not accepted`() async throws {
        let server = try Node(try Certificates.files("beta"))
        // Trusts the server, but is signed by a CA that the server does not know.
        let stranger = try OwnFiles("other/alpha", authorities: "both")
        let client = try Node(stranger.files)
        try await withNodes(server, client) { port in
            let error = await #expect(throws: PeerConnectError.self) {
                // In TLS 1.3 the caller is done first; the verdict comes with the first bytes.
                _ = try await client.dial(port).receive()
            }
            #expect(error == .rejected(reason: "refused_by_peer: TLSV1_ALERT_UNKNOWN_CA"))
            #expect(client.transport.counters.refusals == [.refusedByPeer: 1])
            #expect(server.transport.counters.refusals == [.untrusted: 1])
        }
    }

    @Test func `no certificate, no connection`() async throws {
        try await refused(
            .noCertificate,
            tls: { tls in
                tls.certificateChain = []
                tls.privateKey = nil
            })
    }

    @Test func `TLS 1.2 is refused`() async throws {
        try await refused(
            .oldTLS,
            tls: { tls in
                tls.minimumTLSVersion = .tlsv12
                tls.maximumTLSVersion = .tlsv12
            })
    }

    @Test func `another protocol over good TLS is refused`() async throws {
        try await refused(.otherProtocol, tls: { $0.applicationProtocols = ["h2", "http/1.1"] })
    }

    @Test func `no named protocol over good TLS is refused`() async throws {
        try await refused(.otherProtocol, tls: { $0.applicationProtocols = [] })
    }

    static let noise: [(bytes: [UInt8], reason: PeerRefusal)] = [
        (Array("GET / HTTP/1.1\r\nHost: beta\r\n\r\n".utf8), .plaintext),
        (Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), .plaintext),
        ([UInt8](repeating: 0, count: 4096), .plaintext),
        (pattern(64_000), .plaintext),
        // A TLS record of a kind that has no place here, and a record longer than TLS allows.
        ([0x17, 3, 3, 0, 1, 0], .handshakeFailed),
        ([0x16, 3, 1, 0xff, 0xff, 1], .handshakeFailed),
    ]

    @Test(arguments: noise) func `noise is refused`(bytes: [UInt8], reason: PeerRefusal) async throws {
        let server = try Node(try Certificates.files("beta"))
        try await withServer(server) { port in
            let stranger = try await Stranger(port)
            try await stranger.write(bytes)
            try await stranger.closed()
            #expect(try await server.log.refusal().metadata["reason"] == reason.rawValue)
            #expect(server.transport.counters.refusals == [reason: 1])
            try await stillServes(server, port)
        }
    }

    @Test func `who hangs up in the handshake is forgotten`() async throws {
        let server = try Node(try Certificates.files("beta"))
        try await withServer(server) { port in
            let stranger = try await Stranger(port)
            try await stranger.write([0x16])
            try await stranger.close()
            #expect(try await server.log.refusal().metadata["reason"] == "handshake_failed")
            try await eventually("its slot is free") { server.transport.counters.handshakes == 0 }
        }
    }

    @Test func `a slow handshake is closed at its limit`() async throws {
        // A member has no longer for its handshake, and comes last.
        let limit = Duration.seconds(2)
        let server = try Node(try Certificates.files("beta")) { $0.handshakeLimit = limit }
        try await withServer(server) { port in
            let start = ContinuousClock.now
            let silent = try await Stranger(port), slow = try await Stranger(port)
            // The beginning of a record, whose rest never comes.
            try await slow.write([0x16, 3, 1, 2, 0])
            try await silent.closed()
            try await slow.closed()
            #expect(start.duration(to: .now) >= limit)
            #expect(server.transport.counters.refusals == [.handshakeTimedOut: 2])
            #expect(try await server.log.refusal().metadata["reason"] == "handshake_timed_out")
            try await stillServes(server, port)
        }
    }

    private func refused(_ reason: PeerRefusal, tls change: @Sendable (inout TLSConfiguration) -> Void) async throws {
        let server = try Node(try Certificates.files("beta"))
        try await withServer(server) { port in
            let stranger = try await Stranger(port, tls: try Stranger.tls("alpha", change))
            try await stranger.closed()
            #expect(try await server.log.refusal().metadata["reason"] == reason.rawValue)
            #expect(server.transport.counters.refusals == [reason: 1])
            try await stillServes(server, port)
        }
    }

    private func stillServes(_ server: Node, _ port: Int) async throws {
        let member = try Node(try Certificates.files("alpha"))
        let connection = try await member.dial(port)
        #expect(connection.send([1, 2, 3]))
        #expect(try await connection.receive(exactly: 3) == [1, 2, 3])
        try await member.transport.shutdown()
        try await eventually("nobody is left in a handshake") { server.transport.counters.handshakes == 0 }
    }
}
