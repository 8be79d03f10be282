import ClipModel
import Jobs
import Media
import Stages
import Store
import Synchronization
import Testing

/// Steps that take too long, that fall silent, and that do not let themselves be ended.
@Suite struct WorkerLimitTests {
    /// The first attempt at `name` does `first` instead of what the others do.
    private static func world(
        _ name: StageName, machineThreads: Int = 2, first: @escaping World.Play
    ) throws -> World {
        let isFirst = Atomic(true)
        return try World(machineThreads: machineThreads) { assignment, clock in
            if assignment.inputs.key == StageKey(name), isFirst.exchange(false, ordering: .relaxed) {
                try await first(assignment, clock)
            } else {
                try await clock.sleep(for: .seconds(1))
            }
        }
    }

    private static func failures(_ job: JobID, in world: World) async -> [String] {
        await world.store.events(of: job, after: 0, limit: 1000).compactMap(\.failure?.code)
    }

    @Test func `a stage that takes longer than its limit is stopped and tried again`() async throws {
        let world = try Self.world(.probe) { assignment, clock in
            for _ in 0..<1000 {
                assignment.progress(0.5)
                try await clock.sleep(for: .seconds(100))
            }
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run(upTo: 2000) { await world.store.job(job)?.status.hasEnded ?? true }
            #expect(await world.store.job(job)?.status == .ready)
            let probes = world.runs(of: .probe)
            #expect(probes.count == 2 && probes[0].wasCancelled)
            let length = try #require(probes[0].end) - probes[0].start
            #expect(abs(length - StageCost.limitSecondsFloor) < 5)
            #expect(await Self.failures(job, in: world) == ["stage_time_limit"])
        }
    }

    @Test func `one that gives no sign of life is ended long before that, and one that does may go on`() async throws {
        let silence = WorkerConfiguration().silenceSecondsMax
        let whole = StageCost.limitSeconds(.render, over: 30)
        try #require(whole > 3 * silence, "else this tells nothing")
        // Progress that does not move is a sign; so are a tool that computes, and waiting for somebody else's limits.
        let signs: [(Bool, World.Play)] = [
            (true, { _, clock in try await clock.sleep(for: .seconds(whole - 20)) }),
            (
                false,
                { assignment, clock in
                    for _ in 0..<Int((whole - 20) / 60) {
                        assignment.progress(0)
                        try await clock.sleep(for: .seconds(60))
                    }
                }
            ),
            (
                false,
                { assignment, clock in
                    assignment.effort.waitBegins()
                    defer { assignment.effort.waitEnds() }
                    try await clock.sleep(for: .seconds(whole - 20))
                }
            ),
        ]
        for (isEnded, play) in signs {
            try await inWorld(try Self.world(.render, first: play)) { world in
                let job = try await world.submit()
                try world.start("a")
                try await world.run(upTo: 2000) { await world.store.job(job)?.status.hasEnded ?? true }
                #expect(await world.store.job(job)?.status == .ready)
                let first = try #require(world.runs(of: .render).first { $0.key.index == 0 })
                #expect(first.wasCancelled == isEnded)
                #expect(await Self.failures(job, in: world) == (isEnded ? ["stage_silent"] : []))
                let length = try #require(first.end) - first.start
                // Looked at four times in one limit.
                if isEnded { #expect((silence - 1)...(silence * 1.25 + 5) ~= length) }
            }
        }
    }

    /// A world with one of two threads held by a dead disk, left behind; others have done its stage.
    private static func inStuckWorld(_ body: (World, JobID, DeadDisk) async throws -> Void) async throws {
        let dead = DeadDisk()
        try await inWorld(try Self.world(.render) { _, _ in await dead.wait() }) { world in
            defer { dead.comesBack() }
            let job = try await world.submit()
            try world.start("a")
            try await world.run(upTo: 2000) { await world.store.job(job)?.status.hasEnded ?? true }
            try #require(world.isRunning(.render), "it did not hang")
            try await body(world, job, dead)
        }
    }

    @Test func `what heeds no cancellation is left behind, and the stage is done by others`() async throws {
        try await Self.inStuckWorld { world, job, _ in
            #expect(await world.store.job(job)?.status == .ready)
            #expect(await Self.failures(job, in: world) == ["stage_silent"])
            let stuck = try #require(world.runs(of: .render).first { $0.key.index == 0 })
            #expect(stuck.end == nil)
            // Its thread is not given to others: the machine has only one left.
            let later = world.runs.filter { $0.start > stuck.start + WorkerConfiguration().silenceSecondsMax }
            #expect(!later.isEmpty && later.allSatisfy { $0.threads == 1 })
            #expect(await world.member("a").worker.running.isEmpty)
        }
    }

    @Test func `a cancelled job's stage that heeds nothing is let go of, and no result of it counts`() async throws {
        let dead = DeadDisk()
        let world = try Self.world(.render) { _, _ in await dead.wait() }
        try await inWorld(world) { world in
            defer { dead.comesBack() }
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.runs(of: .render).contains { $0.key.index == 0 && $0.end == nil } }
            _ = try await world.service.cancel(job)
            try await world.run { await world.member("a").worker.running.isEmpty }
            dead.comesBack()
            try await world.run { !world.isRunning(.render) }
            #expect(await world.store.job(job)?.status == .cancelled)
            #expect(await world.stage(job, StageKey(.render, 0))?.state == .cancelled)
        }
    }

