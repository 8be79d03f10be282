import ClipModel
import Store
import Testing

/// Jobs in an error, and clips that jobs were published without.
@Suite struct DeadLetterTests {
    private static let lost = 1

    private func failedJob(_ world: World, _ life: NodeLife, _ code: String) async throws -> Job {
        let job = try await world.job()
        try await world.end(try await world.claimOne(life), .failed(.test(.poison, code)))
        return try await world.job(job.id)
    }

    /// A job that is ready with its first clip; the second failed with this code. Nil: that one is there, too.
    private func readyJob(_ world: World, _ life: NodeLife, _ code: String?) async throws -> Job {
        let job = try await world.job(stages: [StageKey(.render, Self.lost), StageKey(.publish)])
        let failure = code.map { Failure.test(.transient, $0) }
        let render = try await world.claimOne(life)
        _ = try await world.complete(render, failure.map { .failed($0) } ?? .produced(world.result()))
        _ = try await world.complete(try await world.claimOne(life), .produced(world.result())) { _ in
            var advance = JobAdvance()
            advance.status = .ready
            advance.clips = [clip(job.id, 0), clip(job.id, Self.lost, failure)]
            return advance
        }
        return try await world.job(job.id)
    }

    /// Ends what a revision opened, with its clip as it is then.
    private func end(
        _ world: World, _ life: NodeLife, _ outcome: StageOutcome, _ clip: Clip
    ) async throws {
        _ = try await world.complete(try await world.claimOne(life), outcome) { _ in
            var advance = JobAdvance()
            advance.status = .ready
            advance.clips = [clip]
            return advance
        }
    }

