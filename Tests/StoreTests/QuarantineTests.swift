import ClipModel
import Store
import Testing

/// The book of infected uploads, the same in both stores.
@Suite struct QuarantineTests {
    private func book(_ world: World) throws -> any QuarantineBook {
        try #require(world.store as? any QuarantineBook)
    }

    private func entry(
        _ world: World, sha256: String = "aa", signature: String = "Eicar", tenant: String = "ana"
    ) -> QuarantineEntry {
        QuarantineEntry(
            upload: world.newUploadID(), sha256: sha256, bytes: 68, signature: signature, job: world.newJobID(),
            tenant: tenant, node: .named("one"), foundAt: .start)
    }

    @Test(arguments: Adapter.allCases)
    func `an entry is written once and tells of all equal bytes`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), entry = entry(world)
            #expect(try await book.quarantined(sha256: "aa") == nil)
            for _ in 0..<2 { try await book.quarantine(entry) }
            #expect(try await book.quarantined(sha256: "aa") == "Eicar")
            #expect(try await book.quarantined(sha256: "ab") == nil)
            let kept = try await book.quarantineEntries(before: nil, limit: 9)
            #expect(kept.count == 1 && kept.first?.upload == entry.upload && kept.first?.job == entry.job)
            #expect(kept.first?.tenant == "ana" && kept.first?.bytes == 68 && kept.first?.emptiedAt == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the first find stays, and outlives its job`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), upload = try await world.upload()
            let job = try await world.job(upload: upload.id)
            for signature in ["First", "Second"] {
                try await book.quarantine(
                    QuarantineEntry(
                        upload: upload.id, sha256: upload.sha256, bytes: 12, signature: signature, job: job.id,
                        tenant: "ana", node: .named("one"), foundAt: .start))
            }
            _ = try await world.store.delete(job.id)
            #expect(try await world.store.upload(upload.id) == nil)
            #expect(try await book.quarantined(sha256: upload.sha256) == "First")
        }
    }

    @Test(arguments: Adapter.allCases)
    func `bytes are due after their time, and then count no more`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), first = entry(world), second = entry(world, sha256: "bb")
            for entry in [first, second] { try await book.quarantine(entry) }
            #expect(try await book.quarantineToEmpty(olderThanSeconds: 3600, limit: 9) == [])
            try await world.pass(seconds: 3700)
            #expect(try await book.quarantineToEmpty(olderThanSeconds: 3600, limit: 1) == [first.upload])
            for _ in 0..<2 { try await book.quarantineEmptied([first.upload]) }
            #expect(try await book.quarantineToEmpty(olderThanSeconds: 3600, limit: 9) == [second.upload])
            #expect(try await book.quarantined(sha256: "aa") == nil)
            #expect(try await book.quarantined(sha256: "bb") == "Eicar")
            let entries = try await book.quarantineEntries(before: nil, limit: 9)
            #expect(entries.map(\.upload) == [second.upload, first.upload])
            #expect(entries.last?.emptiedAt != nil)
            #expect(try await book.quarantineEntries(before: second.upload, limit: 9).map(\.upload) == [first.upload])
            // Upkeep forgets nothing that was emptied lately.
            try await world.store.upkeep()
            #expect(try await book.quarantineEntries(before: nil, limit: 9).count == 2)
            try await world.pass(seconds: Double((StoreLimits.quarantineDays + 1) * 86_400))
            try await world.store.upkeep()
            #expect(try await book.quarantineEntries(before: nil, limit: 9).map(\.upload) == [second.upload])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what waits counts no attempt and is soon offered to the same node again`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let life = try await world.node(), job = try await world.job()
            for _ in 0..<9 {
                let lease = try await world.claimOne(life)
                #expect(lease.attempts == 1)
                let away = Failure(.resource, code: "away", reason: "It is away.", hint: "Wait.", waits: true)
                _ = try await world.complete(lease, .failed(away)) { snapshot in
                    var advance = JobAdvance()
                    advance.reopen[snapshot.changed] = 2
                    return advance
                }
                let stage = try await world.stage(job.id, StageKey(.scan))
                #expect(stage.attempts == 0 && stage.failure?.waits == true)
                #expect(try await world.store.claim(1, for: life).isEmpty)
                try await world.pass(seconds: 2 + StoreLimits.waitingAvoidanceSeconds + 0.1)
            }
        }
    }

    /// Else what never fits keeps its job for ever.
    @Test(arguments: Adapter.allCases)
    func `after a day and a hundred tries what waits counts as any other failure`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let job = try await world.job()
            // Not for want of a resource: the only node is offered it again at once.
            let away = Failure(.transient, code: "away", reason: "It is away.", hint: "Wait.", waits: true)
            func attempts(after tries: Int, by life: NodeLife) async throws -> Int {
                for _ in 0..<tries {
                    let lease = try await world.claimOne(life)
                    _ = try await world.complete(lease, .failed(away)) { snapshot in
                        var advance = JobAdvance()
                        advance.reopen[snapshot.changed] = 0
                        return advance
                    }
                }
                return try await world.stage(job.id, StageKey(.scan)).attempts
            }
            let first = try await world.node()
            #expect(try await attempts(after: 3, by: first) == 0)
            // Its lease has ended by then.
            try await world.pass(seconds: StoreLimits.waitingSeconds)
            let second = try await world.node()
            #expect(try await attempts(after: StoreLimits.waitingTriesMin - 3, by: second) == 0)
            #expect(try await attempts(after: 3, by: second) == 3)
            #expect(try await world.stage(job.id, StageKey(.scan)).epoch == StoreLimits.waitingTriesMin + 3)
        }
    }
}
