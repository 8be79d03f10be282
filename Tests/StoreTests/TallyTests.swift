import ClipModel
import Store
import Testing

/// Every end of a job is counted, and counted once.
@Suite struct TallyTests {
    private func end(_ world: World, _ life: NodeLife, as status: Job.Status, region: Region = .eu) async throws {
        let job = try await world.job(stages: [StageKey(.publish)], region: region)
        let lease = try await world.claimOne(life)
        let failure = Failure.test(.poison)
        let outcome: StageOutcome = status == .error ? .failed(failure) : .produced(world.result())
        for _ in 0..<2 {
            // Repeated, as after an answer that was lost.
            _ = try await world.complete(lease, outcome) { snapshot in
                var advance = JobAdvance()
                advance.status = status
                if status == .error { advance.failure = JobFailure(stage: snapshot.changed, failure: failure) }
                return advance
            }
        }
        #expect(try await world.job(job.id).status == status)
    }

    private func counts(_ world: World) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in try await world.store.tally(days: 2) { counts["\(row.region) \(row.name)", default: 0] += row.count }
        return counts
    }

    @Test(arguments: Adapter.allCases)
    func `ends of jobs are counted once, by day, region and reason`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            for _ in 0..<3 { try await end(world, life, as: .ready) }
            try await end(world, life, as: .error)
            try await end(world, life, as: .ready, region: .us)
            let cancelled = try await world.job()
            for _ in 0..<2 { _ = try await world.store.cancel(cancelled.id) }
            #expect(try await counts(world).isEmpty, "nothing is counted before somebody counts")
            #expect(try await world.store.countEffects(limit: 4) == 4)
            #expect(try await world.store.countEffects(limit: 100) == 2)
            #expect(try await world.store.countEffects(limit: 100) == 0)
            let code = Failure.test(.poison).code
            #expect(
                try await counts(world) == [
                    "eu jobs_ready": 3, "eu clips": 0, "eu jobs_error": 1, "eu failures:\(code)": 1,
                    "eu jobs_cancelled": 1, "us jobs_ready": 1, "us clips": 0,
                ])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `many who count at once count nothing twice`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node()
            for _ in 0..<12 { try await end(world, life, as: .ready) }
            let counted = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var counted = 0
                        for _ in 0..<6 { counted += try await world.store.countEffects(limit: 2) }
                        return counted
                    }
                }
                return try await group.reduce(0, +)
            }
            // Who met rows that another had locked may have left some.
            let rest = try await world.store.countEffects(limit: 100)
            #expect(counted + rest == 12)
            #expect(try await counts(world)["eu jobs_ready"] == 12)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a job that is deleted stays counted`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            try await end(world, try await world.node(), as: .ready)
            _ = try await world.store.countEffects(limit: 9)
            _ = try await world.store.delete(try await world.onlyJob())
            #expect(try await counts(world)["eu jobs_ready"] == 1)
        }
    }
}
