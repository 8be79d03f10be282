import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// What dies, and what must go on.
extension EndToEndTests {
    // Stages that last for seconds, one in each kind of tool: a shorter one could end between being seen and the kill.
    @Test func `a job loses node after node, and the last one ends it without help and each clip once`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 10)
        let id = try await client.submit(client.upload(video))
        var living = cluster.nodes
        var dead: [Cluster.Node] = []
        for stage in [StageName.transcribe, .render] {
            let seen = try await Client(base: living[0].http).wait(for: id) { job in
                job.status.hasEnded || job.stages.contains { runs($0, stage, on: living) }
            }
            let victim = try #require(
                living.first { node in seen.stages.contains { runs($0, stage, on: [node]) } }, "\(stage) was too quick")
            #expect(kill(victim.pid, SIGKILL) == 0)
            living.removeAll { $0.name == victim.name }
            dead.append(victim)
        }

        let job = try await Client(base: living[0].http).end(of: id)
        try await cluster.revive()
        #expect(job.status == .ready, "\(String(describing: job.error))")
        #expect(!job.clips.isEmpty)
        #expect(job.stages.allSatisfy { $0.state == .done }, "\(job.stages.filter { $0.state != .done })")
        for stage in [StageName.transcribe, .render] {
            #expect(
                job.stages.contains { $0.name == stage && $0.attempts > 1 },
                "no \(stage) was done again, so none was interrupted")
        }
        #expect(Set(job.clips.map(\.id)).count == job.clips.count)
        for node in dead { #expect(try await orphans(of: node.pid) == 0, "\(node.name) left children when it died") }
    }

    private func runs(_ stage: JobView.StageView, _ name: StageName, on nodes: [Cluster.Node]) -> Bool {
        stage.name == name && stage.state == .running && nodes.contains { $0.name == stage.node?.rawValue }
    }

    @Test func `a crash of PostgreSQL and a stop of all nodes cost a job time and nothing else`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 20)
        let id = try await client.submit(client.upload(video))
        _ = try await client.wait(for: id) { job in
            job.stages.contains { $0.name == .transcribe && $0.state == .running }
        }
        try await cluster.crashPostgres()
        let seen = try await client.wait(for: id) { job in
            job.status.hasEnded || job.stages.contains { $0.name == .render && $0.state == .running }
        }
        #expect(!seen.status.hasEnded, "it was too quick")
        try await cluster.stop()
        try await cluster.revive()
        let fresh = Client(base: cluster.nodes[0].http)
        let job = try await fresh.end(of: id)
        #expect(job.status == .ready, "\(String(describing: job.error))")
        #expect(job.stages.allSatisfy { $0.state == .done })
    }

    /// Tools whose node is gone: re-parented, and working in this cluster's folders.
    private func orphans(of pid: Int32) async throws -> Int {
        let output = try await Shell.run("ps", ["-eo", "ppid=,args="])
        return output.standardOutput.split(separator: "\n").filter { line in
            line.contains(cluster.folder) && (line.contains("ffmpeg ") || line.contains("speech-worker"))
                && line.split(separator: " ").first == "1"
        }.count
    }
}
