import PostgresStore
import Store
import Testing

/// Debts of the limiter are kept by PostgreSQL alone.
@Suite struct LimiterTests {
    typealias Row = PostgresStore.LimiterRow

    private func withStore(_ body: @Sendable (PostgresStore, World) async throws -> Void) async throws {
        try await World.run(.postgres) { world in
            let store = try #require(world.store as? PostgresStore)
            try await body(store, world)
        }
    }

    @Test func `a debt is what is left of it, and the later of two ends stands`() async throws {
        try await withStore { store, _ in
            let hour = Int64(3_600_000_000)
            try await store.saveLimiterDebts(
                [Row(policy: "jobs", subject: "a", debtMicroseconds: hour)], heldBy: "one")
            try await store.saveLimiterDebts(
                [
                    Row(policy: "jobs", subject: "a", debtMicroseconds: hour / 2),
                    Row(policy: "jobs", subject: "a", debtMicroseconds: hour / 4),
                    Row(policy: "jobs", subject: "b'\"\\{}", debtMicroseconds: hour),
                ], heldBy: "two")
            #expect(try await store.limiterDebts(heldBy: "one", after: nil, limit: 10).isEmpty)
            #expect(try await store.limiterHolders() == ["two"])
            let kept = try await store.limiterDebts(heldBy: "two", after: nil, limit: 10)
            #expect(kept.map(\.subject) == ["a", "b'\"\\{}"])
            #expect(kept.allSatisfy { $0.debtMicroseconds > hour - 60_000_000 && $0.debtMicroseconds <= hour })
        }
    }

    @Test func `debts come in pages, and those that are over do not come and are removed`() async throws {
        try await withStore { store, _ in
            let rows = (0..<25).map {
                Row(policy: $0 < 12 ? "jobs" : "uploads", subject: "s\(100 + $0)", debtMicroseconds: 1_000_000_000)
            }
            try await store.saveLimiterDebts(
                rows.shuffled() + [Row(policy: "over", subject: "s", debtMicroseconds: 0)], heldBy: "one")
            var read: [Row] = []
            while true {
                let page = try await store.limiterDebts(
                    heldBy: "one", after: read.last.map { ($0.policy, $0.subject) }, limit: 10)
                read += page
                if page.count < 10 { break }
            }
            #expect(read.map(\.subject) == rows.map(\.subject))
            try await store.removePaidLimiterDebts()
            #expect(try await store.limiterDebts(heldBy: "one", after: nil, limit: 100).count == 25)
        }
    }

    @Test func `many nodes may save the same debts at once`() async throws {
        try await withStore { store, _ in
            let rows = (0..<500).map { Row(policy: "api", subject: "s\($0)", debtMicroseconds: 1_000_000_000) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<6 {
                    group.addTask {
                        let mine = round % 2 == 0 ? rows : rows.reversed()
                        try await store.saveLimiterDebts(mine, heldBy: "node-\(round)")
                    }
                }
                try await group.waitForAll()
            }
            var count = 0
            for round in 0..<6 {
                count += try await store.limiterDebts(heldBy: "node-\(round)", after: nil, limit: 1000).count
            }
            #expect(count == 500)
        }
    }
}
