import ClipModel
import Foundation
import HTTPGateway
import Limits
import Synchronization
import Telemetry
import Testing

/// The limits of connections with real sockets.
@Suite(.timeLimit(.minutes(5))) struct DoorLimitTests {
    /// Limits of a second, so that a test need not wait long.
    private static func hasty(_ change: (inout GatewayConfiguration) -> Void = { _ in }) -> GatewayConfiguration {
        var configuration = GatewayConfiguration(lingerSeconds: 0, shutdownSeconds: 1)
        configuration.pace.headSeconds = 1
        configuration.pace.idleSeconds = 1
        configuration.pace.bodyWindowSeconds = 1
        configuration.pace.stuckSeconds = 1
        change(&configuration)
        return configuration
    }

    @Test func `a head that never ends is cut off`() async throws {
        try await Door.open(Self.hasty { $0.pace.idleSeconds = 100 }) { door in
            let answer = try await door.client.connect { wire in
                try await wire.write(Array("GET /livez HTTP/1.1\r\nX-Slow: ".utf8))
                return try await wire.readToEnd()
            }
            #expect(answer.isEmpty)
        }
    }

    @Test func `a body that never comes is cut off`() async throws {
        try await Door.open(Self.hasty { $0.pace.idleSeconds = 100 }) { door in
            let answer = try await door.client.connect { wire in
                try await wire.write(
                    door.client.head("POST", "/api/jobs", [Door.jsonType, ("Content-Length", "1000")]) + [123])
                return try await wire.readToEnd()
            }
            // A problem, if anything: the connection ends because the body did not come.
            #expect(answer.isEmpty || String(decoding: answer, as: UTF8.self).contains("connection_lost"))
        }
    }

    private static func answers(_ received: [UInt8]) -> Int {
        String(decoding: received, as: UTF8.self).components(separatedBy: #"{"status":"ok"}"#).count - 1
    }

    /// The node's time stands still until both answers are there, however busy the machine is.
    @Test func `a connection that asks nothing more is closed, and was kept before`() async throws {
        let clock = HandClock()
        try await Door.open(Self.hasty(), clock: clock) { door in
            let received = try await door.client.connect { wire in
                for (number, path) in ["/livez", "/readyz"].enumerated() {
                    try await wire.write(door.client.head("GET", path, []))
                    let isAnswered: Bool? = try await wire.read { received, isWhole in
                        Self.answers(received) > number ? true : isWhole ? false : nil
                    }
                    try #require(isAnswered == true)
                }
                while !door.metrics.prometheusText().contains(#"http_connections_closed_total{reason="idle"} 1"#) {
                    try Task.checkCancellation()
                    clock.advance(seconds: 1)
                    await Task.yield()
                }
                return try await wire.readToEnd()
            }
            #expect(Self.answers(received) == 2, "\(String(decoding: received, as: UTF8.self))")
        }
    }

    @Test func `a client that takes nothing of a large answer is cut off`() async throws {
        try await Door.open(Self.hasty { $0.pace.idleSeconds = 100 }) { door in
            let job = try await door.finishedJob(videos: [Array(repeating: 7, count: 32 << 20)])
            let clip = ClipID(job: job, ordinal: 0)
            try await door.client.connect { wire in
                try await wire.write(door.client.head("GET", "/api/clips/\(clip)/download", []))
                // The node has given up when it can stop at once; reading now shows an answer that is not whole.
                let registry = door.metrics
                while !registry.prometheusText().contains(#"http_connections_closed_total{reason="not_reading"} 1"#) {
                    await Task.yield()
                }
                let bytes = try? await wire.readToEnd()
                #expect((bytes?.count ?? 0) < 32 << 20)
            }
        }
    }

    @Test func `one address has so many connections and not more`() async throws {
        try await Door.open(
            Self.hasty { configuration in
                configuration.connectionsPerAddressMax = 2
                configuration.pace.idleSeconds = 100
            }
        ) { door in
            try await door.client.connect { first in
                try await first.write(door.client.head("GET", "/livez", []))
                _ = try await first.read(until: "ok")
                try await door.client.connect { second in
                    try await second.write(door.client.head("GET", "/livez", []))
                    _ = try await second.read(until: "ok")
                    let third = try? await door.client.send("GET", "/livez")
                    #expect(third == nil)
                }
            }
            // Whoever left makes room.
            var reply: RawClient.Reply?
            while reply == nil { reply = try? await door.client.send("GET", "/livez") }
            #expect(reply?.status == 200)
        }
    }

    @Test func `a slow download does not keep a node from stopping`() async throws {
        try await Door.open(Self.hasty { ($0.pace.idleSeconds, $0.pace.stuckSeconds) = (100, 1000) }) { door in
            let job = try await door.finishedJob(videos: [Array(repeating: 7, count: 32 << 20)])
            let clip = ClipID(job: job, ordinal: 0)
            try await door.client.connect { wire in
                try await wire.write(door.client.head("GET", "/api/clips/\(clip)/download", []))
                _ = try await wire.read(until: "\r\n\r\n")
                let clock = ContinuousClock(), began = clock.now
                await door.shutDown()
                // Nothing is read until the node has closed: whoever stops the gateway waits for a second and not more.
                await door.ended()
                #expect(clock.now - began < .seconds(20))
            }
        }
    }

    @Test(arguments: [
        ("GET /livez HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 40_000) + "\r\n\r\n", 431),
        ("GET /livez HTTP/9.9\r\n\r\n", 400), ("nonsense\r\n\r\n", 400),
        ("POST /api/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400),
    ])
    func `what is no request is a problem like all others`(request: String, status: Int) async throws {
        try await Door.open { door in
            let bytes = try await door.client.connect { wire in
                try await wire.write(Array(request.utf8))
                return try await wire.readToEnd()
            }
            let reply = try RawClient.parse(bytes)
            #expect(reply.status == status)
            #expect(reply.headers["content-type"] == "application/problem+json")
            #expect(reply.headers["x-content-type-options"] == "nosniff")
            #expect(reply.headers["content-security-policy"] != nil)
            #expect(try reply.string("code") == (status == 431 ? "headers_too_long" : "bad_request"))
        }
    }

    // MARK: Who asks

    private static func bucket() throws -> (RequestAdmission, @Sendable () -> [String]) {
        final class Asked: Sendable { let subjects = Mutex<[String]>([]) }
        let asked = Asked()
        let admission = RequestAdmission(
            uploads: try LimitPolicy("uploads", limit: 10, per: .seconds(60)),
            jobs: try LimitPolicy("jobs", limit: 3, per: .seconds(60))
        ) { _, subject in
            asked.subjects.withLock { $0.append(subject) }
            return LimitAnswer(LimitDecision(.allowed, remaining: 0, resetAfter: 0), source: .owner)
        }
        return (admission, { asked.subjects.withLock { $0 } })
    }

    @Test(arguments: [("", "address:127.0.0.1"), ("127.0.0.0/8", "address:203.0.113.9")])
    func `only a proxy that we know says who a client is`(trusted: String, subject: String) async throws {
        let (admission, asked) = try Self.bucket()
        var configuration = GatewayConfiguration()
        configuration.trustedProxies = try #require(TrustedProxies(trusted))
        try await Door.open(configuration, admission: admission) { door in
            _ = try await door.client.send(
                "POST", "/api/jobs", headers: [Door.jsonType, ("X-Forwarded-For", "203.0.113.9")], body: [])
            #expect(asked() == [subject])
        }
    }

    @Test func `a PROXY header says who a client is, and without one there is no answer`() async throws {
        let (admission, asked) = try Self.bucket()
        var configuration = GatewayConfiguration()
        configuration.trustedProxies = try #require(TrustedProxies("127.0.0.1"))
        configuration.expectsProxyHeader = true
        try await Door.open(configuration, admission: admission) { door in
            let head = door.client.head(
                "POST", "/api/jobs", [Door.jsonType, ("Content-Length", "2"), ("Connection", "close")])
            let binary: [UInt8] = [
                13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12, 203, 0, 113, 9, 127, 0, 0, 1,
                1, 1, 0, 80,
            ]
            for header in [Array("PROXY TCP4 203.0.113.9 127.0.0.1 5000 80\r\n".utf8), binary] {
                let bytes = try await door.client.connect { wire in
                    try await wire.write(header + head + Array("{}".utf8))
                    return try await wire.readToEnd()
                }
                let reply = try RawClient.parse(bytes)
                #expect((400..<429).contains(reply.status), "\(reply.text)")
            }
            #expect(asked() == ["address:203.0.113.9", "address:203.0.113.9"])
            let without = try? await door.client.send("GET", "/livez")
            #expect(without == nil)
        }
        configuration.trustedProxies = try #require(TrustedProxies("192.0.2.1"))
        try await Door.open(configuration) { door in
            let stranger = try? await door.client.connect { wire in
                try await wire.write(
                    Array("PROXY TCP4 203.0.113.9 127.0.0.1 5000 80\r\n".utf8) + door.client.head("GET", "/livez", []))
                return try await wire.readToEnd()
            }
            #expect(stranger == nil || stranger == [])
        }
    }
}
