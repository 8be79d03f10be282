import ClipModel
import Foundation
import HTTPClient
import Jobs

/// Uploads, starts the job, waits for its end through lost connections, and fetches the files.
struct ClipFollower: Sendable {
    /// Seconds between two looks at the job.
    static let lookSeconds = 1.0

    let cluster: ClusterClient
    let display: ProgressDisplay
    let folder: String

    struct JobAnswer: Decodable {
        let job: JobView
        let clips: [Clip]

        /// The addresses of its files: they may be links that end.
        struct Clip: Decodable {
            let id: ClipID
            let links: Links
        }

        struct Links: Decodable {
            let download: String?
            let srt: String?
            let vtt: String?
            let thumbnail: String?
        }
    }

    /// Answers with the job as it ended.
    func run(
        video: String, transcript: String?, options: JobOptions, priority: Job.Priority? = nil
    ) async throws -> JobAnswer {
        try prepareFolder()
        guard FileManager.default.isReadableFile(atPath: video) else {
            throw ClipError.file("cannot read \(video): check the path, and that you may read it")
        }
        await cluster.learnNodes()
        let upload = try await upload(video, transcript: transcript)
        let job = try await submit(upload, options: options, priority: priority)
        display.remark("page: \(cluster.server)/#/jobs/\(job)")
        return try await wait(for: job)
    }

    private func prepareFolder() throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ClipError.file("cannot make the folder \(folder): \(error.localizedDescription)")
        }
    }

    private func upload(_ video: String, transcript: String?) async throws -> UploadID {
        struct Answer: Decodable { let uploadId: UploadID }
        // A transcript comes along in a form only.
        if transcript == nil, let upload = try await uploadInChunks(video) { return upload }
        var form = [HTTPRequest.Part.file(field: "file", path: video, name: URL(filePath: video).lastPathComponent)]
        if let transcript {
            form.append(.file(field: "transcript", path: transcript, name: URL(filePath: transcript).lastPathComponent))
        }
        let parts = form, display = display, http = cluster.http, headers = cluster.headers()
        // An upload that broke off left nothing behind, so it may simply be sent again, to whichever node answers.
        let answer = try await cluster.retrying { server in
            let body = Gathered()
            let head = try await http.transfer(
                HTTPRequest("POST", server + "/api/upload", headers: headers, form: parts),
                progress: { progress in
                    guard progress.toSendBytes > 0 else { return }
                    display.show(
                        "Uploading", fraction: Double(progress.sentBytes) / Double(progress.toSendBytes),
                        detail: "\(Terminal.size(progress.sentBytes)) of \(Terminal.size(progress.toSendBytes))")
                }, sink: body.append)
            if head.status == 503 { throw HTTPClientError(.unreachable, "\(server) answers 503") }
            return HTTPAnswer(status: head.status, body: body.bytes)
        }
        return try decode(Answer.self, answer).uploadId
    }

    private func submit(
        _ upload: UploadID, options: JobOptions, priority: Job.Priority?
    ) async throws -> JobID {
        struct Request: Encodable {
            let uploadId: UploadID
            let options: JobOptions
            /// Not spelled out unless asked for, so that nodes of an earlier release take the job too.
            let priority: Job.Priority?
        }
        struct Answer: Decodable { let jobId: JobID }
        let body = try JSONEncoder().encode(Request(uploadId: upload, options: options, priority: priority))
        // The key lets the request be repeated on another node without starting the job twice.
        let key = UUID().uuidString
        var answer = try await cluster.send("POST", "/api/jobs", headers: Self.headers(key), body: Array(body))
        // The parts of a large upload may still be being joined.
        while answer.status == 409, answer.text.contains("upload_finishing") {
            try await cluster.pause(seconds: Self.lookSeconds)
            answer = try await cluster.send("POST", "/api/jobs", headers: Self.headers(key), body: Array(body))
        }
        return try decode(Answer.self, HTTPAnswer(status: answer.status, body: answer.body)).jobId
    }

    private static func headers(_ key: String) -> [(name: String, value: String)] {
        [("Content-Type", "application/json"), ("Idempotency-Key", key)]
    }

    /// Looks at the job until it has ended.
    private func wait(for id: JobID) async throws -> JobAnswer {
        while true {
            let look = try await cluster.send("GET", "/api/jobs/\(id)")
            let answer = try decode(JobAnswer.self, HTTPAnswer(status: look.status, body: look.body))
            let job = answer.job
            display.show(job)
            switch job.status {
            case .ready:
                display.finish()
                return answer
            case .cancelled:
                display.finish()
                throw ClipError.cancelled
            case .error:
                display.finish()
                throw ClipError.jobFailed(explanation(of: job))
            case .pending, .processing: try await cluster.pause(seconds: Self.lookSeconds)
            }
        }
    }

    private func explanation(of job: JobView) -> String {
        guard let error = job.error else { return "the job failed without a reason" }
        return "\(error.reason) [\(error.code)\(error.stage.map { " in \($0)" } ?? "")] \(error.hint)"
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ answer: HTTPAnswer) throws -> Value {
        guard (200..<300).contains(answer.status) else { throw ClipError.refused(answer.problem) }
        do {
            return try JSONDecoder().decode(type, from: Data(answer.body))
        } catch {
            throw ClipError.refused("the server's answer cannot be understood: \(error)")
        }
    }
}

/// A whole answer, with its problem (RFC 9457) in words.
struct HTTPAnswer: Sendable {
    let status: Int
    let body: [UInt8]

    var problem: String {
        struct Problem: Decodable {
            let title: String?
            let detail: String?
            let hint: String?
        }
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(body)) else {
            return "the server answers \(status)"
        }
        let parts = [problem.detail ?? problem.title, problem.hint].compactMap { $0 }
        return "\(parts.joined(separator: " ")) (HTTP \(status))"
    }
}
