import ClipModel
import Store
import Testing

/// Uploads on their way, in both stores. The rules themselves are tested where they are (`SessionWorldTests`).
@Suite struct UploadSessionTests {
    /// Longer than any test takes: what must be over is made to pass.
    static let bounds = UploadBounds(bytesMax: 1000, partsMax: 100, keepSeconds: 3600, leaseSeconds: 600)
    static let quota = UploadQuota(sessionsMax: 100, bytesMax: 1_000_000)

    private func draft(
        _ world: World, kind: UploadSession.Kind = .whole, length: Int64? = 10, tenant: String = "ana",
        pieces: [UploadID] = []
    ) -> UploadSessionDraft {
        UploadSessionDraft(
            id: world.newUploadID(), tenant: tenant, kind: kind, fileName: "talk ‘1’.mp4",
            metadata: "filename dGFsaw==", pieces: pieces, length: length, sha256: String(repeating: "ab", count: 32),
            bounds: Self.bounds)
    }

    private func open(
        _ world: World, kind: UploadSession.Kind = .whole, length: Int64? = 10
    ) async throws -> UploadSession {
        guard
            case .opened(let session) = try await world.store.open(
                draft(world, kind: kind, length: length), quota: Self.quota)
        else { throw Surprise("the session was not opened") }
        return session
    }

    private func take(_ world: World, _ id: UploadID, force: Bool = false) async throws -> Int {
        let change = try await world.store.change(id, by: .take(holder: "a", force: force))
        guard case .taken(let epoch) = change?.answer else { throw Surprise("\(String(describing: change))") }
        return epoch
    }

    private func part(_ id: UploadID, at start: Int64, bytes: Int64, epoch: Int) -> UploadPart {
        UploadPart(
            start: start, bytes: bytes, blob: UploadSession.partName(of: id, epoch: epoch, start: start),
            sha256: String(repeating: "cd", count: 32))
    }

