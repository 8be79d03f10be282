import ClipModel
import Store
import Testing

/// Stages that end in the same moment.
@Suite struct ReportGroupTests {
    private struct Answer: Sendable {
        let lease: StageLease
        let outcome: CompleteOutcome?
    }

    /// Ends all of them at once; nil for a report that was refused.
    private func endTogether(
        _ leases: [StageLease], in world: World, as outcome: @escaping @Sendable (StageLease) -> StageOutcome,
        advance: @escaping @Sendable (StageLease) -> Advance
    ) async throws -> [StageLease: CompleteOutcome?] {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for lease in leases {
                group.addTask {
                    do {
                        let answer = try await world.complete(lease, outcome(lease), advance: advance(lease))
                        return Answer(lease: lease, outcome: answer)
                    } catch let error as StoreError where error.code == .refused {
                        return Answer(lease: lease, outcome: nil)
                    }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.lease] = .some($1.outcome) }
        }
    }

    private static let keys = [StageKey(.scan), StageKey(.probe), StageKey(.audio)]

    @Test(arguments: Adapter.allCases)
    func `all that ends together takes effect once, the stages of one job too`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var jobs: [Job] = []
            for _ in 0..<20 { jobs.append(try await world.job(stages: Self.keys)) }
            let leases = try await world.store.claim(64, for: try await world.node())
            #expect(leases.count == 60)
            let answers = try await endTogether(leases, in: world) { _ in
                .produced(world.result("{}", blobs: ["a"]))
            } advance: { lease in
                { snapshot in
                    var advance = JobAdvance()
                    if snapshot.stages.allSatisfy({ $0.state == .done }) { advance.open = [StageKey(.transcript)] }
                    #expect(snapshot.changed == lease.key && snapshot.job.id == lease.job)
                    return advance
                }
            }
            #expect(answers.values.allSatisfy { $0 == .published(orphans: []) })
            for job in jobs {
                let stages = try await world.store.stages(of: job.id)
                // Whichever of the three was last saw the other two.
                #expect(stages.map(\.state) == [.done, .done, .done, .ready])
                #expect(Set(stages.compactMap { $0.result?.id }).count == 3)
                #expect(try await world.kinds(job.id).count { $0 == .stageDone } == 3)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a report that is refused spoils none that ends with it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for _ in 0..<20 { _ = try await world.job() }
            let leases = try await world.store.claim(64, for: try await world.node())
            let broken = leases[7]
            let answers = try await endTogether(leases, in: world) { lease in
                .produced(world.result("{}", cacheKey: "key of \(lease.job)"))
            } advance: { lease in
                { _ in
                    var advance = JobAdvance()
                    // No job ever goes back to this.
                    if lease == broken { advance.status = .pending }
                    return advance
                }
            }
            for lease in leases {
                let isBroken = lease == broken
                #expect(answers[lease] == (isBroken ? .some(nil) : .published(orphans: [])))
                #expect(try await world.stage(lease.job, lease.key).state == (isBroken ? .running : .done))
                let cached = try await world.store.result(cachedUnder: "key of \(lease.job)")
                #expect((cached == nil) == isBroken)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `of results under one key that end together one stands, and the blobs of the others are orphans`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            for _ in 0..<8 { _ = try await world.job() }
            let leases = try await world.store.claim(64, for: try await world.node())
            let answers = try await endTogether(leases, in: world) { lease in
                .produced(world.result("{}", blobs: ["of/\(lease.job)"], cacheKey: "same"))
            } advance: { _ in
                { _ in JobAdvance() }
            }
            let kept = try #require(try await world.store.result(cachedUnder: "same"))
            for lease in leases {
                let blob = BlobName.named("of/\(lease.job)")
                let orphans = kept.blobs == [blob] ? [] : [blob]
                #expect(answers[lease] == .published(orphans: orphans))
                #expect(try await world.stage(lease.job, lease.key).result == kept)
            }
        }
    }
}
