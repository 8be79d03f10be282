import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Store
import Telemetry
import Testing

/// What clients are told whose minutes are used up, and what operators do about it.
@Suite(.timeLimit(.minutes(5))) struct QuotaRouteTests {
    private static let look = AdminRouteTests.look
    private static let change = AdminRouteTests.change

    private func client(_ door: Door) async throws -> String {
        try await door.client.send("GET", "/api/usage").string("client")
    }

    /// An upload that is guessed to be as long.
    private func video(_ door: Door, seconds: Double) async throws -> UploadID {
        let id = door.jobs.newUploadID()
        try await door.store.insert(
            Upload(
                id: id, fileName: "talk.mp4", bytes: Int64(seconds * FairShare.bytesPerSecond),
                sha256: String(repeating: "ab", count: 32), blob: door.jobs.blobName(of: id), transcript: nil,
                createdAt: Timestamp(millisecondsSinceEpoch: 0)))
        return id
    }

    private func submit(_ door: Door, _ upload: UploadID) async throws -> RawClient.Reply {
        let body = #"{"uploadId": "\#(upload)"}"#
        return try await door.client.send("POST", "/api/jobs", headers: [Door.jsonType], body: Array(body.utf8))
    }

    /// Uses up the minutes of whoever asks.
    private func exhaust(_ door: Door) async throws -> UploadID {
        try await door.store.setTerms(of: try await client(door), to: ClientTerms(minutesMax: 1))
        let upload = try await video(door, seconds: 90)
        let reply = try await submit(door, upload)
        try #require(reply.status == 202, "\(reply.text)")
        return upload
    }

    @Test func `a client sees what it has used`() async throws {
        try await Door.open { door in
            let before = try await door.client.send("GET", "/api/usage")
            #expect(before.status == 200 && before.headers["cache-control"] == "private, no-cache")
            let none = try before.json("minutesMax")
            #expect(none is NSNull)
            #expect(try before.json("minutesUsed") as? Double == 0)
            _ = try await exhaust(door)
            let after = try await door.client.send("GET", "/api/usage")
            #expect(try after.json("minutesMax") as? Int == 1)
            #expect(try after.json("minutesUsed") as? Double == 1.5)
            let month = try after.string("month"), end = try after.string("resetsAt")
            let resetsAt = try #require(Timestamp(end))
            #expect(CalendarMonth(of: resetsAt).start == resetsAt)
            #expect(CalendarMonth(of: resetsAt.advanced(bySeconds: -1)).description == month)
        }
    }

    @Test func `a job beyond the minutes is refused with what was used, what is allowed and when it begins anew`()
        async throws
    {
        try await Door.open { door in
            let reply = try await submit(door, try await exhaust(door))
            #expect(reply.status == 403)
            #expect(try reply.string("code") == "quota_exhausted")
            let resetsAt = try await door.client.send("GET", "/api/usage").string("resetsAt")
            let detail = try reply.string("detail")
            #expect(detail.contains("1.5 minutes") && detail.contains("of 1 that") && detail.contains(resetsAt))
            #expect(try await door.store.jobs(before: nil, limit: 9).count == 1)
            try await door.store.setTerms(of: try await client(door), to: ClientTerms(minutesMax: 2))
            let taken = try await submit(door, try await video(door, seconds: 1))
            #expect(taken.status == 202, "\(taken.text)")
        }
    }

    @Test func `what was sent may be joined, and a key that was refused is good when there are minutes again`()
        async throws
    {
        let clock = HandClock()
        try await Door.open(clock: clock) { door in
            let version = ("Tus-Resumable", "1.0.0")
            let piece = try await door.client.send(
                "POST", "/api/uploads",
                headers: [
                    version, ("Upload-Length", "4"), ("Upload-Concat", "partial"),
                    ("Content-Type", "application/offset+octet-stream"),
                ], body: Array("piec".utf8))
            let address = try #require(piece.headers["location"])
            _ = try await exhaust(door)
            let joined = try await door.client.send(
                "POST", "/api/uploads", headers: [version, ("Upload-Concat", "final;\(address)")])
            #expect(joined.status == 201, "\(joined.text)")
            func begin() async throws -> RawClient.Reply {
                try await door.client.send(
                    "POST", "/api/uploads", headers: [version, ("Upload-Length", "9"), ("Idempotency-Key", "k")])
            }
            #expect(try await begin().status == 403)
            try await door.store.setTerms(of: try await client(door), to: ClientTerms(minutesMax: 100))
            // Nodes look again after some seconds.
            clock.advance(seconds: 6)
            let again = try await begin()
            #expect(again.status == 201 && again.headers["idempotency-replayed"] == nil, "\(again.text)")
        }
    }

    @Test func `videos of a client whose minutes are used up are refused before they are read`() async throws {
        let configuration = GatewayConfiguration(uploadBytesMax: 1 << 20, imports: ImportConfiguration())
        try await Door.open(configuration) { door in
            _ = try await exhaust(door)
            let type = ("Content-Type", "application/offset+octet-stream")
            let asks: [(path: String, headers: [(String, String)])] = [
                ("/api/upload", [("Content-Type", "multipart/form-data; boundary=x")]),
                ("/api/uploads", [("Tus-Resumable", "1.0.0"), ("Upload-Length", "4"), type]),
                ("/api/uploads", [("Tus-Resumable", "1.0.0"), ("Upload-Length", "9")]),
                ("/api/uploads", [("Upload-Complete", "?0")]),
                ("/api/imports", [Door.jsonType]),
            ]
            for (path, headers) in asks {
                // No body that makes sense: it is not looked at.
                let reply = try await door.client.send("POST", path, headers: headers, body: Array("none".utf8))
                #expect(reply.status == 403, "\(path): \(reply.text)")
                #expect(try reply.string("code") == "quota_exhausted")
            }
            #expect(door.metrics.prometheusText().contains(#"http_quota_refused_total{asked="video"} 5"#))
        }
    }

    @Test func `a plan is made, given, seen, and cannot be removed while a client has it`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            func send(_ method: String, _ path: String) async throws -> RawClient.Reply {
                try await door.client.send(method, "/admin/v1" + path, headers: [Self.change])
            }
            let name = try await client(door)
            #expect(try await send("POST", "/clients/terms?client=\(name)&plan=pro").string("code") == "no_such_plan")
            #expect(try await send("POST", "/plans?name=pro&minutesMax=600").json("minutesMax") as? Int == 600)
            #expect(try await send("GET", "/plans").json("plans", "0", "name") as? String == "pro")
            let terms = try await send("POST", "/clients/terms?client=\(name)&plan=pro")
            #expect(try terms.string("plan") == "pro")
            let seen = try await send("GET", "/clients")
            #expect(try seen.json("clients", "0", "plan") as? String == "pro")
            #expect(try seen.json("clients", "0", "minutesMax") as? Int == 600)
            #expect(try seen.json("clients", "0", "minutesUsed") as? Double == 0)
            let own = try await send("POST", "/clients/terms?client=\(name)&plan=pro&minutesMax=7")
            #expect(try own.json("minutesMax") as? Int == 7)
            #expect(try await send("GET", "/clients").json("clients", "0", "minutesMax") as? Int == 7)
            let inUse = try await send("POST", "/plans/remove?name=pro")
            #expect(try inUse.status == 409 && inUse.string("code") == "plan_in_use")
            _ = try await send("POST", "/clients/terms?client=\(name)")
            #expect(try await send("POST", "/plans/remove?name=pro").status == 200)
            let gone = try await send("POST", "/plans/remove?name=pro")
            #expect(try gone.status == 404 && gone.string("code") == "no_such_plan")
        }
    }

    @Test(arguments: [
        ("POST", "/plans", 400, "invalid_name"), ("POST", "/plans?name=A", 400, "invalid_name"),
        ("POST", "/plans?name=a&minutesMax=x", 400, "invalid_minutesMax"),
        ("POST", "/plans?name=a&minutesMax=0", 422, "invalid_plan"),
        ("POST", "/plans/remove", 400, "invalid_name"),
        ("POST", "/clients/terms?client=x&minutesMax=0", 422, "invalid_terms"),
        ("POST", "/clients/terms?client=x&minutesMax=1.5", 400, "invalid_minutesMax"),
    ])
    func `what makes no sense is refused`(method: String, path: String, status: Int, code: String) async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let full = "/admin/v1" + path
            let reply = try await door.client.send(method, full, headers: [Self.change])
            #expect(try reply.status == status && reply.string("code") == code, "\(reply.text)")
            #expect(try await door.client.send(method, full, headers: [Self.look]).status == 403)
            #expect(try await door.client.send(method, full).status == 401)
        }
    }

    @Test func `when usage cannot be read no video is refused for it`() async throws {
        let broken = BrokenStore(StoreError(.unavailable, "cut"))
        try await Door.open(store: broken) { door in
            let usage = try await door.client.send("GET", "/api/usage")
            #expect(try usage.status == 503 && usage.string("code") == "database_unavailable")
            let reply = try await door.client.send(
                "POST", "/api/upload", headers: [("Content-Type", "text/plain")], body: [1])
            #expect(reply.status == 415)
        }
    }
}
