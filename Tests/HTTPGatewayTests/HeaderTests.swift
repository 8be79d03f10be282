import ClipModel
import Foundation
import HTTPGateway
import HTTPTypes
import Telemetry
import Testing

/// What every answer carries, on every route that the router knows.
@Suite(.timeLimit(.minutes(5))) struct HeaderTests {
    /// One way to ask, and what the answer must be beside its headers.
    private struct Visit {
        let method: String
        let path: String
        var headers: [(String, String)] = []
        var body: [UInt8] = []
    }

    static func metrics() throws -> MetricsInspection {
        let json = #"{"node":"one","regions":[],"unheardNodes":[],"conflictingMetrics":[],"metrics":[]}"#
        let figures = try JSONDecoder().decode(ClusterFigures.self, from: Data(json.utf8))
        return MetricsInspection(registry: MetricRegistry()) { figures }
    }

    /// Every endpoint with things that exist and with things that do not, with and without the operators' token.
    private static func visits(_ door: Door, job: JobID) -> [Visit] {
        let real = ["id": "\(job)", "node": "one", "key": "a", "tenant": "a"]
        // What takes things away comes last, so that the others find them.
        let endpoints = door.endpoints.filter { $0.method != .delete } + door.endpoints.filter { $0.method == .delete }
        return endpoints.flatMap { endpoint in
            func path(_ values: (String) -> String) -> String {
                let isClip = endpoint.template.hasPrefix("/api/clips/")
                let parts = endpoint.template.split(separator: "/").map { part in
                    guard part.hasPrefix("{") else { return String(part) }
                    let name = String(part.dropFirst().dropLast())
                    return isClip && values(name) == "\(job)" ? "\(ClipID(job: job, ordinal: 0))" : values(name)
                }
                return "/" + parts.joined(separator: "/")
            }
            let (there, gone) = (path { real[$0] ?? "a" }, path { _ in "no-such-thing" })
            let token = ("Authorization", "Bearer 0123456789abcdef"), method = endpoint.method.rawValue
            return [
                Visit(method: method, path: gone), Visit(method: method, path: gone, headers: [token]),
                Visit(method: method, path: there, headers: [token, Door.jsonType], body: Array("{".utf8)),
                Visit(method: "OPTIONS", path: there), Visit(method: "PUT", path: there),
            ]
        }
    }

    @Test func `every route answers with every header, errors included`() async throws {
        var configuration = GatewayConfiguration(adminToken: "0123456789abcdef")
        configuration.strictTransportSeconds = 31_536_000
        let cluster = ClusterSample().snapshot
        try await Door.open(configuration, cluster: ClusterInspection { cluster }, metrics: Self.metrics()) { door in
            #expect(door.endpoints.count > 60, "\(door.endpoints.count)")
            var statuses: [Int: Int] = [:]
            let job = try await door.finishedJob(videos: [[1, 2, 3, 4]])
            for visit in Self.visits(door, job: job) {
                let reply = try await door.client.send(
                    visit.method, visit.path, headers: visit.headers, body: visit.body)
                statuses[reply.status, default: 0] += 1
                Self.check(reply, visit)
            }
            for visit in [Visit(method: "GET", path: "/nothing/here"), Visit(method: "OPTIONS", path: "/nothing")] {
                let reply = try await door.client.send(visit.method, visit.path)
                #expect(reply.status == 404)
                Self.check(reply, visit)
            }
            for status in [200, 204, 401, 404, 405] { #expect(statuses[status] ?? 0 > 0, "\(statuses)") }
        }
    }

    private static func check(_ reply: RawClient.Reply, _ visit: Visit) {
        let place = "\(visit.method) \(visit.path): \(reply.status) \(reply.headers)"
        let policy = reply.headers["content-security-policy"] ?? ""
        #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "\(place)")
        #expect(!policy.contains("unsafe"), "\(place)")
        #expect(reply.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains", "\(place)")
        #expect(reply.headers["x-content-type-options"] == "nosniff", "\(place)")
        #expect(reply.headers["referrer-policy"] == "no-referrer", "\(place)")
        #expect(reply.headers["permissions-policy"]?.contains("camera=()") == true, "\(place)")
        #expect(reply.headers["cross-origin-opener-policy"] == "same-origin", "\(place)")
        #expect(reply.headers["cross-origin-resource-policy"] == "same-origin", "\(place)")
        #expect(reply.headers["x-frame-options"] == "DENY", "\(place)")
        #expect(reply.headers["x-request-id"]?.isEmpty == false, "\(place)")
        // Who answers is nobody's business, least of all in which version.
        #expect(reply.headers["server"] == nil && reply.headers["x-powered-by"] == nil, "\(place)")
        #expect(reply.headers["access-control-allow-origin"] == nil, "\(place)")
        #expect(reply.status < 500, "\(place) \(reply.text)")
        if reply.status == 405 || visit.method == "OPTIONS", reply.status != 404 {
            #expect(reply.headers["allow"]?.contains("OPTIONS") == true, "\(place)")
        }
        guard reply.status >= 400, visit.method != "HEAD" else { return }
        #expect(reply.headers["content-type"] == "application/problem+json", "\(place)")
        #expect(reply.headers["cache-control"] == "no-store", "\(place)")
    }

    @Test func `HEAD says what GET says and sends nothing`() async throws {
        let cluster = ClusterSample().snapshot
        try await Door.open(cluster: ClusterInspection { cluster }, metrics: Self.metrics()) { door in
            let job = try await door.finishedJob(videos: [[1, 2, 3, 4]])
            let clip = ClipID(job: job, ordinal: 0)
            for path in [
                "/", "/assets/app.js", "/api/jobs", "/api/jobs/\(job)", "/api/clips/\(clip)/download",
                "/api/jobs/\(job)/archive", "/api/jobs/none",
            ] {
                let get = try await door.client.send("GET", path), head = try await door.client.send("HEAD", path)
                #expect(head.status == get.status && head.body.isEmpty)
                for name in ["content-length", "content-type", "etag", "cache-control", "vary"] {
                    // Problems hold the request's id, which differs.
                    if get.status == 404, name == "content-length" { continue }
                    #expect(head.headers[name] == get.headers[name], "\(path): \(name)")
                }
            }
        }
    }

    @Test func `pages of allowed origins may read the API, those of others and of operators not`() async throws {
        var configuration = GatewayConfiguration(adminToken: "0123456789abcdef")
        configuration.origins = try #require(AllowedOrigins("https://app.example, http://localhost:3000"))
        try await Door.open(configuration) { door in
            func ask(_ method: String, _ path: String, _ origin: String) async throws -> RawClient.Reply {
                try await door.client.send(
                    method, path,
                    headers: [
                        ("Origin", origin), ("Access-Control-Request-Method", "POST"),
                        ("Access-Control-Request-Headers", "content-type"),
                    ])
            }
            let preflight = try await ask("OPTIONS", "/api/jobs", "https://app.example")
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "https://app.example")
            #expect(preflight.headers["access-control-allow-methods"]?.contains("POST") == true)
            #expect(preflight.headers["access-control-allow-headers"]?.contains("Idempotency-Key") == true)
            #expect(preflight.headers["access-control-max-age"] == "600")
            let read = try await ask("GET", "/api/jobs", "http://localhost:3000")
            #expect(read.headers["access-control-allow-origin"] == "http://localhost:3000")
            #expect(read.headers["access-control-expose-headers"]?.contains("X-Request-Id") == true)
            #expect(read.headers["vary"]?.contains("Origin") == true)
            #expect(read.headers["cross-origin-resource-policy"] == "cross-origin")
            #expect(read.headers["access-control-allow-credentials"] == nil)
            let error = try await ask("GET", "/api/jobs/none", "https://app.example")
            #expect(error.headers["access-control-allow-origin"] == "https://app.example")
            let stranger = try await ask("OPTIONS", "/api/jobs", "https://evil.example")
            #expect(stranger.headers["access-control-allow-origin"] == nil)
            #expect(stranger.headers["access-control-allow-methods"] == nil)
            #expect(stranger.headers["vary"]?.contains("Origin") == true)
            let operators = try await ask("OPTIONS", "/admin/v1/cluster", "https://app.example")
            #expect(operators.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test(arguments: [
        ("", AllowedOrigins.none), ("*", .any), ("https://a.b", .listed(["https://a.b"])),
        ("https://a.b,http://c:81", .listed(["https://a.b", "http://c:81"])),
    ])
    func `allowed origins are read`(text: String, expected: AllowedOrigins) {
        #expect(AllowedOrigins(text) == expected)
    }

    @Test(arguments: ["a.b", "https://a.b/", "https://*.b", "ftp://a", "*, https://a.b", "https://A.b", "null"])
    func `what is no origin is refused`(text: String) { #expect(AllowedOrigins(text) == nil) }

    @Test func `JSON that has not changed is a 304, and comes packed to whoever unpacks`() async throws {
        try await Door.open { door in
            for _ in 0..<12 { _ = try await door.submittedJob() }
            let plain = try await door.client.send("GET", "/api/jobs")
            let tag = try #require(plain.headers["etag"])
            #expect(tag.hasPrefix("W/\"") && plain.headers["cache-control"] == "private, no-cache")
            #expect(plain.headers["vary"] == "Accept-Encoding" && plain.headers["content-encoding"] == nil)
            let again = try await door.client.send("GET", "/api/jobs", headers: [("If-None-Match", tag)])
            #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
            let packed = try await door.client.send("GET", "/api/jobs", headers: [("Accept-Encoding", "br, gzip")])
            #expect(packed.headers["content-encoding"] == "gzip" && packed.headers["etag"] == tag)
            #expect(packed.body.starts(with: [0x1F, 0x8B]) && packed.body.count < plain.body.count / 2)
            #expect(packed.headers["content-length"] == "\(packed.body.count)")
            let refused = try await door.client.send("GET", "/api/jobs", headers: [("Accept-Encoding", "gzip;q=0")])
            #expect(refused.headers["content-encoding"] == nil && refused.body == plain.body)
            _ = try await door.submittedJob()
            let changed = try await door.client.send("GET", "/api/jobs", headers: [("If-None-Match", tag)])
            #expect(changed.status == 200 && changed.headers["etag"] != tag)
            let page = try await door.client.send("GET", "/assets/home.js", headers: [("Accept-Encoding", "gzip")])
            #expect(page.headers["content-encoding"] == "gzip" && page.headers["vary"] == "Accept-Encoding")
            let short = try await door.client.send("GET", "/livez", headers: [("Accept-Encoding", "gzip")])
            #expect(short.headers["content-encoding"] == nil)
        }
    }

    @Test(
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("deflate, gzip;q=0.5", true), ("gzip;q=0", false),
            ("*", true), ("*;q=0", false), ("GZip", true), ("br", false), ("gzip ; q=0.0, *", false), ("x-gzip", true),
        ] as [(String?, Bool)])
    func `gzip is sent to whoever asks for it`(header: String?, isAccepted: Bool) {
        #expect(Gzip.isAccepted(header) == isAccepted)
    }
}
