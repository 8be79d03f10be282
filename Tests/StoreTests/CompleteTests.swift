import ClipModel
import Store
import Synchronization
import Testing

@Suite struct CompleteTests {
    @Test(arguments: Adapter.allCases)
    func `a result is published and what follows is opened, in one step`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let lease = try await world.claimOne(try await world.node())
            let result = world.result("{\"a\":1}", blobs: ["a/1"], cacheKey: "key")
            let seen = Mutex<JobSnapshot?>(nil)
            let outcome = try await world.complete(lease, .produced(result)) { snapshot in
                seen.withLock { $0 = snapshot }
                var advance = JobAdvance()
                advance.open = [StageKey(.audio), StageKey(.probe), StageKey(.scan)]
                return advance
            }
            #expect(outcome == .published(orphans: []))
            let snapshot = seen.withLock { $0 }
            #expect(snapshot?.changed == StageKey(.scan) && snapshot?.job.id == job.id)
            #expect(snapshot?.stages.map(\.state) == [.done] && snapshot?.stages.first?.result == result)
            #expect(snapshot?.upload.id == job.upload)
            let stages = try await world.store.stages(of: job.id)
            #expect(stages.map(\.key) == [StageKey(.scan), StageKey(.probe), StageKey(.audio)])
            #expect(stages.map(\.state) == [.done, .ready, .ready])
            #expect(stages[0].result == result && !stages[0].reused && stages[0].holder == lease.node)
            #expect(try await world.store.result(cachedUnder: "key") == result)
            let kinds = try await world.kinds(job.id).suffix(3)
            #expect(Array(kinds) == [.stageDone, .stageOpened, .stageOpened])
        }
    }

    /// What would end a value, a row or the whole statement, were it taken for more than text.
    private static let awkward = [
        "", " ", "NULL", "null", "{}", "{a,b}", "a,b", "\"", "\\", "\\\"", "'; drop table job; --", "$1",
        "línea\n\t\r dos", "\u{1F3AC} ñ \u{200F}",
    ]

    @Test(arguments: Adapter.allCases)
    func `text comes back as it was, whatever is in it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let node = try await world.node()
            for text in Self.awkward {
                let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
                let leases = try await world.store.claim(2, for: node).sorted { $0.key < $1.key }
                let result = world.result(text, blobs: ["a/1", "b/2"], cacheKey: "key " + text)
                let failure = Failure(.poison, code: "x", reason: text, hint: text)
                // They may go to the server together: an empty column of one beside that of the other.
                async let produced = world.complete(leases[0], .produced(result))
                async let failed = world.complete(leases[1], .failed(failure))
                _ = try await (produced, failed)
                let stages = try await world.store.stages(of: job.id)
                #expect(stages.map(\.result) == [result, nil] && stages.map(\.failure) == [nil, failure])
                let events = try await world.store.events(of: job.id, after: 0, limit: 100)
                #expect(events.compactMap(\.failure) == [failure])
                #expect(try await world.store.result(cachedUnder: "key " + text) == result)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a stale epoch is refused without effect`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let slow = try await world.node("slow"), quick = try await world.node("quick", leaseSeconds: 1000)
            let old = try await world.claimOne(slow)
            try await world.pass(seconds: 601)
            #expect(try await world.store.freeStagesOfDeadNodes() == 1)
            #expect(try await world.complete(old, .produced(world.result(cacheKey: "old"))) == .stale)
            let new = try await world.claimOne(quick)
            #expect(new.epoch == old.epoch + 1 && new.attempts == 2)
            #expect(try await world.complete(old, .produced(world.result(cacheKey: "old"))) == .stale)
            #expect(try await world.complete(old, .failed(.test(.poison))) == .stale)
            #expect(try await world.complete(old, .released) == .stale)
            #expect(try await world.store.result(cachedUnder: "old") == nil)
            #expect(try await world.stage(job.id, StageKey(.scan)).state == .running)
            #expect(try await world.complete(new, .produced(world.result())) == .published(orphans: []))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a complete repeated after success is answered as the first time and applied once`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let life = try await world.node()
            let calls = Mutex(0)
            let count: Advance = { _ in
                calls.withLock { $0 += 1 }
                return JobAdvance()
            }
            let lease = try await world.claimOne(life)
            let produced = StageOutcome.produced(world.result(blobs: ["a/1"], cacheKey: "key"))
            let first = try await world.complete(lease, produced, advance: count)
            #expect(try await world.complete(lease, produced, advance: count) == first)
            // Another report under the same lease is not the one that was taken.
            #expect(try await world.complete(lease, .failed(.test(.poison)), advance: count) == .stale)
            #expect(try await world.complete(lease, .produced(world.result()), advance: count) == .stale)
            // Also when the stage went on meanwhile.
            let second = try await world.claimOne(life)
            _ = try await world.complete(second, .released, advance: count)
            let third = try await world.claimOne(life)
            #expect(third.key == second.key && third.epoch == second.epoch + 1)
            #expect(try await world.complete(second, .released, advance: count) == .published(orphans: []))
            #expect(try await world.stage(job.id, third.key).state == .running)
            #expect(calls.withLock { $0 } == 2)
            #expect(try await world.kinds(job.id).count(where: { $0 == .stageDone }) == 1)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the first result under a cache key wins, and the loser's blobs are handed back`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job()
            let job = try await world.job()
            let life = try await world.node()
            let first = world.result("{\"n\":1}", blobs: ["a/1"], cacheKey: "key")
            _ = try await world.complete(try await world.claimOne(life), .produced(first))
            let lease = try await world.claimOne(life)
            let late = StageOutcome.produced(world.result("{\"n\":2}", blobs: ["b/1", "a/1"], cacheKey: "key"))
            #expect(try await world.complete(lease, late) == .published(orphans: [.named("b/1")]))
            #expect(try await world.complete(lease, late) == .published(orphans: [.named("b/1")]))
            let stage = try await world.stage(job.id, StageKey(.scan))
            #expect(stage.result == first && stage.reused)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a result without a cache key is never shared`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let jobs = [try await world.job(), try await world.job()]
            let life = try await world.node()
            for job in jobs {
                let result = world.result()
                _ = try await world.complete(try await world.claimOne(life), .produced(result))
                #expect(try await world.stage(job.id, StageKey(.scan)).result == result)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a body at the limit is taken and one above it is refused`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let lease = try await world.claimOne(try await world.node())
            let long = String(repeating: "é", count: StageResult.bodyBytesMax / 2)
            await #expect {
                _ = try await world.complete(lease, .produced(world.result(long + "x")))
            } throws: {
                ($0 as? StoreError)?.code == .refused && "\($0)".contains("262145 bytes")
            }
            #expect(try await world.complete(lease, .produced(world.result(long))) == .published(orphans: []))
            #expect(try await world.stage(job.id, StageKey(.scan)).result?.body == long)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a failure ends the stage or tries it again, as decided`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let life = try await world.node()
            let again: Advance = { snapshot in
                var advance = JobAdvance()
                advance.reopen = [snapshot.changed: 0]
                return advance
            }
            let first = try await world.claimOne(life)
            _ = try await world.complete(first, .failed(.test(.transient, "lost")), advance: again)
            let waiting = try await world.stage(job.id, StageKey(.scan))
            #expect(waiting.state == .ready && waiting.failure?.code == "lost" && waiting.attempts == 1)
            let second = try await world.claimOne(life)
            #expect(second.attempts == 2)
            _ = try await world.complete(second, .failed(.test(.poison, "bad")))
            let failed = try await world.stage(job.id, StageKey(.scan))
            #expect(failed.state == .failed && failed.failure?.code == "bad" && failed.endedAt != nil)
            let events = try await world.store.events(of: job.id, after: 0, limit: 20)
            #expect(events.first { $0.kind == .stageRetried }?.failure?.code == "lost")
            #expect(events.last?.kind == .stageFailed && events.last?.failure?.code == "bad")
            #expect(events.last?.node == life.id)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `giving back and being cancelled count no attempt`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            _ = try await world.job()
            let life = try await world.node()
            _ = try await world.complete(try await world.claimOne(life), .released)
            let second = try await world.claimOne(life)
            #expect(second.attempts == 1 && second.epoch == 2)
            _ = try await world.complete(second, .failed(.test(.cancelled))) { snapshot in
                var advance = JobAdvance()
                advance.reopen = [snapshot.changed: 0]
                return advance
            }
            #expect(try await world.claimOne(life).attempts == 1)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what is abandoned never runs, and a running one is told`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let keys = (0..<3).map { StageKey(.render, $0) }
            let job = try await world.job(stages: keys)
            let life = try await world.node()
            let leases = try await world.store.claim(2, for: life)
            _ = try await world.complete(leases[0], .failed(.test(.poison))) { _ in
                var advance = JobAdvance()
                advance.abandon = [keys[0], keys[1], keys[2], StageKey(.publish)]
                return advance
            }
            #expect(try await world.store.stages(of: job.id).map(\.state) == [.failed, .cancelled, .cancelled])
            let progress = StageProgress(job: job.id, key: keys[1], epoch: leases[1].epoch, fraction: 1)
            #expect(try await world.store.heartbeat(life, running: [progress]) == .renewed(drop: [progress]))
            #expect(try await world.complete(leases[1], .produced(world.result())) == .stale)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `clips are inserted, replaced where they differ, and told of once per change`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe), StageKey(.audio)])
            let life = try await world.node()
            let plans = (0..<2).map { Clip.test(job.id, $0) }
            func put(_ clips: [Clip]) async throws {
                let lease = try await world.claimOne(life)
                _ = try await world.complete(lease, .produced(world.result())) { _ in
                    var advance = JobAdvance()
                    advance.clips = clips
                    return advance
                }
            }
            try await put(plans.reversed())
            #expect(try await world.store.clips(of: job.id) == plans)
            try await put(plans)
            var ready = plans[1]
            ready.state = .ready
            ready.files = ClipFiles(video: .named("v/1"), videoBytes: 1, videoSHA256: "00", srt: .named("s/1"))
            ready.figures = .test
            ready.failure = .test(.poison)
            try await put([plans[0], ready])
            #expect(try await world.store.clips(of: job.id) == [plans[0], ready])
            #expect(try await world.store.clip(ready.id) == ready)
            #expect(try await world.store.clip(ClipID(job: job.id, ordinal: 7)) == nil)
            let changes = try await world.store.events(of: job.id, after: 0, limit: 50).filter {
                $0.kind == .clipChanged
            }
            #expect(changes.map(\.clip) == [plans[1].id, plans[0].id, ready.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the job ends as decided, with its notes, and not twice`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: [StageKey(.scan), StageKey(.probe)])
            let leases = try await world.store.claim(2, for: try await world.node())
            let finish: Advance = { _ in
                var advance = JobAdvance()
                advance.status = .ready
                advance.notes = [Note(code: "few", text: "Fewer clips.")]
                advance.open = [StageKey(.publish)]
                return advance
            }
            for lease in leases { _ = try await world.complete(lease, .produced(world.result()), advance: finish) }
            let ready = try await world.job(job.id)
            #expect(ready.status == .ready && ready.endedAt != nil && ready.notes.map(\.code) == ["few"])
            #expect(try await world.store.stages(of: job.id).count == 2)
            #expect(try await world.kinds(job.id).count(where: { $0 == .jobReady }) == 1)
            #expect(try await world.store.cancel(job.id) == .notPossible(ready))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a step that the job cannot take is refused as a whole`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            let lease = try await world.claimOne(try await world.node())
            await #expect {
                _ = try await world.complete(lease, .produced(world.result(cacheKey: "key"))) { _ in
                    var advance = JobAdvance()
                    advance.status = .pending
                    return advance
                }
            } throws: {
                ($0 as? StoreError)?.code == .refused
            }
            #expect(try await world.stage(job.id, StageKey(.scan)).state == .running)
            #expect(try await world.store.result(cachedUnder: "key") == nil)
            #expect(try await world.complete(lease, .released) == .published(orphans: []))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `many attempts of one job end at once and each sees what the others left`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job(stages: (0..<12).map { StageKey(.render, $0) })
            let leases = try await world.store.claim(12, for: try await world.node())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lease in leases {
                    group.addTask {
                        _ = try await world.complete(lease, .produced(world.result())) { snapshot in
                            var advance = JobAdvance()
                            if snapshot.stages.allSatisfy({ $0.state == .done }) { advance.open = [StageKey(.publish)] }
                            return advance
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await world.stage(job.id, StageKey(.publish)).state == .ready)
            #expect(try await world.kinds(job.id).count(where: { $0 == .stageDone }) == 12)
        }
    }
}

extension Clip {
    static func test(_ job: JobID, _ ordinal: Int) -> Clip {
        Clip(
            id: ClipID(job: job, ordinal: ordinal), state: .planned,
            range: TimeRange(start: 0.1 + 0.2, end: 1234.56789), title: "«¿Qué?»", score: 99.9, reason: "r",
            signals: ["speech": 1.0 / 3])
    }
}

extension ClipFigures {
    static var test: ClipFigures {
        ClipFigures(
            durationSeconds: 20.02, width: 1080, height: 1920, framesPerSecond: 29.97, videoCodec: "h264",
            audioCodec: "aac", loudnessLUFS: -14.05, truePeakDBTP: nil, blackSeconds: 0, frozenSeconds: 0.1,
            faceInFrame: 0.95, reversalsPerSecond: 0, flags: [Note(code: "f", text: "t")])
    }
}
