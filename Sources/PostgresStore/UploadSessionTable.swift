import ClipModel
import Store

/// Uploads on their way, and their parts.
enum UploadSessionTable {
    private static let columns = """
        id, tenant, kind, file_name, metadata, to_jsonb(pieces) as pieces, sha256, bytes_max, parts_max, keep_seconds,
        lease_seconds, ms_of(created_at) as created_at, length, received, parts, state, epoch, holder,
        ms_of(held_until) as held_until, is_asked, ms_of(expires_at) as expires_at, ms_of(clock_timestamp()) as now
        """
    static let one = Statement("upload_session", "select \(columns) from upload_session where id = $1")
    static let lock = Statement("lock_upload_session", "select \(columns) from upload_session where id = $1 for update")
    /// In one order, so that two that join the same pieces do not wait for each other.
    static let keepPieces = Statement(
        "keep_upload_pieces",
        "select \(columns) from upload_session where id = any($1::text[]) order by id for share")
    static let insert = Statement(
        "insert_upload_session",
        """
        insert into upload_session (id, tenant, kind, file_name, metadata, pieces, sha256, bytes_max, parts_max,
            keep_seconds, lease_seconds, created_at, length, received, parts, state, epoch, holder, held_until,
            is_asked, expires_at)
        values ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9, $10, $11, time_of($12), $13, $14, $15, $16, $17, $18,
            time_of($19), $20::boolean, time_of($21))
        """)
    static let update = Statement(
        "update_upload_session",
        """
        update upload_session set length = $2, received = $3, parts = $4, state = $5, epoch = $6, holder = $7,
            held_until = time_of($8), is_asked = $9::boolean, expires_at = time_of($10)
        where id = $1
        """)
    static let remove = Statement("remove_upload_session", "delete from upload_session where id = $1")
    /// One client's sessions are opened one after the other, so that none slips past the quota.
    static let latch = Statement(
        "latch_upload_quota", "select pg_advisory_xact_lock(\(Migrator.lockSpace + 1), hashtext($1))")
    static let reserved = Statement(
        "reserved_by_uploads",
        """
        select count(*) as sessions, coalesce(sum(coalesce(length, received)), 0)::bigint as bytes
        from upload_session where tenant = $1 and state <> 'finished' and kind <> 'final' and expires_at > now()
        """)

    static let parts = Statement(
        "upload_parts", "select start, bytes, blob, sha256 from upload_part where session = $1 order by start")
    static let insertPart = Statement(
        "insert_upload_part",
        "insert into upload_part (session, start, bytes, blob, sha256) values ($1, $2, $3, $4, $5)")
    static let growPart = Statement(
        "grow_upload_part",
        "update upload_part set bytes = $3, sha256 = $4 where session = $1 and blob = $2 and bytes < $3 returning 1")
    static let hasPart = Statement(
        "has_upload_part",
        "select exists (select from upload_part where session = $1 and blob = $2 and bytes >= $3) as is_there")
    static let removeParts = Statement(
        "remove_upload_parts", "delete from upload_part where session = $1 returning blob")

    static let lockExpired = Statement(
        "lock_expired_upload_sessions",
        """
        select id from upload_session where expires_at <= now() order by expires_at, id limit $1
        for update skip locked
        """)
    static let removeExpiredParts = Statement(
        "remove_expired_upload_parts",
        "delete from upload_part where session = any($1::text[]) returning blob")
    static let removeExpired = Statement(
        "remove_expired_upload_sessions", "delete from upload_session where id = any($1::text[])")
    /// Unless a job uses it.
    static let removeUpload = Statement(
        "remove_terminated_upload",
        """
        delete from upload where id = $1 and not exists (select from job where job.upload = upload.id)
        returning blob, transcript->>'blob' as transcript_blob
        """)

    static func session(_ row: Row) throws -> UploadSession {
        UploadSession(
            id: try row.read("id", UploadID.init), tenant: try row.text("tenant"),
            kind: try row.read("kind", UploadSession.Kind.init), fileName: try row.text("file_name"),
            metadata: try row.text("metadata"),
            pieces: try row.json("pieces", as: [String].self).compactMap { UploadID($0) },
            sha256: try row.optional("sha256"),
            bounds: UploadBounds(
                bytesMax: try row.int64("bytes_max"), partsMax: try row.int("parts_max"),
                keepSeconds: try row.int("keep_seconds"), leaseSeconds: try row.int("lease_seconds")),
            createdAt: try row.time("created_at"), length: try row.readIfPresent("length") { Int64($0) },
            received: try row.int64("received"), parts: try row.int("parts"),
            state: try row.read("state", UploadSession.State.init), epoch: try row.int("epoch"),
            holder: try row.optional("holder"), heldUntil: try row.time("held_until"),
            isAsked: try row.bool("is_asked"), expiresAt: try row.time("expires_at"))
    }

    static func part(_ row: Row) throws -> UploadPart {
        UploadPart(
            start: try row.int64("start"), bytes: try row.int64("bytes"),
            blob: try row.read("blob", BlobName.init), sha256: try row.text("sha256"))
    }

    static func inserting(_ session: UploadSession) -> Call {
        let bounds = session.bounds
        return insert.with(
            session.id, session.tenant, session.kind.rawValue, session.fileName, session.metadata, session.pieces,
            session.sha256, bounds.bytesMax, bounds.partsMax, bounds.keepSeconds, bounds.leaseSeconds,
            session.createdAt, session.length, session.received, session.parts, session.state.rawValue, session.epoch,
            session.holder, session.heldUntil, session.isAsked, session.expiresAt)
    }

    static func updating(_ session: UploadSession) -> Call {
        update.with(
            session.id, session.length, session.received, session.parts, session.state.rawValue, session.epoch,
            session.holder, session.heldUntil, session.isAsked, session.expiresAt)
    }

    static func inserting(_ part: UploadPart, of session: UploadID) -> Call {
        insertPart.with(session, part.start, part.bytes, part.blob, part.sha256)
    }
}
