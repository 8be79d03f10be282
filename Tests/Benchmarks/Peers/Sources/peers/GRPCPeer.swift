import GRPCCore
import GRPCNIOTransportHTTP2

/// A unary echo over grpc-swift-2, both ends in this process, over mutual TLS on loopback. Bytes go as they are: this
/// measures gRPC and not protobuf.
struct GRPCPeer {
    let certificates: Certificates
    let seconds: Double
    private let clock = ContinuousClock()

    private struct Bytes: MessageSerializer, MessageDeserializer {
        func serialize<Wire: GRPCContiguousBytes>(_ message: [UInt8]) -> Wire { Wire(message) }
        func deserialize<Wire: GRPCContiguousBytes>(_ wire: Wire) -> [UInt8] { wire.withUnsafeBytes { Array($0) } }
    }

    private struct Echo: RegistrableRPCService {
        static let method = MethodDescriptor(fullyQualifiedService: "peers.Echo", method: "Echo", type: .unary)

        func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
            router.registerHandler(forMethod: Self.method, deserializer: Bytes(), serializer: Bytes()) { request, _ in
                let message = try await ServerRequest(stream: request).message
                return StreamingServerResponse(single: ServerResponse(message: message))
            }
        }
    }

    private typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    init(certificates: Certificates, seconds: Double) {
        self.certificates = certificates
        self.seconds = seconds
    }

    func run() async throws -> Figures {
        var config = HTTP2ServerTransport.Posix.Config.defaults
        // The default names no limit; this says that every call of the load may be under way at once.
        config.http2.maxConcurrentStreams = Load.inFlight
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0),
            transportSecurity: .mTLS(
                certificateChain: [.file(path: certificates.chain("eu-1"), format: .pem)],
                privateKey: .file(path: certificates.key("eu-1"), format: .pem)
            ) { $0.trustRoots = .certificates([.file(path: certificates.authorities, format: .pem)]) },
            config: config)
        return try await withGRPCServer(transport: transport, services: [Echo()]) { server in
            guard let address = try await server.listeningAddress?.ipv4 else {
                preconditionFailure("the server listens on no IPv4 address")
            }
            return try await withGRPCClient(transport: client(of: address.port)) { try await measure($0) }
        }
    }

    private func client(of port: Int) throws -> HTTP2ClientTransport.Posix {
        try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port),
            transportSecurity: .mTLS(
                certificateChain: [.file(path: certificates.chain("us-1"), format: .pem)],
                privateKey: .file(path: certificates.key("us-1"), format: .pem)
            ) {
                $0.trustRoots = .certificates([.file(path: certificates.authorities, format: .pem)])
                // As the nodes do it: an address was dialled, not a name.
                $0.serverCertificateVerification = .noHostnameVerification
            })
    }

    private func measure(_ client: Client) async throws -> Figures {
        _ = try await calls(client, callers: 8, for: Load.warmUp)
        let many = try await calls(client, callers: Load.inFlight, for: .seconds(seconds))
        let single = try await calls(client, callers: 1, for: .seconds(seconds))
        return Figures(callsPerSecond: Double(many.count) / seconds, single: single)
    }

    private func calls(_ client: Client, callers: Int, for time: Duration) async throws -> [Duration] {
        let end = clock.now + time
        return try await withThrowingTaskGroup(of: [Duration].self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var times: [Duration] = []
                    while clock.now < end { times.append(try await call(client)) }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func call(_ client: Client) async throws -> Duration {
        let start = clock.now
        let answer = try await client.unary(
            request: ClientRequest(message: Load.payload), descriptor: Echo.method, serializer: Bytes(),
            deserializer: Bytes(), options: .defaults
        ) { try $0.message }
        precondition(answer.count == Load.payload.count, "an echo of \(answer.count) bytes")
        return start.duration(to: clock.now)
    }
}
