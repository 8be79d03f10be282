import Blobs
import ClipModel
import Crypto
import Foundation
import HTTPGateway
import Jobs
import Store
import Testing
import Uploads

/// tus 1.0 as a client speaks it: every status code of the specification, and what each answer has to carry.
@Suite(.timeLimit(.minutes(5))) struct TusRouteTests {
    static let bytesType = ("Content-Type", "application/offset+octet-stream")

    /// RFC 9110, 5.6.7.
    static var dateFormat: DateFormatter {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format
    }

    @Test func `OPTIONS says what is spoken here`() async throws {
        try await Door.open { door in
            for path in ["/api/uploads", "/api/uploads/upload_01j00000000000000000000000"] {
                let reply = try await door.client.send("OPTIONS", path)
                #expect(reply.status == 204)
                #expect(reply.headers["tus-resumable"] == "1.0.0")
                #expect(reply.headers["tus-version"] == "1.0.0")
                #expect(reply.headers["tus-max-size"] == "\(16 << 30)")
                #expect(
                    reply.headers["tus-extension"]
                        == "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
                        + "concatenation")
                #expect(reply.headers["tus-checksum-algorithm"] == "md5,sha1,sha256")
            }
        }
    }

    @Test func `a version that is not spoken here is 412 with the one that is`() async throws {
        try await Door.open { door in
            for headers in [[("Upload-Length", "3")], [("Upload-Length", "3"), ("Tus-Resumable", "0.2.2")]] {
                let reply = try await door.client.send("POST", "/api/uploads", headers: headers)
                #expect(reply.status == 412)
                #expect(reply.headers["tus-version"] == "1.0.0")
                #expect(reply.headers["content-type"] == "application/problem+json")
                #expect(try reply.string("code") == "tus_version")
            }
        }
    }

    @Test func `an upload in three requests becomes one that a job can use`() async throws {
        try await Door.open { door in
            let name = Data("mi charla.mp4".utf8).base64EncodedString()
            let metadata = "filename \(name),private"
            let location = try await door.begin([("Upload-Length", "10"), ("Upload-Metadata", metadata)])
            let id = try #require(UploadID(String(location.split(separator: "/").last ?? "")))
            for (offset, text) in [(0, "0123"), (4, "4"), (5, "56789")] {
                let standing = try await door.tus("HEAD", location)
                #expect(standing.status == 200)
                #expect(standing.headers["upload-offset"] == "\(offset)")
                #expect(standing.headers["upload-length"] == "10")
                #expect(standing.headers["upload-metadata"] == metadata)
                #expect(standing.headers["cache-control"] == "no-store")
                let expires = try #require(standing.headers["upload-expires"])
                #expect(Self.dateFormat.date(from: expires).map { Self.dateFormat.string(from: $0) } == expires)
                let early = try await door.client.send(
                    "POST", "/api/jobs", headers: [Door.jsonType], body: Array("{\"uploadId\":\"\(id)\"}".utf8))
                #expect(early.status == 409)
                #expect(try early.string("code") == "upload_incomplete")
                let reply = try await door.tus("PATCH", location, at: offset, Array(text.utf8))
                #expect(reply.status == 204, "\(reply.text)")
                #expect(reply.headers["upload-offset"] == "\(offset + text.utf8.count)")
                #expect(reply.headers["tus-resumable"] == "1.0.0")
            }
            let upload = try #require(try await door.store.upload(id))
            #expect(upload.fileName == "mi charla.mp4")
            #expect(try await door.blobs.bytes(of: upload.blob, limitBytes: 100) == Array("0123456789".utf8))
            #expect(try await door.tus("HEAD", location).headers["upload-offset"] == "10")
            let job = try await door.client.send(
                "POST", "/api/jobs", headers: [Door.jsonType], body: Array("{\"uploadId\":\"\(id)\"}".utf8))
            #expect(job.status == 202, "\(job.text)")
            let again = try await door.client.send(
                "PATCH", location,
                headers: [("Tus-Resumable", "1.0.0"), Self.bytesType, ("Upload-Offset", "10"), ("Content-Length", "0")])
            #expect(again.status == 204, "an answer that was lost")
            let more = try await door.tus("PATCH", location, at: 10, [1])
            #expect(more.status == 409)
            #expect(try more.string("code") == "upload_finished")
        }
    }

    @Test func `an upload may come with the request that begins it`() async throws {
        try await Door.open { door in
            let reply = try await door.tus(
                "POST", "/api/uploads", headers: [("Upload-Length", "5"), Self.bytesType], Array("01234".utf8))
            #expect(reply.status == 201, "\(reply.text)")
            #expect(reply.headers["upload-offset"] == "5")
            let location = try #require(reply.headers["location"])
            let id = try #require(UploadID(String(location.split(separator: "/").last ?? "")))
            #expect(try await door.store.upload(id)?.bytes == 5)
            let part = try await door.tus(
                "POST", "/api/uploads", headers: [("Upload-Length", "5"), Self.bytesType], Array("01".utf8))
            #expect(part.status == 201)
            #expect(part.headers["upload-offset"] == "2")
        }
    }

    @Test func `a length may come later`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Defer-Length", "1")])
            #expect(try await door.tus("HEAD", location).headers["upload-defer-length"] == "1")
            #expect(try await door.tus("PATCH", location, at: 0, [1, 2]).status == 204)
            let last = try await door.tus("PATCH", location, at: 2, headers: [("Upload-Length", "3")], [3])
            #expect(last.status == 204)
            let seen = try await door.tus("HEAD", location)
            #expect(seen.headers["upload-length"] == "3")
            #expect(seen.headers["upload-defer-length"] == nil)
        }
    }

    @Test func `a checksum that differs is 460 and nothing of it counts`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Length", "4")])
            let right = Data(Insecure.SHA1.hash(data: [1, 2, 3, 4])).base64EncodedString()
            let wrong = Data(Insecure.SHA1.hash(data: [1])).base64EncodedString()
            let refused = try await door.tus(
                "PATCH", location, at: 0, headers: [("Upload-Checksum", "sha1 \(wrong)")], [1, 2, 3, 4])
            #expect(refused.status == 460)
            #expect(refused.headers["upload-offset"] == "0")
            #expect(try await door.tus("HEAD", location).headers["upload-offset"] == "0")
            let unknown = try await door.tus(
                "PATCH", location, at: 0, headers: [("Upload-Checksum", "crc32 AAAA")], [1, 2, 3, 4])
            #expect(unknown.status == 400)
            #expect(try unknown.string("code") == "checksum_algorithm_unknown")
            let kept = try await door.tus(
                "PATCH", location, at: 0, headers: [("Upload-Checksum", "sha1 \(right)")], [1, 2, 3, 4])
            #expect(kept.status == 204)
        }
    }

    @Test func `pieces are joined, and what cannot be joined says why`() async throws {
        try await Door.open { door in
            let pieces = [
                try await door.begin([("Upload-Length", "3"), ("Upload-Concat", "partial")]),
                try await door.begin([("Upload-Length", "2"), ("Upload-Concat", "partial")]),
            ]
            #expect(try await door.tus("PATCH", pieces[0], at: 0, [1, 2, 3]).status == 204)
            let final = ("Upload-Concat", "final;\(pieces[0]) \(pieces[1])")
            let early = try await door.tus("POST", "/api/uploads", headers: [final])
            #expect(early.status == 409)
            #expect(try early.string("code") == "unfinished_upload_piece")
            #expect(try await door.tus("PATCH", pieces[1], at: 0, [4, 5]).status == 204)
            #expect(try await door.tus("HEAD", pieces[1]).headers["upload-concat"] == "partial")
            let joined = try await door.tus("POST", "/api/uploads", headers: [final])
            #expect(joined.status == 201, "\(joined.text)")
            let location = try #require(joined.headers["location"])
            let seen = try await door.tus("HEAD", location)
            #expect(seen.headers["upload-concat"] == final.1)
            #expect(seen.headers["upload-length"] == "5")
            let id = try #require(UploadID(String(location.split(separator: "/").last ?? "")))
            let upload = try #require(try await door.store.upload(id))
            #expect(try await door.blobs.bytes(of: upload.blob, limitBytes: 100) == [1, 2, 3, 4, 5])
            #expect(try await door.tus("PATCH", location, at: 5, [6]).status == 403)
            let unknown = try await door.tus(
                "POST", "/api/uploads", headers: [("Upload-Concat", "final;/api/uploads/nothing")])
            #expect(unknown.status == 400)
            #expect(try unknown.string("code") == "no_such_upload_piece")
        }
    }

    @Test func `DELETE removes it, and then it is not there`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Length", "4")])
            #expect(try await door.tus("PATCH", location, at: 0, [1, 2]).status == 204)
            let reply = try await door.tus("DELETE", location)
            #expect(reply.status == 204)
            #expect(reply.headers["tus-resumable"] == "1.0.0")
            #expect(door.files() == [])
            for method in ["HEAD", "DELETE"] {
                #expect(try await door.tus(method, location).status == 404)
            }
            #expect(try await door.tus("PATCH", location, at: 2, [3]).status == 404)
        }
    }

    @Test func `an upload that expired is 410, and 404 once it is swept`() async throws {
        var configuration = GatewayConfiguration()
        configuration.uploads.keepSeconds = 1
        try await Door.open(configuration) { door in
            let location = try await door.begin([("Upload-Length", "4")])
            while try await door.tus("HEAD", location).status == 200 {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
            #expect(try await door.tus("HEAD", location).status == 410)
            #expect(try await door.tus("PATCH", location, at: 0, [1]).status == 410)
            _ = try await door.store.removeExpiredSessions(limit: 10)
            #expect(try await door.tus("HEAD", location).status == 404)
        }
    }

    @Test func `methods may be hidden in POST`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Length", "4")])
            let hidden = try await door.tus(
                "POST", location, at: 0, headers: [("X-HTTP-Method-Override", "PATCH")], [1, 2])
            #expect(hidden.status == 204, "\(hidden.text)")
            let gone = try await door.tus("POST", location, headers: [("X-HTTP-Method-Override", "DELETE")])
            #expect(gone.status == 204)
            #expect(try await door.tus("POST", location).status == 405)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        var method = "POST"
        let headers: [(String, String)]
        var body: [UInt8] = []
        let status: Int
        let code: String
        var testDescription: String { name }
    }

    static let refusals: [Refusal] = [
        Refusal(name: "no length", headers: [], status: 400, code: "invalid_upload_header"),
        Refusal(
            name: "length is no number", headers: [("Upload-Length", "-1")], status: 400,
            code: "invalid_upload_header"),
        Refusal(
            name: "two lengths", headers: [("Upload-Length", "1"), ("Upload-Defer-Length", "1")], status: 400,
            code: "invalid_upload_header"),
        Refusal(
            name: "defer is not 1", headers: [("Upload-Defer-Length", "yes")], status: 400,
            code: "invalid_upload_header"),
        Refusal(name: "nothing", headers: [("Upload-Length", "0")], status: 422, code: "empty_file"),
        Refusal(name: "too much", headers: [("Upload-Length", "1001")], status: 413, code: "upload_too_large"),
        Refusal(
            name: "metadata", headers: [("Upload-Length", "1"), ("Upload-Metadata", "filename ñ")], status: 400,
            code: "invalid_upload_header"),
        Refusal(
            name: "long metadata",
            headers: [
                ("Upload-Length", "1"),
                ("Upload-Metadata", "a \(Data(repeating: 7, count: 6000).base64EncodedString())"),
            ], status: 431, code: "upload_metadata_too_long"),
        Refusal(
            name: "concat", headers: [("Upload-Length", "1"), ("Upload-Concat", "all")], status: 400,
            code: "invalid_upload_header"),
        Refusal(
            name: "final with a length", headers: [("Upload-Length", "1"), ("Upload-Concat", "final;/a/b")],
            status: 400, code: "no_such_upload_piece"),
        Refusal(
            name: "bytes of another type", headers: [("Upload-Length", "1"), ("Content-Type", "video/mp4")], body: [1],
            status: 415, code: "not_upload_bytes"),
        Refusal(
            name: "more bytes than announced", headers: [("Upload-Length", "1"), bytesType], body: [1, 2], status: 413,
            code: "upload_too_large"),
        Refusal(
            name: "PATCH of another type", method: "PATCH", headers: [("Upload-Offset", "0")], body: [1], status: 415,
            code: "not_upload_bytes"),
        Refusal(
            name: "PATCH without an offset", method: "PATCH", headers: [bytesType], body: [1], status: 400,
            code: "invalid_upload_header"),
        Refusal(
            name: "PATCH elsewhere", method: "PATCH", headers: [bytesType, ("Upload-Offset", "2")], body: [1],
            status: 409, code: "upload_offset_differs"),
        Refusal(
            name: "PATCH with too much", method: "PATCH", headers: [bytesType, ("Upload-Offset", "0")],
            body: [1, 2, 3, 4, 5], status: 413, code: "upload_too_large"),
        Refusal(
            name: "PATCH with another length", method: "PATCH",
            headers: [bytesType, ("Upload-Offset", "0"), ("Upload-Length", "5")], body: [1], status: 400,
            code: "upload_length_differs"),
        Refusal(
            name: "PATCH with a checksum that is none", method: "PATCH",
            headers: [bytesType, ("Upload-Offset", "0"), ("Upload-Checksum", "sha1")], body: [1], status: 400,
            code: "invalid_upload_header"),
    ]

    @Test(arguments: refusals)
    func `bad requests are problems that say what to do`(refusal: Refusal) async throws {
        var configuration = GatewayConfiguration(uploadBytesMax: 1000)
        configuration.uploads.metadataBytesMax = 4 << 10
        try await Door.open(configuration) { door in
            let path = refusal.method == "PATCH" ? try await door.begin([("Upload-Length", "4")]) : "/api/uploads"
            let reply = try await door.tus(refusal.method, path, headers: refusal.headers, refusal.body)
            #expect(reply.status == refusal.status, "\(reply.text)")
            #expect(try reply.string("code") == refusal.code)
            #expect(try !reply.string("hint").isEmpty)
            #expect(reply.headers["content-type"] == "application/problem+json")
            #expect(reply.headers["tus-resumable"] == "1.0.0")
            if refusal.status == 409 { #expect(reply.headers["upload-offset"] == "0") }
        }
    }

    @Test func `one client's quota is 429 with the time to wait`() async throws {
        var configuration = GatewayConfiguration()
        configuration.uploads.sessionsMax = 1
        try await Door.open(configuration) { door in
            _ = try await door.begin([("Upload-Length", "4")])
            let reply = try await door.tus("POST", "/api/uploads", headers: [("Upload-Length", "4")])
            #expect(reply.status == 429)
            #expect(try reply.string("code") == "too_many_uploads")
            #expect(reply.headers["retry-after"] == "60")
            let another = ("X-API-Key", try await door.key("another").text)
            let other = try await door.tus("POST", "/api/uploads", headers: [("Upload-Length", "4"), another])
            #expect(other.status == 201)
        }
    }

    @Test func `a client that vanishes in the middle finds what had arrived`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Length", "100000")])
            try await door.client.connect { wire in
                let head = door.client.head(
                    "PATCH", location,
                    [
                        ("Tus-Resumable", "1.0.0"), Self.bytesType, ("Upload-Offset", "0"),
                        ("Content-Length", "100000"),
                    ])
                try await wire.write(head + [UInt8](repeating: 7, count: 40_000))
            }
            // How much of it came through before the end of the connection is the network's affair; what HEAD says
            // holds.
            var offset = 0
            while offset == 0 {
                let seen = try await door.tus("HEAD", location)
                offset = Int(seen.headers["upload-offset"] ?? "") ?? -1
            }
            #expect((1...40_000).contains(offset))
            let rest = [UInt8](repeating: 8, count: 100_000 - offset)
            #expect(try await door.tus("PATCH", location, at: offset, rest).status == 204)
            let id = try #require(UploadID(String(location.split(separator: "/").last ?? "")))
            let upload = try #require(try await door.store.upload(id))
            let expected = [UInt8](repeating: 7, count: offset) + rest
            #expect(try await door.blobs.bytes(of: upload.blob, limitBytes: 1 << 20) == expected)
        }
    }

    @Test func `a newer request ends the connection of the one before it`() async throws {
        try await Door.open { door in
            let location = try await door.begin([("Upload-Length", "1000")])
            try await door.client.connect { wire in
                let head = door.client.head(
                    "PATCH", location,
                    [("Tus-Resumable", "1.0.0"), Self.bytesType, ("Upload-Offset", "0"), ("Content-Length", "1000")])
                try await wire.write(head + [UInt8](repeating: 7, count: 400))
                var seen = try await door.tus("HEAD", location)
                // The first HEAD may come before the request that it ends has been begun.
                while seen.headers["upload-offset"] == "0" { seen = try await door.tus("HEAD", location) }
                #expect(seen.headers["upload-offset"] == "400")
                // Ends because the gateway closes the connection; its answer may or may not come through.
                _ = try? await wire.readToEnd()
            }
            #expect(try await door.tus("PATCH", location, at: 400, [UInt8](repeating: 8, count: 600)).status == 204)
        }
    }
}

extension Door {
    /// Begins an upload; its address.
    func begin(_ headers: [(String, String)]) async throws -> String {
        let reply = try await tus("POST", "/api/uploads", headers: headers)
        #expect(reply.status == 201, "\(reply.text)")
        return try #require(reply.headers["location"])
    }

    func tus(
        _ method: String, _ path: String, at offset: Int? = nil, headers: [(String, String)] = [], _ body: [UInt8] = []
    ) async throws -> RawClient.Reply {
        var all = [("Tus-Resumable", "1.0.0")] + headers
        if let offset { all += [("Upload-Offset", "\(offset)"), TusRouteTests.bytesType] }
        return try await client.send(method, path, headers: all, body: body)
    }
}
