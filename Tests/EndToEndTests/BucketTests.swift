import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

extension EndToEndTests {
    /// The same on a bucket: two nodes that share PostgreSQL, a real SeaweedFS and no folder.
    @Suite(
        .cluster(
            nodes: 2, options: ["--blobs", "s3"], environment: ["TIJERA_BLOBS_S3_REDIRECT_DOWNLOADS": "true"]))
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

        @Test func `a job whose bytes are in a bucket survives a node, and the check finds all of them there`()
            async throws
        {
            let client = Client(base: cluster.nodes[0].http)
            let video = try await Material.shortTalk(in: cluster.folder, variant: 40)
            let id = try await client.submit(client.upload(video))
            let victim = cluster.nodes[1]
            _ = try await client.wait(for: id) { job in
                job.status.hasEnded
                    || job.stages.contains { $0.state == .running && $0.node?.rawValue == victim.name }
            }
            #expect(kill(victim.pid, SIGKILL) == 0)
            let job = try await client.end(of: id)
            try await cluster.revive()
            try #require(job.status == .ready, "\(String(describing: job.error))")
            try await expectDownloads(of: video)
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

        /// By the node that came back, whose disk knows nothing of it: everything is there already, and what is
        /// downloaded comes from the bucket itself.
        private func expectDownloads(of video: String) async throws {
            let (node, out) = (cluster.nodes[1], cluster.folder + "/out-bucket")
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
            let first = try #require(try await Client(base: node.http).job(newest).clips.first)
            let answer = try await HTTPClient().send(
                HTTPRequest("GET", node.http + "/api/clips/\(first.id)/download"))
            #expect(answer.status == 307)
            #expect(answer.headers["location"]?.contains("X-Amz-Signature=") == true)
        }
    }
}
