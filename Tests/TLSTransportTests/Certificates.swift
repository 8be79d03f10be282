import Foundation
import TLSTransport
import TestSupport

/// The certificates that `make-certificates.sh` makes, once for a run of the tests.
enum Certificates {
    /// The folder they stand in. Tests that change files have `OwnFiles`.
    static let made = Result {
        let folder = try temporaryFolder()
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "make-certificates.sh")
        try Child.run("bash", [script.path, folder])
        return folder
    }

    static func folder() throws -> String { try made.get() }

    /// The serial or the SHA-256 fingerprint of a certificate, as openssl writes it.
    static func number(_ kind: String, of name: String) throws -> String {
        let what = kind == "serial" ? ["-serial"] : ["-fingerprint", "-sha256"]
        let text = try Child.run("openssl", ["x509", "-noout", "-in", "\(folder())/\(name).pem"] + what)
        return text.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
    }

    static func files(_ name: String, authorities: String = "ca", denied: String? = nil) throws -> CredentialFiles {
        let folder = try folder()
        return CredentialFiles(
            certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key",
            authorities: "\(folder)/\(authorities).pem", denied: denied)
    }

    /// Removed, with all that is in it, when the tests are over.
    private static let root: URL = {
        atexit { Certificates.sweep() }
        return FileManager.default.temporaryDirectory.appending(path: "tijera-tls-\(UUID().uuidString)")
    }()

    private static func sweep() { try? FileManager.default.removeItem(at: root) }

    static func temporaryFolder() throws -> String {
        let url = root.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return url.path
    }
}

/// A node's credential files in a folder of their own, to be changed under a running transport.
struct OwnFiles: Sendable {
    let folder: String
    var files: CredentialFiles {
        CredentialFiles(
            certificate: "\(folder)/node.pem", key: "\(folder)/node.key", authorities: "\(folder)/ca.pem",
            denied: "\(folder)/denied.txt")
    }

    init(_ name: String, authorities: String = "ca", denied: String = "") throws {
        folder = try Certificates.temporaryFolder()
        try Self.put(authorities, into: folder, as: "ca.pem")
        try Self.become(name, in: folder)
        try Self.write(denied, into: folder, as: "denied.txt")
    }

    /// Replaces the node's certificate and key.
    static func become(_ name: String, in folder: String) throws {
        try put(name, into: folder, as: "node.pem")
        let source = try Certificates.folder()
        try replace("\(folder)/node.key", with: try Data(contentsOf: URL(filePath: "\(source)/\(name).key")))
    }

    /// Replaces one file by a certificate file of the tests.
    static func put(_ name: String, into folder: String, as file: String) throws {
        let source = try Certificates.folder()
        try replace("\(folder)/\(file)", with: try Data(contentsOf: URL(filePath: "\(source)/\(name).pem")))
    }

    static func write(_ text: String, into folder: String, as file: String) throws {
        try replace("\(folder)/\(file)", with: Data(text.utf8))
    }

    static func remove(_ file: String, from folder: String) throws {
        try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
    }

    /// As a careful operator does it: written beside, then renamed into place.
    private static func replace(_ path: String, with data: Data) throws {
        let fresh = path + ".new"
        try data.write(to: URL(filePath: fresh))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fresh)
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        try FileManager.default.moveItem(atPath: fresh, toPath: path)
    }
}
