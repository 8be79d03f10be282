import Limits
import Testing

/// docs/limits.md, "The bound".
@Suite struct BoundTests {
    @Test(arguments: [(2, 1, 1), (3, 1, 2), (4, 2, 2)])
    func `no short history of a small world passes the bound`(burst: Int, lentUnitsMax: Int, step: Int) throws {
        let world = try SliceWorld(burst: burst, lentUnitsMax: lentUnitsMax, unitEvery: step)
        let exploration = world.explore(depth: 8)
        #expect(exploration.states > 1000)
        #expect(exploration.excess <= lentUnitsMax)
    }

    @Test(arguments: [(2, 1, 1), (4, 1, 2), (4, 2, 1), (6, 3, 1)])
    func `no long history of a small world passes the bound`(burst: Int, lentUnitsMax: Int, step: Int) throws {
        let world = try SliceWorld(burst: burst, lentUnitsMax: lentUnitsMax, unitEvery: step)
        var worst = 0
        for seed in 0..<4000 as Range<UInt64> {
            let excess = world.wander(seed: seed)
            worst = max(worst, excess)
            if excess > lentUnitsMax {
                Issue.record("seed \(seed): \(excess) above the burst")
                return
            }
        }
        // And it is no larger than it has to be.
        #expect(worst == lentUnitsMax)
    }

    @Test(arguments: SliceWorld.Fault.allCases)
    func `a small world finds a planted fault`(fault: SliceWorld.Fault) throws {
        let world = try SliceWorld(burst: 4, lentUnitsMax: 2, unitEvery: 1, fault: fault)
        let found = (0..<30_000 as Range<UInt64>).first { world.wander(seed: $0) > 2 }
        #expect(found != nil)
    }
}
