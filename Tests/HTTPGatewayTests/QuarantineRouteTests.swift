import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Store
import Testing

/// `/admin/v1/quarantine`, and what `/api/health` says of defences.
@Suite(.timeLimit(.minutes(5))) struct QuarantineRouteTests {
    private func page(_ door: Door, _ query: String) async throws -> QuarantinePage {
        let reply = try await door.client.send(
            "GET", "/admin/v1/quarantine" + query, headers: [AdminRouteTests.look])
        #expect(reply.status == 200, "\(reply.text)")
        return try JSONDecoder().decode(QuarantinePage.self, from: Data(reply.body))
    }

    @Test func `operators page through what was put away, newest first`() async throws {
        let store = InMemoryStore(now: systemWallTime)
        try await Door.open(AdminRouteTests.tokens, store: store) { door in
            let none = try await page(door, "")
            #expect(none.entries.isEmpty && none.nextCursor == nil)
            let job = try await door.submittedJob()
            var uploads: [UploadID] = []
            for number in 0..<3 {
                let entry = QuarantineEntry(
                    upload: door.jobs.newUploadID(), sha256: "\(number)", bytes: 68, signature: "Eicar", job: job,
                    tenant: "ana", node: NodeID("one")!, foundAt: .sample)
                await store.quarantine(entry)
                uploads.append(entry.upload)
            }
            uploads.sort(by: >)
            let first = try await page(door, "?limit=2")
            #expect(first.entries.map(\.upload) == Array(uploads[..<2]) && first.nextCursor == uploads[1])
            #expect(first.entries.first?.signature == "Eicar" && first.entries.first?.job == job)
            let last = try await page(door, "?limit=2&cursor=\(uploads[1])")
            #expect(last.entries.map(\.upload) == [uploads[2]] && last.nextCursor == nil)
        }
    }

    @Test func `a cursor that is none is refused, and so is who has no token`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let wrong = try await door.client.send(
                "GET", "/admin/v1/quarantine?cursor=x", headers: [AdminRouteTests.look])
            #expect(try wrong.status == 400 && wrong.string("code") == "invalid_cursor")
            #expect(try await door.client.send("GET", "/admin/v1/quarantine").status == 401)
        }
    }

    @Test func `health tells what stands between uploads and decoders`() async throws {
        try await Door.open { door in
            let reply = try await door.client.send("GET", "/api/health")
            #expect(try reply.string("defences", "antivirus") == "off")
        }
    }
}