    @Test func `one thread that is held stops no other work, and the node does not complain of it`() async throws {
        try await Self.inStuckWorld { world, _, _ in
            let second = try await world.submit()
            var pauses: Set<String> = []
            try await world.run {
                pauses.formUnion(await world.store.nodes().compactMap(\.condition.pause?.code))
                return await world.store.job(second)?.status.hasEnded ?? true
            }
            #expect(await world.store.job(second)?.status == .ready)
            #expect(pauses.isEmpty)
        }
    }

    @Test func `a node that holds one comes back after it lost its life`() async throws {
        try await Self.inStuckWorld { world, _, _ in
            let before = try #require(await world.store.nodes().first?.epoch)
            world.member("a").store.set(.down)
            try await world.run { await world.store.nodes().allSatisfy { !$0.isAlive } }
            world.member("a").store.set(.fine)
            try await world.run { await world.store.nodes().first.map { $0.isAlive && $0.epoch > before } ?? false }
            #expect(try await world.runToEnd(try await world.submit()).status == .ready)
            #expect(world.isRunning(.render))
        }
    }

    @Test func `a node that holds one says goodbye when it is asked to go`() async throws {
        try await Self.inStuckWorld { world, _, dead in
            let asked = world.seconds
            world.member("a").worker.drain()
            try await world.run { await world.store.nodes().allSatisfy { !$0.isAlive } }
            // With a goodbye, and not by the end of its lease after it was silent.
            #expect(world.seconds - asked < 5)
            #expect(!world.hasEnded("a"))
            dead.comesBack()
            try await world.run { world.hasEnded("a") }
        }
    }

    @Test func `a node whose threads are all held says so, until they come back`() async throws {
        let dead = DeadDisk()
        let world = try Self.world(.probe, machineThreads: 1) { _, _ in await dead.wait() }
        try await inWorld(world) { world in
            defer { dead.comesBack() }
            let job = try await world.submit()
            try world.start("a")
            try await world.run { await world.store.nodes().first?.condition.pause?.code == "stages_stuck" }
            #expect(await world.store.job(job)?.status == .processing)
            dead.comesBack()
            #expect(try await world.runToEnd(job).status == .ready)
            try await world.run { await world.store.nodes().first?.condition.pause == nil }
            #expect(world.runs(of: .probe).count == 2)
        }
    }
}

/// Holds whoever reads from it, as the kernel does: no cancellation reaches them.
private final class DeadDisk: Sendable {
    private struct State {
        var isBack = false
        var readers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func wait() async {
        await withCheckedContinuation { reader in
            let isBack = state.withLock { state in
                if !state.isBack { state.readers.append(reader) }
                return state.isBack
            }
            if isBack { reader.resume() }
        }
    }

    func comesBack() {
        let readers = state.withLock { state in
            state.isBack = true
            defer { state.readers = [] }
            return state.readers
        }
        for reader in readers { reader.resume() }
    }
}
