package import Foundation

/// What a run of the simulation is a function of.
package struct Seed: Hashable, Sendable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    /// The seed of `TIJERA_SEED`, to replay a failure; else the first `count` numbers, and those of `Seeds.txt` that
    /// once found something. `TIJERA_SEEDS` asks for more.
    package static func forThisRun(_ count: Int, known: [UInt64] = []) -> [Seed] {
        let environment = ProcessInfo.processInfo.environment
        if let text = environment["TIJERA_SEED"], let number = UInt64(text) { return [Seed(number)] }
        let wanted = environment["TIJERA_SEEDS"].flatMap { Int($0) } ?? count
        return (known + (1...UInt64(max(1, wanted)))).map { Seed($0) }
    }

    /// The seeds of a file: one number to a line, what follows it says what it found.
    package static func kept(in file: URL) throws -> [UInt64] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            line.split(separator: " ").first.flatMap { UInt64($0) }
        }
    }

    /// How to see the run again.
    package var replay: String { "replay with TIJERA_SEED=\(number)" }

    package var description: String { "seed \(number)" }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a stream of numbers that is the same everywhere.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Another stream, for something of its own: what one part draws does not change what another gets.
    package mutating func fork() -> SeededGenerator { SeededGenerator(next()) }

    package mutating func chance(_ probability: Double) -> Bool { fraction() < probability }
    package mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
    package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    package mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        range.lowerBound + (range.upperBound - range.lowerBound) * fraction()
    }
}

/// FNV-1a over everything that happened in a run: two runs of one seed have one hash, or something is not under
/// control.
package struct TraceHash: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package mutating func mix(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            value = (value ^ (number >> shift & 0xff)) &* 0x0000_0100_0000_01b3
        }
    }

    package mutating func mix(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }
}
