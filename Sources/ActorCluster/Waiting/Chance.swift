import Synchronization

/// Where randomness comes from: the system in production, a seed in tests.
final class Chance: Sendable {
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    init(_ generator: sending any RandomNumberGenerator & Sendable) { self.generator = Mutex(generator) }

    func seed() -> UInt64 { generator.withLock { $0.next() } }

    /// A number in 0..<1.
    func fraction() -> Double { Double(seed() >> 11) * 0x1p-53 }
}
