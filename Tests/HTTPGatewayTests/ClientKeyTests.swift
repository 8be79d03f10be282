import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Limits
import Logging
import Store
import Synchronization
import Telemetry
import Testing

/// Whose client a request is, by the key that it carries.
@Suite(.timeLimit(.minutes(5))) struct ClientKeyTests {
    /// Admits everything but refused keys, of which it admits `keysMax`; remembers who asked for what.
    private final class Buckets: Sendable {
        private let state: Mutex<(keysLeft: Int, asked: [String])>
        private let isShadow: Bool

        init(keysMax: Int = 1000, isShadow: Bool = false) {
            state = Mutex((keysMax, []))
            self.isShadow = isShadow
        }

        var asked: [String] { state.withLock { $0.asked } }

        func admission() throws -> RequestAdmission {
            let keys = try LimitPolicy("keys", limit: 30, per: .seconds(60))
            return RequestAdmission(
                rules: try LimitRule.list("api * /api/* 600/60; own * /api/* 600/60 per=key"),
                refusedKeys: LimitRule("*", "/api/*", keys, per: .address, isShadow: isShadow)
            ) { policy, subject in
                self.state.withLock { state in
                    state.asked.append("\(policy.name) \(subject)")
                    guard policy.name == "keys" else {
                        return LimitAnswer(LimitDecision(.allowed, remaining: 9, resetAfter: 0), source: .owner)
                    }
                    state.keysLeft -= 1
                    let outcome: LimitDecision.Outcome =
                        state.keysLeft < 0 ? .refused(retryAfter: 4_200_000_000) : .allowed
                    return LimitAnswer(
                        LimitDecision(outcome, remaining: max(0, state.keysLeft), resetAfter: 60_000_000_000),
                        source: .owner)
                }
            }
        }
    }

    private static func made() -> String { Chance.system().draw { APIKey.make(using: &$0).text } }

    private func ask(_ door: Door, _ key: String, _ path: String = "/api/jobs") async throws -> RawClient.Reply {
        try await door.client.send("GET", path, headers: [("X-API-Key", key)])
    }

    @Test func `a registered key is its client, however it is sent and whichever of the client's keys it is`()
        async throws
    {
        let buckets = Buckets()
        try await Door.open(admission: buckets.admission()) { door in
            let first = try await door.key("acme").text, second = try await door.key("acme").text
            let headers = [
                ("X-API-Key", first), ("Authorization", "Bearer \(second)"), ("authorization", "bearer \(first)"),
            ]
            for header in headers {
                let reply = try await door.client.send("GET", "/api/jobs", headers: [header])
                #expect(reply.status == 200, "\(reply.text)")
            }
            let asked = buckets.asked
            #expect(asked == Array(repeating: ["api key:acme", "own key:acme"], count: 3).flatMap(\.self))
            let upload = try await door.upload([Door.Part(content: [1])]).string("uploadId")
            let job = try await door.client.send(
                "POST", "/api/jobs", headers: [Door.jsonType, ("X-API-Key", first)],
                body: Array(#"{"uploadId": "\#(upload)"}"#.utf8))
            #expect(job.status == 202, "\(job.text)")
            #expect(try await door.store.jobs(before: nil, limit: 1).first?.tenant == "key:acme")
        }
    }

    @Test func `a key that is none is refused in words, and is nobody's client`() async throws {
        let buckets = Buckets(), desk = KeyDesk(), clock = HandClock()
        try await Door.open(admission: buckets.admission(), keys: desk, clock: clock) { door in
            let revoked = try await door.key("acme"), good = try await door.key("acme").text
            _ = try await desk.revokeKey(revoked.id)
            let expired = try await door.key("acme", expiresInSeconds: 0).text
            let cases = [
                ("", "made up"), ("secret", "made up"), (String(good.dropLast()), "made up"),
                (good + ", " + good, "made up"), (String(repeating: "a", count: 9000), "made up"),
                (Self.made(), "No client has"), (revoked.text, "revoked"), (expired, "expired"),
            ]
            for (key, words) in cases {
                for path in ["/api/jobs", "/api/jobs/job_00000000000000000000000000", "/api/jobs?limit=1"] {
                    let reply = try await ask(door, key, path)
                    #expect(reply.status == 401, "\(words): \(reply.text)")
                    #expect(try reply.string("code") == "unknown_key" && reply.string("field") == "X-API-Key")
                    #expect(try reply.string("detail").contains(words) && !reply.string("hint").isEmpty)
                    #expect(reply.headers["www-authenticate"] == #"Bearer realm="api", error="invalid_token""#)
                    #expect(reply.headers["cache-control"] == "no-store")
                    #expect(reply.headers["ratelimit"]?.hasPrefix(#""keys";r="#) == true, "\(reply.headers)")
                    #expect(key.count < 5 || !reply.text.contains(key))
                }
            }
            #expect(buckets.asked == Array(repeating: "keys address:127.0.0.1", count: cases.count * 3))
            #expect(desk.questions == 3, "made-up keys cost no question, and others one")
            let text = door.metrics.prometheusText()
            for (reason, count) in [("malformed", 15), ("unknown", 3), ("revoked", 3), ("expired", 3)] {
                #expect(text.contains(#"http_keys_refused_total{reason="\#(reason)"} \#(count)"#), "\(text)")
            }
            // A body is not waited for.
            let post = try await door.client.send("POST", "/api/upload", headers: [("X-API-Key", "x")], body: [1, 2])
            #expect(post.status == 401 && post.headers["connection"] == "close")
        }
    }

    @Test func `nobody looks at keys where no client is meant`() async throws {
        var configuration = AdminRouteTests.tokens
        configuration.requiresKeys = true
        let desk = KeyDesk()
        try await Door.open(configuration, keys: desk) { door in
            let open = ["/api/health", "/api/metrics", "/api/openapi.json", "/livez", "/readyz", "/", "/assets/app.js"]
            for path in open {
                for headers in [[], [("X-API-Key", "x")], [("X-API-Key", Self.made())]] {
                    let reply = try await door.client.send("GET", path, headers: headers)
                    #expect(reply.status == 200, "\(path): \(reply.text)")
                }
            }
            let key = try await door.key("acme").text
            let admin = try await door.client.send(
                "GET", "/admin/v1/status", headers: [("Authorization", "Bearer \(key)")])
            #expect(try admin.status == 401 && admin.string("code") == "unauthorized")
            let operators = try await door.client.send(
                "GET", "/admin/v1/status", headers: [AdminRouteTests.look, ("X-API-Key", "x")])
            #expect(operators.status == 200)
            #expect(desk.questions == 0)
        }
    }

    @Test func `where keys are required, whoever has none is told so, by whatever spelling he comes`() async throws {
        var configuration = GatewayConfiguration()
        configuration.requiresKeys = true
        configuration.origins = .any
        let buckets = Buckets()
        try await Door.open(configuration, admission: buckets.admission()) { door in
            for (method, path) in [
                ("GET", "/api/jobs"), ("HEAD", "/api/jobs"), ("POST", "/api/upload"), ("POST", "/api/jobs"),
                ("GET", "/api/clips/none/download"),
            ] {
                let reply = try await door.client.send(method, path)
                #expect(reply.status == 401, "\(method) \(path)")
                #expect(reply.headers["www-authenticate"] == #"Bearer realm="api""#)
                guard method != "HEAD" else { continue }
                #expect(try reply.string("code") == "key_required" && !reply.string("hint").isEmpty)
            }
            #expect(buckets.asked.allSatisfy { $0 == "api address:127.0.0.1" }, "and it counts for the address")
            for path in ["/%61pi/jobs", "/api%2Fjobs", "/API/jobs", "/api//jobs/", "//api/jobs", "/./api/jobs"] {
                #expect(try await door.client.send("GET", path).status != 200, "\(path)")
            }
            // A token of another kind is no key.
            let other = try await door.client.send("GET", "/api/jobs", headers: [("Authorization", "Bearer abc")])
            #expect(try other.status == 401 && other.string("code") == "key_required")
            for path in ["/api/jobs", "/api/uploads"] {
                let preflight = try await door.client.send(
                    "OPTIONS", path,
                    headers: [("Origin", "https://a.b"), ("Access-Control-Request-Method", "POST")])
                #expect(preflight.status == 204 && preflight.headers["access-control-allow-headers"] != nil)
            }
            #expect(try await door.client.send("OPTIONS", "/api/uploads").status < 300)
            let key = try await door.key("acme").text
            #expect(try await ask(door, key).status == 200)
        }
    }

    @Test func `a revoked key opens nothing 15 seconds later, and the database is asked now and then`() async throws {
        let desk = KeyDesk(), clock = HandClock()
        try await Door.open(keys: desk, clock: clock) { door in
            let key = try await door.key("acme")
            for _ in 0..<5 { #expect(try await ask(door, key.text).status == 200) }
            #expect(desk.questions == 1)
            _ = try await desk.revokeKey(key.id)
            clock.advance(seconds: 11)
            #expect(try await ask(door, key.text).status == 200)
            clock.advance(seconds: 4)
            for _ in 0..<3 { #expect(try await ask(door, key.text).status == 401) }
            #expect(desk.questions == 2)
            // One that was unknown is known at the latest 15 seconds after it was registered.
            let (late, id) = Chance.system().draw { (APIKey.make(using: &$0), KeyID(using: &$0)) }
            #expect(try await ask(door, late.text).status == 401)
            _ = try await desk.createKey(
                KeyDraft(
                    id: id, sha256: late.sha256, client: #require(ClientName("zeta")), note: nil,
                    expiresInSeconds: nil))
            #expect(try await ask(door, late.text).status == 401)
            clock.advance(seconds: 15)
            #expect(try await ask(door, late.text).status == 200)
        }
    }

    @Test func `while the database is away known keys go on for ten minutes, and others get 503`() async throws {
        let buckets = Buckets(), desk = KeyDesk(), clock = HandClock()
        try await Door.open(admission: buckets.admission(), keys: desk, clock: clock) { door in
            let known = try await door.key("acme").text, other = try await door.key("zeta").text
            #expect(try await ask(door, known).status == 200)
            desk.set(isAway: true)
            for _ in 0..<2 {
                let reply = try await ask(door, other)
                #expect(try reply.status == 503 && reply.string("code") == "database_unavailable")
                #expect(reply.headers["retry-after"] == "2")
            }
            #expect(desk.questions == 2, "asked once a second")
            for seconds in [20.0, 300, 279] {
                clock.advance(seconds: seconds)
                for _ in 0..<3 { #expect(try await ask(door, known).status == 200) }
            }
            #expect(desk.questions == 5)
            #expect(!buckets.asked.contains { $0.hasPrefix("keys") }, "nobody pays for it")
            clock.advance(seconds: 2)
            #expect(try await ask(door, known).status == 503)
            // Requests without a key never needed the book.
            #expect(try await door.client.send("GET", "/api/jobs").status == 200)
            desk.set(isAway: false)
            clock.advance(seconds: 1)
            for key in [known, other] { #expect(try await ask(door, key).status == 200) }
        }
    }

    @Test func `an address that shows too many keys that are none is sent away, and its known key goes on`()
        async throws
    {
        let buckets = Buckets(keysMax: 3), desk = KeyDesk(), clock = HandClock()
        try await Door.open(admission: buckets.admission(), keys: desk, clock: clock) { door in
            let known = try await door.key("acme").text, fresh = try await door.key("zeta").text
            #expect(try await ask(door, known).status == 200)
            for key in [Self.made(), "x", Self.made()] { #expect(try await ask(door, key).status == 401) }
            let over = try await ask(door, Self.made())
            #expect(try over.status == 429 && over.string("code") == "rate_limited")
            #expect(over.headers["retry-after"] == "5" && over.headers["ratelimit"] == #""keys";r=0;t=60"#)
            let (questions, asked) = (desk.questions, buckets.asked.count)
            for key in [Self.made(), "x", fresh] {
                let reply = try await ask(door, key)
                #expect(reply.status == 429 && reply.headers["retry-after"] == "5")
            }
            #expect(desk.questions == questions && buckets.asked.count == asked, "they cost nothing more")
            #expect(try await ask(door, known).status == 200)
            #expect(try await door.client.send("GET", "/api/jobs").status == 200)
            clock.advance(seconds: 5)
            #expect(try await ask(door, fresh).status == 200)
            let text = door.metrics.prometheusText()
            #expect(text.contains(#"http_requests_limited_total{rule="keys",outcome="refused_rate"} 1"#), "\(text)")
            #expect(text.contains(#"http_keys_refused_total{reason="blocked"} 3"#), "\(text)")
        }
    }

    @Test func `a shadow of that limit sends nobody away`() async throws {
        let buckets = Buckets(keysMax: 1, isShadow: true)
        try await Door.open(admission: buckets.admission()) { door in
            for _ in 0..<3 {
                let reply = try await ask(door, "x")
                #expect(reply.status == 401 && reply.headers["ratelimit"] == nil)
            }
            let text = door.metrics.prometheusText()
            #expect(text.contains(#"http_requests_limited_total{rule="keys",outcome="shadow_rate"} 2"#), "\(text)")
        }
    }

    @Test func `uses are noted once a minute, off the path of requests`() async throws {
        let desk = KeyDesk(), clock = HandClock()
        try await Door.open(keys: desk, clock: clock) { door in
            let key = try await door.key("acme"), idle = try await door.key("zeta")
            for _ in 0..<3 { #expect(try await ask(door, key.text).status == 200) }
            #expect(await desk.base.keys(of: nil, after: nil, limit: 9).allSatisfy { $0.lastUsedAt == nil })
            await clock.sleeper(untilSeconds: 60)
            clock.advance(seconds: 60)
            var touches = desk.touches.makeAsyncIterator()
            #expect(await touches.next() == [key.id])
            let keys = await desk.base.keys(of: nil, after: nil, limit: 9)
            #expect(keys.first { $0.id == key.id }?.lastUsedAt != nil)
            #expect(keys.first { $0.id == idle.id }?.lastUsedAt == nil)
        }
    }

    /// Everything that is logged, at every level.
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])

        struct Handler: LogHandler {
            let lines: Lines
            var logLevel = Logger.Level.trace
            var metadata: Logger.Metadata = [:]

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                let line = "\(event.message) \(metadata) \(event.metadata ?? [:]) \(event.error.map { "\($0)" } ?? "")"
                lines.all.withLock { $0.append(line) }
            }
        }
    }

    @Test func `no line of the log holds a key`() async throws {
        let lines = Lines()
        let logger = Logger(label: "door") { _ in Lines.Handler(lines: lines) }
        let desk = KeyDesk()
        try await Door.open(AdminRouteTests.tokens, keys: desk, logger: logger) { door in
            let created = try await door.client.send(
                "POST", "/admin/v1/keys?client=acme&note=office", headers: [AdminRouteTests.change])
            let good = try created.string("secret"), unknown = Self.made(), broken = String(good.dropLast())
            #expect(try await ask(door, good).status == 200)
            #expect(try await ask(door, "\(good)", "/api/jobs/none").status == 404)
            for key in [unknown, broken] { #expect(try await ask(door, key).status == 401) }
            let id = try created.string("key", "id")
            for named in [id, good] {
                _ = try await door.client.send(
                    "POST", "/admin/v1/keys/revoke?id=\(named)", headers: [AdminRouteTests.change])
            }
            desk.set(isAway: true)
            #expect(try await ask(door, Self.made()).status == 503)
            let all = lines.all.withLock { $0 }
            #expect(all.contains { $0.contains("operator created a key") && $0.contains(id) })
            #expect(all.contains { $0.contains("operator revoked a key") && $0.contains(id) })
            #expect(all.contains { $0.contains("key refused") })
            for line in all { #expect(!line.contains(APIKey.prefix), "\(line)") }
        }
    }
}
