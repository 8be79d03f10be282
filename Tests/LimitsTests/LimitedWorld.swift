import ActorCluster
import ClusterSimulation
import Limits
import Membership
import Placement
import Synchronization
import Testing

/// A simulated cluster whose nodes have limiters, and what was admitted in it.
final class LimitedWorld {
    /// What the clients of all nodes were told.
    final class Record: Sendable {
        struct Entry: Sendable {
            let at: Nanoseconds
            let node: String
            let subject: String
            let answer: LimitAnswer
        }

        private let entries = Mutex<[Entry]>([])
        var all: [Entry] { entries.withLock { $0 } }
        func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }

        func count(_ isMeant: (Entry) -> Bool) -> Int { all.count(where: isMeant) }
        func sources() -> Set<LimitAnswer.Source> { Set(all.map(\.answer.source)) }
    }

    private final class Limiters: Sendable {
        let byLife = Mutex<[MemberLife: Limiter]>([:])
    }

    let world: ClusterWorld
    let record = Record()
    private let limiters = Limiters()
    /// The limiter of a node, and its clients: they end with it. A client that outlived its node would go on asking a
    /// dead limiter, which thinks itself the owner for ever, and what no cluster admits would be counted.
    private var runs: [String: [Errand<Void>]] = [:]

    /// - Parameter keeper: makes where the snapshots are kept, once for the whole cluster.
    init(
        _ seed: Seed = Seed(1), nodes: Int = 3, policies: [LimitPolicy],
        keeper: (any Clock<Duration>) -> LimiterSnapshots = { LimiterSnapshots.inMemory(clock: $0) },
        configure: @escaping (inout LimiterConfiguration) -> Void = { _ in }
    ) throws {
        let limiters = limiters
        let policies = try LimitPolicies(policies)
        let snapshots = Kept()
        var setting = ClusterWorld.Setting()
        setting.nodes = nodes
        setting.targets = CallTargets([RateLimiter.targets])
        setting.register = { system, clock in
            var configuration = LimiterConfiguration()
            configure(&configuration)
            guard
                let limiter = try? Limiter(
                    policies, configuration: configuration, snapshots: snapshots.value, on: system, clock: clock)
            else { return }
            limiters.byLife.withLock { $0[system.life] = limiter }
        }
        world = ClusterWorld(seed, setting)
        snapshots.value = keeper(VirtualClock(world.scheduler))
    }

    /// Set after the world is there, because it keeps time by the world's clock.
    private final class Kept { var value = LimiterSnapshots.none }

    deinit { for run in runs.values.joined() { run.cancel() } }

    // MARK: Nodes

    func startAll() throws {
        for name in world.names { start(name) }
        try #require(world.settle(), "\(world.report(world.disagreements))")
        // Nobody waits for anybody's account any more.
        world.run(for: .seconds(5))
    }

    func start(_ name: String) {
        world.start(name)
        let limiter = limiter(name)
        runs[name] = [world.begin(on: name) { _ in await limiter.run() }]
    }

    func crash(_ name: String) { end(name) { world.crash(name) } }
    func powerOff(_ name: String) { end(name) { world.powerOff(name) } }

    private func end(_ name: String, _ how: () -> Void) {
        for run in runs.removeValue(forKey: name) ?? [] { run.cancel() }
        how()
    }

    func drain(_ name: String, _ schedulability: Schedulability = .draining) {
        let system = world[name].system
        guard var metadata = system.view?[world[name].life.id]?.metadata else { return }
        metadata.schedulability = schedulability
        system.changeMetadata(metadata)
    }

    func limiter(_ name: String) -> Limiter {
        guard let limiter = limiters.byLife.withLock({ $0[world[name].life] }) else {
            preconditionFailure("\(name) has no limiter")
        }
        return limiter
    }

    func counts(_ name: String) -> LimiterCounts { limiter(name).counts }

    // MARK: Clients

    /// Asks on that node, until there is an answer.
    func check(_ subject: String, on name: String, policy: String = "api", _ quantity: Int = 1) throws -> LimitAnswer {
        let limiter = limiter(name)
        return try world.perform(on: name) { _ in try await limiter.check(policy, subject, quantity: quantity) }
    }

    /// So many checks at once.
    func rush(_ count: Int, _ subjects: [String], on name: String) throws -> [LimitAnswer] {
        let limiter = limiter(name)
        return try world.perform(on: name) { _ in
            try await withThrowingTaskGroup(of: LimitAnswer.self) { group in
                for number in 0..<count {
                    group.addTask { try await limiter.check("api", subjects[number % subjects.count]) }
                }
                var answers: [LimitAnswer] = []
                for try await answer in group { answers.append(answer) }
                return answers
            }
        }
    }

    /// A client on that node that comes in rushes with rests between them, and notes what it is told.
    func beginClient(
        on name: String, _ subject: String, rests: ClosedRange<Duration>, for duration: Duration, seed: UInt64
    ) {
        let (limiter, record, scheduler) = (limiter(name), record, world.scheduler)
        let clock = VirtualClock(scheduler)
        let client = world.begin(on: name) { _ in
            var random = ClusterSimulation.SeededGenerator(seed)
            let end = scheduler.now + duration
            while scheduler.now < end {
                try await clock.sleep(for: random.duration(in: rests))
                for _ in 0..<5 + random.below(60) {
                    let answer = try await limiter.check("api", subject)
                    record.add(
                        Record.Entry(
                            at: Nanoseconds(scheduler.now / .nanoseconds(1)), node: name, subject: subject,
                            answer: answer))
                    try await clock.sleep(for: random.duration(in: .microseconds(50)...Duration.milliseconds(2)))
                }
            }
        }
        runs[name, default: []].append(client)
    }

    /// The most that any window of any subject held above its burst and what came back in it.
    func excess(_ policy: LimitPolicy) -> Int {
        // Clocks drift by up to 0.05 %.
        var checkers: [String: BoundChecker] = [:]
        for entry in record.all where entry.answer.isAllowed {
            checkers[entry.subject, default: BoundChecker(policy, driftPerMillion: 500)].admit(1, at: entry.at)
        }
        return checkers.values.map(\.excess).max() ?? 0
    }

    func owner(of subject: String, policy: String = "api") -> String {
        guard let view = world.running.first?.system.view else { return "" }
        let placement = Placement(view, policy: PlacementPolicy())
        return placement.owner(of: PlacementKey(subject, kind: "limit/\(policy)"))?.rawValue ?? ""
    }

    func subject(ownedBy name: String, policy: String = "api") throws -> String {
        try #require((0..<10_000).lazy.map { "s\($0)" }.first { self.owner(of: $0, policy: policy) == name })
    }
}
