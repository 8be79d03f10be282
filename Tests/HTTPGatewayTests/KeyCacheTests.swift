import ClipModel
import HTTPGateway
import Store
import Testing

@Suite struct KeyCacheTests {
    private static let holder = KeyCache.Holder(client: ClientName("acme")!, key: KeyID("k_000000000001")!)

    private func row(expiresIn seconds: Double? = nil, revoked: Bool = false) -> RegisteredKey {
        let now = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)
        return RegisteredKey(
            id: Self.holder.key, client: Self.holder.client, note: nil, createdAt: now,
            expiresAt: seconds.map { now.advanced(bySeconds: $0) }, revokedAt: revoked ? now : nil, readAt: now)
    }

    /// Knows the key `a` since 100.
    private func knowing(_ row: RegisteredKey? = nil) -> KeyCache {
        var cache = KeyCache()
        #expect(cache.look("a", from: "x", now: 100) == .ask(fallback: nil))
        _ = cache.answered("a", row ?? self.row(), askedAt: 100)
        return cache
    }

    @Test func `an answer is good for 15 seconds, and one request renews it before`() {
        var cache = knowing()
        #expect(cache.look("a", from: "x", now: 111.9) == .holder(Self.holder))
        #expect(cache.look("a", from: "x", now: 112) == .ask(fallback: Self.holder))
        #expect(cache.look("a", from: "x", now: 112.1) == .holder(Self.holder), "somebody asks already")
        #expect(cache.look("a", from: "x", now: 114.1) == .ask(fallback: Self.holder), "and has no answer yet")
        #expect(cache.look("a", from: "x", now: 115) == .ask(fallback: Self.holder), "nobody goes on without one")
        _ = cache.answered("a", row(), askedAt: 112)
        #expect(cache.look("a", from: "x", now: 123.9) == .holder(Self.holder))
    }

    /// However answers overtake each other: revoked at 105, and the last word from before that was asked for at 104.
    @Test(arguments: [true, false])
    func `nothing opens 15 seconds after it was revoked`(isOvertaken: Bool) {
        var cache = knowing()
        if isOvertaken {
            #expect(cache.answered("a", row(revoked: true), askedAt: 106) == .failure(.revoked))
            #expect(cache.answered("a", row(), askedAt: 104) == .success(Self.holder))
        } else {
            _ = cache.answered("a", row(), askedAt: 104)
        }
        for now in stride(from: 120.0, to: 800, by: 0.5) {
            let look = cache.look("a", from: "x", now: now)
            #expect(look != .holder(Self.holder), "\(now)")
        }
    }

    @Test func `a key that is known to be none is not asked for again for 15 seconds`() {
        for (known, refusal) in [
            (nil, .unknown), (row(revoked: true), .revoked), (row(expiresIn: 0), .expired),
        ] as [(RegisteredKey?, KeyCache.Refusal)] {
            var cache = KeyCache()
            #expect(cache.answered("a", known, askedAt: 100) == .failure(refusal))
            #expect(cache.look("a", from: "x", now: 114.9) == .refused(refusal))
            #expect(cache.look("a", from: "x", now: 115) == .ask(fallback: nil))
        }
    }

    @Test func `a known key ends in time without a question`() {
        var cache = knowing(row(expiresIn: 5))
        #expect(cache.look("a", from: "x", now: 104.9) == .holder(Self.holder))
        #expect(cache.look("a", from: "x", now: 105) == .refused(.expired))
        cache.wentUnanswered(now: 300)
        #expect(cache.look("a", from: "x", now: 300.5) == .refused(.expired), "a database that is away or not")
    }

    @Test func `while the database is away a known key goes on for ten minutes, and it is asked once a second`() {
        var cache = knowing()
        #expect(cache.look("a", from: "x", now: 130) == .ask(fallback: Self.holder))
        cache.wentUnanswered(now: 130)
        #expect(cache.look("a", from: "x", now: 130.9) == .holder(Self.holder))
        #expect(cache.look("b", from: "x", now: 130.9) == .away)
        #expect(cache.look("a", from: "x", now: 131) == .ask(fallback: Self.holder))
        #expect(cache.look("b", from: "x", now: 131) == .ask(fallback: nil))
        cache.wentUnanswered(now: 699.5)
        #expect(cache.look("a", from: "x", now: 699.9) == .holder(Self.holder))
        #expect(cache.look("a", from: "x", now: 700) == .away)
        #expect(cache.look("a", from: "x", now: 701) == .ask(fallback: nil))
        // The first answer ends the pause.
        cache.wentUnanswered(now: 701)
        _ = cache.answered("a", row(), askedAt: 701)
        #expect(cache.look("b", from: "x", now: 701.1) == .ask(fallback: nil))
    }

    @Test func `an address that is blocked is asked for nothing that is not known`() {
        var cache = knowing()
        cache.block("x", seconds: 4, now: 101)
        #expect(cache.look("b", from: "x", now: 102) == .blocked(seconds: 3))
        #expect(cache.look("b", from: "y", now: 102) == .ask(fallback: nil))
        #expect(cache.look("a", from: "x", now: 102) == .holder(Self.holder))
        #expect(cache.look("b", from: "x", now: 105) == .ask(fallback: nil))
        cache.block("x", seconds: 100, now: 113)
        #expect(cache.look("a", from: "x", now: 116) == .ask(fallback: Self.holder), "known keys are renewed")
    }

    @Test func `made-up keys push no known one out, and the table does not grow`() {
        var limits = KeyCache.Limits()
        limits.entriesMax = 10
        var cache = KeyCache(limits)
        _ = cache.answered("a", row(), askedAt: 100)
        for number in 0..<1000 {
            _ = cache.answered("made up \(number)", nil, askedAt: 100)
            cache.block("address \(number)", seconds: 60, now: 100)
        }
        #expect(cache.look("a", from: "x", now: 101) == .holder(Self.holder))
        let kept = (0..<1000).count { cache.look("made up \($0)", from: "x", now: 101) == .refused(.unknown) }
        #expect((5...10).contains(kept), "\(kept)")
        let blocked = (0..<1000).count { cache.blockedSeconds("address \($0)", now: 101) != nil }
        #expect((5...10).contains(blocked), "\(blocked)")
    }

    @Test func `uses are handed out once`() {
        var cache = KeyCache()
        for _ in 0..<3 { cache.noteUse(of: Self.holder.key) }
        #expect(cache.takeUsed() == [Self.holder.key])
        #expect(cache.takeUsed() == [])
    }
}
