import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TLSTransport
import Testing
import WireProtocol

/// One node's transport under test, with its log.
struct Node: Sendable {
    let transport: TLSTransport
    let log: LogBook

    init(
        _ files: CredentialFiles, clock: any Clock<Duration> = ContinuousClock(),
        loops: MultiThreadedEventLoopGroup? = nil, _ change: (inout TLSTransportConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = TLSTransportConfiguration.test
        change(&configuration)
        log = LogBook()
        transport = try TLSTransport(configuration, files, logger: log.logger, clock: clock, loops: loops)
    }

    func dial(_ port: Int) async throws -> any PeerConnection {
        try await transport.connect(host: "127.0.0.1", port: port)
    }
}

/// Serves `server` with `accepted` while `body` runs, then ends both transports.
func withNodes(
    _ server: Node, _ client: Node, accepted: @escaping @Sendable (any PeerConnection) async -> Void = echo,
    _ body: @Sendable (_ port: Int) async throws -> Void
) async throws {
    let port = try await server.transport.listen()
    let outcome = await withTaskGroup { group in
        // Ends by cancellation, which is its only way to end well.
        group.addTask { try? await server.transport.serve(accepted) }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(port)) } catch { outcome = .failure(error) }
        group.cancelAll()
        return outcome
    }
    try await client.transport.shutdown()
    try await server.transport.shutdown()
    try outcome.get()
}

/// A server that is knocked at by `body`, which brings its own sockets.
func withServer(
    _ server: Node, accepted: @escaping @Sendable (any PeerConnection) async -> Void = echo,
    _ body: @Sendable (_ port: Int) async throws -> Void
) async throws {
    try await withNodes(server, try Node(try Certificates.files("alpha")), accepted: accepted, body)
}

/// Sends back what comes, until the peer closes.
@Sendable func echo(_ connection: any PeerConnection) async {
    // However the connection ends, so does the echo.
    while let bytes = try? await connection.receive() {
        while !connection.send(bytes) {
            guard (try? await connection.drained()) != nil else { return }
        }
    }
}

/// Accepts and keeps silent, until the peer closes.
@Sendable func listenOnly(_ connection: any PeerConnection) async {
    while let bytes = try? await connection.receive(), !bytes.isEmpty {}
}

extension PeerConnection {
    /// The next `count` bytes; fewer when the peer closes before.
    func receive(exactly count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = try await receive() { bytes += more }
        return bytes
    }
}

/// Bytes that repeat only after a long while, so that a block which was lost or doubled shows.
func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
    (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
}

/// A port of loopback at which nobody listens: it was ours a moment ago.
func deafPort() async throws -> Int {
    let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(channel.localAddress?.port)
    try await channel.close().get()
    return port
}

/// Waits until `value` is there. Everything that tests wait for is waited for here, so that a test whose event never
/// comes fails after a minute instead of standing still. What does come is there in milliseconds, or in seconds where
/// the machine is slow and busy with other tests.
func soon<Value: Sendable>(_ what: Comment, _ value: @Sendable () async -> Value?) async throws -> Value {
    let clock = ContinuousClock(), start = clock.now
    while true {
        if let value = await value() { return value }
        try #require(start.duration(to: clock.now) < .seconds(60), what)
        try await clock.sleep(for: .milliseconds(1))
    }
}

func eventually(_ what: Comment, _ isTrue: @Sendable () async -> Bool) async throws {
    try await soon(what) { await isTrue() ? () : nil }
}

/// A door that tests open once, for whoever waits behind it.
final class Gate: Sendable {
    private let isOpen = Atomic(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    /// Returns as well when nobody opens it.
    func pass() async { try? await eventually("the gate opens") { isOpen.load(ordering: .acquiring) } }
}

/// One value from one task to another.
final class Parcel<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func put(_ fresh: Value) { value.withLock { $0 = fresh } }

    func get() async throws -> Value { try await soon("the parcel arrives") { value.withLock { $0 } } }
}

/// Thousands of sockets need more descriptors than a shell gives by default.
func allowDescriptors(_ count: UInt) -> Bool {
    var limit = rlimit()
    // `limit` is ours and outlives both calls.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
    if limit.rlim_cur >= count { return true }
    guard limit.rlim_max >= count else { return false }
    limit.rlim_cur = rlim_t(count)
    return unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
}
