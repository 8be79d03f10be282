import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// A real tus client, which knows one address and nothing of nodes, behind a balancer without sticky sessions.
extension EndToEndTests {
    private struct Report: Decodable {
        let upload: UploadID
        let size: Int64
        let bodyBytes: Int64
        let killedAt: Int64?
        let requests: [String: Int]
        let seconds: Double
    }

    private struct Standing: Decodable {
        let received: Int64
        let state: String
        let sha256: String?
    }

    static let uploadBytes = Cluster.environment("TIJERA_LONG").isEmpty ? 160 << 20 : 1 << 30
    static let chunkBytes = 8 << 20

    @Test func `tuspy uploads through nodes in turn, one of which is killed in the middle, and sends nothing twice`()
        async throws
    {
        let video = cluster.folder + "/noise.bin"
        let made = try await Shell.run(
            "bash", ["-c", "head -c \(Self.uploadBytes) /dev/urandom >\(video) && sha256sum <\(video)"])
        try #require(made.code == 0, "\(made.text)")
        let digest = String(made.standardOutput.prefix(64))
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "tus_upload.py").path
        let nodes = cluster.nodes.prefix(2)
        let run = try await Shell.run(
            Cluster.environment("TIJERA_PYTHON"),
            [script, video, "\(Self.chunkBytes)"] + nodes.flatMap { [$0.http, "\($0.pid)"] })
        try #require(run.code == 0, "\(run.text)")
        let report = try JSONDecoder().decode(Report.self, from: Data(run.standardOutput.utf8))
        let answer = try await Client(base: nodes[1].http).http.send(
            HTTPRequest("GET", nodes[1].http + "/api/uploads/\(report.upload)"))
        try await cluster.revive()

        let standing = try JSONDecoder().decode(Standing.self, from: Data(answer.body))
        #expect(standing.state == "finished")
        #expect(standing.sha256 == digest)
        let killedAt = try #require(report.killedAt, "no node was killed, so nothing was interrupted")
        #expect(killedAt < report.size)
        #expect(report.bodyBytes - report.size <= Self.chunkBytes, "\(report)")
        #expect(report.requests.values.allSatisfy { $0 > 2 }, "\(report.requests)")
        try FileManager.default.removeItem(atPath: video)
    }
}
