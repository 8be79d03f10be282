import ClipModel
import Store

/// Bytes that clients sent.
enum UploadTable {
    private static let columns = """
        id, file_name, bytes, sha256, blob, transcript, ms_of(created_at) as created_at
        """
    /// For joins: every column of the upload under a name of its own.
    static let prefixedColumns = """
        upload.id as upload_id, upload.file_name as upload_file_name, upload.bytes as upload_bytes,
        upload.sha256 as upload_sha256, upload.blob as upload_blob, upload.transcript as upload_transcript,
        ms_of(upload.created_at) as upload_created_at
        """
    static let one = Statement("upload", "select \(columns) from upload where id = $1")
    /// Its users are kept from losing it until their transaction ends.
    static let keep = Statement("keep_upload", "select \(columns) from upload where id = $1 for key share")
    static let insert = Statement(
        "insert_upload",
        """
        insert into upload (id, file_name, bytes, sha256, blob, transcript, created_at)
        values ($1, $2, $3, $4, $5, $6::jsonb, time_of($7)) on conflict (id) do nothing
        """)
    static let lockUnused = Statement(
        "lock_unused_uploads",
        """
        select id from upload
        where created_at < now() - $1::bigint * interval '1 second'
            and not exists (select from job where job.upload = upload.id)
        order by id limit $2 for update skip locked
        """)
    /// Looks again under the lock: a job may have come between.
    static let removeUnused = Statement(
        "remove_unused_uploads",
        """
        delete from upload
        where id = any($1::text[]) and not exists (select from job where job.upload = upload.id)
        returning \(columns)
        """)
    static let lock = Statement("lock_upload", "select 1 from upload where id = $1 for update")

    static func upload(_ row: Row, prefix: String = "") throws -> Upload {
        Upload(
            id: try row.read(prefix + "id", UploadID.init), fileName: try row.text(prefix + "file_name"),
            bytes: try row.int64(prefix + "bytes"), sha256: try row.text(prefix + "sha256"),
            blob: try row.read(prefix + "blob", BlobName.init),
            transcript: try row.jsonIfPresent(prefix + "transcript"), createdAt: try row.time(prefix + "created_at"))
    }
}
