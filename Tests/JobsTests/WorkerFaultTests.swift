import ClipModel
import Jobs
import Stages
import Store
import Synchronization
import Testing

/// Nodes that die, nodes that are cut off, nodes that are told to go, stages that fail.
@Suite struct WorkerFaultTests {
    private static let slowTranscription: World.Play = { assignment, clock in
        try await clock.sleep(for: .seconds(assignment.inputs.key.name == .transcribe ? 20 : 1))
    }

    @Test(arguments: StageName.allCases)
    func `a node that is killed in the middle of a stage is replaced by another within ten seconds`(
        name: StageName
    ) async throws {
        let world = try World { assignment, clock in
            try await clock.sleep(for: .seconds(assignment.inputs.key.name == name ? 20 : 1))
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(name) }
            let killed = world.seconds
            world.kill("a")
            try world.start("b")
            #expect(try await world.runToEnd(job).status == .ready)
            let rescue = try #require(world.runs(of: name).first { $0.node == "b" })
            #expect(rescue.start - killed < 10)
            #expect(await world.store.stages(of: job).allSatisfy { $0.state == .done })
            #expect(await world.store.clips(of: job).count == 2)
        }
    }

    @Test func `a node that is cut off stops before another may begin, and comes back as a new life`() async throws {
        try await inWorld(try World(video: PlayedVideo(chunks: 1), play: Self.slowTranscription)) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            try world.start("b")
            let cut = world.seconds
            world.member("a").store.set(.down)
            try await world.run { world.runs(of: .transcribe).contains { $0.node == "b" } }
            let stopped = try #require(world.runs(of: .transcribe).filter { $0.node == "a" }.compactMap(\.end).max())
            let rescued = try #require(world.runs(of: .transcribe).first { $0.node == "b" })
            #expect(stopped - cut <= 6)
            #expect(stopped <= rescued.start)
            world.member("a").store.set(.fine)
            #expect(try await world.runToEnd(job).status == .ready)
            try await world.run { await world.store.nodes().filter(\.isAlive).count == 2 }
            let lives = await world.store.nodes()
            #expect(lives.first { $0.id.rawValue == "a" }?.epoch == 3)
        }
    }

    @Test func `a short absence of the store stops nothing, and the result is reported when it is back`() async throws {
        try await inWorld(try World(play: Self.slowTranscription)) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            // The store is away when the stages end, for less than a lease.
            try await world.run { world.seconds > 22 }
            world.member("a").store.set(.down)
            let away = world.seconds
            try await world.run { world.seconds > away + 3 }
            world.member("a").store.set(.fine)
            #expect(try await world.runToEnd(job).status == .ready)
            #expect(world.runs(of: .transcribe).count == 2)
        }
    }

    @Test func `answers that are lost cost neither a result nor a stage`() async throws {
        try await inWorld(try World()) { world in
            let job = try await world.submit()
            try world.start("a")
            for _ in 0..<6 {
                let now = world.seconds
                try await world.run { world.seconds > now + 2 }
                world.member("a").store.set(.answersLost)
                try await world.run { world.seconds > now + 3 }
                world.member("a").store.set(.fine)
            }
            #expect(try await world.runToEnd(job).status == .ready)
            #expect(await world.store.stages(of: job).allSatisfy { $0.state == .done && $0.result != nil })
        }
    }

    @Test func `a node that finds another life of itself stops and registers anew`() async throws {
        try await inWorld(try World(play: Self.slowTranscription)) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            let start = world.seconds
            let draft = NodeDraft(
                id: NodeID("a")!, region: Region("eu")!, http: "", version: "", threads: 1, leaseSeconds: 6)
            _ = try await world.store.register(draft)
            try await world.run { world.runs(of: .transcribe).contains { $0.wasCancelled } }
            #expect(world.seconds - start < 2)
            #expect(try await world.runToEnd(job).status == .ready)
        }
    }

    @Test func `a node that is told to go ends what is short and gives back what is long`() async throws {
        try await inWorld(try World(play: Self.slowTranscription)) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            let asked = world.seconds
            world.member("a").worker.drain()
            try await world.run { world.hasEnded("a") }
            #expect(world.seconds - asked >= 9.9 && world.seconds - asked < 12)
            for index in 0..<2 {
                let stage = await world.stage(job, StageKey(.transcribe, index))
                #expect(stage?.state == .ready && stage?.attempts == 0)
            }
            #expect(await world.store.nodes().allSatisfy { !$0.isAlive })
            try world.start("b")
            #expect(try await world.runToEnd(job).status == .ready)
        }
    }

    @Test func `a node that is told to go and has little to do goes soon`() async throws {
        try await inWorld(try World { _, clock in try await clock.sleep(for: .seconds(3)) }) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.probe) }
            let asked = world.seconds
            world.member("a").worker.drain()
            try await world.run { world.hasEnded("a") }
            #expect(world.seconds - asked < 4)
            #expect(await world.stage(job, StageKey(.probe))?.state == .done)
            #expect(world.runs(of: .audio).isEmpty)
        }
    }

    @Test func `a passing failure is tried again after a while, and not for ever`() async throws {
        let world = try World { assignment, _ in
            if assignment.inputs.key.name == .probe { throw flaky }
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            let end = try await world.runToEnd(job)
            #expect(end.status == .error)
            #expect(end.failure == JobFailure(stage: StageKey(.probe), failure: flaky))
            let starts = world.runs(of: .probe).map(\.start)
            #expect(starts.count == 4)
            #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 >= 1 && $1 - $0 < 35 })
            let view = try #require(try await world.service.view(job))
            #expect(view.error?.code == "flaky" && view.error?.stage == "probe")
            // And by hand, once more.
            _ = try await world.service.retry(job)
            #expect(try await world.runToEnd(job).status == .error)
            #expect(world.runs(of: .probe).count == 8)
        }
    }

    @Test func `what waits costs no try, and every time is told`() async throws {
        let tries = Mutex(0)
        let world = try World { assignment, _ in
            guard assignment.inputs.key.name == .probe else { return }
            let count = tries.withLock { tries in
                tries += 1
                return tries
            }
            if count <= 6 { throw away }
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            #expect(try await world.runToEnd(job).status == .ready)
            #expect(world.runs(of: .probe).count == 7)
            #expect(await world.stage(job, StageKey(.probe))?.attempts == 1)
            #expect(world.waits.withLock { $0 } == Array(repeating: "away", count: 6))
        }
    }

    @Test func `what can never work is not tried again`() async throws {
        let world = try World { assignment, _ in
            if assignment.inputs.key == StageKey(.render, 1) { throw hopeless }
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            let end = try await world.runToEnd(job)
            #expect(end.status == .ready)
            #expect(end.notes.map(\.code) == ["clip_failed"])
            #expect(await world.store.clips(of: job).map(\.state) == [.ready, .error])
            #expect(world.runs(of: .render).count == 2)
        }
    }

    @Test func `a stage that kills every node that takes it is given up`() async throws {
        let world = try World { assignment, clock in
            try await clock.sleep(for: .seconds(assignment.inputs.key.name == .probe ? 1000 : 1))
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            for life in 1...7 {
                try world.start("n\(life)")
                guard life < 7 else { break }
                try await world.run { world.runs(of: .probe).contains { $0.node == "n\(life)" } }
                world.kill("n\(life)")
            }
            let end = try await world.runToEnd(job)
            #expect(end.status == .error)
            #expect(end.failure?.failure.code == "stage_crashed_repeatedly")
            #expect(world.runs(of: .probe).count == 6)
        }
    }

    @Test func `how far a stage is travels with the heartbeat`() async throws {
        let world = try World { assignment, clock in
            assignment.progress(0.5)
            try await clock.sleep(for: .seconds(assignment.inputs.key.name == .probe ? 20 : 1))
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.probe) }
            let now = world.seconds
            try await world.run { world.seconds > now + 3 }
            let view = try #require(try await world.service.view(job))
            let probe = try #require(view.stages.first { $0.name == .probe })
            #expect(probe.progress == 0.5 && probe.node?.rawValue == "a" && probe.state == .running)
            #expect(view.stage == .probe && view.status == .processing)
        }
    }
}

private let flaky = Failure(.transient, code: "flaky", reason: "It did not work.", hint: "Wait.")
private let away = Failure(.transient, code: "away", reason: "It is away.", hint: "Wait.", waits: true)
private let hopeless = Failure(.poison, code: "hopeless", reason: "It cannot work.", hint: "Do something else.")
