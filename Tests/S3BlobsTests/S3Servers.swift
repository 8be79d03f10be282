import Blobs
import ClipModel
import Dispatch
import Foundation
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing

@testable import S3Blobs

/// A service of the S3 protocol on this machine, started for the tests and gone with them.
final class S3Server: Sendable {
    enum Kind: String, Sendable, CaseIterable { case seaweed, moto }

    private struct Running: Sendable {
        let identifier: Int32
        let hasEnded = DispatchSemaphore(value: 0)
    }

    struct Trouble: Error, CustomStringConvertible { let description: String }

    static let bucket = "tijera-test"
    static let credentials = S3Credentials(accessKey: "tijera", secretKey: "not-a-secret-of-anybody")

    let endpoint: String
    private let command: [String]
    /// Ours for as long as there is somebody who may start the server.
    private let ports: [LoopbackPort]
    private let running = Mutex<Running?>(nil)
    private let root: String
    private static let started = Mutex<[S3Server]>([])
    private static let ofTheProcess = Mutex<[Kind: S3Server]>([:])
    private static let oneAtATime = Turns(1)

    /// One of each kind for all tests of the process, with its bucket.
    static func shared(_ kind: Kind) async throws -> S3Server {
        try await oneAtATime.withTurn {
            if let server = ofTheProcess.withLock({ $0[kind] }) { return server }
            let server = try await launch(kind)
            ofTheProcess.withLock { $0[kind] = server }
            return server
        }
    }

    /// One more, for a test that breaks it.
    static func launch(_ kind: Kind) async throws -> S3Server {
        let server = try S3Server(kind)
        try server.start()
        try await server.makeBucket()
        return server
    }

