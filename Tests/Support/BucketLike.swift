package import Blobs
package import ClipModel

/// A directory that passes for a bucket: it has links, and says that copies are kept.
package struct BucketLike: BlobStore {
    private let base: BlobDirectory

    package init(base: BlobDirectory) { self.base = base }

    package var room: LocalRoom { base.room }
    package var keepsCopies: Bool { true }

    package func downloadLink(of name: BlobName, _ terms: DownloadTerms) async throws(BlobError) -> String? {
        "https://elsewhere.example/\(name)?\(terms.contentType)?\(terms.disposition.prefix { $0 != ";" })"
    }

    package func writer(for name: BlobName, limitBytes: Int64) async throws(BlobError) -> any BlobWriter {
        try await base.writer(for: name, limitBytes: limitBytes)
    }

    package func adopt(fileAt path: String, as name: BlobName) async throws(BlobError) -> BlobFacts {
        try await base.adopt(fileAt: path, as: name)
    }

    package func put(
        _ bytes: [UInt8], as name: BlobName, if condition: WriteCondition
    ) async throws(BlobError) -> BlobFacts {
        try await base.put(bytes, as: name, if: condition)
    }

    package func size(of name: BlobName) async throws(BlobError) -> Int64? { try await base.size(of: name) }

    package func read(_ name: BlobName, range: Range<Int64>, chunkBytes: Int?) async throws(BlobError) -> BlobReader {
        try await base.read(name, range: range, chunkBytes: chunkBytes)
    }

    package func localFile(of name: BlobName, sha256: String?, in scratch: String) async throws(BlobError) -> String {
        try await base.localFile(of: name, sha256: sha256, in: scratch)
    }

    package func move(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        try await base.move(name, to: other)
    }

    package func copy(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        try await base.copy(name, to: other)
    }

    package func remove(_ names: [BlobName]) async throws(BlobError) { try await base.remove(names) }

    package func list(under prefix: BlobName?, after: BlobName?, limit: Int) async throws(BlobError) -> [ListedBlob] {
        try await base.list(under: prefix, after: after, limit: limit)
    }

    package func directories(
        under prefix: BlobName, after: String?, limit: Int
    ) async throws(BlobError) -> [String] {
        try await base.directories(under: prefix, after: after, limit: limit)
    }

    package func sweep() async throws(BlobError) -> Int { try await base.sweep() }
}
