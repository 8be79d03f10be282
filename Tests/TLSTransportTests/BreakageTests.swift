import TLSTransport
import Testing
import WireProtocol

/// Connections that end otherwise than by a goodbye, and bytes that no node would send.
@Suite(.timeLimit(.minutes(5))) struct BreakageTests {
    /// What the server's reader was given, and how its connection ended.
    struct End: Sendable {
        let bytes: [UInt8]
        let failure: (any Error)?
    }

    @Test func `a reset reaches the reader as a lost connection`() async throws {
        let end = try await end { try await $0.reset() }
        #expect((end.failure as? TLSTransportError)?.code == .connectionLost)
        #expect((end.failure as? TLSTransportError)?.detail.contains("reset") == true)
    }

    @Test func `a cable that is cut reaches the reader as a truncation, after the bytes that came`() async throws {
        let end = try await end { stranger in
            try await stranger.write(pattern(50_000))
            try await stranger.tear()
        }
        #expect(end.bytes == pattern(50_000))
        #expect((end.failure as? TLSTransportError)?.code == .truncated)
    }

    @Test func `a goodbye is the end, after the bytes that came`() async throws {
        let end = try await end { stranger in
            try await stranger.write(pattern(50_000))
            try await stranger.close()
        }
        #expect(end.bytes == pattern(50_000))
        #expect(end.failure == nil)
    }

    @Test func `garbage after the handshake is for the reader to judge`() async throws {
        let garbage = pattern(200_000)
        let end = try await end { stranger in
            try await stranger.write(garbage)
            try await stranger.close()
        }
        #expect(end.bytes == garbage)
    }

    @Test func `a record that was tampered with ends the connection`() async throws {
        let heard = Gate()
        let end = try await end(heard: heard) { stranger in
            try await stranger.write([1, 2, 3])
            // Noise in the same read from the socket would take the good record with it.
            await heard.pass()
            // Past the TLS handler: an application record of noise.
            try await stranger.writeRaw([0x17, 3, 3, 0, 32] + pattern(32))
            try await stranger.closed()
        }
        #expect(end.bytes == [1, 2, 3])
        #expect((end.failure as? TLSTransportError)?.code == .connectionLost)
    }

    @Test func `a sender learns of a lost connection`() async throws {
        let server = try Node(try Certificates.files("beta")) { $0.outboundBytesMax = 1 << 16 }
        let outcome = Parcel<(any Error)?>()
        let speaker: @Sendable (any PeerConnection) async -> Void = { connection in
            do {
                while true {
                    while connection.send(pattern(10_000)) {}
                    try await connection.drained()
                }
            } catch {
                outcome.put(error)
            }
        }
        try await withServer(server, accepted: speaker) { port in
            let stranger = try await Stranger(port, tls: try Stranger.tls("alpha"))
            try await eventually("it hears something") { !stranger.heard.isEmpty }
            try await stranger.reset()
            #expect(try await outcome.get() is TLSTransportError)
        }
    }

    /// Lets a stranger with a good certificate do `body`, and answers what the server's reader saw of it.
    /// `heard` opens when the reader has its first bytes.
    private func end(heard: Gate = Gate(), _ body: @Sendable (Stranger) async throws -> Void) async throws -> End {
        let server = try Node(try Certificates.files("beta"))
        let arrived = Gate(), outcome = Parcel<End>(), answer = Parcel<End>()
        let reader: @Sendable (any PeerConnection) async -> Void = { connection in
            arrived.open()
            var bytes: [UInt8] = []
            do {
                while let more = try await connection.receive() {
                    bytes += more
                    heard.open()
                }
                outcome.put(End(bytes: bytes, failure: nil))
            } catch {
                outcome.put(End(bytes: bytes, failure: error))
            }
        }
        try await withServer(server, accepted: reader) { port in
            let stranger = try await Stranger(port, tls: try Stranger.tls("alpha"))
            await arrived.pass()
            try await body(stranger)
            answer.put(try await outcome.get())
        }
        return try await answer.get()
    }
}
