import Foundation
import Synchronization
import SystemPackage

/// A throwaway PostgreSQL server: a fresh directory, a socket in it, no durability, gone with the process.
///
/// It is driven through processes, which block; they do so on threads of their own, never on those that tests share.
///
/// `shared()` serves every suite that only needs databases of its own. Tests that break a server start one for
/// themselves.
package final class PostgresServer: Sendable {
    package struct Trouble: Error, CustomStringConvertible {
        package let description: String
    }

    private struct State {
        var process: ServerProcess?
        var databases = 0
    }

    private static let binaries = "/usr/lib/postgresql/15/bin"
    private static let started = Mutex<[PostgresServer]>([])
    private static let theShared = Mutex<PostgresServer?>(nil)

    /// Holds the data and the socket. Short, because the path of a socket has at most 107 bytes.
    package let directory: String
    private let state = Mutex(State())

    /// One per test process.
    package static func shared() async throws -> PostgresServer {
        try await onOwnThread {
            try theShared.withLock { shared in
                if let shared { return shared }
                let server = try PostgresServer()
                shared = server
                return server
            }
        }
    }

    /// One more, for a test that breaks it.
    package static func launch() async throws -> PostgresServer { try await onOwnThread { try PostgresServer() } }

    private init() throws {
        directory = try Self.makeDirectory()
        try Self.run(
            "\(Self.binaries)/initdb",
            ["-D", "\(directory)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
        try startNow()
        let isFirst = Self.started.withLock { started in
            started.append(self)
            return started.count == 1
        }
        // Ends with the process even if nobody calls `stop()`; a killed process takes the server along by its signal.
        if isFirst { atexit { PostgresServer.stopAll() } }
    }

    /// Creates an empty database and answers with its connection string.
    package func makeDatabase() async throws -> String {
        let name = state.withLock { state in
            state.databases += 1
            return "test_\(state.databases)"
        }
        try await execute("create database \(name)")
        return "host=\(directory) user=postgres dbname=\(name)"
    }

    /// Runs statements through psql, as somebody from outside would. Answers with unaligned rows.
    @discardableResult
    package func execute(_ sql: String, on database: String? = nil) async throws -> String {
        let connection = database ?? "host=\(directory) user=postgres dbname=postgres"
        return try await Self.onOwnThread {
            try Self.run("\(Self.binaries)/psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", connection, "-c", sql])
        }
    }

    /// As a crash of the machine looks to clients: no goodbye, and recovery at the next start.
    package func restartImmediately() async throws {
        await halt()
        try await start()
    }

    /// Breaks every connection to one database. Answers with how many.
    @discardableResult
    package func terminateBackends(of database: String) async throws -> Int {
        let victims = try await execute(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """, on: database)
        return Int(victims) ?? 0
    }

    /// Stops it and removes its directory.
    package func stop() async {
        await Self.onOwnThread { self.stopNow() }
    }

    private func stopNow() {
        haltNow()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func stopAll() {
        for server in started.withLock({ $0 }) { server.stopNow() }
    }

    /// Kills it; its clients get no goodbye.
    package func halt() async { await Self.onOwnThread { self.haltNow() } }

    private func haltNow() {
        state.withLock { state in
            state.process?.quit()
            state.process = nil
        }
    }

    /// Starts it after `halt()`.
    package func start() async throws { try await Self.onOwnThread { try self.startNow() } }

    private func startNow() throws {
        let settings = [
            "listen_addresses=", "unix_socket_directories=\(directory)", "fsync=off",
            "full_page_writes=off", "max_connections=800", "shared_buffers=32MB", "wal_level=replica",
            "max_wal_senders=2", "autovacuum=off", "log_min_messages=log",
        ]
        let arguments = ["-D", "\(directory)/data"] + settings.flatMap { ["-c", $0] }
        let command = Self.command("\(Self.binaries)/postgres", arguments)
        let process = ServerProcess(command)
        try process.waitUntilReady()
        state.withLock { $0.process = process }
    }

    private static func onOwnThread<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            Thread.detachNewThread { continuation.resume(returning: Result(catching: body)) }
        }
        return try result.get()
    }

    private static func makeDirectory() throws -> String {
        let directory = "/tmp/tj-pg-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        if geteuid() == 0 { try check("chown", ["chown", "postgres", directory]) }
        return directory
    }

    /// PostgreSQL refuses to run as root. The signal ends it when the thread that started it does.
    private static func command(_ path: String, _ arguments: [String]) -> [String] {
        let identity = geteuid() == 0 ? ["--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        return ["setpriv"] + identity + ["--pdeathsig", "QUIT", "--", path] + arguments
    }

    @discardableResult
    private static func run(_ path: String, _ arguments: [String]) throws -> String {
        try check(path, command(path, arguments))
    }

    @discardableResult
    private static func check(_ name: String, _ command: [String]) throws -> String {
        let child = try Child(command[0], Array(command.dropFirst()), directory: "/", output: .pipe, errors: .pipe)
        // Short answers only: neither pipe fills up while the other is read.
        let (answer, complaint) = (try child.output?.drained() ?? "", try child.errors?.drained() ?? "")
        let status = child.wait()
        guard status == 0 else { throw Trouble(description: "\(name) ended with \(status): \(complaint)") }
        return answer.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A server in the foreground, started and awaited by a thread of its own: the death signal follows the thread.
private final class ServerProcess: Sendable {
    private struct State {
        var log = ""
        var isReady = false
        var hasEnded = false
        var identifier: Int32?
    }

    private let state = Mutex(State())
    private let changed = NSCondition()

    init(_ command: [String]) {
        Thread.detachNewThread { self.run(command) }
    }

    func waitUntilReady() throws {
        let state = wait { $0.isReady || $0.hasEnded }
        guard state.isReady else { throw PostgresServer.Trouble(description: "the server ended: \(state.log)") }
    }

    /// Ends it without a shutdown checkpoint.
    func quit() {
        if let identifier = state.withLock({ $0.hasEnded ? nil : $0.identifier }) { kill(identifier, SIGQUIT) }
        _ = wait { $0.hasEnded }
    }

    private func run(_ command: [String]) {
        let child: Child
        do {
            child = try Child(command[0], Array(command.dropFirst()), directory: "/", output: .nothing, errors: .pipe)
        } catch {
            return change { state in (state.hasEnded, state.log) = (true, "\(error)") }
        }
        change { $0.identifier = child.identifier }
        while let bytes = try? child.errors?.readSome(), !bytes.isEmpty {
            change { state in
                state.log = String((state.log + String(decoding: bytes, as: UTF8.self)).suffix(4000))
                if state.log.contains("ready to accept connections") { state.isReady = true }
            }
        }
        try? child.errors?.close()
        child.wait()
        change { $0.hasEnded = true }
    }

    private func change(_ body: (inout State) -> Void) {
        changed.lock()
        state.withLock { state in body(&state) }
        changed.broadcast()
        changed.unlock()
    }

    private func wait(until isDone: (State) -> Bool) -> State {
        changed.lock()
        defer { changed.unlock() }
        while true {
            let now = state.withLock { $0 }
            if isDone(now) { return now }
            changed.wait()
        }
    }
}
