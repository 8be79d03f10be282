package import ClipModel

/// Uploads on their way.
extension InMemoryStore {
    struct SessionEntry {
        var session: UploadSession
        var parts: [UploadPart] = []
    }

    package func open(_ draft: UploadSessionDraft, quota: UploadQuota) throws -> UploadOpening {
        let now = clock()
        guard sessions[draft.id] == nil else { throw StoreError(.refused, "session \(draft.id) exists already") }
        if draft.kind == .final {
            let pieces = Dictionary(
                Set(draft.pieces).compactMap { id in sessions[id].map { (id, $0.session) } }
            ) { first, _ in first }
            let opening = UploadSession.join(draft, pieces, now: now)
            guard case .opened(let session) = opening else { return opening }
            var entry = SessionEntry(session: session)
            for part in draft.pieces.flatMap({ sessions[$0]?.parts ?? [] }) {
                entry.parts.append(part.moved(to: entry.parts.last?.end ?? 0))
            }
            sessions[draft.id] = entry
            return opening
        }
        let session = UploadSession(draft, now: now)
        let own = sessions.values.map(\.session).filter {
            $0.tenant == draft.tenant && $0.state != .finished && !$0.hasExpired(at: now) && $0.kind != .final
        }
        guard own.count < quota.sessionsMax else { return .tooManySessions }
        guard own.reduce(session.reserved, { $0 + $1.reserved }) <= quota.bytesMax else { return .tooManyBytes }
        sessions[draft.id] = SessionEntry(session: session)
        return .opened(session)
    }

    package func uploadSession(_ id: UploadID) -> UploadSession? { sessions[id]?.session }
    package func parts(of id: UploadID) -> [UploadPart] { sessions[id]?.parts ?? [] }

    package func change(_ id: UploadID, by event: UploadSession.Event) throws -> UploadChange? {
        guard var entry = sessions[id] else { return nil }
        let answer = entry.session.handle(event, now: clock())
        var freed: [BlobName] = []
        switch answer {
        case .appended:
            switch event {
            case .append(let part, _): entry.parts.append(part)
            case .grow(let part, _, _): entry.parts[entry.parts.count - 1] = part
            default: break
            }
        case .finished:
            if case .finish(let upload, _) = event, !entry.parts.isEmpty {
                try insert(upload)
                let old = entry.parts.map(\.blob)
                entry.parts = []
                sessions[id] = entry
                freed = unnamed(old)
            }
        case .terminated:
            sessions[id] = nil
            var old = entry.parts.map(\.blob)
            if let upload = uploads[id], !entries.values.contains(where: { $0.job.upload == id }) {
                uploads[id] = nil
                old += upload.blobs
            }
            fan.send([.upload(id)])
            return UploadChange(answer: answer, session: entry.session, freed: unnamed(old))
        case .busy: fan.send([.upload(id)])
        default: break
        }
        sessions[id] = entry
        return UploadChange(answer: answer, session: entry.session, freed: freed)
    }

    package func removeExpiredSessions(limit: Int) -> [BlobName] {
        let now = clock()
        let expired = sessions.values.filter { $0.session.expiresAt <= now }
            .sorted { ($0.session.expiresAt, $0.session.id) < ($1.session.expiresAt, $1.session.id) }
            .prefix(max(0, limit))
        for entry in expired { sessions[entry.session.id] = nil }
        return unnamed(expired.flatMap { $0.parts.map(\.blob) })
    }
}
