import Foundation
import HTTPGateway
import Node
import Testing

@Suite struct DoorSettingsTests {
    private func door(_ yaml: String = "", _ overrides: [String] = []) throws -> DoorSettings {
        let path = FileManager.default.temporaryDirectory.appending(path: "door-\(UUID().uuidString).yaml").path
        try (ConfigurationTests.good + "\n" + yaml + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try NodeConfiguration(path: path, environment: [:], overrides: overrides).door
    }

    private func problem(_ yaml: String = "", _ overrides: [String] = []) -> String {
        do {
            _ = try door(yaml, overrides)
            return ""
        } catch let error as ConfigurationError {
            return error.problems.joined(separator: "\n")
        } catch { return "\(error)" }
    }

    @Test func `without a word a node speaks without TLS, to nobody else`() throws {
        let door = try door()
        #expect(door.credentials == nil && door.redirectPort == nil && door.adminPort == nil)
        #expect(door.strictTransportSeconds == nil && door.origins == AllowedOrigins.none)
        #expect(door.address == "http://127.0.0.1:8080" && !door.expectsProxyHeader && door.proxies.isEmpty)
    }

    @Test func `files need no signed links unless somebody says so`() throws {
        #expect(try door().signedDownloads == .off)
        #expect(try door("http:\n  downloads:\n    signed: required").signedDownloads == .required)
        #expect(problem("", ["http.downloads.signed=on"]).contains("must be one of off, required"))
    }

    @Test func `TLS may be written as a section of its own`() throws {
        let yaml = """
            http:
              redirectPort: 8081
              tls:
                certificate: /c.pem
                key: /k.pem
                minimumVersion: "1.3"
            """
        let door = try door(yaml)
        #expect(door.credentials == DoorCredentials(certificate: "/c.pem", key: "/k.pem", minimumVersion: .tls13))
        #expect(door.redirectPort == 8081 && door.address == "https://127.0.0.1:8080")
        #expect(door.strictTransportSeconds == 31_536_000)
        #expect(try self.door("http:\n  tls.certificate: /c.pem\n  tls.key: /k.pem\n").credentials?.key == "/k.pem")
        #expect(problem("http:\n  tls:\n    keyy: /k.pem\n").contains("did you mean \"http.tls.key\"?"))
    }

    @Test func `behind a balancer that speaks TLS browsers are told to come back by TLS`() throws {
        #expect(try door("", ["http.address=https://clips.example"]).strictTransportSeconds == 31_536_000)
        let off = try door("", ["http.address=https://clips.example", "http.hstsSeconds=0"])
        #expect(off.strictTransportSeconds == nil)
    }

    @Test func `keys are required where the operator says so`() throws {
        #expect(try !door().requiresKeys)
        #expect(try door("http:\n  keys:\n    required: true\n").requiresKeys)
        #expect(try door("", ["http.keys.required=true"]).requiresKeys)
    }

    @Test(arguments: [
        (["http.tls.key=/k"], "go together"), (["http.tls.certificate=/c"], "go together"),
        (["http.redirectPort=80"], "nothing to redirect to"), (["admin.port=8080"], "must differ"),
        (["http.tls.key=/k", "http.tls.certificate=/c", "http.redirectPort=90", "admin.port=90"], "must differ"),
        (["http.trustedProxies=10.0.0.0/99"], "http.trustedProxies must be"),
        (["http.proxyProtocol=on"], "needs http.trustedProxies"), (["http.origins=a.b"], "http.origins must be"),
        (["http.tls.minimumVersion=1.1"], "must be one of 1.2, 1.3"), (["limits.rules=a"], "limits.rules"),
        (["limits.rules=jobs GET /api/jobs 1/1"], "two limits are named jobs"),
        (["limits.rules=keys GET /api/jobs 1/1"], "two limits are named keys"),
        (["http.keys.required=yes"], "must be one of false, true"),
    ])
    func `what does not go together is refused in words`(overrides: [String], words: String) {
        let text = problem("", overrides)
        #expect(text.contains(words), "\(text)")
    }
}