    private func fill(_ world: World, _ id: UploadID, bytes: [Int64]) async throws -> (epoch: Int, parts: [UploadPart])
    {
        let epoch = try await take(world, id)
        var parts: [UploadPart] = []
        for count in bytes {
            let part = part(id, at: parts.last?.end ?? 0, bytes: count, epoch: epoch)
            #expect(
                try await world.store.change(id, by: .append(part, epoch: epoch))?.answer == .appended(isAsked: false))
            parts.append(part)
        }
        return (epoch, parts)
    }

    private func upload(_ session: UploadSession, blob: String) -> Upload {
        Upload(
            id: session.id, fileName: session.fileName, bytes: session.received,
            sha256: String(repeating: "ab", count: 32), blob: .named(blob), createdAt: .start)
    }

    @Test(arguments: Adapter.allCases)
    func `the last part grows from where it ended, and no other does`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world)
            let (epoch, parts) = try await fill(world, session.id, bytes: [4, 3])
            func grow(_ part: UploadPart, from: Int64, _ epoch: Int) async throws -> UploadSession.Answer? {
                try await world.store.change(session.id, by: .grow(part, from: from, epoch: epoch))?.answer
            }
            let longer = part(session.id, at: 4, bytes: 5, epoch: epoch)
            #expect(try await grow(longer, from: 7, epoch) == .appended(isAsked: false))
            #expect(try await world.store.parts(of: session.id) == [parts[0], longer])
            let changed = try await world.store.uploadSession(session.id)
            #expect(changed?.received == 9 && changed?.parts == 2)
            // From an end that it has no more, not at all, beyond the length, and by somebody who was taken over.
            #expect(try await grow(longer, from: 7, epoch) == .refused(.gap(received: 9)))
            #expect(try await grow(longer, from: 9, epoch) == .refused(.gap(received: 9)))
            let tooLong = part(session.id, at: 4, bytes: 7, epoch: epoch)
            #expect(try await grow(tooLong, from: 9, epoch) == .refused(.tooLarge(bytesMax: 10)))
            _ = try await take(world, session.id, force: true)
            #expect(try await grow(part(session.id, at: 4, bytes: 6, epoch: epoch), from: 9, epoch) == .stale)
            #expect(try await world.store.parts(of: session.id) == [parts[0], longer])
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a session is found as it was opened and as it was changed`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world, length: nil)
            #expect(try await world.store.uploadSession(session.id) == session)
            #expect(try await world.store.uploadSession(world.newUploadID()) == nil)
            let (epoch, parts) = try await fill(world, session.id, bytes: [4, 3])
            let changed = try await world.store.change(session.id, by: .declare(length: 9, epoch: epoch))?.session
            #expect(changed?.received == 7)
            #expect(changed?.length == 9)
            #expect(changed?.parts == 2)
            #expect(changed?.holder == "a")
            #expect(try await world.store.uploadSession(session.id) == changed)
            #expect(try await world.store.parts(of: session.id) == parts)
            #expect(try await world.store.change(world.newUploadID(), by: .terminate) == nil)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `an older epoch writes nothing`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world)
            let old = try await take(world, session.id)
            let new = try await take(world, session.id, force: true)
            #expect(new == old + 1)
            let late = part(session.id, at: 0, bytes: 1, epoch: old)
            #expect(try await world.store.change(session.id, by: .append(late, epoch: old))?.answer == .stale)
            #expect(try await world.store.parts(of: session.id).isEmpty)
            #expect(try await world.store.uploadSession(session.id)?.received == 0)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `of many that take at once each gets an epoch of its own`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world)
            let epochs = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await take(world, session.id, force: true) } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(epochs == Set(1...8))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `whoever waits for a busy session is announced`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world)
            _ = try await take(world, session.id)
            let signals = world.store.signals()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    for await signal in signals where signal == .upload(session.id) { return true }
                    return false
                }
                // Asked again until it is heard: the listener may just be connecting.
                group.addTask {
                    while !Task.isCancelled {
                        _ = try await world.store.change(session.id, by: .take(holder: "b", force: false))
                        try await ContinuousClock().sleep(for: .milliseconds(20))
                    }
                    return false
                }
                let wasHeard = try await group.next()
                #expect(wasHeard == true)
                group.cancelAll()
            }
            #expect(try await world.store.uploadSession(session.id)?.isAsked == true)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a finished session is an upload, and its parts are free unless the upload is one of them`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world, length: 7)
            let (epoch, parts) = try await fill(world, session.id, bytes: [4, 3])
            #expect(try await world.store.unnamed(parts.map(\.blob)).isEmpty)
            let whole = try #require(
                try await world.store.change(session.id, by: .beginFinish(epoch: epoch))?.session)
            let upload = upload(whole, blob: "uploads/joined")
            let finish = UploadSession.Event.finish(upload, epoch: epoch)
            let change = try await world.store.change(session.id, by: finish)
            #expect(change?.answer == .finished)
            #expect(change?.freed.sorted() == parts.map(\.blob).sorted())
            #expect(try await world.store.change(session.id, by: finish)?.answer == .finished)
            #expect(try await world.store.upload(session.id) == upload)
            #expect(try await world.store.parts(of: session.id).isEmpty)

            let small = try await open(world, length: 5)
            let (last, only) = try await fill(world, small.id, bytes: [5])
            let filled = try #require(try await world.store.uploadSession(small.id))
            let same = self.upload(filled, blob: only[0].blob.rawValue)
            #expect(try await world.store.change(small.id, by: .finish(same, epoch: last))?.freed == [])
            #expect(try await world.store.unnamed([only[0].blob]).isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a terminated session is gone with its bytes, and its upload unless a job uses it`(
        adapter: Adapter
    ) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world)
            let (_, parts) = try await fill(world, session.id, bytes: [4])
            let gone = try await world.store.change(session.id, by: .terminate)
            #expect(gone?.answer == .terminated)
            #expect(gone?.freed == parts.map(\.blob))
            #expect(try await world.store.uploadSession(session.id) == nil)

            for isUsed in [true, false] {
                let other = try await open(world, length: 3)
                let (epoch, parts) = try await fill(world, other.id, bytes: [3])
                let whole = try #require(try await world.store.uploadSession(other.id))
                let upload = upload(whole, blob: parts[0].blob.rawValue)
                _ = try await world.store.change(other.id, by: .finish(upload, epoch: epoch))
                if isUsed { _ = try await world.job(upload: other.id) }
                let change = try await world.store.change(other.id, by: .terminate)
                #expect(change?.freed == (isUsed ? [] : [parts[0].blob]))
                let kept = try await world.store.upload(other.id)
                #expect((kept != nil) == isUsed)
            }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `pieces are joined in the order in which they are named`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let first = try await open(world, kind: .partial, length: 7)
            let second = try await open(world, kind: .partial, length: 2)
            let (_, left) = try await fill(world, first.id, bytes: [4, 3])
            let joining = draft(world, kind: .final, length: nil, pieces: [second.id, first.id])
            #expect(try await world.store.open(joining, quota: Self.quota) == .unfinishedPiece(second.id))
            let (_, right) = try await fill(world, second.id, bytes: [2])
            guard case .opened(let joined) = try await world.store.open(joining, quota: Self.quota) else {
                throw Surprise("not joined")
            }
            #expect(joined.length == 9)
            #expect(joined.received == 9)
            #expect(joined.pieces == [second.id, first.id])
            #expect(try await world.store.uploadSession(joined.id) == joined)
            #expect(
                try await world.store.parts(of: joined.id) == [right[0], left[0].moved(to: 2), left[1].moved(to: 6)])
            // What the joined one still needs is kept when a piece goes.
            #expect(try await world.store.change(first.id, by: .terminate)?.freed == [])
            let again = draft(world, kind: .final, length: nil, pieces: [first.id])
            #expect(try await world.store.open(again, quota: Self.quota) == .noSuchPiece(first.id))
            let whole = try await open(world)
            let wrong = draft(world, kind: .final, length: nil, pieces: [whole.id])
            #expect(try await world.store.open(wrong, quota: Self.quota) == .noSuchPiece(whole.id))
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a client may have so many sessions and so many bytes, others are not concerned`(adapter: Adapter) async throws
    {
        try await World.run(adapter) { world in
            let quota = UploadQuota(sessionsMax: 2, bytesMax: 25)
            func open(_ length: Int64?, _ tenant: String = "ana") async throws -> UploadOpening {
                try await world.store.open(draft(world, length: length, tenant: tenant), quota: quota)
            }
            guard case .opened(let first) = try await open(20) else { throw Surprise("not opened") }
            #expect(try await open(6) == .tooManyBytes)
            guard case .opened = try await open(5) else { throw Surprise("not opened") }
            #expect(try await open(nil) == .tooManySessions)
            guard case .opened = try await open(20, "berta") else { throw Surprise("not opened") }
            _ = try await world.store.change(first.id, by: .terminate)
            guard case .opened = try await open(20) else { throw Surprise("room was not given back") }
        }
    }

    @Test(arguments: Adapter.allCases)
    func `what nobody goes on with expires and is swept, uploads stay`(adapter: Adapter) async throws {
        try await World.run(adapter) { world in
            let session = try await open(world)
            let (_, parts) = try await fill(world, session.id, bytes: [4])
            let done = try await open(world, length: 3)
            let (epoch, kept) = try await fill(world, done.id, bytes: [3])
            let whole = try #require(try await world.store.uploadSession(done.id))
            let upload = upload(whole, blob: kept[0].blob.rawValue)
            _ = try await world.store.change(done.id, by: .finish(upload, epoch: epoch))
            #expect(try await world.store.removeExpiredSessions(limit: 10).isEmpty)
            try await world.pass(seconds: 3601)
            #expect(try await world.store.change(session.id, by: .renew(epoch: 1))?.answer == .refused(.expired))
            #expect(try await world.store.removeExpiredSessions(limit: 10) == parts.map(\.blob))
            #expect(try await world.store.uploadSession(session.id) == nil)
            #expect(try await world.store.uploadSession(done.id) == nil)
            // All of it but when: time was made to pass by moving what is stored.
            #expect(try await world.store.upload(done.id)?.blob == upload.blob)
        }
    }
}
