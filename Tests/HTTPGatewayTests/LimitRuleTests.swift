import ClipModel
import Foundation
import HTTPGateway
import Limits
import Synchronization
import Telemetry
import Testing

struct LimitRuleTests {
    @Test func `a rule is read with everything that it may say`() throws {
        let rules = try LimitRule.list(
            "api * /api/* 600/60; down get /api/clips/*/download 10/1 burst=20 per=key at-once=3 shadow\n; ")
        #expect(rules.count == 2)
        #expect(rules[0] == LimitRule("*", "/api/*", try LimitPolicy("api", limit: 600, per: .seconds(60))))
        #expect(
            rules[1]
                == LimitRule(
                    "GET", "/api/clips/*/download", try LimitPolicy("down", limit: 10, per: .seconds(1), burst: 20),
                    per: .key, atOnceMax: 3, isShadow: true))
    }

    @Test(arguments: [
        "api", "api * api 1/1", "api * /api 1", "api * /api x/1", "api * /api 0/60", "A * /api 1/60",
        "api * /api 1/60 burst=x", "api * /api 1/60 at-once=0", "api * /api 1/60 per=tenant", "api * /api 1/60 loud",
        "api * /api 1/60 shadow=yes",
    ])
    func `what is no rule is refused in words`(text: String) {
        do {
            _ = try LimitRule.list(text)
            Issue.record("\(text) was taken")
        } catch { #expect(error.description.contains(text.split(separator: " ")[0]), "\(error)") }
    }

    @Test(arguments: [
        ("*", "/api/*", "GET", "/api/jobs/1", true), ("*", "/api/*", "GET", "/api", false),
        ("*", "/api/*", "GET", "/admin/v1", false), ("GET", "/api/jobs", "POST", "/api/jobs", false),
        ("GET", "/api/jobs/*/archive", "GET", "/api/jobs/7/archive", true),
        ("GET", "/api/jobs/*/archive", "GET", "/api/jobs/7/manifest", false),
        ("GET", "/api/jobs/*/archive", "GET", "/api/jobs/7/archive/8", false),
        ("POST", "/api/upload", "POST", "//api//upload/", true), ("*", "/*", "GET", "/livez", true),
        ("GET", "/", "GET", "/", true),
    ])
    func `a rule is about some requests and not about others`(
        method: String, path: String, asked: String, at: String, isAbout: Bool
    ) throws {
        let rule = LimitRule(method, path, try LimitPolicy("a", limit: 1, per: .seconds(1)))
        #expect(rule.matches(method: asked, path: at) == isAbout)
    }

    /// Refuses everything, or nothing, and remembers whom it was asked about.
    private final class Bucket: Sendable {
        let asked = Mutex<[String]>([])
        let refuses: Bool

        init(refuses: Bool) { self.refuses = refuses }

        func admission(_ rules: String) throws -> RequestAdmission {
            RequestAdmission(rules: try LimitRule.list(rules)) { policy, subject in
                self.asked.withLock { $0.append("\(policy.name) \(subject)") }
                let outcome = LimitDecision.Outcome.refused(retryAfter: 2_000_000_000)
                return LimitAnswer(
                    LimitDecision(self.refuses ? outcome : .allowed, remaining: 0, resetAfter: 0), source: .owner)
            }
        }
    }

    @Test func `every rule that is about a request is asked, each for its own subject`() async throws {
        let bucket = Bucket(refuses: false)
        let rules = "jobs GET /api/jobs 10/60; keys * /api/* 100/60 per=key; all * /* 1000/60 per=address"
        try await Door.open(admission: bucket.admission(rules)) { door in
            let plain = try await door.client.send("GET", "/api/jobs")
            #expect(plain.headers["ratelimit-policy"] == #""jobs";q=10;w=60, "all";q=1000;w=60"#)
            let key = ("X-API-Key", try await door.key("acme").text)
            let keyed = try await door.client.send("GET", "/api/jobs", headers: [key])
            #expect(keyed.headers["ratelimit-policy"]?.contains(#""keys";q=100;w=60"#) == true)
            let asked = bucket.asked.withLock { $0 }
            #expect(asked.prefix(2) == ["jobs address:127.0.0.1", "all address:127.0.0.1"])
            #expect(asked.dropFirst(2) == ["jobs key:acme", "keys key:acme", "all address:127.0.0.1"])
            // An error carries the fields as well.
            let missing = try await door.client.send("GET", "/api/jobs/none")
            #expect(missing.status == 404 && missing.headers["ratelimit"]?.contains("all") == true)
        }
    }

    @Test func `a shadow rule refuses nobody and is counted`() async throws {
        let bucket = Bucket(refuses: true)
        try await Door.open(admission: bucket.admission("all * /api/* 10/60 shadow; live * /livez 1/1")) { door in
            let reply = try await door.client.send("GET", "/api/jobs")
            #expect(reply.status == 200 && reply.headers["ratelimit"] == nil)
            let refused = try await door.client.send("GET", "/livez")
            #expect(refused.status == 429 && refused.headers["retry-after"] == "2")
            #expect(try refused.string("code") == "rate_limited")
            let text = door.metrics.prometheusText()
            #expect(text.contains(#"http_requests_limited_total{rule="all",outcome="shadow_rate"} 1"#), "\(text)")
            #expect(text.contains(#"http_requests_limited_total{rule="live",outcome="refused_rate"} 1"#), "\(text)")
        }
    }

    @Test func `so many downloads of one client run at a time, and not more`() async throws {
        let bucket = Bucket(refuses: false)
        try await Door.open(admission: bucket.admission("down GET /api/clips/*/download 1000/60 at-once=1")) { door in
            let job = try await door.finishedJob(videos: [Array(repeating: 7, count: 32 << 20)])
            let path = "/api/clips/\(ClipID(job: job, ordinal: 0))/download"
            try await door.client.connect { wire in
                try await wire.write(door.client.head("GET", path, []))
                _ = try await wire.read(until: "\r\n\r\n")
                let second = try await door.client.send("GET", path)
                #expect(second.status == 429 && second.headers["retry-after"] == "1")
                #expect(try second.string("code") == "too_many_at_once")
                // HEAD has another method, and JSON another path.
                let list = try await door.client.send("GET", "/api/jobs")
                #expect(list.status == 200)
            }
            // The broken download gives its place back.
            var third = 429
            while third == 429 { third = try await door.client.send("GET", path + "?inline").status }
            #expect(third == 200)
        }
    }
}
