import Foundation
import HTTPClient
import Subprocess
import Synchronization
import SystemPackage
import Testing

/// A cluster of real processes in a folder of its own, started and stopped by the project's own scripts.
final class Cluster: Sendable {
    struct Node: Decodable, Sendable {
        let name: String
        let pid: Int32
        let region: String
        let http: String
        let log: String
    }

    private struct Description: Decodable {
        let nodes: [Node]
        let adminToken: String
        let database: String
        let postgresData: String
        let authorities: String?
    }

    let folder: String
    private let options: [String]
    /// For nodes to be started with.
    private let environment: [String: String]
    private let description: Mutex<Description>

    static var home: String { environment("TIJERA_HOME") }
    static var executable: String { environment("TIJERA_EXECUTABLE") }
    static var fixtures: String { environment("TIJERA_FIXTURES") }

    /// Nobody listens there. Who went through it could not reach anything.
    static let deadProxy = ["http_proxy": "http://127.0.0.1:9", "no_proxy": ""]

    static func environment(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }

    /// True when `cluster/test` runs us. By hand there is no program to test.
    static var isPossible: Bool { !executable.isEmpty && !home.isEmpty && !fixtures.isEmpty }

    private init(
        folder: String, options: [String], environment: [String: String], description: Description
    ) {
        self.folder = folder
        self.options = options
        self.environment = environment
        self.description = Mutex(description)
    }

    var nodes: [Node] { description.withLock { $0.nodes } }
    var adminToken: String { description.withLock { $0.adminToken } }
    /// Whose certificates its doors show; nil: they speak without TLS.
    var authorities: String? { description.withLock { $0.authorities } }
    var blobs: String { folder + "/blobs" }

    /// - Parameter options: of `cluster/up`, which gets them again when it brings back what died.
    static func start(nodes: Int, options: [String], environment: [String: String] = [:]) async throws -> Cluster {
        let folder = try Scratch.folder()
        try await up(folder, nodes: nodes, options, environment)
        return Cluster(
            folder: folder, options: options, environment: environment, description: try read(folder))
    }

    /// `cluster/up` again: brings back what died.
    func revive() async throws {
        try await Self.up(folder, nodes: nodes.count, options, environment)
        let fresh = try Self.read(folder)
        description.withLock { $0 = fresh }
    }

    func stop() async throws {
        let output = try await Shell.run("\(Self.home)/cluster/down", ["--data", folder])
        #expect(output.code == 0, "\(output.text)")
    }

    func erase() async throws {
        let output = try await Shell.run("\(Self.home)/cluster/down", ["--data", folder, "--erase"])
        #expect(output.code == 0, "\(output.text)")
    }

    /// The server crashes and recovers.
    func crashPostgres() async throws {
        let output = try await Shell.run(
            "\(Self.home)/cluster/dev", ["restart-postgres"], environment: ["TIJERA_DATA": folder])
        #expect(output.code == 0, "\(output.text)")
    }

    /// The private SeaweedFS of a cluster whose blobs stand in S3 dies; `revive` brings it back.
    func killSeaweed() throws {
        let text = try String(contentsOfFile: folder + "/s3/weed.pid", encoding: .utf8)
        let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(text)")
        #expect(kill(pid, SIGKILL) == 0)
    }

    private static func up(
        _ folder: String, nodes: Int, _ options: [String], _ environment: [String: String]
    ) async throws {
        let output = try await Shell.run(
            "\(home)/cluster/up", ["--data", folder, "--nodes", "\(nodes)"] + options, environment: environment)
        try #require(output.code == 0, "cluster/up: \(output.text)")
    }

    private static func read(_ folder: String) throws -> Description {
        try JSONDecoder().decode(Description.self, from: Data(contentsOf: URL(filePath: folder + "/cluster.json")))
    }
}

/// Programs run to their end, with what they said.
enum Shell {
    struct Output: Sendable {
        let code: Int32
        let text: String
        let standardOutput: String
    }

    static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> Output
    {
        var custom: [Environment.Key: String?] = [:]
        for (name, value) in environment { custom[Environment.Key(stringLiteral: name)] = value }
        let result = try await Subprocess.run(
            program.hasPrefix("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
            environment: .inherit.updating(custom), output: .string(limit: 1 << 22), error: .string(limit: 1 << 22))
        let code: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        let out = result.standardOutput
        return Output(code: code, text: out + result.standardError, standardOutput: out)
    }

    static func ffmpeg(_ arguments: [String]) async throws {
        let output = try await run("ffmpeg", ["-nostdin", "-v", "error", "-y"] + arguments)
        try #require(output.code == 0, "ffmpeg \(arguments.joined(separator: " ")): \(output.text)")
    }
}

/// Folders under the system's temporary one. Short paths: a socket's path has a limit.
enum Scratch {
    static func folder() throws -> String {
        var template = Array("/tmp/tijera-e2e-XXXXXX".utf8CString)
        // Sound: mkdtemp writes into the array, which outlives the call.
        let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        try #require(made, "cannot make a folder in /tmp")
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
