import Blobs
import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Store
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ClipRouteTests {
    private let video = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }

    private func open(_ body: @Sendable (Door, _ path: String) async throws -> Void) async throws {
        try await Door.open { door in
            let id = try await door.finishedJob(videos: [video])
            try await body(door, "/api/clips/\(ClipID(job: id, ordinal: 0))")
        }
    }

    @Test func `a clip is downloaded whole, in parts, and not again`() async throws {
        let video = video
        try await open { door, path in
            let whole = try await door.client.send("GET", path + "/download")
            #expect(whole.status == 200)
            #expect(whole.body == video)
            #expect(whole.headers["accept-ranges"] == "bytes")
            #expect(whole.headers["content-type"] == "video/mp4")
            #expect(whole.headers["content-disposition"]?.contains(#"filename="01-_por-qu_-0.mp4""#) == true)
            let tag = try #require(whole.headers["etag"])
            let part = try await door.client.send(
                "GET", path + "/download", headers: [("Range", "bytes=10-19"), ("If-Range", tag)])
            #expect(part.status == 206)
            #expect(part.body == Array(video[10..<20]))
            #expect(part.headers["content-range"] == "bytes 10-19/100000")
            #expect(part.headers["content-length"] == "10")
            let stale = try await door.client.send(
                "GET", path + "/download", headers: [("Range", "bytes=10-19"), ("If-Range", "\"old\"")])
            #expect(stale.status == 200)
            let none = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=100000-")])
            #expect(none.status == 416)
            #expect(none.headers["content-range"] == "bytes */100000")
            let known = try await door.client.send("GET", path + "/download", headers: [("If-None-Match", tag)])
            #expect(known.status == 304)
            #expect(known.body.isEmpty)
        }
    }

    @Test func `a download is sent to the service that has links, unless it is known or shown in place`() async throws {
        let video = video
        try await Door.open(blobs: { BucketLike(base: $0) }) { door in
            let path = "/api/clips/\(ClipID(job: try await door.finishedJob(videos: [video]), ordinal: 0))"
            let away = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=10-19")])
            #expect(away.status == 307 && away.body.isEmpty)
            let link = try #require(away.headers["location"])
            #expect(link.hasPrefix("https://elsewhere.example/") && link.hasSuffix("?video/mp4?attachment"))
            #expect(away.headers["cache-control"] == "private, no-store")
            let head = try await door.client.send("HEAD", path + "/download")
            #expect(head.status == 200)
            let tag = try #require(head.headers["etag"])
            let known = try await door.client.send("GET", path + "/download", headers: [("If-None-Match", tag)])
            #expect(known.status == 304)
            let shown = try await door.client.send("GET", path + "/download?inline")
            #expect(shown.status == 200 && shown.body == video)
        }
    }

    @Test(arguments: ["/download", "/subtitles?format=srt", "/subtitles?format=vtt", "/thumbnail", ""])
    func `HEAD tells what GET would`(file: String) async throws {
        try await open { door, path in
            let get = try await door.client.send("GET", path + file)
            let head = try await door.client.send("HEAD", path + file)
            #expect(get.status == 200, "\(get.text)")
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == "\(get.body.count)")
            #expect(head.headers["content-type"] == get.headers["content-type"])
            #expect(head.headers["etag"] == get.headers["etag"])
        }
    }

    @Test func `one of the pictures is chosen by its number`() async throws {
        try await open { door, path in
            let best = try await door.client.send("GET", path + "/thumbnail")
            #expect(try await door.client.send("GET", path + "/thumbnail?choice=0").body == best.body)
            let other = try await door.client.send("GET", path + "/thumbnail?choice=1")
            #expect(other.status == 200 && other.body == [0xFF, 0xD8, 1])
            let none = try await door.client.send("GET", path + "/thumbnail?choice=2")
            #expect(none.status == 404)
            #expect(try none.json("code") as? String == "no_such_thumbnail")
            let wrong = try await door.client.send("GET", path + "/thumbnail?choice=best")
            #expect(wrong.status == 400)
            #expect(try wrong.json("code") as? String == "unknown_thumbnail")
            let links = try await door.client.send("GET", path).json("clip", "links", "thumbnails") as? [String]
            #expect(links == [path + "/thumbnail", path + "/thumbnail?choice=1"])
            #expect(try await door.client.send("GET", path).json("clip", "hashtags") as? [String] == ["año"])
        }
    }

    @Test func `a clip may be shown in place`() async throws {
        try await open { door, path in
            let reply = try await door.client.send("GET", path + "/download?inline=1")
            #expect(reply.headers["content-disposition"]?.hasPrefix("inline") == true)
        }
    }

    @Test func `subtitles are SRT or VTT and nothing else`() async throws {
        try await open { door, path in
            #expect(try await door.client.send("GET", path + "/subtitles").text == "1\n")
            #expect(try await door.client.send("GET", path + "/subtitles?format=vtt").text == "WEBVTT\n")
            let reply = try await door.client.send("GET", path + "/subtitles?format=ass")
            #expect(reply.status == 400)
            #expect(try reply.json("allowed") as? [String] == ["srt", "vtt"])
        }
    }

    @Test func `a blob that is gone is a problem and not a broken answer`() async throws {
        try await open { door, path in
            let id = try #require(ClipID(String(path.dropFirst("/api/clips/".count))))
            let files = try #require(try await door.store.clip(id)?.files)
            try await door.blobs.remove([files.video])
            let reply = try await door.client.send("GET", path + "/download")
            #expect(reply.status == 404)
            #expect(try reply.string("code") == "blob_missing")
        }
    }

    @Test func `an archive holds everything and knows its length`() async throws {
        try await Door.open { door in
            let id = try await door.finishedJob(videos: [Array("one".utf8), Array("two".utf8)])
            let reply = try await door.client.send("GET", "/api/jobs/\(id)/archive")
            #expect(reply.status == 200)
            #expect(reply.headers["content-length"] == "\(reply.body.count)")
            #expect(reply.headers["content-disposition"] == #"attachment; filename="la charla-clips.zip""#)
            let file = FileManager.default.temporaryDirectory.appending(path: "archive-\(UUID().uuidString).zip")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(reply.body).write(to: file)
            let script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nprint(z.testzip(), sorted(z.namelist()))"
            let seen = try Child.run("python3", ["-c", script, file.path])
            let names = (0..<2).flatMap { ordinal in
                ["jpg", "mp4", "srt", "vtt"].map { "'0\(ordinal + 1)-¿por-qué-\(ordinal).\($0)'" }
            }
            #expect(seen == "None [\(names.joined(separator: ", ")), 'manifest.json']\n")
            let head = try await door.client.send("HEAD", "/api/jobs/\(id)/archive")
            #expect(head.headers["content-length"] == "\(reply.body.count)")
            #expect(try await door.client.send("GET", "/api/jobs/\(id)/manifest").text == #"{"clips": 2}"#)
        }
    }

    @Test func `nothing finished is nothing to archive`() async throws {
        try await Door.open { door in
            let id = try await door.submittedJob()
            let reply = try await door.client.send("GET", "/api/jobs/\(id)/archive")
            #expect(reply.status == 409)
            #expect(try reply.string("code") == "no_clips_yet")
            #expect(try await door.client.send("GET", "/api/jobs/\(id)/manifest").status == 409)
        }
    }
}
