package import ActorCluster
package import Distributed
import Logging
import Membership
import Synchronization
import TLSTransport

/// What the call benchmark calls.
package distributed actor BenchmarkEcho {
    package typealias ActorSystem = ClusterActorSystem

    /// Gives back what it got.
    package distributed func echo(_ bytes: [UInt8]) -> [UInt8] { bytes }
}

/// Calls and streams between two nodes in this process, over mutual TLS on loopback: what the protocol costs when both
/// ends share a machine.
package struct CallBenchmark: Sendable {
    package struct Figures: Sendable, Codable {
        /// With `inFlight` callers.
        package var callsPerSecond = 0.0
        /// One call at a time.
        package var callMicrosecondsMedian = 0.0
        package var callMicrosecondsP99 = 0.0
        /// A gibibyte on the bulk lane, with one call at a time beside it.
        package var streamMegabytesPerSecond = 0.0
        package var callMicrosecondsP99BesideStream = 0.0
    }

    package static let targets = CallTargets([
        CallTargets.Group(BenchmarkEcho.self, ["$s4Node13BenchmarkEchoC4echoySays5UInt8VGAGYaKFTE"])
    ])

    private final class Flag: Sendable { let isRaised = Atomic(false) }

    private let certificates: String
    private let inFlight: Int
    private let seconds: Double
    private let payload = [UInt8](repeating: 7, count: 100)
    private let clock = ContinuousClock()

    /// - Parameters:
    ///   - certificates: a folder with `ca.pem`, and `eu-1` and `us-1` as `.pem` and `.key`, as `cluster/up` makes it.
    ///   - seconds: how long each kind of call is measured.
    package init(certificates: String, inFlight: Int = 256, seconds: Double = 5) {
        self.certificates = certificates
        self.inFlight = inFlight
        self.seconds = seconds
    }

    package func run() async throws -> Figures {
        let (server, serverAddress) = try await system("eu-1")
        let (client, clientAddress) = try await system("us-1")
        server.serveStreams("sink") { stream, _, _ in
            while try await stream.read() != nil {}
            stream.finish()
        }
        _ = try server.host("echo") { BenchmarkEcho(actorSystem: server) }
        let remote = try client.named(BenchmarkEcho.self, "echo", on: server.life)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run(seeds: [clientAddress]) }
            group.addTask { try await client.run(seeds: [serverAddress]) }
            for await view in client.views() where view[server.life.id] != nil { break }
            let figures = try await measure(remote, client, server.life)
            group.cancelAll()
            return figures
        }
    }

    private func system(_ name: String) async throws -> (ClusterActorSystem, PeerAddress) {
        var listening = TLSTransportConfiguration()
        listening.host = "127.0.0.1"
        listening.port = 0
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let transport = try TLSTransport(
            listening,
            CredentialFiles(
                certificate: "\(certificates)/\(name).pem", key: "\(certificates)/\(name).key",
                authorities: "\(certificates)/ca.pem"),
            logger: logger, clock: clock)
        let address = PeerAddress(host: "127.0.0.1", port: try await transport.listen())
        guard let id = MemberID(name) else { preconditionFailure("\(name) is no name") }
        var configuration = ClusterConfiguration(
            cluster: "bench", life: MemberLife(id: id, epoch: 1),
            metadata: MemberMetadata(region: "bench", zone: "", peerAddress: address))
        configuration.membership = .local
        return (
            ClusterActorSystem(configuration, targets: Self.targets, transport: transport, clock: clock, log: logger),
            address
        )
    }

    private func measure(
        _ remote: BenchmarkEcho, _ client: ClusterActorSystem, _ server: MemberLife
    ) async throws -> Figures {
        var figures = Figures()
        _ = try await calls(to: remote, callers: 8, seconds: 0.5)  // connections, caches
        figures.callsPerSecond =
            Double(try await calls(to: remote, callers: inFlight, seconds: seconds).count) / seconds
        let single = try await calls(to: remote, callers: 1, seconds: seconds)
        figures.callMicrosecondsMedian = microseconds(single, at: 0.5)
        figures.callMicrosecondsP99 = microseconds(single, at: 0.99)
        let (beside, megabytes) = try await callsBesideStream(remote, client, server)
        figures.callMicrosecondsP99BesideStream = microseconds(beside, at: 0.99)
        figures.streamMegabytesPerSecond = megabytes
        return figures
    }

    /// How long each call took, sorted.
    private func calls(to remote: BenchmarkEcho, callers: Int, seconds: Double) async throws -> [Duration] {
        let end = clock.now + .seconds(seconds)
        return try await withThrowingTaskGroup(of: [Duration].self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var times: [Duration] = []
                    while clock.now < end { times.append(try await call(remote)) }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
    }

    private func call(_ remote: BenchmarkEcho) async throws -> Duration {
        let start = clock.now
        let answer = try await remote.echo(payload)
        precondition(answer.count == payload.count, "an echo of \(answer.count) bytes")
        return start.duration(to: clock.now)
    }

    /// One gibibyte to the sink, and one call at a time until it is through.
    private func callsBesideStream(
        _ remote: BenchmarkEcho, _ client: ClusterActorSystem, _ server: MemberLife
    ) async throws -> (calls: [Duration], megabytesPerSecond: Double) {
        let end = Flag()
        return try await withThrowingTaskGroup(of: [Duration].self) { group in
            group.addTask {
                var times: [Duration] = []
                while !end.isRaised.load(ordering: .relaxed) { times.append(try await call(remote)) }
                return times.sorted()
            }
            let chunk = [UInt8](repeating: 1, count: 256 << 10), chunks = 4096
            let start = clock.now
            try await client.withTimeLimit(.seconds(120)) {
                try await client.withStream(to: server, purpose: "sink") { stream in
                    for _ in 0..<chunks { try await stream.write(chunk) }
                    stream.finish()
                    // The sink closes its side when it has read everything.
                    while try await stream.read() != nil {}
                }
            }
            let seconds = start.duration(to: clock.now) / .seconds(1)
            end.isRaised.store(true, ordering: .relaxed)
            let times = try await group.next() ?? []
            return (times, Double(chunks * chunk.count) / 1e6 / seconds)
        }
    }

    private func microseconds(_ sorted: [Duration], at share: Double) -> Double {
        guard !sorted.isEmpty else { return .infinity }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / .microseconds(1)
    }
}