    @Test(arguments: Adapter.allCases)
    func `jobs in an error and jobs without a clip are listed together, newest first`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let first = try await failedJob(world, life, "disk_full")
            let second = try await readyJob(world, life, "tool_killed")
            _ = try await readyJob(world, life, nil)
            let third = try await failedJob(world, life, "tool_killed")
            let fourth = try await readyJob(world, life, "disk_full")
            _ = try await world.job()
            let all = try await world.store.deadLetters(DeadLetterFilter(), before: nil, limit: 10)
            #expect(all.map(\.job) == [fourth, third, second, first])
            #expect(
                all[0].missing == [
                    MissingClip(
                        id: ClipID(job: fourth.id, ordinal: Self.lost), stage: StageKey(.render, Self.lost),
                        failure: .test(.transient, "disk_full"))
                ])
            #expect(all[1].missing.isEmpty && all[2].missing.map(\.failure.code) == ["tool_killed"])
            func ids(_ filter: DeadLetterFilter, before: JobID? = nil, limit: Int = 10) async throws -> [JobID] {
                try await world.store.deadLetters(filter, before: before, limit: limit).map(\.job.id)
            }
            #expect(try await ids(DeadLetterFilter(), limit: 3) == [fourth.id, third.id, second.id])
            #expect(try await ids(DeadLetterFilter(), before: third.id) == [second.id, first.id])
            #expect(try await ids(DeadLetterFilter(), before: third.id, limit: 1) == [second.id])
            #expect(try await ids(DeadLetterFilter(code: "disk_full")) == [fourth.id, first.id])
            #expect(try await ids(DeadLetterFilter(code: "tool_killed", tenant: "ana")) == [third.id, second.id])
            #expect(try await ids(DeadLetterFilter(tenant: "bob")).isEmpty)
            #expect(try await ids(DeadLetterFilter(), limit: -1).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `of a job that lacks several clips each is told, or those that fit`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let stages = [StageKey(.reframe, 1), StageKey(.render, 0), StageKey(.check, 1), StageKey(.publish)]
            let job = try await world.job(stages: stages)
            let failures = [Failure.test(.poison, "zero"), .test(.poison, "one"), .test(.poison, "late")]
            let leases = try await world.store.claim(4, for: life).sorted { $0.key < $1.key }
            for (lease, failure) in zip(leases, [failures[1], failures[0], failures[2]]) {
                _ = try await world.complete(lease, .failed(failure))
            }
            _ = try await world.complete(leases[3], .produced(world.result())) { _ in
                var advance = JobAdvance()
                advance.status = .ready
                // Later ones first: the order is not that of the writes.
                advance.clips = [clip(job.id, 1, failures[1]), clip(job.id, 0, failures[0])]
                return advance
            }
            func missing(_ filter: DeadLetterFilter) async throws -> [MissingClip] {
                try await world.store.deadLetters(filter, before: nil, limit: 10).flatMap(\.missing)
            }
            let all = try await missing(DeadLetterFilter())
            #expect(all.map(\.id.ordinal) == [0, 1] && all.map(\.failure.code) == ["zero", "one"])
            // The first stage of its clip that failed tells why.
            #expect(all.map(\.stage) == [StageKey(.render, 0), StageKey(.reframe, 1)])
            #expect(try await missing(DeadLetterFilter(code: "one")) == [all[1]])
            #expect(try await missing(DeadLetterFilter(code: "late")).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what is being made, was made by a revision or was stopped is no dead letter`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            let job = try await readyJob(world, life, "tool_killed")
            func missing() async throws -> [MissingClip] {
                try await world.store.deadLetters(DeadLetterFilter(), before: nil, limit: 10).flatMap(\.missing)
            }
            func revise(_ ordinal: Int?) async throws -> Revision {
                let draft = RevisionDraft(
                    id: Numbers().identifier(), job: job.id, clip: ordinal, range: TimeRange(start: 1, end: 9),
                    options: JobOptions())
                let outcome = try await world.store.revise(draft, advance: Self.opens)
                guard case .taken(_, let revision) = outcome else { throw Surprise("\(outcome)") }
                return revision
            }
            #expect(try await missing().count == 1)
            let second = try await revise(Self.lost)
            #expect(try await missing().isEmpty)
            var made = clip(job.id, Self.lost)
            made.revision = ClipRevision(number: second.number)
            try await end(world, life, .produced(world.result()), made)
            // Its first stage failed as before, and it is there.
            #expect(try await missing().isEmpty)

            // A clip made by hand: its stages have an index that is not its ordinal.
            let byHand = try await revise(nil)
            let failure = Failure.test(.poison, "broken")
            var failed = clip(job.id, byHand.clip, failure)
            failed.revision = ClipRevision(number: 0, failure: failure)
            #expect(byHand.slot != byHand.clip)
            try await end(world, life, .failed(failure), failed)
            let stage = StageKey(.reframe, byHand.slot)
            #expect(try await missing() == [MissingClip(id: failed.id, stage: stage, failure: failure)])

            // Of several wishes for it the last one counts: this one a client stops.
            _ = try await revise(byHand.clip)
            _ = try await world.store.cancel(job.id)
            #expect(try await world.job(job.id).status == .ready)
            #expect(try await world.store.clip(failed.id)?.state == .error)
            #expect(try await missing().isEmpty)
        }
    }

    /// As the pipeline would: opens the first stage, and says that the clip is being made.
    private static let opens: Advance = { snapshot in
        var advance = JobAdvance()
        advance.open = [snapshot.changed]
        for revision in snapshot.revisions where snapshot.changed.index == revision.slot {
            let known = snapshot.clips.first { $0.id.ordinal == revision.clip }
            var changed = known ?? clip(snapshot.job.id, revision.clip)
            let isThere = known != nil && known?.revision?.number != 0
            if !isThere { (changed.state, changed.files, changed.failure) = (.planned, nil, nil) }
            changed.revision = ClipRevision(number: isThere ? 1 : 0, pending: revision.number)
            advance.clips = [changed]
        }
        return advance
    }
}

/// One that is there, or that failed.
private func clip(_ job: JobID, _ ordinal: Int, _ failure: Failure? = nil) -> Clip {
    let files = ClipFiles(video: .named("jobs/clip-\(ordinal)"), videoBytes: 1, videoSHA256: "aa")
    return Clip(
        id: ClipID(job: job, ordinal: ordinal), state: failure == nil ? .ready : .error,
        range: TimeRange(start: 0, end: 20), title: "t", score: 1, reason: "r", signals: [:],
        files: failure == nil ? files : nil, failure: failure)
}
