import Logging
import PostgresStore
import TestSupport
import Testing

/// What rate limits are owed, across restarts.
@Suite struct LimiterDebtTests {
    private func debt(_ subject: String, seconds: Int64, policy: String = "api") -> LimiterDebtRow {
        LimiterDebtRow(policy: policy, subject: subject, nanoseconds: seconds * 1_000_000_000)
    }

    private func run(_ body: (PostgresStore, PostgresServer, String) async throws -> Void) async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let store = PostgresStore(.patient(database), logger: .quiet)
        try await store.migrate()
        try await body(store, server, database)
        await store.shutdown()
    }

    private func all(_ store: PostgresStore, of holder: String) async throws -> [LimiterDebtRow] {
        try await store.limiterDebts(holder: holder, after: nil, limit: 1000)
    }

    @Test func `a debt is counted down while it is kept, and never too short`() async throws {
        try await run { store, server, database in
            let clock = ContinuousClock()
            let start = clock.now
            try await store.saveLimiterDebts([debt("a", seconds: 100)], holder: "one")
            try await server.execute(
                "update limiter_debt set ends_at = ends_at - interval '40 seconds'", on: database)
            let rows = try await all(store, of: "one")
            #expect(rows.map(\.subject) == ["a"])
            let left = rows[0].nanoseconds
            // The database tells time in microseconds.
            let least = Duration.seconds(60) - (clock.now - start) - .milliseconds(1)
            #expect(left <= 60_000_001_000 && .nanoseconds(left) >= least)
        }
    }

    @Test func `saving never lowers a debt, and the last to save holds it`() async throws {
        try await run { store, _, _ in
            try await store.saveLimiterDebts([debt("a", seconds: 1000)], holder: "one")
            try await store.saveLimiterDebts([debt("a", seconds: 10)], holder: "two")
            #expect(try await all(store, of: "one").isEmpty)
            #expect(try await all(store, of: "two")[0].nanoseconds > 500_000_000_000)
            try await store.saveLimiterDebts([debt("a", seconds: 5000)], holder: "one")
            #expect(try await all(store, of: "one")[0].nanoseconds > 2_000_000_000_000)
            try await store.saveLimiterDebts([debt("b", seconds: 100)], holder: "three")
            #expect(try await store.limiterDebtHolders() == ["one", "three"])
        }
    }

    @Test func `debts are read page by page, and those that are over are not`() async throws {
        try await run { store, server, database in
            let names = ["a", "b\"\\,{}", "c", "d é"]
            try await store.saveLimiterDebts(names.map { debt($0, seconds: 100) }, holder: "one")
            try await store.saveLimiterDebts([debt("a", seconds: 100, policy: "mail")], holder: "one")
            try await store.saveLimiterDebts([debt("x", seconds: 1)], holder: "one")
            try await server.execute(
                "update limiter_debt set ends_at = ends_at - interval '2 seconds'", on: database)
            var found: [LimiterDebtRow] = []
            while true {
                let last = found.last.map { (policy: $0.policy, subject: $0.subject) }
                let page = try await store.limiterDebts(holder: "one", after: last, limit: 2)
                found += page
                if page.count < 2 { break }
            }
            #expect(found.map(\.subject) == names + ["a"])
            #expect(found.map(\.policy) == ["api", "api", "api", "api", "mail"])
            try await store.tidyLimiterDebts()
            #expect(try await server.execute("select count(*) from limiter_debt", on: database) == "5")
        }
    }

    @Test func `two nodes may save the same rows at once`() async throws {
        try await run { store, _, _ in
            let rows = (0..<500).map { debt("s\($0)", seconds: 100) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<6 {
                    group.addTask {
                        let mine = round % 2 == 0 ? rows : rows.reversed()
                        try await store.saveLimiterDebts(mine, holder: "node-\(round)")
                    }
                }
                try await group.waitForAll()
            }
            var count = 0
            for round in 0..<6 { count += try await all(store, of: "node-\(round)").count }
            #expect(count == 500)
        }
    }
}
