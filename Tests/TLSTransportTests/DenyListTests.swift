import TLSTransport
import Testing
import WireProtocol

/// Certificates that a CA of ours signed and that are not to be trusted any more.
@Suite(.timeLimit(.minutes(5))) struct DenyListTests {
    @Test(arguments: ["serial", "sha256"])
    func `a denied certificate is refused, and its connections are closed`(by kind: String) async throws {
        let ours = try OwnFiles("beta")
        let server = try Node(ours.files), bad = try Node(try Certificates.files("several"))
        let good = try Node(try Certificates.files("alpha"))
        let entry = "\(kind):\(try Certificates.number(kind, of: "several"))  # stolen in the night"
        try await withNodes(server, good) { port in
            let innocent = try await good.dial(port), guilty = try await bad.dial(port)
            for connection in [innocent, guilty] {
                #expect(connection.send([1]))
                #expect(try await connection.receive() == [1])
            }
            try OwnFiles.write("# denied certificates\n\n\(entry)\n", into: ours.folder, as: "denied.txt")
            server.transport.reload()
            // However the end is told: a goodbye or, when the farewell is overtaken, a broken connection.
            #expect((try? await guilty.receive()) == nil)
            #expect(innocent.send([2]))
            #expect(try await innocent.receive() == [2])
            let refusal = try await server.log.refusal()
            #expect(refusal.metadata["reason"] == "denied")
            #expect(refusal.metadata["peer.names"] == "gamma,gamma.internal")
            #expect(refusal.isWarning)

            #expect((try? await bad.dial(port).receive()) == nil)
            try await eventually("both times are counted") { server.transport.counters.refusals == [.denied: 2] }

            // Pardoned.
            try OwnFiles.write("", into: ours.folder, as: "denied.txt")
            server.transport.reload()
            let again = try await bad.dial(port)
            #expect(again.send([3]))
            #expect(try await again.receive() == [3])
        }
        try await bad.transport.shutdown()
    }

    @Test func `a server on the deny list of its caller is refused`() async throws {
        let ours = try OwnFiles("alpha", denied: "serial:" + (try Certificates.number("serial", of: "several")))
        let server = try Node(try Certificates.files("several")), client = try Node(ours.files)
        try await withNodes(server, client) { port in
            let error = await #expect(throws: PeerConnectError.self) { try await client.dial(port) }
            guard case .rejected(let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.hasPrefix("denied:"))
        }
    }

    static let fingerprint = String(repeating: "ab", count: 32)

    @Test func `numbers are understood as openssl writes them`() throws {
        let colons = stride(from: 0, to: 64, by: 2).map { _ in "AB" }.joined(separator: ":")
        let text = "SHA256: \(colons)\nserial:0A\n serial : 00ff # two spaces\n#serial:bb\n\n"
        let list = try DenyList(text, entriesMax: 9)
        #expect(list.count == 3)
        #expect(list.denies(serial: "1", fingerprint: Self.fingerprint))
        #expect(list.denies(serial: "a", fingerprint: ""))
        #expect(list.denies(serial: "ff", fingerprint: ""))
        #expect(!list.denies(serial: "bb", fingerprint: String(repeating: "ac", count: 32)))
    }

    static let mistakes: [(text: String, line: Int)] = [
        ("serial", 1), ("serial:", 1), ("serial:xyz", 1), ("serial:1\nsha256:abcd", 2), ("serial:1\n\nissuer:22", 3),
        ("serial:1\nserial:2\nserial:3", 3), ("serial:١", 1),
    ]

    @Test(arguments: mistakes) func `a mistake is named by its line`(text: String, line: Int) {
        let error = #expect(throws: TLSTransportError.self) { _ = try DenyList(text, entriesMax: 2) }
        #expect(error?.detail.contains("line \(line) ") == true)
    }
}
