import Foundation
import HTTPGateway
import Node
import Testing

/// The files under `configs/` that a node is run with.
@Suite struct ProductionConfigurationTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "configs")

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// As `tijera config check` reads it, with the files that only a machine in production has in other places.
    private static func load() throws -> NodeConfiguration {
        let token = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID().uuidString)").path
        try "0123456789abcdef".write(toFile: token, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: token) }
        return try NodeConfiguration(
            path: folder.appending(path: "node.yaml").path, environment: [:],
            overrides: [
                "admin.tokenFile=\(token)", "speech.model=/proc/self/exe", "vision.faceModel=/proc/self/exe",
            ])
    }

    /// The value of a line `KEY=value` of the unit.
    private static func unit(_ key: String) throws -> String {
        let lines = try text("tijera.service").split(separator: "\n").filter { $0.hasPrefix(key + "=") }
        try #require(lines.count == 1, "\(key): \(lines)")
        return String(lines[0].dropFirst(key.count + 1))
    }

    @Test func `the node for production is one that would start, with TLS and a port for operators`() throws {
        let node = try Self.load()
        #expect(node.door.credentials?.certificate == "/etc/tijera/door.pem")
        #expect(node.door.address.hasPrefix("https://") && node.door.strictTransportSeconds != nil)
        #expect(node.door.redirectPort == 80 && node.door.adminPort == 8443 && node.adminToken != nil)
        #expect(node.door.adminHost == "127.0.0.1" && node.sandboxKind == "bwrap")
    }

    @Test func `what stands there as a comment is a setting, too`() throws {
        let text = try Self.text("node.yaml")
        // `#key: value`; words have a space after the mark.
        let optional = text.matches(of: /(?m)^ *#[A-Za-z]/).count
        #expect(optional > 10, "\(optional)")
        let whole = text.replacing(/(?m)^( *)#(?=[A-Za-z0-9]+:)/) { String($0.1) }
        #expect(!whole.contains(/(?m)^ *#[A-Za-z]/))
        let problems = ConfigurationFile.problems(in: whole, path: "node.yaml")
        #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    }

    @Test func `the unit gives a node the time and the files that it asks for`() throws {
        let node = try Self.load()
        let stop = try #require(Int(Self.unit("TimeoutStopSec")))
        // As NodeProgram bounds a graceful stop.
        #expect(stop > node.drainSeconds + node.door.shutdownSeconds + 8)
        let files = try #require(Int(Self.unit("LimitNOFILE")))
        #expect(files >= node.door.connectionsMax + 512)
        #expect(try Self.unit("Restart") == "always" && Self.unit("RestartPreventExitStatus") == "78")
        #expect(try Self.unit("ExecStart").hasSuffix("tijera node --config /etc/tijera/node.yaml"))
        // Both would keep bubblewrap from working.
        let unit = try Self.text("tijera.service")
        #expect(!unit.contains("\nAmbientCapabilities=") && !unit.contains("\nRestrictNamespaces="))
    }
}
