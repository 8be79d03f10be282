package import ClipModel

/// The part of durable truth that uploads on their way are in.
package protocol UploadSessionStore: Sendable {
    /// Opens a session, if its client may have another. A final one is joined from the parts of its pieces, which have
    /// to be partial and whole.
    func open(_ draft: UploadSessionDraft, quota: UploadQuota) async throws -> UploadOpening
    /// As it is now; an expired one is answered until it is swept.
    func uploadSession(_ id: UploadID) async throws -> UploadSession?
    /// Applies one event in one transaction and does what follows from it: an appended part is kept, a finished session
    /// becomes an upload and forgets its parts, a terminated one is gone. Nil: there is no such session. Whoever waits
    /// for a busy one is announced (`StoreSignal.upload`). Safe to repeat.
    func change(_ id: UploadID, by event: UploadSession.Event) async throws -> UploadChange?
    /// In the order of their places.
    func parts(of id: UploadID) async throws -> [UploadPart]
    /// Removes up to `limit` sessions that have expired. Those that became uploads go too, the uploads stay. Answers
    /// with bytes that nothing points at any more.
    func removeExpiredSessions(limit: Int) async throws -> [BlobName]
    /// As `Store.signals`.
    func signals() -> AsyncStream<StoreSignal>
}

/// What a client may have under way at one time.
package struct UploadQuota: Sendable, Hashable {
    package let sessionsMax: Int
    /// Lengths added up, or what has arrived where the length is not known.
    package let bytesMax: Int64

    package init(sessionsMax: Int, bytesMax: Int64) {
        self.sessionsMax = sessionsMax
        self.bytesMax = bytesMax
    }
}

package enum UploadOpening: Sendable, Hashable {
    case opened(UploadSession)
    case tooManySessions
    case tooManyBytes
    /// A piece that is not there, or is no partial upload.
    case noSuchPiece(UploadID)
    case unfinishedPiece(UploadID)
    case tooLarge(bytesMax: Int64)
}

/// What an event came to.
package struct UploadChange: Sendable, Hashable {
    package let answer: UploadSession.Answer
    /// As it is afterwards.
    package let session: UploadSession
    /// Bytes that nothing points at any more: the caller's to remove.
    package let freed: [BlobName]

    package init(answer: UploadSession.Answer, session: UploadSession, freed: [BlobName] = []) {
        self.answer = answer
        self.session = session
        self.freed = freed
    }
}

extension UploadSession {
    /// Adds up the pieces of a final session, or says which of them does not fit.
    package static func join(
        _ draft: UploadSessionDraft, _ pieces: [UploadID: UploadSession], now: Timestamp
    ) -> UploadOpening {
        var joined: [UploadSession] = []
        for id in draft.pieces {
            guard let piece = pieces[id], piece.kind == .partial, !piece.hasExpired(at: now) else {
                return .noSuchPiece(id)
            }
            guard piece.isWhole else { return .unfinishedPiece(id) }
            joined.append(piece)
        }
        let session = UploadSession(draft, joining: joined, now: now)
        return session.received <= draft.bounds.bytesMax
            ? .opened(session) : .tooLarge(bytesMax: draft.bounds.bytesMax)
    }

    /// What it takes of its client's quota.
    package var reserved: Int64 { length ?? received }
}
