import Foundation
import TLSTransport
import Testing
import WireProtocol

/// Certificates, keys and CAs that change under a running node.
@Suite(.timeLimit(.minutes(5))) struct CredentialTests {
    @Test func `a CA is replaced without an interruption`() async throws {
        // Both sides begin with the old CA alone, as does everybody else.
        let ours = try OwnFiles("beta"), theirs = try OwnFiles("alpha")
        let server = try Node(ours.files), client = try Node(theirs.files)
        let newcomerFiles = try Certificates.files("other/alpha", authorities: "both")
        try await withNodes(server, client) { port in
            let old = try await client.dial(port)

            // First everybody trusts both CAs.
            for files in [ours.folder, theirs.folder] { try OwnFiles.put("both", into: files, as: "ca.pem") }
            for node in [server, client] { node.transport.reload() }
            #expect(server.transport.authorities.count == 2)
            try await talk(try await client.dial(port))
            let newcomer = try Node(newcomerFiles)
            try await talk(try await newcomer.dial(port))

            // Then everybody gets a certificate of the new one.
            try OwnFiles.become("other/beta", in: ours.folder)
            server.transport.reload()
            try await talk(try await newcomer.dial(port))
            try await talk(try await client.dial(port))
            try OwnFiles.become("other/alpha", in: theirs.folder)
            client.transport.reload()
            try await talk(try await client.dial(port))

            // Then the old CA goes.
            for files in [ours.folder, theirs.folder] { try OwnFiles.put("other/ca", into: files, as: "ca.pem") }
            for node in [server, client] { node.transport.reload() }
            try await talk(try await client.dial(port))
            let latecomer = try Node(try Certificates.files("alpha", authorities: "both"))
            await #expect(throws: PeerConnectError.self) { _ = try await latecomer.dial(port).receive() }

            // Who was connected all the time still is.
            try await talk(old)
            #expect(server.transport.counters.reloads == 3)
            for node in [newcomer, latecomer] { try await node.transport.shutdown() }
        }
    }

    @Test func `a broken file changes nothing but the log, once, and is taken when it is whole`() async throws {
        let ours = try OwnFiles("beta")
        let server = try Node(ours.files), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            let expiry = server.transport.certificateExpiry
            try OwnFiles.write("-----BEGIN CERTIFICATE-----\nnot base64", into: ours.folder, as: "node.pem")
            for _ in 0..<3 { server.transport.reload() }
            #expect(server.transport.certificateExpiry == expiry)
            #expect(server.transport.counters.reloadsFailed == 3)
            try await talk(try await client.dial(port))
            let warnings = server.log.lines.filter { $0.message == "credentials not replaced" }
            #expect(warnings.count == 1)
            #expect(warnings.first?.isWarning == true)
            #expect(warnings.first?.metadata["reason"]?.contains("node.pem") == true)

            try OwnFiles.become("several", in: ours.folder)
            server.transport.reload()
            #expect(server.transport.ownNames == ["gamma", "gamma.internal"])
            #expect(try await client.dial(port).certifiedNames == ["gamma", "gamma.internal"])
        }
    }

    /// What an operator can leave in a folder, and a word of the complaint.
    static let mistakes: [(what: String, complaint: String, make: @Sendable (String) throws -> Void)] = [
        ("the key of another", "does not go with", { try OwnFiles.put("several", into: $0, as: "node.pem") }),
        ("a CA that is not in the bundle", "not accepted", { try OwnFiles.become("other/beta", in: $0) }),
        ("an expired certificate", "expired", { try OwnFiles.become("expired", in: $0) }),
        ("a certificate without a name", "nameless", { try OwnFiles.become("nameless", in: $0) }),
        ("a certificate for servers only", "not accepted", { try OwnFiles.become("onlyserver", in: $0) }),
        ("no key at all", "node.key", { try OwnFiles.remove("node.key", from: $0) }),
        ("an empty bundle", "ca.pem", { try OwnFiles.write("", into: $0, as: "ca.pem") }),
        ("a typing error", "line 2", { try OwnFiles.write("# ok\nserail:1", into: $0, as: "denied.txt") }),
        ("a deny list that is gone", "denied.txt", { try OwnFiles.remove("denied.txt", from: $0) }),
        (
            "a file too large", "larger",
            { try OwnFiles.write(String(repeating: "#", count: 2 << 20), into: $0, as: "ca.pem") }
        ),
    ]

    @Test(arguments: mistakes.indices) func `a mistake is refused at the start, and later changes nothing`(_ index: Int)
        async throws
    {
        let mistake = Self.mistakes[index]
        let ours = try OwnFiles("beta")
        let server = try Node(ours.files), client = try Node(try Certificates.files("alpha"))
        try await withNodes(server, client) { port in
            try mistake.make(ours.folder)
            server.transport.reload()
            #expect(server.transport.counters.reloadsFailed == 1, "\(mistake.what) was taken")
            #expect(server.transport.ownNames == ["beta"])
            try await talk(try await client.dial(port))
        }
        let error = #expect(throws: TLSTransportError.self) { _ = try Node(ours.files) }
        #expect(error?.code == .credentialsUnusable)
        #expect(error?.detail.contains(mistake.complaint) == true, "\(String(describing: error))")
    }

    @Test func `the files are looked at by the clock`() async throws {
        let clock = TurnedClock()
        let ours = try OwnFiles("beta")
        let node = try Node(ours.files, clock: clock)
        try await withThrowingTaskGroup { group in
            group.addTask { await #expect(throws: CancellationError.self) { try await node.transport.run() } }
            try await clock.turn()
            #expect(node.transport.counters.reloads == 0)
            try OwnFiles.become("several", in: ours.folder)
            try await clock.turn()
            #expect(node.transport.counters.reloads == 1)
            #expect(node.transport.ownNames == ["gamma", "gamma.internal"])
            try await clock.turn()
            #expect(node.transport.counters.reloads == 1)
            group.cancelAll()
        }
        try await node.transport.shutdown()
    }

    @Test func `operators see when the certificates end`() async throws {
        let node = try Node(try Certificates.files("several", authorities: "both"))
        // 2090-01-01T00:00:00Z, as the script of these tests has it.
        #expect(node.transport.certificateExpiry == 3_786_912_000)
        #expect(node.transport.authorities.count == 2)
        #expect(node.transport.authorities.allSatisfy { $0.notValidAfter - $0.notValidBefore == 3650 * 86_400 })
        try await node.transport.shutdown()
    }

    @Test func `a key that everybody can read is complained of`() async throws {
        let ours = try OwnFiles("beta")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: ours.files.key)
        let node = try Node(ours.files)
        #expect(node.log.lines.contains { $0.isWarning && $0.message.contains("private key") })
        try await node.transport.shutdown()
    }

    private func talk(_ connection: any PeerConnection) async throws {
        #expect(connection.send([1, 2, 3]))
        #expect(try await connection.receive(exactly: 3) == [1, 2, 3])
    }
}
