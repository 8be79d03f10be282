import Blobs
import ClipModel
import HTTPGateway
import Jobs
import Store
import Testing

@Suite(.timeLimit(.minutes(5))) struct UploadRouteTests {
    @Test func `a video becomes an upload with its digest`() async throws {
        try await Door.open { door in
            let video = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let reply = try await door.upload([Door.Part(fileName: "../mi \\\"charla\\\" 🎬.mp4", content: video)])
            #expect(reply.status == 201, "\(reply.text)")
            #expect(try reply.json("bytes") as? Int == video.count)
            #expect(try reply.string("fileName") == "mi \"charla\" 🎬.mp4")
            let id = try #require(UploadID(try reply.string("uploadId")))
            let upload = try #require(try await door.store.upload(id))
            #expect(upload.sha256 == (try reply.string("sha256")))
            #expect(try await door.blobs.bytes(of: upload.blob, limitBytes: 1 << 20) == video)
        }
    }

    @Test func `a body of unknown length is taken piece by piece`() async throws {
        try await Door.open { door in
            let form = Door.form([Door.Part(content: Array("\r\n--b0undar not the end".utf8))])
            let text = try await door.client.connect { wire in
                try await wire.write(
                    door.client.head(
                        "POST", "/api/upload",
                        [Door.formType, ("Transfer-Encoding", "chunked"), ("Connection", "close")]))
                for byte in form { try await wire.write(Array("1\r\n".utf8) + [byte] + [13, 10]) }
                try await wire.write(Array("0\r\n\r\n".utf8))
                return try await wire.readToEnd()
            }
            let reply = try RawClient.parse(text)
            #expect(reply.status == 201, "\(reply.text)")
            #expect(try reply.json("bytes") as? Int == 23)
        }
    }

    @Test(
        arguments: [
            ("talk.srt", "srt", "1\n00:00:01,000 --> 00:00:02,000\nhola\n"),
            ("talk.es.VTT", "vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nhola\n"),
            ("words.json", "json", #"{"segments": [{"start": 1, "end": 2, "text": "hola"}]}"#),
        ])
    func `a transcript comes along`(fileName: String, format: String, text: String) async throws {
        try await Door.open { door in
            let content = Array(text.utf8)
            let reply = try await door.upload([
                Door.Part(name: "transcript", fileName: fileName, content: content), Door.Part(content: [1, 2, 3]),
            ])
            try #require(reply.status == 201, "\(reply.text)")
            let id = try #require(UploadID(try reply.string("uploadId")))
            let transcript = try #require(try await door.store.upload(id)?.transcript)
            #expect(transcript.format.rawValue == format)
            #expect(try await door.blobs.bytes(of: transcript.blob, limitBytes: 1000) == content)
        }
    }

    @Test func `a transcript that cannot be read is refused at once, with its line`() async throws {
        try await Door.open { door in
            let broken = "1\n00:00:01,000 --> 00:00:02,000\nhola\n\n2\n00:00:03 -> 00:00:04\nadiós\n"
            let reply = try await door.upload([
                Door.Part(name: "transcript", fileName: "talk.srt", content: Array(broken.utf8)),
                Door.Part(content: [1, 2, 3]),
            ])
            #expect(reply.status == 422, "\(reply.text)")
            #expect(try reply.string("code") == "transcript_unreadable")
            #expect(try reply.string("field") == "transcript")
            #expect(try reply.string("detail").hasPrefix("Line 5 "), "\(reply.text)")
            #expect(door.files() == [])
        }
    }

    @Test(
        arguments: [
            ([Door.Part(content: [])], 422, "empty_file"),
            ([], 400, "file_missing"),
            ([Door.Part(content: [1]), Door.Part(content: [2])], 400, "part_sent_twice"),
            ([Door.Part(name: "video", content: [1])], 400, "unknown_part"),
            ([Door.Part(name: "transcript", fileName: "t.doc", content: [1])], 422, "transcript_format_unknown"),
            (
                [Door.Part(name: "transcript", fileName: "t.srt", content: [UInt8](repeating: 1, count: 100))], 413,
                "transcript_too_large"
            ),
            ([Door.Part(content: [UInt8](repeating: 1, count: 5000))], 413, "upload_too_large"),
        ] as [([Door.Part], Int, String)])
    func `a form that cannot be taken is refused and leaves nothing`(
        parts: [Door.Part], status: Int, code: String
    ) async throws {
        try await Door.open(GatewayConfiguration(uploadBytesMax: 4096, transcriptBytesMax: 64)) { door in
            let reply = try await door.upload(parts)
            #expect(reply.status == status)
            #expect(try reply.string("code") == code)
            #expect(reply.headers["content-type"] == "application/problem+json")
            #expect(door.files() == [])
        }
    }

    @Test func `what is announced as too large is refused before it is sent`() async throws {
        try await Door.open(GatewayConfiguration(uploadBytesMax: 4096)) { door in
            let bytes = try await door.client.connect { wire in
                try await wire.write(
                    door.client.head("POST", "/api/upload", [Door.formType, ("Content-Length", "99999999999")]))
                _ = try await wire.read(until: "upload_too_large")
                return wire.received
            }
            let reply = try RawClient.parse(bytes)
            #expect(reply.status == 413)
            #expect(reply.headers["connection"] == "close")
        }
    }

    @Test(arguments: [
        "text/plain", "multipart/form-data", "multipart/mixed; boundary=x", "multipart/form-data; boundary=",
    ])
    func `what is no form is refused`(type: String) async throws {
        try await Door.open { door in
            let reply = try await door.client.send("POST", "/api/upload", headers: [("Content-Type", type)], body: [1])
            #expect(reply.status == 415)
            #expect(try reply.string("code") == "not_a_form")
        }
    }

    @Test(arguments: [true, false])
    func `a client that goes away leaves nothing behind`(politely: Bool) async throws {
        try await Door.open { door in
            let form = Door.form([Door.Part(content: [UInt8](repeating: 7, count: 400_000))])
            try await door.client.connect { wire in
                try await wire.write(
                    door.client.head("POST", "/api/upload", [Door.formType, ("Content-Length", "\(form.count)")]))
                try await wire.write(Array(form[..<300_000]))
                // The door has begun to write once its file is there.
                while door.files().isEmpty { await Task.yield() }
                if politely {
                    wire.finishWriting()
                    _ = try await wire.readToEnd()
                }
            }
            while !door.files().isEmpty { await Task.yield() }
            let unused = try await door.store.removeUnusedUploads(olderThanSeconds: -60, limit: 10)
            #expect(unused.isEmpty)
        }
    }

    @Test func `a body that ends before its form does is refused`() async throws {
        try await Door.open { door in
            let form = Array(Door.form([Door.Part(content: [1, 2, 3])]).dropLast(5))
            let reply = try await door.client.send("POST", "/api/upload", headers: [Door.formType], body: form)
            #expect(reply.status == 400)
            #expect(try reply.string("code") == "upload_truncated")
            #expect(door.files() == [])
        }
    }
}
