import ClipModel
import ClusterSimulation
import Foundation
import StoreModel
import Testing

/// Whole clusters that do jobs, under everything that can happen, by seeds.
@Suite struct JobsSimulationTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIJERA_LONG"].map { !$0.isEmpty } ?? false
    static let seeds = Seed.forThisRun(isLong ? 1000 : 30)

    /// Every seed has a cluster of its own kind.
    static func setting(_ seed: Seed) -> JobsWorld.Setting {
        var random = SeededGenerator(seed.number &* 77)
        var setting = JobsWorld.Setting()
        setting.nodes = 3 + random.below(3)
        setting.threads = 1 + random.below(3)
        setting.jobs = 2 + random.below(4)
        setting.shares = random.chance(0.3)
        setting.lengthMax = random.chance(0.2) ? .seconds(20) : .seconds(4)
        setting.jobsMax = random.chance(0.3) ? 1 : nil
        return setting
    }

    @Test(arguments: seeds)
    func `whatever happens, every job ends and nothing takes effect twice`(seed: Seed) throws {
        let world = try JobsWorld(seed, Self.setting(seed))
        world.startAll()
        world.disturb()
        let found = world.finish()
        #expect(found.isEmpty, "\(world.report(found))")
        world.close()
    }

    @Test(arguments: seeds.prefix(2))
    func `a seed is a run, to the last choice`(seed: Seed) throws {
        func hashes() throws -> [TraceHash] {
            let world = try JobsWorld(seed, Self.setting(seed))
            world.startAll()
            world.disturb(for: .seconds(25))
            _ = world.finish()
            defer { world.close() }
            return [world.ledger.hash, world.world.scheduler.traceHash]
        }
        #expect(try hashes() == hashes(), "\(seed.replay)")
    }
}
