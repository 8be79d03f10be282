package import ClipModel
package import Store

/// Uploads of the same bytes.
extension PostgresStore: UploadTwinBook {
    package func twins(withinSeconds seconds: Int, limit: Int) async throws -> [UploadTwins] {
        try await database.read { connection in
            try connection.query(Self.twins.with(seconds, max(0, limit))).map { row in
                UploadTwins(
                    earlier: try row.read("earlier", UploadID.init), later: try row.read("later", UploadID.init),
                    blob: try row.read("blob", BlobName.init), bytes: try row.int64("bytes"))
            }
        }
    }

    /// The locks keep jobs from beginning again and uploads from being removed or used anew. Whoever writes to one of
    /// the jobs is waited for, which takes a moment; whoever holds one of the uploads is not: twins are found again.
    package func unite(_ twins: UploadTwins) async throws -> BlobName? {
        let ids = [twins.earlier, twins.later]
        return try await database.write { connection, _ in
            let answers = try connection.queries([Self.lockJobs.with(ids), Self.lockUploads.with(ids)])
            let locked = try answers[1].map { (try $0.text("id"), try $0.read("blob", BlobName.init)) }
            guard locked.count == ids.count, let own = locked.first(where: { $0.0 == twins.later.rawValue }),
                try !connection.query(Self.unite.with(twins.earlier, twins.later)).isEmpty
            else { return .rollBack(nil) }
            return .commit(try Self.unnamed([own.1], on: &connection).first)
        }
    }

    private static func rests(_ upload: String) -> String {
        """
        exists (select from job where job.upload = \(upload).id)
            and not exists (
                select from job
                where job.upload = \(upload).id and (status in ('pending', 'processing') or lingers))
            and not exists (select from quarantine where quarantine.upload = \(upload).id)
        """
    }

    /// Looks through all uploads, once for all that came lately: there are as many as jobs that nobody deleted.
    private static let twins = Statement(
        "upload_twins",
        """
        select distinct on (later.created_at, later.id)
            later.id as later, earlier.id as earlier, earlier.blob, earlier.bytes
        from upload later join upload earlier
            on earlier.sha256 = later.sha256 and earlier.bytes = later.bytes and earlier.blob <> later.blob
                and (earlier.created_at, earlier.id) < (later.created_at, later.id)
        where later.created_at > now() - $1::bigint * interval '1 second'
            and \(rests("later")) and \(rests("earlier"))
        order by later.created_at, later.id, earlier.created_at, earlier.id limit $2
        """)
    private static let lockJobs = Statement(
        "lock_jobs_of_twins", "select 1 from job where upload = any($1::text[]) order by id for share")
    private static let lockUploads = Statement(
        "lock_upload_twins",
        "select id, blob from upload where id = any($1::text[]) order by id for update skip locked")
    /// Looks again under the locks: a job may have come between.
    private static let unite = Statement(
        "unite_upload_twins",
        """
        update upload later set blob = earlier.blob from upload earlier
        where earlier.id = $1 and later.id = $2 and earlier.sha256 = later.sha256 and earlier.bytes = later.bytes
            and earlier.blob <> later.blob and \(rests("later")) and \(rests("earlier"))
        returning 1
        """)
}
