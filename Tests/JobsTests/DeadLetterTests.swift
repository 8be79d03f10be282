import ClipModel
import Jobs
import Stages
import Store
import Testing

/// What failed for good is tried again by an operator: whole jobs, and clips that jobs were published without.
@Suite struct DeadLetterTests {
    private func letters(_ world: World) async -> [DeadLetter] {
        await world.store.deadLetters(DeadLetterFilter(), before: nil, limit: 10)
    }

    @Test func `a clip that its job was published without is made again by requeueing the stage that failed`()
        async throws
    {
        let world = try World { assignment, _ in
            if assignment.inputs.key == StageKey(.render, 1) { throw killed }
        }
        try await inWorld(world) { world in
            var options = JobOptions()
            options.aspect = .square
            let job = try await world.submit(options: options)
            try world.start("a")
            let published = try await world.runToEnd(job)
            #expect(published.status == .ready)
            let clip = ClipID(job: job, ordinal: 1)
            let missing = MissingClip(id: clip, stage: StageKey(.render, 1), failure: killed)
            #expect(await letters(world) == [DeadLetter(published, missing: [missing])])
            let before = try #require(await world.store.clip(clip))

            guard case .clip(.taken(let going, let revision)) = try await world.service.requeue(missing.stage, of: job)
            else {
                Issue.record("the clip was not asked for")
                return
            }
            #expect(going.status == .processing && revision.clip == 1 && revision.number == 2)
            #expect(revision.options == options && revision.range == before.range && !revision.hasEdits)
            #expect(revision.title == nil)
            // Sent twice, it is asked for once.
            #expect(try await world.service.requeue(missing.stage, of: job) == .clip(.underWay(number: 2)))
            #expect(await world.store.revisions(of: job) == [revision])
            #expect(await letters(world).isEmpty)

            let ended = try await world.runToEnd(job)
            #expect(ended.status == .ready && ended.notes.isEmpty)
            #expect(await world.store.clips(of: job).map(\.state) == [.ready, .ready])
            #expect(await letters(world).isEmpty)
            // It is there, so there is nothing to make.
            #expect(try await world.service.requeue(missing.stage, of: job) == .stage(.notPossible(ended, .failed)))
            #expect(await world.store.revisions(of: job).count == 1)
        }
    }

    @Test func `what is done, or belongs to a clip that is there, is not requeued in a job that is ready`() async throws
    {
        let world = try World { assignment, _ in
            if [StageKey(.render, 1), StageKey(.thumbnail, 0)].contains(assignment.inputs.key) { throw killed }
        }
        try await inWorld(world) { world in
            let job = try await world.submit()
            try world.start("a")
            let ended = try await world.runToEnd(job)
            func requeue(_ key: StageKey) async throws -> JobService.Requeue {
                try await world.service.requeue(key, of: job)
            }
            #expect(try await requeue(StageKey(.reframe, 1)) == .stage(.notPossible(ended, .done)))
            // A clip is there without its thumbnail.
            #expect(try await requeue(StageKey(.thumbnail, 0)) == .stage(.notPossible(ended, .failed)))
            #expect(try await requeue(StageKey(.render, 7)) == .stage(.noSuchStage))
            #expect(await world.store.revisions(of: job).isEmpty)
            #expect(await letters(world).map(\.missing.count) == [1])
        }
    }

    @Test func `dead letters of both kinds begin again in bulk, after a rehearsal`() async throws {
        let clips = StoreLimits.openRevisionsMax + 2
        let world = try World(video: PlayedVideo(clips: clips, durationSeconds: 600)) { assignment, _ in
            let key = assignment.inputs.key
            if key.name == .render, (1..<clips).contains(key.index) { throw killed }
            // The other job fails as a whole, the first time.
            let isOther = assignment.inputs.job.options.aspect == .square
            if key.name == .probe, isOther, assignment.attempt.epoch == 1 { throw killed }
            if key.name == .render, isOther { throw broken }
        }
        try await inWorld(world) { world in
            var square = JobOptions()
            square.aspect = .square
            let ready = try await world.submit(), failed = try await world.submit(options: square)
            try world.start("a")
            #expect(try await world.runToEnd(ready).status == .ready)
            #expect(try await world.runToEnd(failed).status == .error)
            func requeue(_ code: String? = "killed", isRehearsal: Bool = false) async throws -> JobService.Requeued {
                try await world.service.requeueDeadLetters(
                    DeadLetterFilter(code: code), limit: 10, isRehearsal: isRehearsal)
            }
            #expect(try await requeue("other").jobs.isEmpty)
            let open = (1...StoreLimits.openRevisionsMax).map { ClipID(job: ready, ordinal: $0) }
            let rehearsed = try await requeue(isRehearsal: true)
            #expect(Set(rehearsed.jobs) == [ready, failed] && rehearsed.clips == open && rehearsed.isRehearsal)
            #expect(await world.store.revisions(of: ready).isEmpty)
            #expect(await world.store.job(failed)?.status == .error)

            let begun = try await requeue()
            #expect(begun.jobs == rehearsed.jobs && begun.clips == open && begun.skipped.isEmpty && !begun.hasMore)
            #expect(await world.store.revisions(of: ready).map(\.clip) == open.map(\.ordinal))
            let again = try await requeue()
            #expect(again.jobs.isEmpty && again.skipped.isEmpty, "what was requeued fits no more")

            // The clip for which there was no room is left for the next time; the other job fails otherwise.
            _ = try await world.runToEnd(ready)
            #expect(try await world.runToEnd(failed).failure?.failure.code == "broken")
            let rest = try await requeue()
            #expect(rest.jobs == [ready] && rest.clips == [ClipID(job: ready, ordinal: clips - 1)])
            #expect(try await world.runToEnd(ready).notes.isEmpty)
            #expect(await letters(world).map(\.job.id) == [failed])
        }
    }
}

private let killed = Failure(.poison, code: "killed", reason: "A tool was killed.", hint: "Look at its node.")
