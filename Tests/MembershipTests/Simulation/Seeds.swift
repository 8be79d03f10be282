import Glibc

/// Which seeds a run tries.
struct SeedRange: Sendable {
    let seeds: Range<UInt64>

    static var isLong: Bool { !environment("TIJERA_LONG").isEmpty }

    /// 200, or 10,000 with `cluster/test --long`. Without optimisation 20: the stories take thirty times as long.
    ///
    /// `TIJERA_SEED=4711` replays the one that a failure named. `TIJERA_SEEDS=500` tries the first 500, and
    /// `TIJERA_SEEDS=200-999` those: a long run can be had in parts.
    static var forThisRun: SeedRange {
        if let one = UInt64(environment("TIJERA_SEED")) { return SeedRange(seeds: one..<one + 1) }
        let wanted = environment("TIJERA_SEEDS").split(separator: "-").map { UInt64($0) }
        switch (wanted.first ?? nil, wanted.last ?? nil) {
        case (let count?, _) where wanted.count == 1: return SeedRange(seeds: 0..<count)
        case (let first?, let last?) where wanted.count == 2 && first <= last: return SeedRange(seeds: first..<last + 1)
        default: break
        }
        #if DEBUG
            return SeedRange(seeds: 0..<20)
        #else
            return SeedRange(seeds: 0..<(isLong ? 10_000 : 200))
        #endif
    }

    private static func environment(_ name: String) -> String {
        // Nobody in this process changes the environment, and the text is copied at once.
        unsafe getenv(name).map { unsafe String(cString: $0) } ?? ""
    }

    /// What `run` found wrong, each with its seed. On all processors.
    func failures(_ run: @escaping @Sendable (UInt64) -> [String]) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            let lanes: UInt64 = 4
            for lane in 0..<lanes {
                group.addTask {
                    var failures: [String] = []
                    for seed in seeds where seed % lanes == lane && failures.count < 3 {
                        failures += run(seed).map { "replay with TIJERA_SEED=\(seed): \($0)" }
                    }
                    return failures
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }
}
