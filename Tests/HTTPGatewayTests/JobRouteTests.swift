import ClipModel
import HTTPGateway
import Testing

@Suite(.timeLimit(.minutes(5))) struct JobRouteTests {
    private static func submit(
        _ door: Door, _ upload: String, key: String? = nil, options: String = "{}", apiKey: String? = nil
    ) async throws -> RawClient.Reply {
        var headers = [Door.jsonType]
        if let key { headers.append(("Idempotency-Key", key)) }
        if let apiKey { headers.append(("X-API-Key", apiKey)) }
        let body = #"{"uploadId": "\#(upload)", "options": \#(options)}"#
        return try await door.client.send("POST", "/api/jobs", headers: headers, body: Array(body.utf8))
    }

    @Test func `a job is taken in, shown and listed`() async throws {
        try await Door.open { door in
            let upload = try await door.upload([Door.Part(content: [1])]).string("uploadId")
            let accepted = try await Self.submit(door, upload, options: #"{"clipCount": 3}"#)
            #expect(accepted.status == 202, "\(accepted.text)")
            let id = try accepted.string("jobId")
            #expect(accepted.headers["location"] == "/api/jobs/\(id)")
            let shown = try await door.client.send("GET", "/api/jobs/\(id)")
            #expect(try shown.string("job", "status") == "pending")
            #expect(try shown.string("job", "upload", "fileName") == "talk.mp4")
            #expect(try shown.json("job", "options", "clipCount") as? Int == 3)
            #expect(try (shown.json("clips") as? [Any])?.isEmpty == true)
            let listed = try await door.client.send("GET", "/api/jobs")
            #expect(try listed.json("jobs", "0", "id") as? String == id)
            #expect(try listed.json("jobs", "0", "fileName") as? String == "talk.mp4")
        }
    }

    @Test func `a list is walked by its cursor`() async throws {
        try await Door.open { door in
            var ids: [String] = []
            for _ in 0..<5 { ids.insert(try await door.submittedJob().rawValue, at: 0) }
            var seen: [String] = []
            var path: String? = "/api/jobs?limit=2"
            while let next = path {
                let page = try await door.client.send("GET", next)
                let rows = try #require(try page.json("jobs") as? [[String: Any]])
                seen += rows.compactMap { $0["id"] as? String }
                let members = try #require(try page.json() as? [String: Any])
                path = members["nextCursor"].map { "/api/jobs?limit=2&cursor=\($0)" }
            }
            #expect(Set(seen) == Set(ids))
            #expect(seen.count == ids.count)
        }
    }

    @Test(arguments: ["limit=0", "limit=101", "limit=x", "cursor=../x", "cursor="])
    func `a list that cannot be is refused`(query: String) async throws {
        try await Door.open { door in
            let reply = try await door.client.send("GET", "/api/jobs?\(query)")
            #expect(reply.status == 400)
        }
    }

    @Test func `a repeated key gets the first answer, and another body a refusal`() async throws {
        try await Door.open { door in
            let upload = try await door.upload([Door.Part(content: [1])]).string("uploadId")
            let first = try await Self.submit(door, upload, key: "k1")
            let again = try await Self.submit(door, upload, key: "k1")
            #expect(again.status == 202)
            #expect(again.body == first.body)
            #expect(again.headers["idempotency-replayed"] == "true")
            #expect(first.headers["idempotency-replayed"] == nil)
            let other = try await Self.submit(door, upload, key: "k1", options: #"{"clipCount": 2}"#)
            #expect(other.status == 422)
            #expect(try other.string("code") == "idempotency_key_reused")
            let stranger = try await Self.submit(door, upload, key: "k1", apiKey: door.key("acme").text)
            #expect(stranger.body != first.body)
        }
    }

    @Test func `an upload nobody sent is not found`() async throws {
        try await Door.open { door in
            let reply = try await Self.submit(door, JobRequestTests.upload)
            #expect(reply.status == 404)
            #expect(try reply.string("code") == "no_such_upload")
        }
    }

    @Test func `a body must be JSON, say so, and be small`() async throws {
        try await Door.open { door in
            let form = try await door.client.send(
                "POST", "/api/jobs", headers: [("Content-Type", "text/plain")], body: Array("{}".utf8))
            #expect(form.status == 415)
            let large = [UInt8](repeating: 32, count: 70_000)
            let reply = try await door.client.send("POST", "/api/jobs", headers: [Door.jsonType], body: large)
            #expect(reply.status == 413)
            #expect(try reply.string("code") == "body_too_large")
        }
    }

    @Test func `a job is cancelled once and for all, and deleted with its bytes`() async throws {
        try await Door.open { door in
            let id = try await door.submittedJob()
            for _ in 0..<2 {
                let reply = try await door.client.send("POST", "/api/jobs/\(id)/cancel")
                #expect(reply.status == 200)
                #expect(try reply.string("job", "status") == "cancelled")
            }
            let retried = try await door.client.send("POST", "/api/jobs/\(id)/retry")
            #expect(retried.status == 409)
            #expect(try retried.string("code") == "job_not_failed")
            #expect(try await door.client.send("DELETE", "/api/jobs/\(id)").status == 204)
            #expect(try await door.client.send("DELETE", "/api/jobs/\(id)").status == 404)
            #expect(door.files() == [])
        }
    }

    @Test func `a job that ended well cannot be cancelled`() async throws {
        try await Door.open { door in
            let id = try await door.finishedJob(videos: [])
            let reply = try await door.client.send("POST", "/api/jobs/\(id)/cancel")
            #expect(reply.status == 409)
            #expect(try reply.string("code") == "job_already_ended")
        }
    }

    @Test(arguments: [
        ("GET", "/api/nothing", 404, "not_found"), ("GET", "/api/jobs/none", 404, "no_such_job"),
        ("GET", "/api/jobs/..%2f..%2fetc", 404, "no_such_job"), ("GET", "/api/clips/none", 404, "no_such_clip"),
        ("GET", "/api/clips/none/download", 404, "no_such_clip"),
        ("PUT", "/api/jobs", 405, "method_not_allowed"), ("GET", "/api/upload", 405, "method_not_allowed"),
        ("DELETE", "/", 405, "method_not_allowed"), ("GET", "/api/jobs/none/events", 404, "no_such_job"),
        ("GET", "/api/jobs/none/archive", 404, "no_such_job"), ("POST", "/api/jobs/none/cancel", 404, "no_such_job"),
    ])
    func `what is not there is a problem with its request id`(
        method: String, path: String, status: Int, code: String
    ) async throws {
        try await Door.open { door in
            let reply = try await door.client.send(method, path, headers: [("X-Request-Id", "mine-1")])
            #expect(reply.status == status)
            #expect(reply.headers["content-type"] == "application/problem+json")
            #expect(try reply.string("code") == code)
            #expect(try reply.string("instance") == "urn:tijera:request:mine-1")
            #expect(reply.headers["x-request-id"] == "mine-1")
            #expect((status == 405) == (reply.headers["allow"] != nil))
        }
    }

    @Test func `a request id that could break a log line is replaced`() async throws {
        try await Door.open { door in
            let reply = try await door.client.send("GET", "/livez", headers: [("X-Request-Id", "two words")])
            #expect(reply.headers["x-request-id"]?.hasPrefix("req-") == true)
        }
    }
}
