package import ClipModel
package import Store

extension PostgresStore: BlobNames {
    package func namedBlobs(after: BlobName?, limit: Int) async throws -> [NamedBlob] {
        let page = Self.page.with(after?.rawValue ?? "", min(max(0, limit), StoreLimits.pageRowsMax))
        return try await database.read { connection in
            try connection.query(page).map { row in
                NamedBlob(
                    name: try row.read("name", BlobName.init), bytes: try row.optional("bytes").flatMap { Int64($0) })
            }
        }
    }

    /// Uploads and their parts are found by an index, and what was put away is little. Results have none in the order
    /// of their blobs: each page reads them all, which is for a command that an operator runs by hand, not for a node.
    ///
    /// A part may be longer than what counts of it: it grows before that is known (`BlobWriter.checkpoint`).
    ///
    /// Of an upload that was put away the row still says where its bytes stood before.
    private static let page = Statement(
        "named_blobs",
        """
        select name, max(bytes) as bytes from (
            (select blob as name, max(bytes) as bytes from upload
            where blob > $1 and not exists (select from quarantine where quarantine.upload = upload.id)
            group by blob order by blob limit $2)
            union all
            (select \(QuarantineTable.blob), bytes from quarantine
            where emptied_at is null and \(QuarantineTable.blob) > $1 order by 1 limit $2)
            union all
            (select distinct blob, null::bigint from upload_part where blob > $1 order by blob limit $2)
            union all
            (select distinct (transcript->>'blob') collate "C", null::bigint from upload
            where transcript is not null and (transcript->>'blob') collate "C" > $1
            order by 1 limit $2)
            union all
            (select name collate "C",
                max(case when name = body::jsonb->>'video' then (body::jsonb->>'videoBytes')::bigint end)
            from result, unnest(blobs) as blob (name) where name collate "C" > $1 group by 1 order by 1 limit $2)
        ) as named
        group by name order by name limit $2
        """)
}
