import WireProtocol

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed, the same numbers.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Values that several suites start from.
enum Samples {
    static let calls = CallList(["$s4main5AlphaC3oneyyFTE", "$s4main5AlphaC3twoyyFTE", "$s4main4BetaC5threeyyFTE"])

    static func identity(
        _ name: String = "node-a", epoch: UInt64 = 1_700_000_000_000, cluster: String = "charla",
        calls: CallList = calls, placement: String = "wrh-1", versions: VersionRange = .spoken,
        limits: WireLimits = .standard
    ) -> LocalIdentity {
        var identity = LocalIdentity(
            cluster: cluster, life: PeerLife(name: name, epoch: epoch), calls: calls, placementAlgorithm: placement,
            release: "tijera 0.3", limits: limits)
        identity.versions = versions
        return identity
    }

    static let trace = TraceContext(
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "congo=t61rcWkgMzE")!

    static let writer = FrameWriter(version: 1, frameBytesMax: 1 << 20)

    static func payload(_ write: (inout [UInt8]) throws -> Void) rethrows -> [UInt8] {
        var bytes: [UInt8] = []
        try write(&bytes)
        return bytes
    }

    static func bytes(of frames: [Frame]) throws -> [UInt8] {
        try payload { bytes in for frame in frames { try writer.append(frame, to: &bytes) } }
    }

    static func number(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }
}

extension Sequence<UInt8> {
    /// Two digits a byte, as in docs/protocol.md.
    var hexadecimal: String {
        map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

extension FrameDecoder {
    /// Everything that can be taken out now.
    mutating func all() throws(WireError) -> [Frame] {
        var frames: [Frame] = []
        while let frame = try next() { frames.append(frame) }
        return frames
    }

    mutating func take(_ bytes: [UInt8]) throws(WireError) -> [Frame] {
        feed(bytes)
        return try all()
    }
}

/// What `body` throws as a `WireError`, or nil.
func wireError(_ body: () throws -> Void) -> WireError? {
    do {
        try body()
        return nil
    } catch {
        return error as? WireError
    }
}
