import ClipModel
import HTTPGateway
import Store
import Testing

/// What clients see while something behind the door is in trouble.
@Suite(.timeLimit(.minutes(5))) struct TroubleTests {
    @Test(arguments: [
        "/api/jobs", "/api/jobs/job_00000000000000000000000000", "/readyz",
        "/api/clips/clip_00000000000000000000000000_0",
        "/api/jobs/job_00000000000000000000000000/events",
    ])
    func `a database that is away is a 503 that says when to come back`(path: String) async throws {
        try await Door.open(store: BrokenStore(StoreError(.unavailable, "host secret refused"))) { door in
            let reply = try await door.client.send("GET", path)
            #expect(reply.status == 503)
            #expect(try reply.string("code") == "database_unavailable")
            #expect(reply.headers["retry-after"] == "2")
            #expect(!reply.text.contains("secret"))
        }
    }

    @Test func `health says that the database is away, and the process lives`() async throws {
        try await Door.open(store: BrokenStore(StoreError(.unavailable, "secret"))) { door in
            let health = try await door.client.send("GET", "/api/health")
            #expect(health.status == 503)
            #expect(try health.string("database") == "unreachable")
            #expect(try health.string("node") == "one")
            let live = try await door.client.send("GET", "/livez")
            #expect(live.status == 200)
            let page = try await door.client.send("GET", "/")
            #expect(page.status == 200)
        }
    }

    @Test func `options that an older node does not know wait for the end of the upgrade`() async throws {
        let store = BrokenStore(StoreError(.unavailable, "not asked"), submitting: { .olderNodes })
        try await Door.open(store: store) { door in
            let body = Array(#"{"uploadId": "upload_01hzzzzzzzzzzzzzzzzzzzzzzz"}"#.utf8)
            let reply = try await door.client.send("POST", "/api/jobs", headers: [Door.jsonType], body: body)
            #expect(try reply.status == 503 && reply.string("code") == "upgrade_under_way", "\(reply.text)")
            #expect(reply.headers["retry-after"] == "30")
        }
    }

    @Test func `a surprise tells nothing of the inside`() async throws {
        struct Surprise: Error { let secret = "classified" }
        try await Door.open(store: BrokenStore(Surprise())) { door in
            let reply = try await door.client.send("GET", "/api/jobs", headers: [("X-Request-Id", "find-me")])
            #expect(reply.status == 500)
            #expect(try reply.string("code") == "internal_error")
            #expect(try reply.string("instance") == "urn:tijera:request:find-me")
            #expect(!reply.text.contains("classified"))
        }
    }

    @Test func `an upload that cannot be noted leaves no bytes`() async throws {
        try await Door.open(store: BrokenStore(StoreError(.unavailable, "gone"))) { door in
            let words = Array("WEBVTT\n\n00:01.000 --> 00:02.000\na".utf8)
            let reply = try await door.upload([
                Door.Part(name: "transcript", fileName: "a.vtt", content: words),
                Door.Part(content: [1, 2, 3]),
            ])
            #expect(reply.status == 503)
            #expect(door.files() == [])
        }
    }

    @Test func `a key that is in use is a conflict until its request has been answered`() async throws {
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        let store = BrokenStore(StoreError(.unavailable, "gone")) {
            enter.yield()
            var gate = released.makeAsyncIterator()
            _ = await gate.next()
            return .noSuchUpload
        }
        try await Door.open(store: store) { door in
            let send = { @Sendable in
                try await door.client.send(
                    "POST", "/api/jobs", headers: [Door.jsonType, ("Idempotency-Key", "k")],
                    body: Array(#"{"uploadId": "\#(JobRequestTests.upload)"}"#.utf8))
            }
            async let first = send()
            var gate = entered.makeAsyncIterator()
            _ = await gate.next()
            let second = try await send()
            #expect(second.status == 409)
            #expect(try second.string("code") == "idempotency_key_in_use")
            release.finish()
            #expect(try await first.status == 404)
            #expect(try await send().status == 404)
        }
    }

    @Test func `a node that goes lets its watchers go`() async throws {
        try await Door.open { door in
            let id = try await door.submittedJob()
            try await door.client.connect { wire in
                try await wire.write(door.client.head("GET", "/api/jobs/\(id)/events", []))
                _ = try await wire.read(until: "event: job.created")
                await door.shutDown()
                // The stream ends without `end`: the job goes on, so the client connects again elsewhere.
                let text = String(decoding: try await wire.readToEnd(), as: UTF8.self)
                #expect(!text.contains("event: end"))
            }
        }
    }
}
