import Foundation
import HTTPGateway

/// A certificate authority of a test: a root, one below it, and what that one signs, in a folder that goes with it.
struct Authority: Sendable {
    enum KeyKind: Sendable, Hashable { case elliptic, rsa }

    /// From its first second to its last, as openssl writes them.
    enum Validity: Sendable {
        case now, past, future

        var dates: [String] {
            switch self {
            case .now: ["-startdate", "20200101000000Z", "-enddate", "20991231235959Z"]
            case .past: ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"]
            case .future: ["-startdate", "20900101000000Z", "-enddate", "20991231235959Z"]
            }
        }
    }

    let folder: URL
    /// What a client is given to trust: PEM.
    var root: String { path("root.pem") }

    static func with(_ body: @Sendable (Authority) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(Authority(in: folder))
    }

    private init(in folder: URL) async throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write("", "index.txt")
        // `openssl ca` takes dates, which `openssl x509` does only since OpenSSL 3.4.
        try write(
            """
            [ca]
            default_ca = tests
            [tests]
            database = \(path("index.txt"))
            serial = \(path("serial"))
            new_certs_dir = \(folder.path)
            default_md = sha256
            policy = any
            unique_subject = no
            [any]
            commonName = supplied

            """, "ca.cnf")
        let mayGrant = "basicConstraints=critical,CA:TRUE", use = "keyUsage=critical,keyCertSign,cRLSign"
        _ = try await EntranceTests.output(
            "openssl",
            ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=root", "-addext", mayGrant, "-addext", use]
                + Self.newKey(.elliptic) + ["-keyout", path("root.key"), "-out", root])
        try await sign("middle", by: "root", .elliptic, .now, ["\(mayGrant),pathlen:0", use])
    }

    /// A certificate for these names (`DNS:localhost,IP:127.0.0.1`), with the one that signed it behind it.
    func credentials(
        _ name: String = "door", for names: String = "DNS:localhost", key: KeyKind = .elliptic,
        valid: Validity = .now, isWhole: Bool = true
    ) async throws -> DoorCredentials {
        try await sign(
            name, by: "middle", key, valid,
            [
                "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature",
                "extendedKeyUsage=serverAuth", "subjectAltName=\(names)",
            ])
        let chain = [name] + (isWhole ? ["middle"] : [])
        let text = try chain.map { try String(contentsOfFile: path($0 + ".pem"), encoding: .utf8) }.joined()
        try write(text, name + "-chain.pem")
        return DoorCredentials(certificate: path(name + "-chain.pem"), key: path(name + ".key"))
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ text: String, _ name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    private func sign(
        _ name: String, by signer: String, _ key: KeyKind, _ valid: Validity, _ extensions: [String]
    ) async throws {
        _ = try await EntranceTests.output(
            "openssl",
            ["req", "-new", "-nodes", "-subj", "/CN=\(name)"] + Self.newKey(key)
                + ["-keyout", path(name + ".key"), "-out", path(name + ".csr")])
        try write(extensions.joined(separator: "\n") + "\n", name + ".ext")
        _ = try await EntranceTests.output(
            "openssl",
            [
                "ca", "-config", path("ca.cnf"), "-batch", "-notext", "-rand_serial", "-cert", path(signer + ".pem"),
                "-keyfile", path(signer + ".key"), "-in", path(name + ".csr"), "-extfile", path(name + ".ext"),
            ] + valid.dates + ["-out", path(name + ".pem")])
    }

    private static func newKey(_ kind: KeyKind) -> [String] {
        switch kind {
        case .elliptic: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        case .rsa: ["-newkey", "rsa:2048"]
        }
    }
}
