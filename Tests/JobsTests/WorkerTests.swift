import Blobs
import ClipModel
import Jobs
import Media
import Stages
import Store
import Synchronization
import Testing

@Suite struct WorkerTests {
    @Test func `a job goes through all its stages and every stage runs once`() async throws {
        try await inWorld(try World()) { world in
            let job = try await world.submit()
            try world.start("a")
            #expect(try await world.runToEnd(job).status == .ready)
            let keys = world.runs.map(\.key)
            #expect(Set(keys).count == keys.count)
            #expect(Set(keys.map(\.name)) == Set(StageName.allCases))
            let clips = await world.store.clips(of: job)
            #expect(clips.map(\.state) == [.ready, .ready])
            let view = try #require(try await world.service.view(job))
            #expect(view.progress == 100 && view.stage == nil && view.etaSeconds == nil)
            #expect(view.clips.allSatisfy { $0.hasVideo && $0.hasSubtitles && $0.hasThumbnail })
        }
    }

    @Test func `a second job of the same file reuses every result`() async throws {
        try await inWorld(try World(shares: true)) { world in
            try world.start("a")
            let first = try await world.submit()
            _ = try await world.runToEnd(first)
            let (runs, start) = (world.runs.count, world.seconds)
            let second = try await world.submit()
            #expect(try await world.runToEnd(second).status == .ready)
            #expect(world.runs.dropFirst(runs).map(\.key.name) == [.publish])
            #expect(world.seconds - start < 5)
            let stages = await world.store.stages(of: second)
            #expect(stages.allSatisfy { $0.reused || $0.key.name == .publish })
        }
    }

    @Test func `what an attempt took is told with its end, also when it failed, and reuse took nothing`() async throws {
        let isFirst = Mutex(true)
        let world = try World(shares: true) { assignment, clock in
            try await clock.sleep(for: .seconds(1))
            guard assignment.inputs.key == StageKey(.probe) else { return }
            assignment.effort.add(Effort(cpuSeconds: 2, bytesRead: 30, bytesWritten: 4, memoryPeakBytes: 500))
            let fails = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if fails { throw Failure(.transient, code: "odd", reason: "It broke.", hint: "Wait.") }
        }
        try await inWorld(world) { world in
            try world.start("a")
            let first = try await world.submit()
            _ = try await world.runToEnd(first)
            let told = try #require(try await world.service.waterfall(first))
            let probe = try #require(told.stages.first { $0.name == .probe })
            #expect(probe.attempts.map(\.outcome) == [.retried, .done])
            // Each has an account of its own.
            #expect(probe.attempts.map(\.cpuSeconds) == [2, 2] && probe.attempts.map(\.bytesRead) == [30, 30])
            #expect(probe.attempts.allSatisfy { $0.bytesWritten == 4 && $0.memoryPeakBytes == 500 })

            let second = try await world.submit()
            _ = try await world.runToEnd(second)
            let again = try #require(try await world.service.waterfall(second))
            let reused = try #require(again.stages.first { $0.name == .probe })
            #expect(reused.reused && reused.attempts.map(\.cpuSeconds) == [0])
            #expect(again.stages.flatMap(\.attempts).allSatisfy { $0.cpuSeconds == 0 })
        }
    }

    @Test func `a result whose blobs are gone is made again`() async throws {
        try await inWorld(try World(shares: true, keeps: true)) { world in
            try world.start("a")
            let first = try await world.submit()
            _ = try await world.runToEnd(first)
            let probe = try #require(await world.stage(first, StageKey(.probe))?.result)
            try await world.blobs.remove(probe.blobs)
            let runs = world.runs.count
            #expect(try await world.runToEnd(try await world.submit()).status == .ready)
            #expect(world.runs.dropFirst(runs).map(\.key.name) == [.probe, .publish])
        }
    }

    @Test func `a deleted job leaves no blob behind`() async throws {
        try await inWorld(try World(keeps: true)) { world in
            try world.start("a")
            let job = try await world.submit()
            _ = try await world.runToEnd(job)
            // What an attempt left whose node died.
            let left = StageAttempt(job: job, key: StageKey(.probe), epoch: 0).blobName("file")
            _ = try await world.blobs.put([1], as: left)
            #expect(try await world.service.delete(job))
            #expect(try await !world.service.delete(job))
            #expect(try await world.blobs.list(under: StageAttempt.root, limit: 9).isEmpty)
            #expect(try await world.blobs.list(under: BlobName("uploads")!, limit: 9).isEmpty)
        }
    }

