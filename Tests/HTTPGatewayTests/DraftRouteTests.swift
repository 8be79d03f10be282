import Blobs
import ClipModel
import Crypto
import Foundation
import HTTPGateway
import Jobs
import Store
import Testing

/// draft-ietf-httpbis-resumable-upload-12 as a client speaks it.
@Suite(.timeLimit(.minutes(5))) struct DraftRouteTests {
    static let partial = ("Content-Type", "application/partial-upload")

    private func begin(_ door: Door, _ headers: [(String, String)] = []) async throws -> String {
        let reply = try await door.client.send(
            "POST", "/api/uploads", headers: [("Upload-Complete", "?0")] + headers)
        #expect(reply.status == 201, "\(reply.text)")
        return try #require(reply.headers["location"])
    }

    private func append(
        _ door: Door, _ location: String, at offset: Int, complete: Bool, _ body: [UInt8],
        headers: [(String, String)] = []
    ) async throws -> RawClient.Reply {
        try await door.client.send(
            "PATCH", location,
            headers: [Self.partial, ("Upload-Offset", "\(offset)"), ("Upload-Complete", complete ? "?1" : "?0")]
                + headers, body: body)
    }

    @Test func `all bytes in one request are an upload, with its digest`() async throws {
        try await Door.open { door in
            let reply = try await door.client.send(
                "POST", "/api/uploads",
                headers: [
                    ("Upload-Complete", "?1"), ("Content-Type", "video/mp4"),
                    ("Content-Disposition", "inline; filename=\"mi charla.mp4\""),
                ], body: Array("01234".utf8))
            #expect(reply.status == 201, "\(reply.text)")
            #expect(reply.headers["upload-complete"] == "?1")
            #expect(reply.headers["upload-offset"] == "5")
            #expect(reply.headers["upload-limit"] == "max-size=\(16 << 30), min-size=1, max-age=86400")
            #expect(try reply.string("fileName") == "mi charla.mp4")
            let id = try #require(UploadID(try reply.string("uploadId")))
            #expect(reply.headers["location"] == "/api/uploads/\(id)")
            #expect(try await door.store.upload(id)?.sha256 == (try reply.string("sha256")))
        }
    }

    @Test func `an upload in pieces, asked after with HEAD and GET`() async throws {
        try await Door.open { door in
            let location = try await begin(door)
            for method in ["HEAD", "GET"] {
                let seen = try await door.client.send(method, location)
                #expect(seen.status == 200)
                #expect(seen.headers["upload-offset"] == "0")
                #expect(seen.headers["upload-complete"] == "?0")
                #expect(seen.headers["upload-length"] == nil)
                #expect(seen.headers["upload-limit"] != nil)
                #expect(seen.headers["cache-control"] == "no-store")
            }
            let first = try await append(door, location, at: 0, complete: false, [1, 2, 3])
            #expect(first.status == 204)
            #expect(first.headers["upload-complete"] == "?0")
            #expect(first.headers["upload-offset"] == "3")
            let last = try await append(door, location, at: 3, complete: true, [4])
            #expect(last.status == 200, "\(last.text)")
            #expect(last.headers["upload-complete"] == "?1")
            let seen = try await door.client.send("GET", location)
            #expect(seen.headers["upload-complete"] == "?1")
            #expect(seen.headers["upload-length"] == "4")
            #expect(try seen.string("state") == "finished")
            let id = try #require(UploadID(try last.string("uploadId")))
            let upload = try #require(try await door.store.upload(id))
            #expect(try await door.blobs.bytes(of: upload.blob, limitBytes: 100) == [1, 2, 3, 4])
            let replayed = try await append(
                door, location, at: 4, complete: true, [], headers: [("Content-Length", "0")])
            #expect(replayed.status == 200)
            #expect(replayed.headers["upload-complete"] == "?1")
            let again = try await append(door, location, at: 4, complete: true, [5])
            #expect(again.status == 400)
            #expect(try again.string("type") == "https://iana.org/assignments/http-problem-types#completed-upload")
        }
    }

    @Test func `an offset that differs is 409 with both, in the registered type`() async throws {
        try await Door.open { door in
            let location = try await begin(door, [("Upload-Length", "10")])
            let reply = try await append(door, location, at: 9, complete: false, [1])
            #expect(reply.status == 409)
            #expect(reply.headers["upload-offset"] == "0")
            #expect(reply.headers["upload-complete"] == "?0")
            #expect(
                try reply.string("type") == "https://iana.org/assignments/http-problem-types#mismatching-upload-offset")
            #expect(try reply.json("expected-offset") as? Int == 0)
            #expect(try reply.json("provided-offset") as? Int == 9)
            let right = try await append(door, location, at: 0, complete: false, [1])
            #expect(right.status == 204)
        }
    }

    @Test func `lengths that do not agree are refused in the registered type`() async throws {
        try await Door.open { door in
            let type = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length"
            let early = try await door.client.send(
                "POST", "/api/uploads", headers: [("Upload-Complete", "?1"), ("Upload-Length", "100")], body: [1, 2])
            #expect(early.status == 400)
            #expect(try early.string("type") == type)
            #expect(early.headers["upload-complete"] == "?0")
            let location = try await begin(door, [("Upload-Length", "100")])
            let other = try await append(
                door, location, at: 0, complete: false, [1], headers: [("Upload-Length", "50")])
            #expect(other.status == 400)
            #expect(try other.string("type") == type)
            let short = try await append(door, location, at: 0, complete: true, [1])
            #expect(short.status == 400)
            #expect(try await door.client.send("HEAD", location).headers["upload-offset"] == "0")
        }
    }

    @Test func `more bytes than there can be make the upload invalid`() async throws {
        try await Door.open { door in
            let location = try await begin(door, [("Upload-Length", "3")])
            let reply = try await append(door, location, at: 0, complete: false, [1, 2, 3, 4])
            #expect(reply.status == 413)
            #expect(reply.headers["upload-limit"] != nil)
            #expect(try await door.client.send("HEAD", location).status == 404)
        }
    }

    @Test func `bytes count only with the digest they came with, and the whole with its own`() async throws {
        try await Door.open { door in
            func digest(_ bytes: [UInt8]) -> String {
                "sha-256=:\(Data(SHA256.hash(data: bytes)).base64EncodedString()):"
            }
            let location = try await begin(door)
            let wrong = try await append(
                door, location, at: 0, complete: false, [1, 2], headers: [("Content-Digest", digest([1]))])
            #expect(wrong.status == 400)
            #expect(try wrong.string("code") == "upload_checksum_differs")
            let right = try await append(
                door, location, at: 0, complete: false, [1, 2], headers: [("Content-Digest", digest([1, 2]))])
            #expect(right.status == 204)
            for (sent, status) in [([1, 2, 3] as [UInt8], 201), ([3, 2, 1], 400)] {
                let reply = try await door.client.send(
                    "POST", "/api/uploads",
                    headers: [("Upload-Complete", "?1"), ("Repr-Digest", digest([1, 2, 3]))], body: sent)
                #expect(reply.status == status, "\(reply.text)")
            }
        }
    }

    @Test func `whoever speaks the interop version is told the address while it is sending`() async throws {
        try await Door.open { door in
            let text = try await door.client.connect { wire in
                let head = door.client.head(
                    "POST", "/api/uploads",
                    [
                        ("Upload-Complete", "?1"), ("Content-Length", "5"), ("Upload-Draft-Interop-Version", "9"),
                        ("Connection", "close"),
                    ])
                try await wire.write(head)
                // Before a byte of the body was sent.
                let interim = try await wire.read(until: "\r\n\r\n")
                #expect(interim.hasPrefix("HTTP/1.1 104 Upload Resumption Supported\r\n"), "\(interim)")
                try await wire.write([1, 2, 3, 4, 5])
                return String(decoding: try await wire.readToEnd(), as: UTF8.self)
            }
            let heads = text.components(separatedBy: "\r\n\r\n").filter { $0.hasPrefix("HTTP/1.1 ") }
            try #require(heads.count == 2, "\(text)")
            #expect(heads[1].hasPrefix("HTTP/1.1 201 Created"))
            func location(_ head: String) -> String? {
                head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix("location:") }
            }
            #expect(location(heads[0]) != nil)
            #expect(location(heads[0])?.lowercased() == location(heads[1])?.lowercased())
            #expect(heads[0].lowercased().contains("upload-draft-interop-version: 9"))
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        let headers: [(String, String)]
        let status: Int
        var testDescription: String { name }
    }

    static let refusals: [Refusal] = [
        Refusal(
            name: "a length that is deferred as tus does it", method: "POST",
            headers: [("Upload-Complete", "?0"), ("Upload-Defer-Length", "1")], status: 400),
        Refusal(
            name: "an empty field of tus", method: "POST",
            headers: [("Upload-Complete", "?0"), ("Upload-Defer-Length", "")], status: 400),
        Refusal(
            name: "metadata as tus has them", method: "POST",
            headers: [("Upload-Complete", "?0"), ("Upload-Metadata", "filename YQ==")], status: 400),
        Refusal(
            name: "pieces as tus has them", method: "POST",
            headers: [("Upload-Complete", "?0"), ("Upload-Concat", "partial")], status: 400),
        Refusal(name: "no boolean", method: "POST", headers: [("Upload-Complete", "true")], status: 400),
        Refusal(name: "nothing, complete", method: "POST", headers: [("Upload-Complete", "?1")], status: 422),
        Refusal(name: "HEAD with an offset", method: "HEAD", headers: [("Upload-Offset", "0")], status: 400),
        Refusal(name: "GET with completeness", method: "GET", headers: [("Upload-Complete", "?0")], status: 400),
        Refusal(name: "no offset", method: "PATCH", headers: [partial, ("Upload-Complete", "?0")], status: 400),
        Refusal(
            name: "offset is no number", method: "PATCH",
            headers: [partial, ("Upload-Complete", "?0"), ("Upload-Offset", "abc")], status: 400),
        Refusal(name: "no completeness", method: "PATCH", headers: [partial, ("Upload-Offset", "0")], status: 400),
        Refusal(
            name: "another type", method: "PATCH",
            headers: [("Content-Type", "text/plain"), ("Upload-Complete", "?0"), ("Upload-Offset", "0")], status: 415),
    ]

    @Test(arguments: refusals)
    func `bad requests are problems`(refusal: Refusal) async throws {
        try await Door.open { door in
            let path = refusal.method == "POST" ? "/api/uploads" : try await begin(door)
            let reply = try await door.client.send(refusal.method, path, headers: refusal.headers)
            #expect(reply.status == refusal.status, "\(reply.text)")
            #expect(reply.headers["content-type"] == "application/problem+json")
        }
    }

    @Test func `one protocol may go on where the other stopped`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Length", "4")])
            #expect(try await door.tus("PATCH", location, at: 0, [1, 2]).status == 204)
            #expect(try await append(door, location, at: 2, complete: false, [3]).status == 204)
            #expect(try await door.tus("PATCH", location, at: 3, [4]).status == 204)
            #expect(try await door.client.send("DELETE", location).status == 204)
            #expect(try await door.client.send("HEAD", location).status == 404)
        }
    }
}
