import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// `tijera clip`, as a person uses it.
extension EndToEndTests {
    private func clip(_ arguments: [String]) async throws -> Shell.Output {
        try await Shell.run(Cluster.executable, ["clip"] + arguments)
    }

    @Test func `the command line uploads, waits and leaves the files in the folder`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder)
        let out = cluster.folder + "/out"
        let run = try await clip([
            video, "--out", out, "--server", cluster.nodes[1].http, "--preset", "short", "--subtitles", "burned",
            "--aspect", "1:1",
        ])
        try #require(run.code == 0, "\(run.text)")
        let files = try FileManager.default.contentsOfDirectory(atPath: out)
        for name in ["clip-1.mp4", "clip-1.srt", "clip-1.vtt", "clip-1.jpg", "manifest.json"] {
            #expect(files.contains(name), "\(files)")
        }
        #expect(run.standardOutput.contains(out + "/clip-1.mp4"))
        #expect(!files.contains { $0.hasSuffix(".part") })
        let manifest = try Data(contentsOf: URL(filePath: out + "/manifest.json"))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: manifest) }
    }

    @Test func `the waiting survives the death of the node that is asked`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 30, seconds: 20)
        let node = cluster.nodes[1]
        let out = cluster.folder + "/out-survivor"
        let known = try await newestJob()
        async let run = clip([video, "--out", out, "--server", node.http, "--json"])
        _ = try await client.wait(for: jobAfter(known)) { $0.stages.contains { $0.name == .highlights } }
        #expect(kill(node.pid, SIGKILL) == 0)
        let output = try await run
        try await cluster.revive()
        #expect(output.code == 0, "\(output.text)")
        #expect(FileManager.default.fileExists(atPath: out + "/clip-1.mp4"))
    }

    @Test func `what cannot work ends with a message and its own exit code`() async throws {
        let server = cluster.nodes[0].http
        let missing = try await clip(["/no/such/file.mp4", "--out", cluster.folder + "/x", "--server", server])
        #expect(missing.code == 5)
        #expect(missing.text.contains("cannot read"))

        let text = cluster.folder + "/text.mp4"
        try "this is not a video".write(toFile: text, atomically: true, encoding: .utf8)
        let failed = try await clip([text, "--out", cluster.folder + "/x", "--server", server])
        #expect(failed.code == 1 || failed.code == 2, "\(failed.text)")

        let usage = try await clip([text, "--out", cluster.folder + "/x", "--server", server, "--count", "99"])
        #expect(usage.code == 64)
        #expect(usage.text.contains("clipCount"))
    }

    private func newestJob() async throws -> JobID? {
        struct List: Decodable {
            struct Item: Decodable { let id: JobID }
            let jobs: [Item]
        }
        let answer = try await client.http.send(HTTPRequest("GET", client.base + "/api/jobs?limit=1"))
        return try JSONDecoder().decode(List.self, from: Data(answer.body)).jobs.first?.id
    }

    /// The first job that was not there before.
    private func jobAfter(_ known: JobID?, seconds: Double = 120) async throws -> JobID {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(seconds)
        while clock.now < deadline {
            if let id = try await newestJob(), id != known { return id }
            try await clock.sleep(for: .milliseconds(100))
        }
        throw Missing(what: "a new job within \(seconds) s")
    }
}

struct Missing: Error {
    let what: String
}
