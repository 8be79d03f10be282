import ClipModel
import Jobs
import Stages
import Store
import Synchronization
import Testing

/// What stages take on a node: measured by its worker, told with its heartbeat, used where a job is shown.
@Suite struct MeasuredCostsTests {
    /// Rendering takes three times what the constant says, all else what it says. The first try at `probe` takes long
    /// and fails.
    private static func play() -> World.Play {
        let isFirstProbe = Mutex(true)
        return { assignment, clock in
            let key = assignment.inputs.key
            let fails = isFirstProbe.withLock { isFirst in
                defer { if key.name == .probe { isFirst = false } }
                return isFirst && key.name == .probe
            }
            let cost = StageCost.seconds(key.name, over: assignment.inputs.workSeconds)
            try await clock.sleep(for: .seconds(fails ? 30 : key.name == .render ? 3 * cost : cost))
            if fails { throw Failure(.transient, code: "odd", reason: "It broke.", hint: "Wait.") }
        }
    }

    private static func costs(of name: String, in world: World) async -> MeasuredCosts? {
        await world.store.nodes().first { $0.id.rawValue == name }?.condition.measuredCosts
    }

    @Test func `what stages took that made something travels with the heartbeat`() async throws {
        try await inWorld(try World(shares: true, play: Self.play())) { world in
            try world.start("a")
            let beforeAny = world.seconds + 1.5
            try await world.run { world.seconds > beforeAny }
            #expect(await Self.costs(of: "a", in: world) == nil)
            _ = try await world.runToEnd(try await world.submit())
            try await world.run { await Self.costs(of: "a", in: world)?[.publish] != nil }
            let told = try #require(await Self.costs(of: "a", in: world))
            for name in StageName.allCases {
                let measure = try #require(told[name], "\(name)")
                // Threads are gathered before: a tenth of a second would show.
                #expect(abs(measure.factor - (name == .render ? 3 : 1)) < 0.001, "\(name) \(measure.factor)")
                #expect(measure.runs == (name.fansOut ? 2 : 1), "\(name)")
            }

            // Another job of the same file reuses all but `publish`.
            _ = try await world.runToEnd(try await world.submit())
            try await world.run { await Self.costs(of: "a", in: world)?[.publish]?.runs == 2 }
            let again = try #require(await Self.costs(of: "a", in: world))
            for name in StageName.allCases where name != .publish { #expect(again[name] == told[name], "\(name)") }
        }
    }

    @Test func `a stage that is stopped is not measured`() async throws {
        let world = try World { assignment, clock in
            try await clock.sleep(for: .seconds(assignment.inputs.key.name == .transcribe ? 1000 : 1))
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            _ = try await world.service.cancel(job)
            try await world.run { !world.isRunning(.transcribe) }
            let stopped = world.seconds
            try await world.run { world.seconds > stopped + 3 }
            let told = try #require(await Self.costs(of: "a", in: world))
            #expect(told[.transcribe] == nil && told[.audio]?.runs == 1)
        }
    }

    @Test func `what was measured outlives the life that measured it`() async throws {
        try await inWorld(try World(play: Self.play())) { world in
            try world.start("a")
            _ = try await world.runToEnd(try await world.submit())
            try await world.run { await Self.costs(of: "a", in: world)?[.publish] != nil }
            let told = await Self.costs(of: "a", in: world)
            let life = try #require(await world.store.nodes().first).epoch
            world.member("a").store.set(.down)
            let cut = world.seconds
            try await world.run { world.seconds > cut + 20 }
            world.member("a").store.set(.fine)
            try await world.run { await world.store.nodes().first.map { $0.isAlive && $0.epoch > life } ?? false }
            // A life begins without a condition, so this is told by the new one.
            try await world.run { await Self.costs(of: "a", in: world) != nil }
            #expect(await Self.costs(of: "a", in: world) == told)
        }
    }

    @Test func `the time left of a job is told from what living nodes measured`() throws {
        let plain = try #require(try Self.view(nodes: []).etaSeconds)
        let slow = Self.node("a", renderFactor: 3), quick = Self.node("b", renderFactor: 1)
        let rendering = try #require(try Self.view(nodes: [slow]).etaSeconds) - plain
        #expect(rendering > 60)
        let dead = Self.node("c", renderFactor: 40, isAlive: false), silent = Self.node("d", renderFactor: nil)
        #expect(try Self.view(nodes: [slow, dead, silent]).etaSeconds == plain + rendering)
        // As many runs on each: 2 is their mean.
        let both = try #require(try Self.view(nodes: [slow, quick]).etaSeconds)
        #expect(abs(both - plain - rendering / 2) <= 1)
        #expect(try Self.view(nodes: [slow]).progress == Self.view(nodes: []).progress)
    }

    private static let start = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)

    private static func node(_ name: String, renderFactor: Double?, isAlive: Bool = true) -> Node {
        var costs = MeasuredCosts()
        if let renderFactor { costs.record(.render, took: renderFactor, expected: 1) }
        return Node(
            id: NodeID(name)!, region: Region("eu")!, epoch: 1, http: "http://\(name)", version: "1", threads: 2,
            startedAt: start, seenAt: start, isAlive: isAlive,
            condition: NodeCondition(measuredCosts: renderFactor == nil ? nil : costs), running: [])
    }

    /// A job whose source was just measured.
    private static func view(nodes: [Node]) throws -> JobView {
        let id = JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!, upload = UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!
        let source = BlobName("uploads/x/source")!
        let stages = [StageKey(.scan), StageKey(.probe)].map { key in
            var stage = Stage(job: id, key: key, state: .done, openedAt: start, notBefore: start)
            stage.result = StageResult(
                id: ResultID("result_01hzzzzzzzzzzzzzzzzzzzzzzz")!, body: PlayedVideo().body(key, blob: source),
                blobs: [], cacheKey: nil)
            return stage
        }
        return JobView(
            job: Job(
                id: id, upload: upload, region: Region("eu")!, tenant: "ana", options: JobOptions(),
                status: .processing, createdAt: start, startedAt: start),
            upload: Upload(
                id: upload, fileName: "talk.mp4", bytes: 1, sha256: String(repeating: "a", count: 64), blob: source,
                transcript: nil, createdAt: start),
            stages: stages, clips: [], nodes: nodes, queuePosition: nil, now: start)
    }
}
