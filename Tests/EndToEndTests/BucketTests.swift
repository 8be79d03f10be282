import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

extension EndToEndTests {
    /// The same on a bucket: two nodes of one region that share PostgreSQL, a real SeaweedFS and no folder.
    @Suite(
        .cluster(
            nodes: 2, options: ["--blobs", "s3", "--regions", "eu"],
            environment: Cluster.deadProxy.merging(["TIJERA_BLOBS_S3_REDIRECT_DOWNLOADS": "true"]) { $1 }))
    struct BucketTests {
        private struct Report: Decodable {
            let isHealthy: Bool
            let namedBlobs: Int
            let storedBlobs: Int
            let missing: Int
        }

        private let cluster: Cluster

        init() throws { cluster = try #require(ClusterTrait.running) }

        private func check(_ configuration: String) async throws -> (code: Int32, report: Report) {
            let run = try await Shell.run(
                Cluster.executable, ["blobs", "check", "--config", configuration, "--json"])
            let report = try? JSONDecoder().decode(Report.self, from: Data(run.standardOutput.utf8))
            return (run.code, try #require(report, "\(run.text)"))
        }

        @Test
        func `a job whose bytes are in a bucket outlives its node and the service, and the check finds all of them`()
            async throws
        {
            let video = try await Material.shortTalk(in: cluster.folder, variant: 40, seconds: 25)
            let client = Client(base: cluster.nodes[0].http)
            let id = try await client.submit(client.upload(video))
            let seen = try await client.wait(for: id) { job in
                job.status.hasEnded || job.stages.contains { $0.name == .transcribe && $0.state == .running }
            }
            let holder = try #require(
                seen.stages.first { $0.name == .transcribe && $0.state == .running }?.node, "it was too quick")
            let victim = try #require(cluster.nodes.first { $0.name == holder.rawValue })
            let survivor = Client(base: try #require(cluster.nodes.first { $0.name != victim.name }).http)
            #expect(kill(victim.pid, SIGKILL) == 0)
            try cluster.killSeaweed()
            try await expectOutage(survivor, video, job: id)
            try await cluster.revive()

            let job = try await survivor.end(of: id)
            try #require(job.status == .ready, "\(String(describing: job.error))")
            #expect(job.stages.allSatisfy { $0.state == .done }, "\(job.stages.filter { $0.state != .done })")
            #expect(job.stages.contains { $0.attempts > 1 }, "nothing was done again, so nothing was interrupted")
            try await expectDownloads(of: video, from: try #require(cluster.nodes.first { $0.name == victim.name }))
            #expect(!FileManager.default.fileExists(atPath: cluster.blobs), "nodes have a folder in common")

            let configuration = "\(cluster.folder)/nodes/\(cluster.nodes[0].name)/node.yaml"
            let found = try await check(configuration)
            #expect(found.code == 0 && found.report.isHealthy && found.report.missing == 0)
            #expect(found.report.namedBlobs > 10 && found.report.storedBlobs >= found.report.namedBlobs)
            // Elsewhere in the bucket there is nothing of it.
            let elsewhere = cluster.folder + "/elsewhere.yaml"
            let text = try String(contentsOfFile: configuration, encoding: .utf8)
            try text.replacing("    bucket: ", with: "    prefix: elsewhere\n    bucket: ")
                .write(toFile: elsewhere, atomically: true, encoding: .utf8)
            let missing = try await check(elsewhere)
            #expect(missing.code == 10 && missing.report.missing == found.report.namedBlobs)
        }

        /// A client is told after its patience, twelve seconds, that the service is away; the job waits for longer.
        private func expectOutage(_ client: Client, _ video: String, job id: JobID) async throws {
            let answer = try await client.send(upload: video)
            #expect(answer.status == 503, "\(answer.text)")
            let problem = try JSONDecoder().decode(Client.Problem.self, from: Data(answer.body))
            #expect(problem.code == "blob_store_unavailable", "\(answer.text)")
            // What it makes cannot stand anywhere.
            let job = try await client.job(id)
            #expect(job.status == .processing, "\(job.status) \(String(describing: job.error))")
        }

        /// By the node that came back, whose disk knows nothing of it: everything is there already, and what is
        /// downloaded comes from the bucket itself.
        private func expectDownloads(of video: String, from node: Cluster.Node) async throws {
            let out = cluster.folder + "/out-bucket"
            let run = try await Shell.run(Cluster.executable, ["clip", video, "--out", out, "--server", node.http])
            try #require(run.code == 0, "\(run.text)")
            let clip = try await Shell.run("ffprobe", ["-v", "error", out + "/clip-1.mp4"])
            #expect(clip.code == 0, "\(clip.text)")
            let jobs = try await HTTPClient().send(HTTPRequest("GET", node.http + "/api/jobs?limit=1"))
            struct List: Decodable {
                struct Item: Decodable { let id: JobID }
                let jobs: [Item]
            }
            let newest = try JSONDecoder().decode(List.self, from: Data(jobs.body)).jobs[0].id
            let clips = try await Client(base: node.http).job(newest).clips
            let sums = try await Shell.run("bash", ["-c", "sha256sum \(out)/clip-*.mp4"])
            let digests = sums.standardOutput.split(separator: "\n").map { String($0.prefix(64)) }
            #expect(Set(digests) == Set(clips.compactMap(\.videoSHA256)), "\(sums.text)")
            let first = try #require(clips.first)
            let answer = try await HTTPClient().send(
                HTTPRequest("GET", node.http + "/api/clips/\(first.id)/download"))
            #expect(answer.status == 307)
            #expect(answer.headers["location"]?.contains("X-Amz-Signature=") == true)
        }
    }
}
