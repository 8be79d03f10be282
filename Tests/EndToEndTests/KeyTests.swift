import Foundation
import HTTPClient
import Testing

/// `tijera keys`, and what every node makes of them.
extension EndToEndTests {
    private struct Key: Decodable {
        let id: String
        let state: String
    }
    private struct Created: Decodable {
        let secret: String
        let key: Key
    }
    private struct Page: Decodable { let keys: [Key] }

    private func keys<Value: Decodable>(_ arguments: [String], as type: Value.Type = Value.self) async throws -> Value {
        let output = try await Shell.run(
            Cluster.executable, ["keys"] + arguments + ["--json"], environment: ["TIJERA_DATA": cluster.folder])
        try #require(output.code == 0, "\(output.text)")
        return try JSONDecoder().decode(type, from: Data(output.standardOutput.utf8))
    }

    @Test func `an operator hands a key out, and takes it back from every node`() async throws {
        let client = "e2e." + UUID().uuidString.prefix(8).lowercased()
        let created: Created = try await keys(["create", client, "--note", "la oficina", "--expires-days", "1"])
        func status(_ node: String, _ key: String) async throws -> Int {
            let request = HTTPRequest("GET", node + "/api/jobs?limit=1", headers: [("X-API-Key", key)])
            return try await HTTPClient().send(request).status
        }
        for node in cluster.nodes { #expect(try await status(node.http, created.secret) == 200) }
        #expect(try await status(cluster.nodes[0].http, String(created.secret.dropLast())) == 401)

        let revoked: Key = try await keys(["revoke", created.key.id])
        #expect(revoked.id == created.key.id && revoked.state == "revoked")
        // 15 s, and some for the machine.
        let clock = ContinuousClock(), deadline = clock.now + .seconds(25)
        for node in cluster.nodes {
            var last = 200
            while last == 200, clock.now < deadline {
                try await clock.sleep(for: .milliseconds(500))
                last = try await status(node.http, created.secret)
            }
            #expect(last == 401, "\(node.name)")
        }
        let page: Page = try await keys(["list", client])
        #expect(page.keys.map(\.state) == ["revoked"])
    }
}