    @Test func `stages spread over the nodes of a machine and never use more threads than it has`() async throws {
        let video = PlayedVideo(chunks: 8, clips: 6)
        let world = try World(video: video) { _, clock in try await clock.sleep(for: .seconds(5)) }
        try await inWorld(world) { world in
            let job = try await world.submit()
            for name in ["a", "b", "c"] { try world.start(name) }
            #expect(try await world.runToEnd(job).status == .ready)
            #expect(world.threadsMax == 2)
            #expect(Set(world.runs(of: .transcribe).map(\.node)).count > 1)
            #expect(Set(world.runs(of: .render).map(\.node)).count > 1)
        }
    }

    @Test func `a stage that nothing else competes with gets all threads`() async throws {
        let world = try World(video: PlayedVideo(chunks: 1, clips: 1), machineThreads: 8)
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            _ = try await world.runToEnd(job)
            #expect(world.runs(of: .transcribe).map(\.threads).max() == StageCost.threadsMax(.transcribe))
            #expect(world.runs(of: .scan).map(\.threads) == [1])
            #expect(world.runs(of: .render).map(\.threads) == [StageCost.threadsMax(.render)])
        }
    }

    @Test func `a cancelled job stops its stages at once and leaves no blob behind`() async throws {
        let world = try World(keeps: true) { assignment, clock in
            try await clock.sleep(for: .seconds(assignment.inputs.key.name == .transcribe ? 1000 : 1))
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            try await world.run { world.isRunning(.transcribe) }
            let start = world.seconds
            _ = try await world.service.cancel(job)
            try await world.run { !world.isRunning(.transcribe) }
            #expect(world.seconds - start < 2)
            #expect(world.runs(of: .transcribe).allSatisfy { $0.wasCancelled })
            let prefix = StageAttempt(job: job, key: StageKey(.transcribe, 0), epoch: 1).prefix
            try await world.run { try await world.blobs.list(under: prefix, limit: 9).isEmpty }
            #expect(await world.store.job(job)?.status == .cancelled)
        }
    }

    @Test func `what is another region's for a second is begun when that is over`() async throws {
        try await inWorld(try World()) { world in
            // Lives and is schedulable, so its region has its second; but it has no time.
            let busy = NodeDraft(
                id: NodeID("busy")!, region: Region("eu")!, http: "http://busy", version: "test", threads: 1,
                leaseSeconds: 1000)
            _ = try await world.store.register(busy)
            let configuration = WorkerConfiguration(pollInterval: .seconds(30))
            try world.start("a", in: Region("us")!, configuration: configuration)
            try await world.run { await world.store.nodes().count == 2 }
            let submitted = world.seconds
            let job = try await world.submit()
            try await world.run { !world.runs.isEmpty }
            #expect((StoreLimits.homeSeconds...1.5) ~= world.seconds - submitted)
            #expect(try await world.runToEnd(job).status == .ready)
        }
    }

    @Test func `a node claims for half of its free threads at once, and no more than it has memory for`() async throws {
        let little = MachineReading(memoryAvailableBytes: 1600 << 20)
        for (reading, limits) in [(MachineReading(), [4, 2]), (little, [2])] {
            try await inWorld(try World(machineThreads: 8)) { world in
                world.machine.withLock { $0 = reading }
                for _ in 0..<8 { _ = try await world.submit() }
                try world.start("a")
                let store = world.member("a").store
                try await world.run { store.claimTerms.count >= limits.count }
                #expect(store.claimTerms.prefix(limits.count).map(\.limit) == limits)
            }
        }
    }

    @Test func `where copies of blobs are kept a node would rather go on with the jobs that it knows`() async throws {
        for keepsCopies in [true, false] {
            try await inWorld(try World()) { world in
                try world.start("a", keepsCopies: keepsCopies)
                var jobs: [JobID] = []
                for _ in 0...StoreLimits.familiarMax {
                    let job = try await world.submit()
                    _ = try await world.runToEnd(job)
                    jobs.insert(job, at: 0)
                }
                let named = try #require(world.member("a").store.claimTerms.last).familiar
                // Without copies the blobs are in a folder that all nodes share.
                #expect(named == (keepsCopies ? Array(jobs.prefix(StoreLimits.familiarMax)) : []))
            }
        }
    }
}
