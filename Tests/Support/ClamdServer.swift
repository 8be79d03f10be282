import Foundation
import Glibc
import Subprocess
import SystemPackage

/// A real clamd with signatures of its own, which lives as long as the body of `run`.
package struct ClamdServer: Sendable {
    /// The test file of the industry, in two halves so that no scanner finds it here (eicar.org).
    package static let eicar = Array(
        ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").utf8)
    private static let executable = "/usr/sbin/clamd"
    /// True when `cluster/test` has installed it.
    package static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: executable) }

    /// As a node is told: the path of its socket, or host:port.
    package let place: String

    /// A folder whose path is short enough for a socket.
    package static func inFolder<Answer>(_ body: (String) async throws -> Answer) async throws -> Answer {
        try await inFolder("/tmp/tj-clam-\(getpid())-\(UInt32.random(in: .min ... .max))", body)
    }

    /// The same, where a node was told already.
    package static func inFolder<Answer>(
        _ folder: String, _ body: (String) async throws -> Answer
    ) async throws -> Answer {
        try FileManager.default.createDirectory(atPath: folder + "/db", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hexadecimal = eicar.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n"
            .write(toFile: folder + "/db/local.hdb", atomically: true, encoding: .utf8)
        try "Eicar-Anywhere:0:*:\(hexadecimal)\n"
            .write(toFile: folder + "/db/local.ndb", atomically: true, encoding: .utf8)
        return try await body(folder)
    }

    /// Its socket is `folder/socket`, unless it listens at a port.
    package static func run<Answer: Sendable>(
        in folder: String, port: Int? = nil, settings: String = "",
        _ body: @escaping @Sendable (ClamdServer) async throws -> Answer
    ) async throws -> Answer {
        let listen = port.map { "TCPSocket \($0)\nTCPAddr 127.0.0.1" } ?? "LocalSocket \(folder)/socket"
        let text = """
            Foreground true
            DatabaseDirectory \(folder)/db
            TemporaryDirectory \(folder)
            OfficialDatabaseOnly false
            User root
            \(listen)
            \(settings)

            """
        try text.write(toFile: folder + "/clamd.conf", atomically: true, encoding: .utf8)
        let place = port.map { "127.0.0.1:\($0)" } ?? folder + "/socket"
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))
        ]
        let setup = Subprocess.Configuration(
            executable: .path("/usr/bin/setpriv"),
            arguments: Arguments(["--pdeathsig", "KILL", "--", executable, "-c", folder + "/clamd.conf"]),
            environment: .inherit, platformOptions: options)
        let (ready, tell) = AsyncStream.makeStream(of: Void.self)
        return try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask {
                _ = try await Subprocess.run(setup, input: .none, output: .sequence, error: .discarded) { child in
                    var said = ""
                    for try await buffer in child.standardOutput {
                        // Sound: the bytes are copied before the pointer ends.
                        said += unsafe buffer.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
                        // It listens before it says so.
                        if said.contains("Self checking") { tell.yield() }
                    }
                    tell.finish()
                }
                return nil
            }
            group.addTask {
                var iterator = ready.makeAsyncIterator()
                guard await iterator.next() != nil else { throw Child.Trouble(description: "clamd did not start") }
                return try await body(ClamdServer(place: place))
            }
            defer { group.cancelAll() }
            while let answer = try await group.next() {
                if let answer { return answer }
            }
            throw CancellationError()
        }
    }
}
