import ClipModel
import PostgresStore
import Store
import TestSupport
import Testing

/// Keys of links, the same in both stores.
@Suite struct LinkKeyTests {
    private static let week = Double(StoreLimits.linkDays * 86_400)

    private func draft() -> LinkKeyDraft {
        var random = SystemRandomNumberGenerator()
        return LinkKeyDraft(using: &random)
    }

    @Test(arguments: Adapter.allCases)
    func `the first key stays, whoever asks`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let first = draft()
            let begun = try await world.store.linkKeys(orBegin: first)
            #expect(begun.map(\.id) == [first.id] && begun.first?.secret == first.secret)
            #expect(begun.first?.retiredAt == nil)
            #expect(try await world.store.linkKeys(orBegin: draft()) == begun)
            #expect(try await world.store.linkKeys(orBegin: first) == begun)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a key that was retired is good for a week more, and forgotten after it`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let one = draft(), two = draft(), three = draft()
            _ = try await world.store.linkKeys(orBegin: one)
            #expect(try await world.store.rotateLinkKeys(to: two, revoking: false).map(\.id) == [two.id, one.id])
            try await world.pass(seconds: 3600)
            let keys = try await world.store.rotateLinkKeys(to: three, revoking: false)
            #expect(keys.map(\.id) == [three.id, two.id, one.id])
            #expect(keys.map { $0.retiredAt == nil } == [true, false, false])
            // Sent again, because the answer was lost.
            #expect(try await world.store.rotateLinkKeys(to: three, revoking: false) == keys)
            try await world.pass(seconds: Self.week - 3000)
            #expect(try await world.store.linkKeys(orBegin: draft()).map(\.id) == [three.id, two.id])
            try await world.store.upkeep()
            #expect(try await world.store.linkKeys(orBegin: draft()).map(\.id) == [three.id, two.id])
            try await world.pass(seconds: Self.week)
            try await world.store.upkeep()
            let left = try await world.store.linkKeys(orBegin: draft())
            #expect(left.map(\.id) == [three.id] && left.first?.secret == three.secret)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `revoking leaves the new key alone`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let last = draft()
            _ = try await world.store.linkKeys(orBegin: draft())
            _ = try await world.store.rotateLinkKeys(to: draft(), revoking: false)
            #expect(try await world.store.rotateLinkKeys(to: last, revoking: true).map(\.id) == [last.id])
            #expect(try await world.store.linkKeys(orBegin: draft()).map(\.id) == [last.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a rotation may come before the first link`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let first = draft()
            let keys = try await world.store.rotateLinkKeys(to: first, revoking: false)
            #expect(keys.map(\.id) == [first.id])
            #expect(try await world.store.linkKeys(orBegin: draft()) == keys)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `nodes that begin or rotate at one moment agree on the key that signs`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let store = world.store
            let drafts = (0..<8).map { _ in draft() }
            let begun = try await withThrowingTaskGroup(of: [LinkKey].self) { group in
                for draft in drafts { group.addTask { try await store.linkKeys(orBegin: draft) } }
                return try await group.reduce(into: Set<String>()) { $0.formUnion($1.map(\.id)) }
            }
            #expect(begun.count == 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    let draft = draft()
                    group.addTask { _ = try await store.rotateLinkKeys(to: draft, revoking: false) }
                }
                try await group.waitForAll()
            }
            let keys = try await store.linkKeys(orBegin: draft())
            #expect(keys.count == 5 && keys.count { $0.retiredAt == nil } == 1)
            #expect(keys.first?.retiredAt == nil && begun.isSubset(of: keys.map(\.id)))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `not more keys are good than can be looked through`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            for _ in 0..<(StoreLimits.linkKeysMax + 3) {
                _ = try await world.store.rotateLinkKeys(to: draft(), revoking: false)
            }
            #expect(try await world.store.linkKeys(orBegin: draft()).count == StoreLimits.linkKeysMax)
        }
    }

    @Test func `two stores of one database see one key`() async throws {
        let database = try await PostgresServer.shared().makeDatabase()
        let stores = (0..<2).map { _ in
            PostgresStore(.patient(database), logger: .quiet)
        }
        try await stores[0].migrate()
        let first = try await stores[0].linkKeys(orBegin: draft())
        #expect(try await stores[1].linkKeys(orBegin: draft()) == first)
        let rotated = try await stores[1].rotateLinkKeys(to: draft(), revoking: true)
        #expect(try await stores[0].linkKeys(orBegin: draft()) == rotated && rotated.count == 1)
        for store in stores { await store.shutdown() }
    }

    @Test func `a key does not tell its secret where it is written`() {
        let draft = draft()
        let key = LinkKey(id: draft.id, secret: draft.secret, createdAt: .start)
        #expect("\(key)" == "link key \(draft.id)" && draft.secret.utf8.count == 64)
    }
}
