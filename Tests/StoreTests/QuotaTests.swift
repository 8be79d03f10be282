import ClipModel
import Logging
import PostgresStore
import Store
import TestSupport
import Testing

/// Minutes of video: what is counted, once, and what is refused.
@Suite struct QuotaTests {
    /// A video that is guessed to be as long.
    private func video(_ world: World, guessed seconds: Double) async throws -> UploadID {
        let id = world.newUploadID()
        try await world.store.insert(
            Upload(
                id: id, fileName: "talk.mp4", bytes: Int64(seconds * FairShare.bytesPerSecond),
                sha256: String(repeating: "ab", count: 32), blob: .named("uploads/\(id)"), transcript: nil,
                createdAt: .start))
        return id
    }

    private func draft(
        _ world: World, _ upload: UploadID, minutesMax: Int? = nil, idempotency: JobDraft.Idempotency? = nil
    ) -> JobDraft {
        JobDraft(
            id: world.newJobID(), upload: upload, region: .eu, tenant: "ana", options: JobOptions(),
            minutesMax: minutesMax, stages: [StageKey(.scan)], idempotency: idempotency)
    }

    private func submit(_ world: World, seconds: Double, minutesMax: Int? = nil) async throws -> SubmitOutcome {
        try await world.store.submit(draft(world, try await video(world, guessed: seconds), minutesMax: minutesMax))
    }

    private func used(_ world: World) async throws -> Double {
        try await world.store.usage(of: "ana", minutesMax: nil).seconds
    }

    private func isRefused(_ outcome: SubmitOutcome) -> Bool {
        if case .quotaExhausted = outcome { true } else { false }
    }

