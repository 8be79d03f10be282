package import ClipModel
import Glibc
import Synchronization

/// Where randomness comes from: the system in production, a seed in tests.
package final class Chance: Sendable {
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    package init(_ generator: sending any RandomNumberGenerator & Sendable) { self.generator = Mutex(generator) }

    package static func system() -> Chance { Chance(SystemRandomNumberGenerator()) }

    /// Runs `body` with the generator, one caller at a time.
    package func draw<Answer>(_ body: (inout AnyGenerator) -> Answer) -> Answer {
        generator.withLock { generator in
            var wrapped = AnyGenerator(base: generator)
            let answer = body(&wrapped)
            generator = wrapped.base
            return answer
        }
    }

    /// A number in 0..<1.
    package func fraction() -> Double { draw { Double.random(in: 0..<1, using: &$0) } }

    /// Carries whichever generator there is into generic code.
    package struct AnyGenerator: RandomNumberGenerator {
        fileprivate var base: any RandomNumberGenerator & Sendable
        package mutating func next() -> UInt64 { base.next() }
    }
}

/// The time of day, for people and for identifiers; durations are measured on a `Clock`.
package typealias WallTime = @Sendable () -> Timestamp

/// The clock of this machine.
package let systemWallTime: WallTime = {
    var time = timespec()
    // `time` is ours and outlives the call.
    unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
}
