package import Blobs
package import ClipModel
package import Logging
package import Store

/// Uploads that arrive in pieces, over many requests, at whichever node: sessions, their bytes, and what becomes of
/// them. The rules are `UploadSession`'s; this is the way from there to the store and the blobs.
package struct UploadService: Sendable {
    package let limits: UploadLimits
    package let active: ActiveUploads
    let store: any UploadSessionStore
    let blobs: any BlobStore
    let clock: any Clock<Duration>
    let now: @Sendable () -> Timestamp
    private let newID: @Sendable () -> UploadID
    private let source: @Sendable (UploadID) -> BlobName
    private let node: NodeID
    let logger: Logger
    /// While parts are joined, so many blocks of so many bytes are in memory at most.
    private static let blocksAhead = 4, blockBytes = 1 << 20

    /// - Parameters:
    ///   - newID: a fresh identifier.
    ///   - source: where the bytes of an upload stand that was joined from parts.
    package init(
        store: any UploadSessionStore, blobs: any BlobStore, node: NodeID, limits: UploadLimits = UploadLimits(),
        active: ActiveUploads = ActiveUploads(), clock: any Clock<Duration>, now: @escaping @Sendable () -> Timestamp,
        newID: @escaping @Sendable () -> UploadID, source: @escaping @Sendable (UploadID) -> BlobName, logger: Logger
    ) {
        self.store = store
        self.blobs = blobs
        self.node = node
        self.limits = limits
        self.active = active
        self.clock = clock
        self.now = now
        self.newID = newID
        self.source = source
        self.logger = logger
    }

    /// A session that a client asks for.
    package struct Opening: Sendable, Hashable {
        package var tenant: String
        package var kind: UploadSession.Kind
        package var fileName: String
        package var metadata: String
        package var length: Int64?
        package var pieces: [UploadID]
        package var sha256: String?

        package init(
            tenant: String, kind: UploadSession.Kind = .whole, fileName: String = "video", metadata: String = "",
            length: Int64? = nil, pieces: [UploadID] = [], sha256: String? = nil
        ) {
            self.tenant = tenant
            self.kind = kind
            self.fileName = fileName
            self.metadata = metadata
            self.length = length
            self.pieces = pieces
            self.sha256 = sha256
        }
    }

    /// Stops what adds to an upload here when somebody elsewhere waits for it. Ends with the store's signals.
    package func run() async {
        for await signal in store.signals() {
            if case .upload(let id) = signal { active.stop(id) }
        }
    }

    /// Opens a session. One that is joined from pieces is an upload when this returns.
    package func open(_ wish: Opening) async throws -> UploadSession {
        guard wish.metadata.utf8.count <= limits.metadataBytesMax else {
            throw UploadError.metadataTooLong(bytesMax: limits.metadataBytesMax)
        }
        if let length = wish.length, length > limits.bytesMax { throw UploadError.tooLarge(bytesMax: limits.bytesMax) }
        if wish.length == 0 { throw UploadError.empty }
        guard wish.pieces.count <= limits.piecesMax else {
            throw UploadError.tooManyPieces(piecesMax: limits.piecesMax)
        }
        try blobs.room.requireFreeSpace()
        let bounds = UploadBounds(
            bytesMax: limits.bytesMax, partsMax: limits.partsMax, keepSeconds: limits.keepSeconds,
            leaseSeconds: limits.leaseSeconds)
        let draft = UploadSessionDraft(
            id: newID(), tenant: wish.tenant, kind: wish.kind, fileName: wish.fileName, metadata: wish.metadata,
            pieces: wish.pieces, length: wish.length, sha256: wish.sha256, bounds: bounds)
        let quota = UploadQuota(sessionsMax: limits.sessionsMax, bytesMax: limits.clientBytesMax)
        switch try await store.open(draft, quota: quota) {
        case .opened(let session): return session.kind == .final ? try await finish(session.id) : session
        case .tooManySessions: throw UploadError.tooManySessions(sessionsMax: limits.sessionsMax)
        case .tooManyBytes: throw UploadError.tooManyBytes(bytesMax: limits.clientBytesMax)
        case .noSuchPiece: throw UploadError.noSuchPiece
        case .unfinishedPiece: throw UploadError.unfinishedPiece
        case .tooLarge(let bytesMax): throw UploadError.tooLarge(bytesMax: bytesMax)
        }
    }

    /// The session with an offset that holds: whoever was adding to it has let go, and what it had is kept. One whose
    /// bytes are all here and that nobody joins (its node died) is joined now.
    package func look(_ id: UploadID) async throws -> UploadSession {
        let session = try await find(id)
        if session.state == .finished { return session }
        if session.isWhole, session.kind != .partial {
            do { return try await finish(id) } catch UploadError.finishing { return session }
        }
        guard session.holder != nil else { return session }
        let (taken, epoch) = try await take(id)
        return try await release(id, epoch) ?? taken
    }

    /// As it is written down, whoever adds to it.
    package func find(_ id: UploadID) async throws -> UploadSession {
        guard let session = try await store.uploadSession(id) else { throw UploadError.noSuchUpload }
        if session.hasExpired(at: now()) { throw UploadError.expired }
        return session
    }

    /// Forgets the session with its bytes; an upload that it became goes too, unless a job uses it.
    package func terminate(_ id: UploadID) async throws {
        guard let change = try await store.change(id, by: .terminate) else { throw UploadError.noSuchUpload }
        active.stop(id)
        try await blobs.remove(change.freed)
    }

    // MARK: Taking and letting go

    /// Makes the session ours. Whoever has it is asked to let go, so that no byte of it is lost, and waited for no
    /// longer than `takeoverSeconds`; then its epoch is over and what it still writes counts for nothing.
    func take(_ id: UploadID) async throws -> (session: UploadSession, epoch: Int) {
        let holder = "\(node)/\(newID().ulid)"
        var waited = 0.0, pause = 0.02
        while true {
            let event = UploadSession.Event.take(holder: holder, force: waited >= limits.takeoverSeconds)
            guard let change = try await store.change(id, by: event) else { throw UploadError.noSuchUpload }
            switch change.answer {
            case .taken(let epoch): return (change.session, epoch)
            case .busy:
                active.stop(id)
                try await clock.sleep(for: .seconds(pause))
                waited += pause
                pause = min(pause * 2, 0.2)
            case .refused(let refusal): throw UploadError(refusal, change.session)
            default: throw UploadError.takenOver
            }
        }
    }

    /// Nil when it is not ours any more.
    @discardableResult
    func release(_ id: UploadID, _ epoch: Int) async throws -> UploadSession? {
        let change = try await store.change(id, by: .release(epoch: epoch))
        return change?.answer == .released ? change?.session : nil
    }

    // MARK: Making one blob of it

    /// Joins what is whole, and registers it as an upload.
    package func finish(_ id: UploadID) async throws -> UploadSession {
        let (session, epoch) = try await take(id)
        do { return try await finish(session, epoch) } catch {
            // Whoever comes next may try at once. Should this fail too, the lease runs out.
            _ = try? await release(id, epoch)
            throw error
        }
    }

    func finish(_ session: UploadSession, _ epoch: Int) async throws -> UploadSession {
        let id = session.id
        let began = try await apply(.beginFinish(epoch: epoch), to: id)
        guard began.received > 0 else { throw UploadError.empty }
        let parts = try await store.parts(of: id)
        let (blob, facts) = try await holding(id, epoch) { try await oneBlob(of: session, parts, epoch) }
        if let sha256 = session.sha256, sha256 != facts.sha256 {
            try await terminate(id)
            try await blobs.remove([blob])
            throw UploadError.digestDiffers
        }
        let upload = Upload(
            id: id, fileName: session.fileName, bytes: facts.bytes, sha256: facts.sha256, blob: blob, createdAt: now())
        guard let change = try await store.change(id, by: .finish(upload, epoch: epoch)) else {
            // Terminated meanwhile: nothing points at these bytes.
            try await blobs.remove([blob])
            throw UploadError.noSuchUpload
        }
        guard change.answer == .finished else { throw UploadError.takenOver }
        logger.info("upload stored", metadata: ["upload": "\(id)", "upload.bytes": "\(upload.bytes)"])
        // The upload stands; what fails from here on costs only room, and the sweeper finds it.
        try? await blobs.remove(change.freed)
        for piece in session.pieces {
            _ = try? await store.change(piece, by: .expire(withinSeconds: limits.pieceKeepSeconds))
        }
        return change.session
    }

    /// Renews the lease while `body` runs, however long a single step of it takes: making gigabytes durable may take
    /// longer than a lease. Ends `body` when the session is another's.
    private func holding<Answer: Sendable>(
        _ id: UploadID, _ epoch: Int, _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    try await clock.sleep(for: .seconds(Double(limits.leaseSeconds) / 3))
                    try await apply(.renew(epoch: epoch), to: id)
                }
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }

    /// An only part is the upload as it stands, if this holder wrote it: an earlier one may not know yet that it was
    /// taken over, and what it still writes goes behind what counts. Else the parts are copied into one blob, hashed on
    /// the way.
    private func oneBlob(
        of session: UploadSession, _ parts: [UploadPart], _ epoch: Int
    ) async throws -> (BlobName, BlobFacts) {
        if session.kind == .whole, parts.count == 1, let only = parts.first,
            only.blob == UploadSession.partName(of: session.id, epoch: epoch, start: 0)
        {
            return (only.blob, BlobFacts(bytes: only.bytes, sha256: only.sha256))
        }
        let blob = source(session.id)
        let writer = try await blobs.writer(for: blob, limitBytes: session.received)
        do {
            for part in parts {
                let reader = try await blobs.read(part.blob, range: 0..<part.bytes, chunkBytes: Self.blockBytes)
                // Some blocks ahead: a bucket answers each request after a while, and the writer sends meanwhile.
                try await reader.forEachBlock(ahead: Self.blocksAhead) { try await writer.write($0) }
            }
            return (blob, try await writer.commit())
        } catch {
            await writer.discard()
            throw error
        }
    }

    /// Applies an event of the holder; throws when it is the holder no more, or may not.
    @discardableResult
    func apply(_ event: UploadSession.Event, to id: UploadID) async throws -> UploadSession {
        guard let change = try await store.change(id, by: event) else { throw UploadError.noSuchUpload }
        switch change.answer {
        case .stale: throw UploadError.takenOver
        case .refused(let refusal): throw UploadError(refusal, change.session)
        default: return change.session
        }
    }
}

extension UploadError {
    init(_ refusal: UploadSession.Refusal, _ session: UploadSession) {
        self =
            switch refusal {
            case .finished: .finished
            case .finishing: .finishing(received: session.received)
            case .expired: .expired
            case .takesNothing: .takesNothing
            case .tooLarge(let bytesMax): .tooLarge(bytesMax: bytesMax)
            case .tooManyParts(let partsMax): .tooManyParts(partsMax: partsMax)
            case .lengthDiffers(let known): .lengthDiffers(known: known)
            case .lengthTooShort(let received): .lengthTooShort(received: received)
            case .gap(let received): .offsetDiffers(received: received, sent: received)
            case .notWhole: .takenOver
            }
    }
}
