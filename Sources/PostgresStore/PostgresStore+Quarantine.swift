package import ClipModel
package import Store

/// The book of uploads in which malware was found.
extension PostgresStore: QuarantineBook {
    package func quarantine(_ entry: QuarantineEntry) async throws {
        let insert = QuarantineTable.insert.with(
            entry.upload, entry.sha256, entry.bytes, entry.signature, entry.job, entry.tenant, entry.node)
        try await database.write { connection, _ in
            connection.enqueue(insert)
            return .commit(())
        }
    }

    package func quarantined(sha256: String) async throws -> String? {
        try await database.read { connection in
            try connection.query(QuarantineTable.signature.with(sha256)).first?.text("signature")
        }
    }

    package func isShared(_ blob: BlobName, besides upload: UploadID) async throws -> Bool {
        try await database.read { connection in
            try connection.query(QuarantineTable.isShared.with(blob, upload)).first?.bool("is_shared") == true
        }
    }

    package func quarantineToEmpty(olderThanSeconds seconds: Int, limit: Int) async throws -> [UploadID] {
        try await database.read { connection in
            try connection.query(QuarantineTable.due.with(seconds, max(0, limit))).map { row in
                try row.read("upload", UploadID.init)
            }
        }
    }

    package func quarantineEmptied(_ uploads: [UploadID]) async throws {
        guard !uploads.isEmpty else { return }
        let empty = QuarantineTable.empty.with(uploads)
        try await database.write { connection, _ in
            connection.enqueue(empty)
            return .commit(())
        }
    }

    package func quarantineEntries(before cursor: UploadID?, limit: Int) async throws -> [QuarantineEntry] {
        let page = QuarantineTable.page.with(cursor, min(max(0, limit), StoreLimits.pageRowsMax))
        return try await database.read { connection in
            try connection.query(page).map { row in
                QuarantineEntry(
                    upload: try row.read("upload", UploadID.init), sha256: try row.text("sha256"),
                    bytes: try row.int64("bytes"), signature: try row.text("signature"),
                    job: try row.read("job", JobID.init), tenant: try row.text("tenant"),
                    node: try row.read("node", NodeID.init), foundAt: try row.time("found_at"),
                    emptiedAt: try row.timeIfPresent("emptied_at"))
            }
        }
    }
}

enum QuarantineTable {
    /// `QuarantineEntry.blobName`.
    static let blob = "('quarantine/' || substr(upload, length('upload_') + 1) || '/source') collate \"C\""
    static let insert = Statement(
        "insert_quarantine",
        """
        insert into quarantine (upload, sha256, bytes, signature, job, tenant, node)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (upload) do nothing
        """)
    static let signature = Statement(
        "quarantine_signature",
        "select signature from quarantine where sha256 = $1 and emptied_at is null order by upload limit 1")
    static let isShared = Statement(
        "is_shared_blob",
        """
        select exists (
            select from upload where blob = $1 and id <> $2
                and not exists (select from quarantine where quarantine.upload = upload.id)
        ) as is_shared
        """)
    static let due = Statement(
        "quarantine_due",
        """
        select upload from quarantine
        where emptied_at is null and found_at < now() - $1::bigint * interval '1 second' order by upload limit $2
        """)
    static let empty = Statement(
        "empty_quarantine",
        "update quarantine set emptied_at = now() where upload = any($1::text[]) and emptied_at is null")
    static let page = Statement(
        "quarantine_page",
        """
        select upload, sha256, bytes, signature, job, tenant, node, ms_of(found_at) as found_at,
            ms_of(emptied_at) as emptied_at
        from quarantine where $1::text is null or upload < $1 order by upload desc limit $2
        """)
    /// Counted from when the bytes went, so that nothing is forgotten that is still there.
    static let forget = Statement(
        unprepared: """
            delete from quarantine where emptied_at < now() - \(StoreLimits.quarantineDays) * interval '1 day'
            """)
}
