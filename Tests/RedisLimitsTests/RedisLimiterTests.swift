import Foundation
import Glibc
import Limits
import Logging
import Synchronization
import TestSupport
import Testing

@testable import RedisLimits

/// Against a real Redis, which is broken in every way.
@Suite(
    .enabled(if: RedisServer.isInstalled, "redis-server is not installed"), .timeLimit(.minutes(3)), .serialized)
struct RedisLimiterTests {
    /// Nothing comes back while a test looks.
    private static func slow(_ burst: Int) throws -> LimitPolicy {
        try LimitPolicy("slow", limit: 1, per: .seconds(3600), burst: burst)
    }

    /// What docs/operators.md lets the user of the cluster do.
    private static func rights(source: String = #filePath) throws -> String {
        let guide = URL(filePath: source).deletingLastPathComponent().appending(path: "../../docs/operators.md")
        let command = "ACL SETUSER tijera on >PASSWORD "
        let line = try String(contentsOf: guide, encoding: .utf8).split(separator: "\n").first { $0.hasPrefix(command) }
        return String(try #require(line).dropFirst(command.count))
    }

    private func isUp(_ limiter: RedisLimiter) async throws {
        try await until("redis is up") { limiter.state == .up }
    }

    private func isAway(_ limiter: RedisLimiter) async throws {
        try await until("redis is away") { limiter.state != .up }
    }

    @Test func `two nodes share one account, which is exact whatever comes at once`() async throws {
        let server = try RedisServer()
        try server.start()
        let configuration = try server.configuration(patience: .seconds(10))
        let policy = try Self.slow(500)
        try await withLimiter([policy], configuration) { one in
            try await withLimiter([policy], configuration) { other in
                try await isUp(one)
                try await isUp(other)
                let allowed = await withTaskGroup(of: Bool?.self) { group in
                    for number in 0..<2000 {
                        let limiter = number % 2 == 0 ? one : other
                        group.addTask { await limiter.check("slow", "client:ana")?.isAllowed }
                    }
                    return await group.reduce(into: [Bool?]()) { $0.append($1) }
                }
                #expect(allowed.filter { $0 == true }.count == 500)
                #expect(!allowed.contains(nil), "every one was answered")
                #expect(one.counts.allowed + other.counts.allowed == 500)
                #expect(one.counts.refused + other.counts.refused == 1500)
                #expect(await one.check("slow", "client:bob")?.isAllowed == true, "a neighbour loses nothing")
                #expect(await one.check("none", "client:bob") == nil, "no such limit: not for Redis to say")
            }
        }
    }

    @Test func `an answer has what the fields of a response need, and a bucket that is full again leaves nothing`()
        async throws
    {
        let server = try RedisServer()
        try server.start()
        let policy = try LimitPolicy("quick", limit: 100, per: .seconds(1), burst: 10)
        try await withLimiter([policy], try server.configuration(patience: .seconds(5))) { limiter in
            try await isUp(limiter)
            let first = try #require(await limiter.check("quick", "address:127.0.0.1"))
            #expect(first.isAllowed && first.source == .owner)
            #expect(first.decision.remaining == 9)
            #expect(first.decision.resetAfter == 10_000_000)
            let redis = try await server.connection()
            try await until("its bucket has expired") {
                try await redis.ask("EXISTS", "tijera:test:quick:address:127.0.0.1") == .integer(0)
            }
        }
    }

    @Test func `a killed server is away at once, and back when it is started again`() async throws {
        let server = try RedisServer()
        try server.start()
        _ = try await server.connection()
        let lines = Lines()
        let patience = Duration.seconds(20)
        let configuration = try server.configuration(patience: patience)
        try await withLimiter([try Self.slow(3)], configuration, log: lines.logger) { limiter in
            try await isUp(limiter)
            #expect(await limiter.check("slow", "a") != nil)
            server.kill()
            try await isAway(limiter)
            let started = ContinuousClock().now
            for _ in 0..<1000 { #expect(await limiter.check("slow", "a") == nil) }
            #expect(started.duration(to: .now) < patience, "nobody waits for a Redis that is not there, not even once")
            // Long enough for several tries.
            try await ContinuousClock().sleep(for: .milliseconds(700))
            #expect(lines.all.filter { $0.hasPrefix("warning") }.count == 1, "said once: \(lines.all)")
            try server.start()
            try await isUp(limiter)
            #expect(await limiter.check("slow", "a")?.decision.remaining == 2, "it kept nothing on disk")
            #expect(limiter.counts.connections == 2)
            #expect(limiter.counts.unanswered.values.reduce(0, +) >= 1000)
        }
        #expect(lines.all.filter { $0.hasPrefix("notice") }.count == 2)
    }

    @Test func `a server that is not there at the start is found when it comes`() async throws {
        let server = try RedisServer()
        try await withLimiter([try Self.slow(3)], try server.configuration(patience: .seconds(1))) { limiter in
            #expect(await limiter.check("slow", "a") == nil)
            try await isAway(limiter)
            try server.start()
            try await isUp(limiter)
            #expect(await limiter.check("slow", "a")?.isAllowed == true)
        }
    }

    @Test func `a server that hangs costs its patience once, and goes on by itself`() async throws {
        let server = try RedisServer()
        try server.start()
        var configuration = try server.configuration(patience: .seconds(1))
        configuration.connectPatience = .seconds(100)
        try await withLimiter([try Self.slow(100)], configuration) { limiter in
            try await isUp(limiter)
            server.signal(SIGSTOP)
            let started = ContinuousClock().now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { #expect(await limiter.check("slow", "a") == nil) } }
            }
            let first = started.duration(to: .now)
            // One after the other they would take twenty seconds.
            #expect(first > .milliseconds(900) && first < .seconds(15), "all of them wait at one time: \(first)")
            #expect(limiter.state != .up)
            let again = ContinuousClock().now
            for _ in 0..<1000 { #expect(await limiter.check("slow", "a") == nil) }
            // A thousand times the patience would be a quarter of an hour.
            #expect(again.duration(to: .now) < .seconds(60))
            server.signal(SIGCONT)
            try await isUp(limiter)
            try await until("it answers") { await limiter.check("slow", "a") != nil }
            #expect(limiter.counts.connections == 1, "the late answers were the probe")
        }
    }

    @Test func `a connection that hangs for too long is given up, and so are those that follow`() async throws {
        let server = try RedisServer()
        try server.start()
        var configuration = try server.configuration()
        configuration.connectPatience = .milliseconds(200)
        try await withLimiter([try Self.slow(100)], configuration) { limiter in
            try await isUp(limiter)
            server.signal(SIGSTOP)
            #expect(await limiter.check("slow", "a") == nil)
            // The kernel still takes connections for it.
            try await until("the connection is given up") {
                if case .away(let error) = limiter.state {
                    error.detail != "it hangs" || error.code != .late
                } else {
                    false
                }
            }
            server.signal(SIGCONT)
            try await isUp(limiter)
            #expect(limiter.counts.connections >= 2)
            try await until("it answers") { await limiter.check("slow", "a") != nil }
        }
    }

    @Test func `a script of somebody else that takes long makes some checks late and no connection break`()
        async throws
    {
        // After five seconds Redis would tell everybody that it is busy, which is another story.
        let server = try RedisServer("lua-time-limit 600000")
        try server.start()
        var configuration = try server.configuration()
        configuration.connectPatience = .seconds(100)
        try await withLimiter([try Self.slow(8000)], configuration) { limiter in
            try await isUp(limiter)
            let other = try await server.connection()
            async let slow = other.ask("EVAL", "for i = 1, 40000000 do end return 1", "0")
            try await until("a check is late") { await limiter.check("slow", "a") == nil }
            #expect(try await slow == .integer(1))
            try await until("checks go on") { await limiter.check("slow", "a") != nil }
            #expect(limiter.counts.connections == 1)
            #expect(limiter.counts.unanswered[.late, default: 0] >= 1)
        }
    }

    @Test func `a wrong password is told, but not which`() async throws {
        let server = try RedisServer("requirepass operators\nuser tijera on >s3cret/of:ours \(try Self.rights())")
        try server.start()
        _ = try await server.connection()
        let lines = Lines()
        for wrong in ["tijera:not-the-s3cret@", ""] {
            try await withLimiter([try Self.slow(3)], try server.configuration(wrong), log: lines.logger) { limiter in
                try await until("it is refused") {
                    if case .away(let error) = limiter.state { error.code == .refused } else { false }
                }
                #expect(await limiter.check("slow", "a") == nil)
            }
        }
        #expect(lines.all.contains { $0.contains("WRONGPASS") } && lines.all.contains { $0.contains("NOAUTH") })
        #expect(!lines.all.contains { $0.contains("s3cret") })
        // With the rights that docs/operators.md gives.
        let right = try server.configuration("tijera:s3cret%2Fof:ours@", patience: .seconds(5))
        try await withLimiter([try Self.slow(3)], right) { limiter in
            try await isUp(limiter)
            #expect(await limiter.check("slow", "a")?.isAllowed == true)
        }
    }

    @Test func `a server that takes no writes is away before a client asks, and while it serves`() async throws {
        let server = try RedisServer()
        try server.start()
        let redis = try await server.connection()
        // A replica of nobody, where a name that follows the primary may lead for a while.
        _ = try await redis.ask("REPLICAOF", "127.0.0.1", "1")
        try await withLimiter([try Self.slow(3)], try server.configuration(patience: .seconds(5))) { limiter in
            try await until("it is refused") {
                if case .away(let error) = limiter.state { error.detail.contains("READONLY") } else { false }
            }
            _ = try await redis.ask("REPLICAOF", "NO", "ONE")
            try await isUp(limiter)
            #expect(await limiter.check("slow", "a")?.isAllowed == true)
            _ = try await redis.ask("REPLICAOF", "127.0.0.1", "1")
            #expect(await limiter.check("slow", "a") == nil)
            try await isAway(limiter)
        }
    }

    @Test func `scripts that somebody flushed are sent again`() async throws {
        let server = try RedisServer()
        try server.start()
        try await withLimiter([try Self.slow(3)], try server.configuration(patience: .seconds(5))) { limiter in
            try await isUp(limiter)
            #expect(await limiter.check("slow", "a")?.decision.remaining == 2)
            let redis = try await server.connection()
            #expect(try await redis.ask("SCRIPT", "FLUSH") == .text("OK"))
            #expect(await limiter.check("slow", "a")?.decision.remaining == 1)
            #expect(await limiter.check("slow", "a")?.decision.remaining == 0)
            #expect(limiter.counts.connections == 1)
        }
    }

    @Test func `another database is another account`() async throws {
        try await LoopbackPort.held { port in
            let server = try RedisServer("port \(port)\nbind 127.0.0.1")
            try server.start()
            _ = try await server.connection()
            for database in [0, 3] {
                let address = try #require(RedisAddress("redis://127.0.0.1:\(port)/\(database)"))
                let configuration = RedisConfiguration(address: address, prefix: "p", patience: .seconds(1))
                try await withLimiter([try Self.slow(3)], configuration) { limiter in
                    try await isUp(limiter)
                    #expect(await limiter.check("slow", "a")?.decision.remaining == 2)
                }
            }
        }
    }

    @Test func `with TLS only a certificate that is trusted will do`() async throws {
        try await LoopbackPort.held { port in
            let server = try RedisServer(
                """
                port 0
                tls-port \(port)
                tls-cert-file FOLDER/server.pem
                tls-key-file FOLDER/server.key
                tls-ca-cert-file FOLDER/server.pem
                tls-auth-clients no
                """)
            try Child.run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
                    server.folder + "/server.key", "-out", server.folder + "/server.pem",
                ])
            try server.start()
            for host in ["127.0.0.1", "localhost"] {
                let address = try #require(RedisAddress("rediss://\(host):\(port)"))
                let trusting = RedisConfiguration(
                    address: address, prefix: "p", patience: .seconds(1), authoritiesPath: server.folder + "/server.pem"
                )
                try await withLimiter([try Self.slow(3)], trusting) { limiter in
                    try await isUp(limiter)
                    #expect(await limiter.check("slow", host)?.decision.remaining == 2)
                }
                let strange = RedisConfiguration(address: address, prefix: "p", patience: .seconds(1))
                try await withLimiter([try Self.slow(3)], strange) { limiter in
                    try await until("the certificate is not trusted") {
                        if case .away(let error) = limiter.state {
                            "\(error)".lowercased().contains("certificate")
                        } else {
                            false
                        }
                    }
                    #expect(await limiter.check("slow", host) == nil)
                }
            }
        }
    }
}

/// What was logged, as "level message metadata".
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "redis") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        init(lines: Lines) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
            lines.lines.withLock { $0.append(line) }
        }
    }
}
