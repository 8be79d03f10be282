import Synchronization
package import WireProtocol

/// Plants a bug between a node and its network: what the node sends goes through `rule`, frame by frame. The product
/// has no switches for this; a bug that is planted here is one that the product might have.
package struct MeddlingTransport: PeerTransport {
    package typealias Rule = @Sendable (FrameCutter.Cut) -> [[UInt8]]

    private let base: any PeerTransport
    private let makeRule: @Sendable () -> Rule
    private let hears: @Sendable ([UInt8]) -> [UInt8]

    package init(_ base: any PeerTransport, _ rule: @escaping Rule) { self.init(base, making: { rule }) }

    /// - Parameters:
    ///   - makeRule: makes the rule of one connection: for rules that remember.
    ///   - hears: changes what arrives.
    package init(
        _ base: any PeerTransport, making makeRule: @escaping @Sendable () -> Rule,
        hears: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
    ) {
        self.base = base
        self.makeRule = makeRule
        self.hears = hears
    }

    package func connect(host: String, port: Int) async throws -> any PeerConnection {
        MeddlingConnection(try await base.connect(host: host, port: port), makeRule(), hears)
    }

    package func serve(_ accepted: @escaping @Sendable (any PeerConnection) async -> Void) async throws {
        let (makeRule, hears) = (makeRule, hears)
        try await base.serve { await accepted(MeddlingConnection($0, makeRule(), hears)) }
    }
}

private final class MeddlingConnection: PeerConnection {
    private let base: any PeerConnection
    private let rule: MeddlingTransport.Rule
    private let hears: @Sendable ([UInt8]) -> [UInt8]
    private let cutter = Mutex(FrameCutter())

    init(
        _ base: any PeerConnection, _ rule: @escaping MeddlingTransport.Rule,
        _ hears: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.base = base
        self.rule = rule
        self.hears = hears
    }

    var certifiedNames: [String] { base.certifiedNames }
    var remoteAddress: String { base.remoteAddress }
    var certificateEnd: Int? { base.certificateEnd }

    func send(_ bytes: [UInt8]) -> Bool {
        let meddled = cutter.withLock { $0.cut(bytes) }.flatMap(rule).flatMap { $0 }
        // Nothing may be left: an empty write is no write.
        return meddled.isEmpty || base.send(meddled)
    }

    func drained() async throws { try await base.drained() }
    func receive() async throws -> [UInt8]? { try await base.receive().map(hears) }
    func close(flush: Bool) { base.close(flush: flush) }
}