    @Test func `a month ends where the next begins`() throws {
        for (moment, month, end) in [
            ("2026-01-31T23:59:59.999Z", "2026-01", "2026-02-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2026-02", "2026-03-01T00:00:00Z"),
            ("2028-02-29T12:00:00Z", "2028-02", "2028-03-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-12", "2027-01-01T00:00:00Z"),
        ] {
            let time = try #require(Timestamp(moment))
            let found = CalendarMonth(of: time)
            #expect(found.description == month)
            #expect(found.end == Timestamp(end))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a video is charged once, as guessed and then as it is, however often it is reported`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let key = JobDraft.Idempotency(key: "k", requestSHA256: "a")
            let upload = try await video(world, guessed: 600)
            for _ in 0..<3 { _ = try await world.store.submit(draft(world, upload, idempotency: key)) }
            #expect(try await used(world) == 600)
            let lease = try await world.claimOne(try await world.node())
            let result = world.result()
            for _ in 0..<3 {
                let outcome = try await world.complete(lease, .produced(result)) { _ in
                    var advance = JobAdvance()
                    advance.sourceSeconds = 1000.5
                    return advance
                }
                guard case .published = outcome else { throw Surprise("\(outcome)") }
            }
            #expect(try await used(world) == 1000.5)
            #expect(try await world.store.usage(of: "bob", minutesMax: 7).seconds == 0)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `the job that crosses the line is made, the next is refused and nothing of it stored`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            for seconds in [599.0, 6000] {
                guard case .created = try await submit(world, seconds: seconds, minutesMax: 10) else {
                    throw Surprise("not created")
                }
            }
            let upload = try await video(world, guessed: 1)
            let key = JobDraft.Idempotency(key: "k", requestSHA256: "a")
            let refused = draft(world, upload, minutesMax: 10, idempotency: key)
            guard case .quotaExhausted(let used, let most, let resetsAt) = try await world.store.submit(refused) else {
                throw Surprise("not refused")
            }
            #expect(abs(used - 6599.0 / 60) < 0.001 && most == 10)
            #expect(try await world.store.usage(of: "ana", minutesMax: nil).resetsAt == resetsAt)
            #expect(try await world.store.job(refused.id) == nil)
            #expect(try await self.used(world) == 6599)
            // Its key is free.
            guard case .created = try await world.store.submit(draft(world, upload, idempotency: key)) else {
                throw Surprise("not created")
            }
        }
    }

    /// Twenty-five times 2.4 is a little less than 60 in doubles, and a hundred times 0.6 a little more.
    @Test(arguments: Adapter.allCases, [1, 25, 100])
    func `who has used exactly what is allowed is refused, whatever it is the sum of`(
        adapter: Adapter, count: Int
    ) async throws {
        try await World.run(adapter) { world in
            for number in 1...count {
                let one = try await submit(world, seconds: 60 / Double(count), minutesMax: 1)
                #expect(!isRefused(one), "\(number)")
            }
            for seconds in [1000.1, 1, 2000.3] {
                let another = try await submit(world, seconds: seconds, minutesMax: 1)
                #expect(isRefused(another), "\(seconds)")
            }
            #expect(try await used(world) == 60)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `of jobs that come at once only one crosses the line`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            var drafts: [JobDraft] = []
            for _ in 0..<6 { drafts.append(draft(world, try await video(world, guessed: 60), minutesMax: 1)) }
            let outcomes = try await withThrowingTaskGroup(of: SubmitOutcome.self) { group in
                for draft in drafts { group.addTask { try await world.store.submit(draft) } }
                return try await group.reduce(into: [SubmitOutcome]()) { $0.append($1) }
            }
            let refused = outcomes.count { isRefused($0) }
            #expect(refused == 5)
            #expect(try await used(world) == 60)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `with the month the minutes begin anew, and a late report counts for the month of its job`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            guard case .created = try await submit(world, seconds: 60, minutesMax: 1) else { throw Surprise("refused") }
            let before = try await world.store.usage(of: "ana", minutesMax: 1)
            #expect(before.isExhausted && before.seconds == 60)
            try await world.pass(seconds: 31 * 86_400)
            let after = try await world.store.usage(of: "ana", minutesMax: 1)
            #expect(!after.isExhausted && after.seconds == 0)
            let lease = try await world.claimOne(try await world.node())
            _ = try await world.complete(lease, .produced(world.result())) { _ in
                var advance = JobAdvance()
                advance.sourceSeconds = 3600
                return advance
            }
            #expect(try await used(world) == 0)
            guard case .created = try await submit(world, seconds: 30, minutesMax: 1) else { throw Surprise("refused") }
            #expect(try await used(world) == 30)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `minutes of its own stand over a plan's, and those over everybody's`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            func most() async throws -> Int? { try await world.store.usage(of: "ana", minutesMax: 5).minutesMax }
            #expect(try await most() == 5)
            #expect(try await world.store.setTerms(of: "ana", to: ClientTerms(plan: "pro")) == .noSuchPlan)
            #expect(try await world.store.clients(after: nil, limit: 9).isEmpty)
            #expect(try await world.store.setPlan(Plan(name: "pro", minutesMax: 600)))
            #expect(try await world.store.setTerms(of: "ana", to: ClientTerms(plan: "pro")) == .set)
            #expect(try await most() == 600)
            #expect(try await world.store.setPlan(Plan(name: "pro", minutesMax: nil)))
            #expect(try await most() == nil)
            guard case .created = try await submit(world, seconds: 6000, minutesMax: 1) else {
                throw Surprise("refused")
            }
            try await world.store.setTerms(of: "ana", to: ClientTerms(plan: "pro", minutesMax: 100))
            #expect(try await most() == 100)
            let refused = try await submit(world, seconds: 1)
            #expect(isRefused(refused))
            try await world.store.upkeep()
            let share = try #require(try await world.store.clients(after: nil, limit: 9).first)
            #expect(share.terms == ClientTerms(plan: "pro", minutesMax: 100))
            #expect(share.plan == Plan(name: "pro", minutesMax: nil) && share.usedSeconds == 6000)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a plan that clients have cannot be removed`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let plan = Plan(name: "basic", minutesMax: 60)
            #expect(try await world.store.removePlan("basic") == .noSuchPlan)
            #expect(try await world.store.setPlan(plan))
            try await world.store.setTerms(of: "ana", to: ClientTerms(plan: "basic"))
            #expect(try await world.store.removePlan("basic") == .inUse(clients: 1))
            try await world.store.setTerms(of: "ana", to: ClientTerms())
            #expect(try await world.store.removePlan("basic") == .removed(plan))
            #expect(try await world.store.plans().isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `there are so many plans and no more`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for number in 1...StoreLimits.plansMax {
                let isSet = try await world.store.setPlan(Plan(name: "plan\(number)", minutesMax: number))
                #expect(isSet)
            }
            #expect(try await world.store.setPlan(Plan(name: "another", minutesMax: 1)) == false)
            #expect(try await world.store.setPlan(Plan(name: "plan1", minutesMax: nil)))
            #expect(try await world.store.plans().count == StoreLimits.plansMax)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a job that is deleted gives nothing back, and one that is there can be retried`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            guard case .created(let gone) = try await submit(world, seconds: 60),
                case .deleted = try await world.store.delete(gone.id),
                case .created(let failed) = try await submit(world, seconds: 60)
            else { throw Surprise("not created") }
            #expect(try await used(world) == 120)
            let lease = try await world.claimOne(try await world.node())
            try await world.end(lease, .failed(.test(.poison)))
            try await world.store.setTerms(of: "ana", to: ClientTerms(minutesMax: 1))
            let refused = try await submit(world, seconds: 1)
            #expect(isRefused(refused))
            guard case .changed = try await world.store.retry(failed.id) else { throw Surprise("not retried") }
            #expect(try await used(world) == 120)
        }
    }

    /// On PostgreSQL: every charge is an entry of its own until somebody adds it to the sum of the month.
    private func withDatabase(
        _ body: (World, @Sendable (String) async throws -> String) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        try await body(World(store: store)) { try await server.execute($0, on: database) }
        await store.shutdown()
    }

    @Test func `charges are added up while others are charged, and the sum stays the same`() async throws {
        try await withDatabase { world, sql in
            for round in 1...3 {
                var drafts: [JobDraft] = []
                for _ in 0..<8 { drafts.append(draft(world, try await video(world, guessed: 61))) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for draft in drafts { group.addTask { _ = try await world.store.submit(draft) } }
                    for _ in 0..<3 { group.addTask { _ = try await world.store.countEffects(limit: 10) } }
                    try await group.waitForAll()
                }
                #expect(try await used(world) == Double(round * 8 * 61))
            }
            let lease = try await world.claimOne(try await world.node())
            _ = try await world.complete(lease, .produced(world.result())) { _ in
                var advance = JobAdvance()
                advance.sourceSeconds = 21
                return advance
            }
            #expect(try await used(world) == 1424)
            #expect(try await world.store.countEffects(limit: 10) == 0)
            #expect(try await sql("select count(*) from usage_entry") == "0")
            #expect(try await sql("select tenant, seconds from tenant_usage") == "ana|1424")
            #expect(try await used(world) == 1424)
            let shares = try await world.store.clients(after: nil, limit: 9)
            #expect(shares.map(\.usedSeconds) == [1424])
        }
    }

    @Test func `a correction that is added up before its charge is made up for`() async throws {
        try await withDatabase { world, sql in
            let month = "date_trunc('month', now() at time zone 'UTC')::date"
            for (seconds, used) in [(-5.0, 0.0), (8, 3)] {
                let values = "('ana', \(month), \(seconds))"
                _ = try await sql("insert into usage_entry (tenant, month, seconds) values \(values)")
                #expect(try await self.used(world) == used)
                _ = try await world.store.countEffects(limit: 1)
                #expect(try await sql("select count(*) from usage_entry") == "0")
                #expect(try await self.used(world) == used)
            }
        }
    }
}
