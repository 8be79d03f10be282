package import ClipModel

/// Everything in the blob store that the database names: for those who compare the two.
package protocol BlobNames: Sendable {
    /// After `after`, in the order of their names, each once, at most `limit`. Of an upload that was put away it is
    /// where its bytes stand now.
    func namedBlobs(after: BlobName?, limit: Int) async throws -> [NamedBlob]
    /// Those of `blobs` that no result, no upload, no upload on its way and no quarantine that is kept points at.
    func unnamed(_ blobs: [BlobName]) async throws -> [BlobName]
}

/// A blob that the database names.
package struct NamedBlob: Hashable, Sendable {
    package let name: BlobName
    /// Nil: nobody noted it.
    package let bytes: Int64?

    package init(name: BlobName, bytes: Int64?) {
        self.name = name
        self.bytes = bytes
    }
}
