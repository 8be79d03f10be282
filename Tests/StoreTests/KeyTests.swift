import ClipModel
import Store
import Testing

/// The book of clients' keys, the same in both stores.
@Suite struct KeyTests {
    private func book(_ world: World) throws -> any KeyBook { try #require(world.store as? any KeyBook) }

    private func draft(
        _ number: Int, client: String = "acme", note: String? = nil, seconds: Int? = nil
    ) -> KeyDraft {
        let digit = String(number, radix: 16)
        return KeyDraft(
            id: KeyID("k_" + String(repeating: digit, count: 12))!, sha256: String(repeating: digit, count: 64),
            client: ClientName(client)!, note: note, expiresInSeconds: seconds)
    }

    @Test(arguments: Adapter.allCases)
    func `a key is found by its digest, and by nothing else`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), draft = draft(1, note: "la oficina ‘2’")
            #expect(try await book.key(sha256: draft.sha256) == nil)
            let created = try await book.createKey(draft)
            #expect(created.id == draft.id && created.client == draft.client && created.note == draft.note)
            #expect(created.standing == .active && created.secondsLeft == nil && created.lastUsedAt == nil)
            let found = try #require(try await book.key(sha256: draft.sha256))
            #expect(found.id == draft.id && found.createdAt == created.createdAt && found.note == draft.note)
            #expect(try await book.key(sha256: self.draft(2).sha256) == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a draft that comes twice is one key, and another under its names is refused`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), draft = draft(1), other = self.draft(2)
            let first = try await book.createKey(draft), again = try await book.createKey(draft)
            #expect(first.createdAt == again.createdAt)
            for (id, sha256) in [(draft.id, other.sha256), (other.id, draft.sha256)] {
                let wrong = KeyDraft(id: id, sha256: sha256, client: draft.client, note: nil, expiresInSeconds: nil)
                await #expect { _ = try await book.createKey(wrong) } throws: { ($0 as? StoreError)?.code == .refused }
            }
            #expect(try await book.keys(of: nil, after: nil, limit: 9).map(\.id) == [draft.id])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a key expires by the time of the store`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), draft = draft(1, seconds: 3600)
            let created = try await book.createKey(draft)
            #expect(created.secondsLeft == 3600)
            try await world.pass(seconds: 3000)
            let late = try #require(try await book.key(sha256: draft.sha256))
            #expect(late.standing == .active && late.secondsLeft ?? 0 > 500 && late.secondsLeft ?? 0 <= 600)
            try await world.pass(seconds: 601)
            let gone = try #require(try await book.key(sha256: draft.sha256))
            #expect(gone.standing == .expired && gone.secondsLeft == 0)
            #expect(try await book.keys(of: nil, after: nil, limit: 1).first?.standing == .expired)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a revoked key stays revoked from the first time on`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), draft = draft(1)
            #expect(try await book.revokeKey(draft.id) == nil)
            _ = try await book.createKey(draft)
            let first = try #require(try await book.revokeKey(draft.id))
            #expect(first.standing == .revoked && first.revokedAt == first.readAt)
            try await world.pass(seconds: 100)
            let again = try #require(try await book.revokeKey(draft.id)), revokedAt = try #require(again.revokedAt)
            #expect(again.readAt.seconds(since: revokedAt) >= 100)
            #expect(try await book.key(sha256: draft.sha256)?.standing == .revoked)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `keys are paged newest first, of one client or of all`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world)
            var made: [KeyID] = []
            for (number, client) in ["acme", "zeta", "acme", "acme"].enumerated() {
                made.append(try await book.createKey(draft(number + 1, client: client)).id)
                try await world.pass(seconds: 1)
            }
            let newest = Array(made.reversed())
            func page(_ client: String?, _ cursor: KeyID?, _ limit: Int) async throws -> [KeyID] {
                try await book.keys(of: client.flatMap { ClientName($0) }, after: cursor, limit: limit).map(\.id)
            }
            #expect(try await page(nil, nil, 9) == newest)
            #expect(try await page(nil, nil, 2) == Array(newest[..<2]))
            #expect(try await page(nil, newest[1], 9) == Array(newest[2...]))
            #expect(try await page("acme", nil, 9) == [newest[0], newest[1], newest[3]])
            #expect(try await page("acme", newest[1], 9) == [newest[3]])
            #expect(try await page("nobody", nil, 9) == [])
            #expect(try await page(nil, draft(9).id, 9) == [], "a cursor that this list never gave out")
            #expect(try await page(nil, nil, 0) == [])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a use is noted, and the next one not before its time`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let book = try book(world), used = draft(1), idle = draft(2)
            for draft in [used, idle] { _ = try await book.createKey(draft) }
            func lastUse(_ draft: KeyDraft) async throws -> Timestamp? {
                try await book.key(sha256: draft.sha256)?.lastUsedAt
            }
            try await book.touchKeys([])
            // One that is not in the book is nobody's.
            try await book.touchKeys([used.id, draft(9).id])
            let first = try #require(try await lastUse(used))
            #expect(try await lastUse(idle) == nil)
            try await book.touchKeys([used.id])
            #expect(try await lastUse(used) == first)
            try await world.pass(seconds: StoreLimits.keyUseSeconds + 1)
            try await book.touchKeys([used.id])
            let key = try #require(try await book.key(sha256: used.sha256)), last = try #require(key.lastUsedAt)
            #expect(key.readAt.seconds(since: last) < StoreLimits.keyUseSeconds)
        }
    }
}
