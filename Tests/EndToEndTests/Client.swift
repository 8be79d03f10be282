import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// A client as a user would write one, against one node.
struct Client {
    let base: String
    let http = HTTPClient()

    struct JobAnswer: Decodable {
        let job: JobView
    }

    struct Problem: Decodable {
        let code: String
        let detail: String
        let hint: String?
    }

    func upload(_ path: String, name: String? = nil, transcript: String? = nil) async throws -> UploadID {
        struct Answer: Decodable { let uploadId: UploadID }
        let answer = try await send(upload: path, name: name, transcript: transcript)
        try #require(answer.status == 201, "upload: \(answer.status) \(answer.text)")
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body)).uploadId
    }

    func send(upload path: String, name: String? = nil, transcript: String? = nil) async throws -> HTTPResponse {
        var form = [
            HTTPRequest.Part.file(field: "file", path: path, name: name ?? URL(filePath: path).lastPathComponent)
        ]
        if let transcript {
            form.append(.file(field: "transcript", path: transcript, name: URL(filePath: transcript).lastPathComponent))
        }
        return try await http.send(HTTPRequest("POST", base + "/api/upload", form: form))
    }

    func submit(_ upload: UploadID, options: [String: Any] = [:]) async throws -> JobID {
        struct Answer: Decodable { let jobId: JobID }
        let body = try JSONSerialization.data(withJSONObject: ["uploadId": upload.rawValue, "options": options])
        let answer = try await http.send(
            HTTPRequest("POST", base + "/api/jobs", headers: [("Content-Type", "application/json")], body: Array(body)))
        try #require((200..<300).contains(answer.status), "submit: \(answer.status) \(answer.text)")
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body)).jobId
    }

    func job(_ id: JobID) async throws -> JobView {
        let answer = try await http.send(HTTPRequest("GET", base + "/api/jobs/\(id)"))
        try #require(answer.status == 200, "job: \(answer.status) \(answer.text)")
        return try JSONDecoder().decode(JobAnswer.self, from: Data(answer.body)).job
    }

    /// Looks at the job until `isDone`, at most `seconds`. Looking is what clients do; nothing is assumed about speed.
    func wait(for id: JobID, seconds: Double = 600, until isDone: (JobView) -> Bool) async throws -> JobView {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(seconds)
        while clock.now < deadline {
            // A node that is being restarted answers with an error for a moment.
            if let view = try? await job(id), isDone(view) { return view }
            try await clock.sleep(for: .milliseconds(50))
        }
        let last = try await job(id)
        Issue.record("after \(seconds) s job \(id) is \(last.status) at \(last.progress) %: \(last.stages.map(\.name))")
        return last
    }

    func end(of id: JobID, seconds: Double = 600) async throws -> JobView {
        try await wait(for: id, seconds: seconds) { $0.status.hasEnded }
    }

    func post(_ path: String) async throws -> HTTPResponse { try await http.send(HTTPRequest("POST", base + path)) }

    func post(_ path: String, _ body: [String: Any]) async throws -> HTTPResponse {
        try await http.send(
            HTTPRequest(
                "POST", base + path, headers: [("Content-Type", "application/json")],
                body: Array(try JSONSerialization.data(withJSONObject: body))))
    }

    func download(_ clip: ClipID, to path: String) async throws {
        var large = http
        large.collectedBytesMax = 256 << 20
        let answer = try await large.send(HTTPRequest("GET", base + "/api/clips/\(clip)/download"))
        try #require(answer.status == 200, "download: \(answer.status)")
        try Data(answer.body).write(to: URL(filePath: path))
    }
}
