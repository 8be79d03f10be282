import ClipModel
import Foundation
import HTTPGateway
import Synchronization
import TestSupport
import Testing

/// The door's sockets with real clients: curl for HTTP/1.1 and HTTP/2, openssl for what TLS offers.
@Suite(.timeLimit(.minutes(5))) struct EntranceTests {
    /// Off the pool's threads: a child is waited for.
    static func output(
        _ program: String, _ arguments: [String], input: String = "", inputStays: Bool = false,
        statuses: Set<Int32> = [0]
    ) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try Child.run(program, arguments, input: input, inputStays: inputStays, statuses: statuses)
                    })
            }
        }
    }

    /// A folder with `door.pem` and `door.key`, self-signed, in the name of `name`.
    static func credentials(_ name: String, in folder: URL) async throws -> DoorCredentials {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (certificate, key) = (folder.appending(path: "door.pem").path, folder.appending(path: "door.key").path)
        _ = try await output(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,DNS:\(name)", "-keyout", key, "-out",
                certificate,
            ])
        return DoorCredentials(certificate: certificate, key: key)
    }

    /// A door with TLS, a certificate of its own, and whatever else the test wants.
    private static func open(
        _ change: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @Sendable (Door, _ certificate: String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "door-tls-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = GatewayConfiguration(adminToken: "0123456789abcdef")
        let credentials = try await Self.credentials("one.example", in: folder)
        configuration.credentials = credentials
        configuration.strictTransportSeconds = 300
        change(&configuration)
        try await Door.open(configuration) { door in try await body(door, credentials.certificate) }
    }

    private static func curl(_ door: Door, _ certificate: String, _ arguments: [String]) async throws -> String {
        try await output("curl", ["-sS", "--max-time", "20", "--cacert", certificate] + arguments)
    }

    @Test func `curl speaks HTTP 1 and 2 to one port, and both get every header`() async throws {
        try await Self.open { door, certificate in
            let address = "https://localhost:\(door.client.port)"
            for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
                let text = try await Self.curl(
                    door, certificate, [flag, "-i", "-w", "version %{http_version}", address + "/api/jobs"])
                #expect(text.contains("version \(version)"), "\(text)")
                #expect(text.lowercased().contains("strict-transport-security: max-age=300; includesubdomains"))
                #expect(text.contains(#"{"jobs":[]}"#), "\(text)")
                // Errors that close a connection do so in their own way with each.
                let refused = try await Self.curl(
                    door, certificate,
                    [
                        flag, "-i", "-X", "POST", "--data-binary", "x", "-H", "Content-Type: text/plain",
                        address + "/api/upload",
                    ])
                #expect(refused.contains("application/problem+json"), "\(refused)")
                #expect(refused.lowercased().contains("\nconnection:") == (version == "1.1"), "\(refused)")
            }
        }
    }

    @Test func `many requests of one HTTP 2 connection, and a download through it`() async throws {
        try await Self.open { door, certificate in
            let video = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
            let job = try await door.finishedJob(videos: [video])
            let address = "https://localhost:\(door.client.port)"
            let bytes = try await Self.curl(
                door, certificate,
                [
                    "--http2", "-o", "/dev/null", "-w", "%{size_download} %{http_version}\\n",
                    address + "/api/clips/\(ClipID(job: job, ordinal: 0))/download",
                ])
            #expect(bytes.hasPrefix("1000000 2"), "\(bytes)")
            let many = try await Self.curl(
                door, certificate,
                ["--http2", "-Z", "-w", "%{http_code} %{num_connects}\\n"]
                    + (0..<20).flatMap { _ in
                        [address + "/livez", "-o", "/dev/null"]
                    })
            #expect(many.split(separator: "\n").filter { $0.hasPrefix("200 ") }.count == 20, "\(many)")
        }
    }

    @Test(
        arguments: [
            ("-tls1", nil), ("-tls1_1", nil), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3"),
        ] as [(String, String?)])
    func `TLS 1_2 and 1_3 are spoken, older ones are not`(flag: String, version: String?) async throws {
        try await Self.open { door, certificate in
            let text = try await Self.output(
                "openssl",
                [
                    "s_client", "-connect", "127.0.0.1:\(door.client.port)", flag, "-cipher", "ALL:@SECLEVEL=0",
                    "-CAfile", certificate, "-servername", "localhost",
                ], statuses: [0, 1])
            if let version {
                #expect(text.contains("New, \(version), Cipher is ") && !text.contains("Cipher is (NONE)"), "\(text)")
                #expect(text.contains("Verify return code: 0 (ok)"), "\(text)")
                #expect(text.contains("Secure Renegotiation IS supported") == (version == "TLSv1.2"))
            } else {
                #expect(text.contains("Cipher is (NONE)"), "\(text)")
            }
        }
    }

    @Test func `only TLS 1_3 when that is asked for`() async throws {
        try await Self.open({ configuration in
            var credentials = configuration.credentials
            credentials?.minimumVersion = .tls13
            configuration.credentials = credentials
        }) { door, _ in
            let port = door.client.port
            let old = try await Self.output(
                "openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-tls1_2"], statuses: [0, 1])
            #expect(old.contains("Cipher is (NONE)"), "\(old)")
            let new = try await Self.output(
                "openssl", ["s_client", "-connect", "127.0.0.1:\(port)"], statuses: [0, 1])
            #expect(new.contains("New, TLSv1.3"), "\(new)")
        }
    }

    @Test func `a new certificate is shown without a restart, a broken one is not`() async throws {
        try await Self.open { door, certificate in
            func subject() async throws -> String {
                try await Self.output(
                    "openssl", ["s_client", "-connect", "127.0.0.1:\(door.client.port)"], statuses: [0, 1])
            }
            let first = try await subject()
            #expect(first.contains("CN = one.example"), "\(first)")
            let folder = URL(filePath: certificate).deletingLastPathComponent()
            try "no certificate".write(toFile: certificate, atomically: true, encoding: .utf8)
            _ = try await Self.credentials("two.example", in: folder)
            // The node looks every five seconds.
            var text = ""
            for _ in 0..<200 where !text.contains("CN = two.example") { text = try await subject() }
            #expect(text.contains("CN = two.example"), "\(text)")
        }
    }

    @Test func `a key that does not belong to the certificate keeps a node from starting`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "door-tls-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let one = try await Self.credentials("one.example", in: folder.appending(path: "one"))
        let two = try await Self.credentials("two.example", in: folder.appending(path: "two"))
        for (certificate, key, words) in [
            (one.certificate, two.key, "does not go with"), (one.key, one.key, "certificate"),
            (one.certificate, one.certificate, "is not a private key"), ("/none", one.key, "/none"),
        ] {
            do {
                _ = try DoorCertificate(DoorCredentials(certificate: certificate, key: key))
                Issue.record("\(certificate) and \(key) were taken")
            } catch { #expect("\(error)".contains(words), "\(error)") }
        }
    }

    @Test func `the port without TLS shows the way, and takes nothing in`() async throws {
        try await Self.open({ configuration in
            configuration.redirectPort = 0
            configuration.publicAddress = "https://clips.example"
        }) { door, _ in
            let plain = try #require(door.entrances[.redirect])
            let away = try await plain.send("GET", "/api/jobs?limit=2")
            #expect(away.status == 308 && away.headers["location"] == "https://clips.example/api/jobs?limit=2")
            #expect(away.headers["strict-transport-security"] == nil, "a browser must not be told here")
            #expect(away.headers["x-content-type-options"] == "nosniff" && away.headers["x-request-id"] != nil)
            let posted = try await plain.send("POST", "/api/jobs", headers: [Door.jsonType], body: Array("{}".utf8))
            #expect(posted.status == 403)
            #expect(try posted.string("code") == "tls_required")
            // Who speaks plainly to the port with TLS gets nothing, and least of all an answer of the API.
            let confused = try? await door.client.send("GET", "/api/jobs")
            #expect(confused == nil)
        }
    }

    @Test func `operators have a port of their own, and no other then`() async throws {
        var configuration = GatewayConfiguration(adminToken: "0123456789abcdef")
        configuration.adminPort = 0
        try await Door.open(configuration) { door in
            let token = [("Authorization", "Bearer 0123456789abcdef")]
            let admin = try #require(door.entrances[.admin])
            let status = try await admin.send("GET", "/admin/v1/status", headers: token)
            let ready = try await admin.send("GET", "/readyz"), jobs = try await admin.send("GET", "/api/jobs")
            #expect(status.status == 200 && ready.status == 200 && jobs.status == 404)
            let outside = try await door.client.send("GET", "/admin/v1/status", headers: token)
            #expect(outside.status == 404)
            #expect(try outside.string("code") == "not_found")
            let inside = try await door.client.send("GET", "/api/jobs")
            #expect(inside.status == 200)
        }
    }
}
