package import ClipModel

/// An upload in which malware was found: what was kept from decoders, when, and for whom.
package struct QuarantineEntry: Codable, Hashable, Sendable {
    package let upload: UploadID
    /// Of its bytes. Other uploads of the same bytes need not be looked at again.
    package let sha256: String
    package let bytes: Int64
    /// What the scanner calls it.
    package let signature: String
    /// The job whose scan found it, and whose it is.
    package let job: JobID
    package let tenant: String
    /// Where it was found.
    package let node: NodeID
    /// The store's own time.
    package let foundAt: Timestamp
    /// When its bytes were removed; nil: they are kept.
    package let emptiedAt: Timestamp?

    package init(
        upload: UploadID, sha256: String, bytes: Int64, signature: String, job: JobID, tenant: String, node: NodeID,
        foundAt: Timestamp, emptiedAt: Timestamp? = nil
    ) {
        self.upload = upload
        self.sha256 = sha256
        self.bytes = bytes
        self.signature = signature
        self.job = job
        self.tenant = tenant
        self.node = node
        self.foundAt = foundAt
        self.emptiedAt = emptiedAt
    }

    /// Where the bytes of an upload stand in which something was found: nothing serves or opens what is there.
    package static func blobName(of upload: UploadID) -> BlobName { BlobName("quarantine/\(upload.ulid)/source")! }
}

/// The book of uploads in which malware was found. It is the audit trail as well: rows outlive uploads, jobs and bytes,
/// and nothing but `emptied` changes them.
package protocol QuarantineBook: Sendable {
    /// Writes an entry, with the store's own time. The first one of an upload stays; safe to repeat.
    func quarantine(_ entry: QuarantineEntry) async throws
    /// The signature found in these bytes, while they are kept. After that they are looked at anew: signatures change.
    func quarantined(sha256: String) async throws -> String?
    /// Whether an upload in which nothing was found stands at this blob, too (`UploadTwinBook`).
    func isShared(_ blob: BlobName, besides upload: UploadID) async throws -> Bool
    /// Entries whose bytes are kept since more than `seconds`; at most `limit`, oldest first.
    func quarantineToEmpty(olderThanSeconds seconds: Int, limit: Int) async throws -> [UploadID]
    /// Their bytes are gone. Safe to repeat.
    func quarantineEmptied(_ uploads: [UploadID]) async throws
    /// Newest first, those of uploads older than `cursor`; at most `limit`.
    func quarantineEntries(before cursor: UploadID?, limit: Int) async throws -> [QuarantineEntry]
}

extension InMemoryStore: QuarantineBook {
    package func quarantine(_ entry: QuarantineEntry) {
        guard quarantineBook[entry.upload] == nil else { return }
        quarantineBook[entry.upload] = QuarantineEntry(
            upload: entry.upload, sha256: entry.sha256, bytes: entry.bytes, signature: entry.signature, job: entry.job,
            tenant: entry.tenant, node: entry.node, foundAt: clock())
    }

    package func quarantined(sha256: String) -> String? {
        let known = quarantineBook.values.filter { $0.sha256 == sha256 && $0.emptiedAt == nil }
        return known.min { $0.upload < $1.upload }?.signature
    }

    package func isShared(_ blob: BlobName, besides upload: UploadID) -> Bool {
        uploads.values.contains { $0.blob == blob && $0.id != upload && quarantineBook[$0.id] == nil }
    }

    package func quarantineToEmpty(olderThanSeconds seconds: Int, limit: Int) -> [UploadID] {
        let oldest = clock().advanced(bySeconds: Double(-seconds))
        let due = quarantineBook.values.filter { $0.emptiedAt == nil && $0.foundAt < oldest }
        return due.map(\.upload).sorted().prefix(max(0, limit)).map(\.self)
    }

    package func quarantineEmptied(_ uploads: [UploadID]) {
        for upload in uploads {
            guard let entry = quarantineBook[upload], entry.emptiedAt == nil else { continue }
            quarantineBook[upload] = QuarantineEntry(
                upload: entry.upload, sha256: entry.sha256, bytes: entry.bytes, signature: entry.signature,
                job: entry.job, tenant: entry.tenant, node: entry.node, foundAt: entry.foundAt, emptiedAt: clock())
        }
    }

    package func quarantineEntries(before cursor: UploadID?, limit: Int) -> [QuarantineEntry] {
        let older = quarantineBook.values.filter { entry in cursor.map { entry.upload < $0 } ?? true }
        let page = older.sorted { $0.upload > $1.upload }
        return Array(page.prefix(min(max(0, limit), StoreLimits.pageRowsMax)))
    }
}
