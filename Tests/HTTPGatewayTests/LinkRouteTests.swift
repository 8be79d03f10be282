import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Store
import Synchronization
import Testing

/// Links over the wire: who gets what, with them and without.
@Suite(.timeLimit(.minutes(5))) struct LinkRouteTests {
    /// The clock of a node, which a test turns.
    private final class Turned: Sendable {
        private let moment = Mutex(Timestamp.sample)
        var now: Timestamp { moment.withLock { $0 } }
        func turn(_ seconds: Double) { moment.withLock { $0 = $0.advanced(bySeconds: seconds) } }
    }

    private static let video = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 13) }

    private static var required: GatewayConfiguration {
        var configuration = AdminRouteTests.tokens
        configuration.signedDownloads = .required
        return configuration
    }

    private func open(
        _ configuration: GatewayConfiguration = required, at time: Turned = Turned(),
        _ body: @Sendable (Door, JobID) async throws -> Void
    ) async throws {
        try await Door.open(configuration, now: { time.now }) { door in
            try await body(door, try await door.finishedJob(videos: [Self.video]))
        }
    }

    private static func clip(_ job: JobID) -> String { "/api/clips/\(ClipID(job: job, ordinal: 0))" }

    private static func addresses(_ job: JobID) -> [String] {
        ["/download", "/download?inline=1", "/subtitles", "/subtitles?format=vtt", "/thumbnail"].map { clip(job) + $0 }
            + ["/api/jobs/\(job)/archive"]
    }

    private static func link(
        _ door: Door, _ job: JobID, _ body: String = #"{"file": "video"}"#
    ) async throws -> String {
        let reply = try await door.client.send(
            "POST", clip(job) + "/link", headers: [Door.jsonType], body: Array(body.utf8))
        #expect(reply.status == 200, "\(reply.text)")
        return try reply.string("url")
    }

    private static func expect(
        _ code: String?, _ door: Door, _ address: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let reply = try await door.client.send("GET", address)
        if let code {
            #expect(reply.status == 403, "\(reply.text)", sourceLocation: sourceLocation)
            #expect(try reply.string("code") == code, sourceLocation: sourceLocation)
            #expect(try reply.string("hint").contains("/link"), sourceLocation: sourceLocation)
            #expect(reply.headers["cache-control"] == "no-store", sourceLocation: sourceLocation)
        } else {
            #expect(reply.status == 200, "\(reply.text)", sourceLocation: sourceLocation)
        }
        // What GET refuses HEAD refuses, and what it gives HEAD gives.
        let head = try await door.client.send("HEAD", address)
        #expect(head.status == reply.status, sourceLocation: sourceLocation)
        if code == nil {
            #expect(head.headers["content-length"] == "\(reply.body.count)", sourceLocation: sourceLocation)
        }
    }

    @Test func `without the setting files need no link, and one that is there is checked`() async throws {
        try await open(AdminRouteTests.tokens) { door, job in
            for address in Self.addresses(job) { try await Self.expect(nil, door, address) }
            let link = try await Self.link(door, job)
            try await Self.expect(nil, door, link)
            try await Self.expect("link_invalid", door, link.replacing("signature=", with: "signature=A"))
            for word in ["expires=1", "kid=a", "signature=", "expires"] {
                try await Self.expect("link_invalid", door, Self.clip(job) + "/download?" + word)
            }
            let view = try await door.client.send("GET", "/api/jobs/\(job)")
            #expect(try view.string("links", "archive") == "/api/jobs/\(job)/archive")
            #expect(!view.text.contains("signature="))
        }
    }

    @Test func `with the setting nothing is given away without a link`() async throws {
        try await open { door, job in
            for address in Self.addresses(job) { try await Self.expect("link_required", door, address) }
            // Nor is it told whether there is such a clip.
            try await Self.expect("link_required", door, "/api/clips/\(ClipID(job: job, ordinal: 9))/thumbnail")
            // What is said of clips is no file.
            #expect(try await door.client.send("GET", Self.clip(job)).status == 200)
            #expect(try await door.client.send("GET", "/api/jobs/\(job)/manifest").status == 200)
        }
    }

    @Test func `where keys are required, a good link needs none`() async throws {
        var configuration = AdminRouteTests.tokens
        configuration.requiresKeys = true
        try await open(configuration) { door, job in
            let key = ("X-API-Key", try await door.key("acme").text)
            let made = try await door.client.send(
                "POST", Self.clip(job) + "/link", headers: [Door.jsonType, key],
                body: Array(#"{"file": "video"}"#.utf8))
            let link = try made.string("url")
            try await Self.expect(nil, door, link)
            try await Self.expect("link_invalid", door, link.replacing("signature=", with: "signature=A"))
            for address in Self.addresses(job) + ["/api/jobs?signature=A", "/api/jobs/\(job)?" + link.suffix(80)] {
                #expect(try await door.client.send("GET", address).status == 401, "\(address)")
            }
        }
    }

    @Test func `the links of a view lead to every file`() async throws {
        try await open { door, job in
            let view = try await door.client.send("GET", "/api/jobs/\(job)")
            var links = [try view.string("links", "archive")]
            for name in ["download", "srt", "vtt", "thumbnail"] {
                links.append(try #require(try view.json("clips", "0", "links", name) as? String))
            }
            for link in links {
                #expect(link.contains("expires=") && link.contains("&kid=") && link.contains("&signature="))
                try await Self.expect(nil, door, link)
            }
            // As the page plays it.
            let shown = try await door.client.send("GET", links[1] + "&inline=1")
            #expect(shown.body == Self.video && shown.headers["content-disposition"]?.hasPrefix("inline") == true)
            #expect(shown.headers["cache-control"]?.contains("private") == true)
            #expect(shown.headers["referrer-policy"] == "no-referrer")
            let clip = try await door.client.send("GET", Self.clip(job))
            #expect(try clip.json("clip", "links", "download") as? String == links[1])
            let events = try await door.client.send("GET", "/api/jobs/\(job)/events")
            #expect(links.allSatisfy { events.text.contains($0) })
        }
    }

    @Test func `views stay as they are for hours, and their links are good for hours more`() async throws {
        let time = Turned()
        try await open(at: time) { door, job in
            let first = try await door.client.send("GET", "/api/jobs/\(job)")
            let tag = try #require(first.headers["etag"])
            var changes = 0
            var last = first
            for _ in 0..<24 {
                time.turn(1800)
                let next = try await door.client.send("GET", "/api/jobs/\(job)", headers: [("If-None-Match", tag)])
                let full = try await door.client.send("GET", "/api/jobs/\(job)")
                if full.body != last.body { changes += 1 } else if changes == 0 { #expect(next.status == 304) }
                // Half an hour ago it was in somebody's hands: it is good for five and a half hours more.
                try await Self.expect(nil, door, try last.string("links", "archive"))
                last = full
            }
            #expect(changes == 2)
            try await Self.expect("link_expired", door, try first.string("links", "archive"))
        }
    }

    @Test func `a link is good until its second, on this file alone`() async throws {
        let time = Turned()
        try await open(at: time) { door, job in
            let reply = try await door.client.send(
                "POST", Self.clip(job) + "/link", headers: [Door.jsonType],
                body: Array(#"{"file": "subtitles", "format": "vtt", "expiresInSeconds": 60}"#.utf8))
            #expect(reply.status == 200 && reply.headers["cache-control"] == "no-store")
            #expect(try reply.string("expiresAt") == time.now.advanced(bySeconds: 60).rawValue)
            let link = try reply.string("url")
            #expect(link.hasPrefix(Self.clip(job) + "/subtitles?format=vtt&expires=\(1_800_000_060)&kid="))
            #expect(try await door.client.send("GET", link).text == "WEBVTT\n")
            let query = String(try #require(link.split(separator: "?").last))
            for other in [
                "/subtitles?\(query.replacing("vtt", with: "srt"))", "/subtitles?\(query.dropFirst(11))",
                "/thumbnail?\(query)", "/download?\(query)",
            ] { try await Self.expect("link_invalid", door, Self.clip(job) + other) }
            time.turn(59.5)
            try await Self.expect(nil, door, link)
            time.turn(0.5)
            try await Self.expect("link_expired", door, link)
            try await Self.expect("link_invalid", door, link.replacing("=1800000060", with: "=1800009999"))
        }
    }

    @Test func `a link has ranges and tags as the file itself`() async throws {
        try await open { door, job in
            let link = try await Self.link(door, job, #"{"file": "video", "expiresInSeconds": 604800}"#)
            let part = try await door.client.send("GET", link, headers: [("Range", "bytes=10-19")])
            #expect(part.status == 206 && part.body == Array(Self.video[10..<20]))
            let two = try await door.client.send("GET", link, headers: [("Range", "bytes=0-9,500-509")])
            #expect(two.status == 206 && two.headers["content-type"]?.hasPrefix("multipart/byteranges") == true)
            let tag = try #require(part.headers["etag"])
            #expect(try await door.client.send("GET", link, headers: [("If-None-Match", tag)]).status == 304)
        }
    }

    @Test func `links are made to what is there, of bodies that can be read`() async throws {
        try await open { door, job in
            let video = #"{"file": "video"}"#, path = Self.clip(job) + "/link"
            let large = video + String(repeating: " ", count: GatewayConfiguration().jsonBytesMax)
            for (path, body, answer) in [
                ("/api/clips/nothing/link", video, "404 no_such_clip"),
                ("/api/clips/\(ClipID(job: job, ordinal: 9))/link", video, "404 no_such_clip"),
                (path, "{}", "422 invalid_file"),
                (path, #"{"file": "video", "expiresInSeconds": 1}"#, "422 invalid_expiry"),
                (path, "no", "400 malformed_json"), (path, large, "413 body_too_large"),
            ] {
                let reply = try await door.client.send(
                    "POST", path, headers: [Door.jsonType], body: Array(body.utf8))
                #expect("\(reply.status) \(try reply.string("code"))" == answer)
            }
            let form = try await door.client.send("POST", path, body: Array(video.utf8))
            #expect(try form.status == 415 && form.string("code") == "not_json")
        }
    }

    @Test func `a rotation leaves older links good, revoking does not`() async throws {
        try await open { door, job in
            func rotate(_ query: String = "") async throws -> LinkRotation {
                let reply = try await door.client.send(
                    "POST", "/admin/v1/links/rotate" + query, headers: [AdminRouteTests.change])
                #expect(reply.status == 200, "\(reply.text)")
                #expect(!reply.text.contains("secret"))
                return try JSONDecoder().decode(LinkRotation.self, from: Data(reply.body))
            }
            let old = try await Self.link(door, job)
            let first = try await rotate()
            #expect(first.older.count == 1 && old.contains("kid=\(first.older[0].key)&"))
            #expect(first.older[0].acceptedUntil > first.createdAt)
            try await Self.expect(nil, door, old)
            let fresh = try await Self.link(door, job)
            #expect(fresh.contains("kid=\(first.key)&") && fresh != old)
            try await Self.expect(nil, door, fresh)
            let second = try await rotate("?now=true")
            #expect(second.older.isEmpty && second.key != first.key)
            for link in [old, fresh] { try await Self.expect("link_invalid", door, link) }
            try await Self.expect(nil, door, try await Self.link(door, job))
        }
    }

    @Test func `only operators who may change things rotate`() async throws {
        try await open { door, _ in
            let path = "/admin/v1/links/rotate"
            #expect(try await door.client.send("POST", path).status == 401)
            let look = try await door.client.send("POST", path, headers: [AdminRouteTests.look])
            #expect(try look.status == 403 && look.string("code") == "token_may_only_read")
            let wrong = try await door.client.send("POST", path + "?now=1", headers: [AdminRouteTests.change])
            #expect(try wrong.status == 400 && wrong.string("code") == "invalid_now")
        }
    }

    @Test func `a link of one node is good at another, whose clock is a little different`() async throws {
        let (here, there) = (Turned(), Turned())
        let store = InMemoryStore(now: systemWallTime)
        try await Door.open(Self.required, store: store, now: { here.now }) { one in
            let job = try await one.finishedJob(videos: [Self.video])
            try await Door.open(Self.required, store: store, blobs: { _ in one.blobs }, now: { there.now }) { two in
                there.turn(-120)
                let week = #"{"file": "video", "expiresInSeconds": 604800}"#
                let link = try await Self.link(one, job, week)
                try await Self.expect(nil, two, link)
                #expect(try await two.client.send("GET", link).body == Self.video)
                // Rotated there and used here, and the other way round, without waiting.
                let rotated = try await two.client.send(
                    "POST", "/admin/v1/links/rotate", headers: [AdminRouteTests.change])
                #expect(rotated.status == 200)
                try await Self.expect(nil, one, try await Self.link(two, job))
                try await Self.expect(nil, two, link)
                // One that is hours ahead makes links that would be good for too long.
                here.turn(7200)
                try await Self.expect("link_invalid", two, try await Self.link(one, job, week))
                try await Self.expect(nil, two, try await Self.link(one, job))
            }
        }
    }

    @Test func `a book of keys that is away is no reason to let anybody in`() async throws {
        let clip = "/api/clips/\(LinkSignatureTests.clip)/download"
        let signature = LinkSignature(
            for: .video(LinkSignatureTests.clip), until: 1_800_000_100, with: LinkSignatureTests.key)
        try await Door.open(Self.required, store: BrokenStore(StoreError(.unavailable, "away")), now: { .sample }) {
            let reply = try await $0.client.send("GET", clip + "?" + signature.query)
            #expect(try reply.status == 503 && reply.string("code") == "database_unavailable")
            try await Self.expect("link_required", $0, clip)
        }
    }
}
