package import ClipModel
package import Store

/// Uploads on their way.
extension PostgresStore {
    package func open(_ draft: UploadSessionDraft, quota: UploadQuota) async throws -> UploadOpening {
        try await database.write { connection, attempt in
            // What a first run wrote before its connection broke.
            if attempt > 1, let row = try connection.query(UploadSessionTable.one.with(draft.id)).first {
                return .rollBack(.opened(try UploadSessionTable.session(row)))
            }
            return draft.kind == .final
                ? try Self.join(draft, on: &connection) : try Self.open(draft, quota, on: &connection)
        }
    }

    private static func open(
        _ draft: UploadSessionDraft, _ quota: UploadQuota, on connection: inout PostgresConnection
    ) throws -> Database.Verdict<UploadOpening> {
        let answers = try connection.queries([
            UploadSessionTable.latch.with(draft.tenant), UploadSessionTable.reserved.with(draft.tenant), now.with(),
        ])
        guard let reserved = answers[1].first, let now = try answers[2].first?.time("now") else {
            throw PostgresFailure(.corrupt, "adding up what a client has reserved answered nothing")
        }
        let session = UploadSession(draft, now: now)
        guard try reserved.int("sessions") < quota.sessionsMax else { return .rollBack(.tooManySessions) }
        guard try reserved.int64("bytes") + session.reserved <= quota.bytesMax else { return .rollBack(.tooManyBytes) }
        connection.enqueue(UploadSessionTable.inserting(session))
        return .commit(.opened(session))
    }

    private static func join(
        _ draft: UploadSessionDraft, on connection: inout PostgresConnection
    ) throws -> Database.Verdict<UploadOpening> {
        let answers = try connection.queries([UploadSessionTable.keepPieces.with(draft.pieces), now.with()])
        guard let now = try answers[1].first?.time("now") else {
            throw PostgresFailure(.corrupt, "asking for the time answered nothing")
        }
        let pieces = Dictionary(try answers[0].map { try UploadSessionTable.session($0) }.map { ($0.id, $0) }) {
            first, _ in first
        }
        let opening = UploadSession.join(draft, pieces, now: now)
        guard case .opened(let session) = opening else { return .rollBack(opening) }
        connection.enqueue(UploadSessionTable.inserting(session))
        var place: Int64 = 0
        for piece in draft.pieces {
            let parts = try connection.query(UploadSessionTable.parts.with(piece)).map {
                try UploadSessionTable.part($0)
            }
            for part in parts {
                connection.enqueue(UploadSessionTable.inserting(part.moved(to: place), of: session.id))
                place += part.bytes
            }
        }
        return .commit(opening)
    }

    package func uploadSession(_ id: UploadID) async throws -> UploadSession? {
        try await database.read {
            try $0.query(UploadSessionTable.one.with(id)).first.map { try UploadSessionTable.session($0) }
        }
    }

    package func parts(of id: UploadID) async throws -> [UploadPart] {
        try await database.read {
            try $0.query(UploadSessionTable.parts.with(id)).map { try UploadSessionTable.part($0) }
        }
    }

    package func change(_ id: UploadID, by event: UploadSession.Event) async throws -> UploadChange? {
        try await database.write(
            wasCommitted: { connection, _ in
                let part: UploadPart
                switch event {
                case .append(let new, _): part = new
                case .grow(let grown, _, _): part = grown
                default: return false
                }
                return try connection.query(UploadSessionTable.hasPart.with(id, part.blob, part.bytes)).first?
                    .bool("is_there") == true
            },
            { connection, _ in
                guard let row = try connection.query(UploadSessionTable.lock.with(id)).first else {
                    return .rollBack(nil)
                }
                let before = try UploadSessionTable.session(row)
                var session = before
                let answer = session.handle(event, now: try row.time("now"))
                if session != before { connection.enqueue(UploadSessionTable.updating(session)) }
                var freed: [BlobName] = []
                switch (answer, event) {
                case (.appended, .append(let part, _)):
                    connection.enqueue(UploadSessionTable.inserting(part, of: id))
                case (.appended, .grow(let part, _, _)):
                    let grow = UploadSessionTable.growPart.with(id, part.blob, part.bytes, part.sha256)
                    guard try !connection.query(grow).isEmpty else {
                        throw PostgresFailure(.corrupt, "there is no part \(part.blob) that could grow")
                    }
                case (.finished, .finish(let upload, _)) where before.state != .finished:
                    freed = try Self.finish(upload, on: &connection)
                case (.terminated, _):
                    freed = try Self.remove(id, on: &connection)
                    EventTable.announce([.upload(id)], on: &connection)
                case (.busy, _): EventTable.announce([.upload(id)], on: &connection)
                default: break
                }
                let change = UploadChange(answer: answer, session: session, freed: freed)
                let isSame = session == before && answer != .terminated && answer != .busy
                return isSame ? .rollBack(change) : .commit(change)
            })
    }

    private static func finish(_ upload: Upload, on connection: inout PostgresConnection) throws -> [BlobName] {
        connection.enqueue(
            UploadTable.insert.with(
                upload.id, upload.fileName, upload.bytes, upload.sha256, upload.blob,
                upload.transcript.map { JSON($0) }, upload.createdAt))
        let parts = try connection.query(UploadSessionTable.removeParts.with(upload.id)).map {
            try $0.read("blob", BlobName.init)
        }
        return try unnamed(parts, on: &connection)
    }

    private static func remove(_ id: UploadID, on connection: inout PostgresConnection) throws -> [BlobName] {
        let parts = try connection.query(UploadSessionTable.removeParts.with(id)).map {
            try $0.read("blob", BlobName.init)
        }
        connection.enqueue(UploadSessionTable.remove.with(id))
        connection.enqueue(UploadTable.lock.with(id))
        let upload = try connection.query(UploadSessionTable.removeUpload.with(id)).map { row in
            [try row.read("blob", BlobName.init)]
                + (try row.readIfPresent("transcript_blob", BlobName.init).map { [$0] } ?? [])
        }
        return try unnamed(parts + upload.flatMap(\.self), on: &connection)
    }

    static func unnamed(
        _ blobs: [BlobName], on connection: inout PostgresConnection
    ) throws -> [BlobName] {
        guard !blobs.isEmpty else { return [] }
        return try connection.query(ResultTable.unnamed.with(blobs)).map { try $0.read("name", BlobName.init) }
    }

    package func removeExpiredSessions(limit: Int) async throws -> [BlobName] {
        try await database.write { connection, _ in
            let ids = try connection.query(UploadSessionTable.lockExpired.with(max(0, limit))).map {
                try $0.text("id")
            }
            guard !ids.isEmpty else { return .rollBack([]) }
            let parts = try connection.query(UploadSessionTable.removeExpiredParts.with(ids)).map {
                try $0.read("blob", BlobName.init)
            }
            connection.enqueue(UploadSessionTable.removeExpired.with(ids))
            return .commit(try Self.unnamed(parts, on: &connection))
        }
    }
}
