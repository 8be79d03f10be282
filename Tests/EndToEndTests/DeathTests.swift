import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// What dies, and what must go on.
extension EndToEndTests {
    // Stages that last for seconds: a shorter one could end between being seen and the kill.
    @Test(arguments: [StageName.shots, .transcribe, .render])
    func `the job of a killed node ends without help and each clip once`(stage: StageName) async throws {
        let variant = 10 + (StageName.allCases.firstIndex(of: stage) ?? 0)
        let video = try await Material.shortTalk(in: cluster.folder, variant: variant)
        let id = try await client.submit(client.upload(video))
        let seen = try await client.wait(for: id) { job in
            job.status.hasEnded || job.stages.contains { $0.name == stage && $0.state == .running && $0.node != nil }
        }
        let victim = try #require(
            seen.stages.first { $0.name == stage && $0.state == .running }?.node, "\(stage) was too quick")
        let node = try #require(cluster.nodes.first { $0.name == victim.rawValue })
        #expect(kill(node.pid, SIGKILL) == 0)

        let survivor = Client(base: try #require(cluster.nodes.first { $0.name != victim.rawValue }).http)
        let job = try await survivor.end(of: id)
        try await cluster.revive()
        #expect(job.status == .ready, "\(String(describing: job.error))")
        #expect(!job.clips.isEmpty)
        #expect(job.stages.allSatisfy { $0.state == .done }, "\(job.stages.filter { $0.state != .done })")
        #expect(job.stages.contains { $0.attempts > 1 }, "nothing was done again, so nothing was interrupted")
        #expect(Set(job.clips.map(\.id)).count == job.clips.count)
        #expect(try await orphans(of: node.pid) == 0, "the dead node left children")
    }

    @Test func `a crash of PostgreSQL in the middle of a job costs time and nothing else`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 20)
        let id = try await client.submit(client.upload(video))
        _ = try await client.wait(for: id) { job in
            job.stages.contains { $0.name == .transcribe && $0.state == .running }
        }
        try await cluster.crashPostgres()
        let job = try await client.end(of: id)
        #expect(job.status == .ready, "\(String(describing: job.error))")
        #expect(job.stages.allSatisfy { $0.state == .done })
    }

    @Test func `the whole cluster may stop and start again in the middle of a job`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 21)
        let id = try await client.submit(client.upload(video))
        _ = try await client.wait(for: id) { job in job.stages.contains { $0.name == .render && $0.state == .running } }
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
