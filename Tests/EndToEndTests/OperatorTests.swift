import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// `tijera cluster`, as an operator uses it.
extension EndToEndTests {
    private struct Report: Decodable {
        struct Node: Decodable {
            let id: String
            let state: String
            let schedulability: String
            let obeys: Bool?
            let region: String
            let keyShare: Double?
            let certificateExpiresAt: String?
            let agrees: Bool?
            let isLocal: Bool
            /// Nodes ask each other every two seconds, and see certificates with the first connection.
            var isKnown: Bool { certificateExpiresAt != nil && (isLocal || agrees == true) }
        }
        struct View: Decodable { let placementDigest: String }
        struct Health: Decodable {
            struct Finding: Decodable { let code: String, node: String? }
            let isHealthy: Bool
            let reasons: [Finding]
        }
        let node: String
        let view: View
        let nodes: [Node]
        let health: Health
    }

    /// Nodes and token come from what cluster/up wrote down.
    private func operate(_ arguments: [String]) async throws -> Shell.Output {
        try await Shell.run(Cluster.executable, ["cluster"] + arguments, environment: ["TIJERA_DATA": cluster.folder])
    }

    private func decoded<Value: Decodable>(_ output: Shell.Output) throws -> Value {
        let line = try #require(output.standardOutput.split(separator: "\n").last, "\(output.text)")
        return try JSONDecoder().decode(Value.self, from: Data(line.utf8))
    }

    private func becomeHealthy() async throws -> Report {
        let arguments = ["--exit-when-healthy", "--nodes", "3", "--interval", "0.5", "--timeout", "60", "--json"]
        let output = try await operate(["status"] + arguments)
        try #require(output.code == 0, "\(output.text)")
        return try decoded(output)
    }

    @Test func `every node shows the whole cluster, and all agree about owners`() async throws {
        _ = try await becomeHealthy()
        var digests: Set<String> = []
        var owners: Set<String> = []
        for node in cluster.nodes {
            let output = try await operate(["status", "--json", "--server", node.http])
            #expect(output.code == 0, "\(output.text)")
            let report: Report = try decoded(output)
            #expect(report.node == node.name && report.nodes.filter { $0.state == "alive" }.count == 3)
            #expect(report.nodes.filter(\.isLocal).map(\.id) == [node.name])
            var latest = report
            let clock = ContinuousClock(), deadline = clock.now + .seconds(30)
            while latest.nodes.contains(where: { !$0.isKnown }), clock.now < deadline {
                try await clock.sleep(for: .milliseconds(200))
                latest = try decoded(try await operate(["status", "--json", "--server", node.http]))
            }
            #expect(latest.nodes.filter { !$0.isKnown }.isEmpty, "\(latest.nodes)")
            for region in Set(report.nodes.map(\.region)) {
                let shares = report.nodes.filter { $0.region == region }.compactMap(\.keyShare)
                #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
            }
            digests.insert(report.view.placementDigest)
            struct Explanation: Decodable { let owner: String }
            let explanation: Explanation = try decoded(
                try await operate(["ring", "explain", "some-key", "--json", "--server", node.http]))
            owners.insert(explanation.owner)
        }
        #expect(digests.count == 1 && owners.count == 1)
        // Without the token nothing is told.
        let bare = try await Shell.run(
            Cluster.executable, ["cluster", "status", "--server", cluster.nodes[0].http],
            environment: ["TIJERA_DATA": "/nowhere"])
        #expect(bare.code == 64, "\(bare.text)")
    }

    @Test func `a killed node makes the cluster unhealthy until it is back`() async throws {
        _ = try await becomeHealthy()
        let victim = cluster.nodes[2]
        #expect(kill(victim.pid, SIGKILL) == 0)
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(30)
        var health = try await operate(["health", "--json"])
        while clock.now < deadline, !health.standardOutput.contains("node_dead") {
            try await clock.sleep(for: .milliseconds(200))
            health = try await operate(["health", "--json"])
        }
        #expect(health.code == 10, "\(health.text)")
        let told: Report.Health = try decoded(health)
        #expect(told.reasons.contains { $0.code == "node_dead" && $0.node == victim.name }, "\(health.text)")
        try await cluster.revive()
        _ = try await becomeHealthy()
        #expect(try await operate(["health"]).code == 0)
    }

    @Test func `a drained node does nothing until it is taken back, and remembers it over a restart`() async throws {
        let report = try await becomeHealthy()
        let regions = Dictionary(grouping: report.nodes, by: \.region)
        let chosen = try #require(regions.values.first { $0.count > 1 }?.first).id
        let plan = try await operate(["decommission", chosen, "--dry-run"])
        #expect(plan.code == 0, "\(plan.text)")
        let drained = try await operate(["drain", chosen, "--wait"])
        #expect(drained.code == 0, "\(drained.text)")

        let video = try await Material.shortTalk(in: cluster.folder, variant: 40)
        let job = try await client.end(of: client.submit(client.upload(video)))
        #expect(job.status == .ready)
        #expect(job.stages.allSatisfy { $0.node?.rawValue != chosen })

        let node = try #require(cluster.nodes.first { $0.name == chosen })
        #expect(kill(node.pid, SIGKILL) == 0)
        try await cluster.revive()
        let again = try await becomeHealthy()
        let revived = try #require(again.nodes.first { $0.id == chosen })
        #expect(revived.schedulability == "draining" && revived.keyShare == 0)
        #expect(try await operate(["uncordon", chosen]).code == 0)
        #expect(try await operate(["cordon", "no-such-node"]).code == 2)
    }
}
