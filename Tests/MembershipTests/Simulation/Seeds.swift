import Glibc

/// Which seeds a run tries.
struct SeedRange: Sendable {
    let seeds: Range<UInt64>

    static var isLong: Bool {
        // The environment is read once, before anybody could change it.
        unsafe getenv("TIJERA_LONG").map { unsafe String(cString: $0) } ?? "" != ""
    }

    /// 200, or 10,000 with `cluster/test --long`. Without optimisation 20: the stories take thirty times as long.
    static var forThisRun: SeedRange {
        #if DEBUG
            SeedRange(seeds: 0..<20)
        #else
            SeedRange(seeds: 0..<(isLong ? 10_000 : 200))
        #endif
    }

    /// What `run` found wrong, each with its seed. On all processors.
    func failures(_ run: @escaping @Sendable (UInt64) -> [String]) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            let lanes: UInt64 = 4
            for lane in 0..<lanes {
                group.addTask {
                    var failures: [String] = []
                    for seed in seeds where seed % lanes == lane && failures.count < 3 {
                        failures += run(seed).map { "seed \(seed): \($0)" }
                    }
                    return failures
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }
}
