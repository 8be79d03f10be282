import ClipModel
import ClusterSimulation
import Foundation
import Jobs
import StoreModel
import Testing

/// Whole clusters that do jobs, under everything that can happen, by seeds.
@Suite struct JobsSimulationTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIJERA_LONG"].map { !$0.isEmpty } ?? false
    /// 67 found a stage that was begun a lease after its claim, beside another node; 295 a clip that was tried again
    /// while its job was published.
    static let seeds = Seed.forThisRun(isLong ? 1000 : 25, known: [67, 295])

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
        func run() throws -> (history: [String], trace: TraceHash) {
            let world = try JobsWorld(seed, Self.setting(seed))
            defer { world.close() }
            world.startAll()
            world.disturb(for: .seconds(25))
            _ = world.finish()
            return (world.ledger.lines, world.world.scheduler.traceHash)
        }
        let (one, other) = (try run(), try run())
        let difference = zip(one.history, other.history).first { $0 != $1 }
        #expect(difference == nil, "\(String(describing: difference)); \(seed.replay)")
        #expect(one.trace == other.trace && one.history.count == other.history.count, "\(seed.replay)")
    }

    @Test func `rare paths are met`() throws {
        var troubles: Set<Trouble> = []
        var deeds: [String: Int] = [:]
        var (lost, restarts, refused) = (0, 0, 0)
        for number in 1...8 {
            let seed = Seed(UInt64(number))
            let world = try JobsWorld(seed, Self.setting(seed))
            world.startAll()
            world.disturb()
            _ = world.finish()
            troubles.formUnion(world.database.counts.troubles.keys)
            deeds.merge(world.ledger.counts) { $0 + $1 }
            lost += world.database.counts.answersLost
            restarts += world.database.counts.restarts
            refused += world.ledger.lines.count { $0.hasSuffix(", stale") }
            world.close()
        }
        #expect(troubles == Set(Trouble.allCases))
        for deed in ["claim", "complete", "register", "beat", "leave", "free", "cancel", "retry", "requeue", "delete"] {
            #expect(deeds[deed, default: 0] > 0, "nobody did \(deed)")
        }
        #expect(
            lost > 10 && restarts > 2 && refused > 0, "\(lost) answers lost, \(restarts) restarts, \(refused) stale")
    }
}
