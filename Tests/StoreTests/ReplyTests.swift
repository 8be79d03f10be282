import ClipModel
import PostgresStore
import Store
import TestSupport
import Testing

/// The book of answers to requests with an idempotency key, the same in both stores.
@Suite struct ReplyTests {
    private static let lease = Double(StoreLimits.replyLeaseSeconds)
    private static let reply = KeptReply(
        status: 201, headers: ["location": "/api/uploads/ñ \"1\""], body: #"{"fileName":"¿qué?"}"#)

    private func book(_ world: World) throws -> any ReplyBook { try #require(world.store as? any ReplyBook) }

    private func claim(
        _ holder: String, tenant: String = "ana", key: String = "k", route: String = "POST /api/upload",
        sha256: String = "ab"
    ) -> ReplyClaim {
        ReplyClaim(
            tenant: tenant, key: key, route: route, requestSHA256: String(repeating: sha256, count: 32), holder: holder)
    }

    @Test(arguments: Adapter.allCases)
    func `one claims a key, others hear that it runs, and then its answer`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), first = claim("one")
            #expect(try await book.claimReply(first) == .claimed)
            #expect(try await book.claimReply(first) == .claimed)
            #expect(try await book.claimReply(claim("two")) == .running)
            #expect(try await book.keepReply(Self.reply, for: claim("two")) == false)
            #expect(try await book.keepReply(Self.reply, for: first))
            #expect(try await book.keepReply(Self.reply, for: first))
            #expect(try await book.claimReply(claim("two")) == .kept(Self.reply))
            #expect(try await book.renewReply(first) == false)
            try await book.dropReply(first)
            #expect(try await book.claimReply(claim("three")) == .kept(Self.reply))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a key is one client's, and stands for one request`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            #expect(try await book.claimReply(claim("one")) == .claimed)
            #expect(try await book.claimReply(claim("two", tenant: "bea")) == .claimed)
            #expect(try await book.claimReply(claim("two", key: "l")) == .claimed)
            for isKept in [false, true] {
                if isKept { #expect(try await book.keepReply(Self.reply, for: claim("one"))) }
                #expect(try await book.claimReply(claim("two", route: "POST /api/uploads")) == .reused)
                #expect(try await book.claimReply(claim("two", sha256: "cd")) == .reused)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim that is dropped is free, and another's cannot be dropped`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            #expect(try await book.claimReply(claim("one")) == .claimed)
            try await book.dropReply(claim("two"))
            #expect(try await book.claimReply(claim("two")) == .running)
            try await book.dropReply(claim("one"))
            #expect(try await book.claimReply(claim("two", sha256: "cd")) == .claimed)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim that is renewed stays`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            #expect(try await book.claimReply(claim("one")) == .claimed)
            for _ in 0..<3 {
                try await world.pass(seconds: Self.lease - 30)
                #expect(try await book.renewReply(claim("one")))
                #expect(try await book.claimReply(claim("two")) == .running)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a claim that lapsed is taken over, and who lost it writes nothing`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), late = claim("one"), heir = claim("two")
            #expect(try await book.claimReply(late) == .claimed)
            try await world.pass(seconds: Self.lease + 1)
            #expect(try await book.claimReply(heir) == .claimed)
            #expect(try await book.renewReply(late) == false)
            #expect(try await book.keepReply(KeptReply(status: 200, headers: [:], body: "late"), for: late) == false)
            try await book.dropReply(late)
            #expect(try await book.claimReply(claim("three")) == .running)
            #expect(try await book.keepReply(Self.reply, for: heir))
            #expect(try await book.keepReply(KeptReply(status: 200, headers: [:], body: "late"), for: late) == false)
            #expect(try await book.claimReply(claim("three")) == .kept(Self.reply))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `an answer is kept for a day, however often upkeep runs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            #expect(try await book.claimReply(claim("one")) == .claimed)
            #expect(try await book.keepReply(Self.reply, for: claim("one")))
            try await world.pass(seconds: Double(StoreLimits.idempotencySeconds) - 600)
            try await world.store.upkeep()
            #expect(try await book.claimReply(claim("two")) == .kept(Self.reply))
            try await world.pass(seconds: 601)
            #expect(try await book.claimReply(claim("two", sha256: "cd")) == .claimed)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `of twenty at one moment one runs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), claims = (0..<20).map { claim("\($0)") }
            let outcomes = try await withThrowingTaskGroup(of: ReplyClaimOutcome.self) { group in
                for claim in claims { group.addTask { try await book.claimReply(claim) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .claimed } == 1)
            #expect(outcomes.count { $0 == .running } == 19)
        }
    }

    @Test func `upkeep removes what expired, and nothing else`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        for key in ["lapsed", "kept"] { #expect(try await store.claimReply(claim("one", key: key)) == .claimed) }
        #expect(try await store.keepReply(Self.reply, for: claim("one", key: "kept")))
        try await server.age(database, bySeconds: Self.lease + 1)
        #expect(try await store.claimReply(claim("one", key: "running")) == .claimed)
        try await store.upkeep()
        let keys = "select string_agg(key, ' ' order by key) from idempotent_reply"
        #expect(try await server.execute(keys, on: database) == "kept running")
        await store.shutdown()
    }
}
