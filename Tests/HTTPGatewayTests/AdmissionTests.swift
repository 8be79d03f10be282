import HTTPGateway
import Limits
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdmissionTests {
    /// Answers from a list, and remembers who asked for what.
    final class Bucket: Sendable {
        let asked = Mutex<[String]>([])
        private let decisions: Mutex<[LimitDecision]>

        init(_ decisions: [LimitDecision]) { self.decisions = Mutex(decisions) }

        func admission() throws -> RequestAdmission {
            RequestAdmission(
                uploads: try LimitPolicy("uploads", limit: 10, per: .seconds(60)),
                jobs: try LimitPolicy("jobs", limit: 3, per: .seconds(60))
            ) { policy, subject in
                self.asked.withLock { $0.append("\(policy.name) \(subject)") }
                let decision = self.decisions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                return LimitAnswer(
                    decision ?? LimitDecision(.allowed, remaining: 0, resetAfter: 0), source: .owner)
            }
        }
    }

    @Test func `what is over the limit is refused with the time to wait, and costs no job`() async throws {
        let bucket = Bucket([
            LimitDecision(.allowed, remaining: 2, resetAfter: 1_500_000_000),
            LimitDecision(.refused(retryAfter: 6_200_000_000), remaining: 0, resetAfter: 60_000_000_000),
        ])
        try await Door.open(admission: bucket.admission()) { door in
            let body = Array(#"{"uploadId": "none"}"#.utf8)
            let key = ("X-API-Key", try await door.key("acme").text)
            let first = try await door.client.send("POST", "/api/jobs", headers: [Door.jsonType, key], body: body)
            #expect(first.status != 429)
            let second = try await door.client.send("POST", "/api/jobs", headers: [Door.jsonType, key], body: body)
            #expect(second.status == 429)
            #expect(try second.string("code") == "rate_limited")
            #expect(second.headers["retry-after"] == "7")
            #expect(second.headers["ratelimit"] == #""jobs";r=0;t=60"#)
            #expect(second.headers["ratelimit-policy"] == #""jobs";q=3;w=60"#)
            let asked = bucket.asked.withLock { $0 }
            #expect(asked == ["jobs key:acme", "jobs key:acme"])
        }
    }

    @Test func `an answer that was counted says what is left, others are not counted`() async throws {
        let bucket = Bucket([LimitDecision(.allowed, remaining: 9, resetAfter: 6_000_000_000)])
        try await Door.open(admission: bucket.admission()) { door in
            let reply = try await door.upload([Door.Part(content: [1, 2, 3])])
            #expect(reply.status == 201, "\(reply.text)")
            #expect(reply.headers["ratelimit"] == #""uploads";r=9;t=6"#)
            let read = try await door.client.send("GET", "/api/jobs")
            #expect(read.status == 200 && read.headers["ratelimit"] == nil)
            #expect(bucket.asked.withLock { $0 } == ["uploads address:127.0.0.1"])
        }
    }
}
