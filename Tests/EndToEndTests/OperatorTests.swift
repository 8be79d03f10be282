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
        try await tijera(["cluster"] + arguments)
    }

    private func tijera(_ arguments: [String]) async throws -> Shell.Output {
        try await Shell.run(Cluster.executable, arguments, environment: ["TIJERA_DATA": cluster.folder])
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

        let video = try await Material.shortTalk(in: cluster.folder, variant: 40, seconds: 20)
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

    @Test func `a job that waits for cordoned nodes says so, and its waterfall tells the wait`() async throws {
        _ = try await becomeHealthy()
        for node in cluster.nodes { #expect(try await operate(["cordon", node.name]).code == 0) }
        let video = try await Material.shortTalk(in: cluster.folder, variant: 41, seconds: 20)
        let job = try await client.submit(client.upload(video))
        let why = try await tijera(["jobs", "why", job.rawValue])
        #expect(why.code == 10, "\(why.text)")
        #expect(why.text.contains("All 3 living nodes are cordoned") && why.text.contains("uncordon"), "\(why.text)")
        let told: JobExplanation = try decoded(try await tijera(["jobs", "why", job.rawValue, "--json"]))
        #expect(told.reason.code == .noSchedulableNode && told.reason.stage == "scan" && told.needsOperator)
        let listed = try await tijera(["jobs", "list", "--status", "pending"])
        #expect(listed.code == 0 && listed.text.contains(job.rawValue), "\(listed.text)")

        for node in cluster.nodes { #expect(try await operate(["uncordon", node.name]).code == 0) }
        let running = try await client.wait(for: job) { $0.status == .processing || $0.status.hasEnded }
        #expect(running.status != .error)
        #expect(try await client.end(of: job).status == .ready)
        struct Answer: Decodable { let waterfall: JobWaterfall }
        let answer = try await client.http.send(
            HTTPRequest("GET", cluster.nodes[1].http + "/api/jobs/\(job)/waterfall"))
        let waterfall = try JSONDecoder().decode(Answer.self, from: Data(answer.body)).waterfall
        let scan = try #require(waterfall.stages.first { $0.name == .scan }?.attempts.first)
        let created = waterfall.createdAt, started = try #require(scan.startedAt)
        #expect(abs(try #require(scan.queueSeconds) - started.seconds(since: created)) < 0.1)
        #expect(waterfall.isComplete && waterfall.stages.allSatisfy { $0.attempts.last?.node != nil })
        #expect(waterfall.stages.filter { $0.name == .render }.allSatisfy { ($0.bytes ?? 0) > 1000 })
        let shown = try await tijera(["jobs", "show", job.rawValue])
        #expect(shown.code == 0 && shown.text.contains("render[0]"), "\(shown.text)")
    }

    @Test func `a dead letter is shown with its reason, explained, and requeued`() async throws {
        let fake = cluster.folder + "/no-video-\(cluster.nodes.count).mp4"
        try Data(String(repeating: "text\n", count: 4000).utf8).write(to: URL(filePath: fake))
        let job = try await client.submit(client.upload(fake))
        let failed = try await client.end(of: job)
        let code = try #require(failed.error?.code)
        let letters = try await tijera(["jobs", "dead-letters", "--code", code])
        #expect(letters.code == 0 && letters.text.contains(job.rawValue), "\(letters.text)")
        let told: JobExplanation = try decoded(try await tijera(["jobs", "why", job.rawValue, "--json"]))
        #expect(told.reason.code == .endedInError && told.reason.error?.code == code && !told.needsOperator)
        let rehearsed = try await tijera(["jobs", "dead-letters", "requeue", "--code", code, "--dry-run"])
        #expect(rehearsed.code == 0 && rehearsed.text.contains(job.rawValue), "\(rehearsed.text)")
        #expect(try await client.job(job).status == .error)
        let stage = try #require(failed.error?.stage)
        let requeued = try await tijera(["jobs", "requeue", job.rawValue, stage])
        #expect(requeued.code == 0 && requeued.text.contains("is processing"), "\(requeued.text)")
        // The file is what it was, so the job ends as it did.
        #expect(try await client.end(of: job).error?.code == code)
        #expect(try await tijera(["jobs", "retry", "job_01hzzzzzzzzzzzzzzzzzzzzzzz"]).code == 2)
        #expect(try await tijera(["jobs", "requeue", job.rawValue, "RENDER 2"]).code == 64)
    }
}