    private init(_ kind: Kind) throws {
        root = FileManager.default.temporaryDirectory.appending(path: "s3-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let programs =
            ProcessInfo.processInfo.environment["TIJERA_S3_SERVERS"]
            ?? NSHomeDirectory() + "/.cache/tijera/s3-servers"
        let isThere = FileManager.default.isExecutableFile(atPath: programs + "/bin/weed")
        guard isThere else { throw Trouble(description: "no S3 servers in \(programs); cluster/test installs them") }
        switch kind {
        case .seaweed:
            let pairs = try (0..<4).map { _ in try Self.portPair() }
            ports = pairs.flatMap(\.self)
            let numbers = pairs.map { $0[0].number }
            let identity = """
                {"identities": [{"name": "app", "credentials": [{"accessKey": "\(Self.credentials.accessKey)",
                "secretKey": "\(Self.credentials.secretKey)"}],
                "actions": ["Admin", "Read", "List", "Tagging", "Write"]}]}
                """
            try Data(identity.utf8).write(to: URL(filePath: root + "/s3.json"))
            endpoint = "http://127.0.0.1:\(numbers[3])"
            command = [
                programs + "/bin/weed", "server", "-dir=\(root)", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                "-master.port=\(numbers[0])", "-volume.port=\(numbers[1])", "-filer", "-filer.port=\(numbers[2])",
                "-s3", "-s3.port=\(numbers[3])", "-s3.config=\(root)/s3.json", "-master.volumeSizeLimitMB=128",
                "-volume.max=50", "-volume.preStopSeconds=0", "-s3.port.iceberg=0", "-s3.port.lance=0",
            ]
        case .moto:
            let port = try LoopbackPort()
            ports = [port]
            endpoint = "http://127.0.0.1:\(port.number)"
            command = [programs + "/bin/moto_server", "-H", "127.0.0.1", "-p", "\(port.number)"]
        }
        let isFirst = Self.started.withLock { started in
            started.append(self)
            return started.count == 1
        }
        if isFirst { atexit { for server in S3Server.started.withLock({ $0 }) { server.remove() } } }
    }

    /// Ends with this process however that ends: the death signal follows the thread, which waits for it.
    func start() throws {
        let ready = Mutex<Result<Void, any Error>?>(nil)
        let told = DispatchSemaphore(value: 0)
        let command = command
        let root = root
        Thread.detachNewThread {
            do {
                let script = "exec setpriv --pdeathsig KILL -- \"$@\" >log 2>&1"
                let process = try Child(
                    "sh", ["-c", script, "sh"] + command, directory: root, output: .nothing, errors: .nothing)
                let running = Running(identifier: process.identifier)
                self.running.withLock { $0 = running }
                ready.withLock { $0 = .success(()) }
                told.signal()
                process.wait()
                running.hasEnded.signal()
            } catch {
                ready.withLock { $0 = .failure(error) }
                told.signal()
            }
        }
        told.wait()
        try ready.withLock { $0 }?.get()
    }

    /// As a crash looks to its clients.
    func kill() {
        guard
            let running = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        _ = Glibc.kill(running.identifier, SIGKILL)
        running.hasEnded.wait()
    }

    private func remove() {
        kill()
        try? FileManager.default.removeItem(atPath: root)
    }

    private func makeBucket() async throws {
        // Asked again until the service is up.
        let service = try client(configuration)
        do { _ = try await service.send(S3Client.Request(method: "PUT")) } catch {
            let log = (try? String(contentsOfFile: root + "/log", encoding: .utf8)) ?? ""
            throw Trouble(description: "\(command[0]): \(error)\n\(log.suffix(2000))")
        }
    }

    // MARK: Clients

    var configuration: S3Configuration {
        var configuration = S3Configuration(endpoint: endpoint, region: "us-east-1", bucket: Self.bucket)
        configuration.partBytes = S3Configuration.partBytesMin
        configuration.copyBytes = S3Configuration.partBytesMin
        return configuration
    }

    func client(_ configuration: S3Configuration, as credentials: S3Credentials = S3Server.credentials) throws
        -> S3Client
    {
        try S3Client(
            configuration, credentials: .fixed(credentials), clock: ContinuousClock(), now: wallTime,
            chance: { Double.random(in: 0..<1) }, logger: quiet)
    }

    /// A store of its own in the bucket, by its prefix, with a directory that is gone when the test is.
    func store(
        cacheBytesMax: Int64 = 1 << 30, as credentials: S3Credentials = S3Server.credentials,
        at endpoint: String? = nil,
        in directory: TemporaryDirectory, _ change: (inout S3Configuration) -> Void = { _ in }
    ) throws -> S3BlobStore {
        var configuration = configuration
        configuration.prefix = UUID().uuidString
        if let endpoint { configuration.endpoint = endpoint }
        change(&configuration)
        return try S3BlobStore(
            client: client(configuration, as: credentials),
            room: LocalRoom(root: directory.path, limits: BlobLimits(freeBytesMin: 0)), cacheBytesMax: cacheBytesMax)
    }

    /// A port, and with it the one 10,000 above, where SeaweedFS speaks gRPC.
    private static func portPair() throws -> [LoopbackPort] {
        for _ in 0..<100 {
            let port = try LoopbackPort()
            guard port.number < 55_000, let above = try? LoopbackPort(port.number + 10_000) else { continue }
            return [port, above]
        }
        throw Trouble(description: "the kernel has no free ports")
    }
}

extension CredentialProvider {
    static func fixed(_ credentials: S3Credentials) throws -> CredentialProvider {
        CredentialProvider(
            try CredentialChain(.settings, settings: credentials, profile: nil, environment: [:]), now: wallTime)
    }
}

let wallTime: @Sendable () -> Timestamp = {
    Timestamp(millisecondsSinceEpoch: Int64(Foundation.Date().timeIntervalSince1970 * 1000))
}

let quiet: Logger = {
    var logger = Logger(label: "s3")
    logger.logLevel = .critical
    return logger
}()

/// A directory that is gone when the test is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("s3-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

func name(_ text: String) -> BlobName { BlobName(text)! }

/// Bytes that differ from place to place.
func sample(_ count: Int, seed: Int = 1) -> [UInt8] {
    var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
}

/// The code of the error that `body` throws.
func code(_ body: () async throws -> Void) async -> BlobError.Code? {
    do { try await body() } catch { return (error as? BlobError)?.code }
    return nil
}
