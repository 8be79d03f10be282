import Dispatch
import Foundation
import Glibc
import Limits
import Logging
import Synchronization
import TestSupport
import Testing

@testable import RedisLimits

/// A real Redis of a test, on a socket in a folder of its own, gone when the test is.
final class RedisServer: Sendable {
    private struct Running: Sendable {
        let identifier: Int32
        let hasEnded = DispatchSemaphore(value: 0)
    }

    static let executable = "/usr/bin/redis-server"
    /// True when `cluster/test` has installed it.
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: executable) }

    let folder: String
    private let running = Mutex<Running?>(nil)

    /// - Parameter settings: lines of redis.conf.
    init(_ settings: String = "") throws {
        // Short enough for a socket.
        folder = "/tmp/tj-redis-\(getpid())-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let text = """
            unixsocket \(folder)/s
            dir \(folder)
            save ""
            appendonly no
            \(settings.contains("port") ? "" : "port 0")
            \(settings.replacing("FOLDER", with: folder))

            """
        try text.write(toFile: folder + "/redis.conf", atomically: true, encoding: .utf8)
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Ends with this process however that ends: the death signal follows the thread, which waits for it.
    func start() throws {
        let outcome = Mutex<Result<Running, any Error>?>(nil)
        let told = DispatchSemaphore(value: 0)
        let words = ["--pdeathsig", "KILL", "--", Self.executable, folder + "/redis.conf"]
        Thread.detachNewThread {
            do {
                let process = try Child("/usr/bin/setpriv", words, output: .nothing, errors: .nothing)
                let running = Running(identifier: process.identifier)
                outcome.withLock { $0 = .success(running) }
                told.signal()
                process.wait()
                running.hasEnded.signal()
            } catch {
                outcome.withLock { $0 = .failure(error) }
                told.signal()
            }
        }
        told.wait()
        let started = try outcome.withLock { $0 }?.get()
        running.withLock { $0 = started }
    }

    /// As a crash looks to its clients.
    func kill() {
        guard let running = running.withLock({ $0.take() }) else { return }
        _ = Glibc.kill(running.identifier, SIGKILL)
        running.hasEnded.wait()
    }

    func signal(_ number: Int32) {
        if let running = running.withLock({ $0 }) { _ = Glibc.kill(running.identifier, number) }
    }

    // MARK: Clients

    func configuration(_ who: String = "", patience: Duration = .milliseconds(50)) throws -> RedisConfiguration {
        var configuration = RedisConfiguration(
            address: try #require(RedisAddress("unix://\(who)\(folder)/s")), prefix: "tijera:test", patience: patience,
            connectPatience: max(patience, .seconds(1)))
        configuration.pauseMax = .milliseconds(200)
        return configuration
    }

    /// A connection for what a limiter would not ask. Tried again until the server is up.
    func connection() async throws -> RedisConnection {
        let configuration = try configuration()
        var last: RedisError?
        for _ in 0..<500 {
            do throws(RedisError) {
                let connection = try await RedisConnection.open(configuration)
                let answer = try await connection.ask(RESPCommand(["PING"]), patience: .seconds(5))
                if answer == .text("PONG") || answer == .error("NOAUTH Authentication required.") { return connection }
            } catch { last = error }
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
        throw try #require(last)
    }
}

extension RedisConnection {
    func ask(_ words: String...) async throws -> RESPValue {
        try await ask(RESPCommand(words), patience: .seconds(60))
    }
}

/// Runs a limiter for as long as `body` does.
func withLimiter<Answer: Sendable>(
    _ policies: [LimitPolicy], _ configuration: RedisConfiguration, log: Logger = quiet,
    _ body: @escaping @Sendable (RedisLimiter) async throws -> Answer
) async throws -> Answer {
    let limiter = RedisLimiter(policies, configuration, clock: ContinuousClock(), chance: { 0.5 }, log: log)
    return try await withThrowingTaskGroup(of: Answer?.self) { group in
        group.addTask {
            await limiter.run()
            return nil
        }
        group.addTask { try await body(limiter) }
        defer { group.cancelAll() }
        while let answer = try await group.next() {
            if let answer { return answer }
        }
        throw CancellationError()
    }
}

/// Waits until it is so, for a minute at most: other tests may keep the machine busy.
func until(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ isSo: () async throws -> Bool
) async throws {
    for _ in 0..<6000 {
        if try await isSo() { return }
        try await ContinuousClock().sleep(for: .milliseconds(10))
    }
    Issue.record("not within a minute: \(what)", sourceLocation: sourceLocation)
}

let quiet: Logger = {
    var logger = Logger(label: "redis")
    logger.logLevel = .critical
    return logger
}()
