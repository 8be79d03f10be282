import Blobs
import ClipModel

/// A directory that has links, as a bucket does.
struct LinkedBlobs: BlobStore {
    let base: BlobDirectory

    var room: LocalRoom { base.room }
    var keepsCopies: Bool { base.keepsCopies }

    func downloadLink(of name: BlobName, _ terms: DownloadTerms) async throws(BlobError) -> String? {
        "https://elsewhere.example/\(name)?\(terms.contentType)?\(terms.disposition.prefix { $0 != ";" })"
    }

    func writer(for name: BlobName, limitBytes: Int64) async throws(BlobError) -> any BlobWriter {
        try await base.writer(for: name, limitBytes: limitBytes)
    }

    func adopt(fileAt path: String, as name: BlobName) async throws(BlobError) -> BlobFacts {
        try await base.adopt(fileAt: path, as: name)
    }

    func put(_ bytes: [UInt8], as name: BlobName, if condition: WriteCondition) async throws(BlobError) -> BlobFacts {
        try await base.put(bytes, as: name, if: condition)
    }

    func size(of name: BlobName) async throws(BlobError) -> Int64? { try await base.size(of: name) }

    func read(_ name: BlobName, range: Range<Int64>, chunkBytes: Int?) async throws(BlobError) -> BlobReader {
        try await base.read(name, range: range, chunkBytes: chunkBytes)
    }

    func localFile(of name: BlobName, sha256: String?, in scratch: String) async throws(BlobError) -> String {
        try await base.localFile(of: name, sha256: sha256, in: scratch)
    }

    func move(_ name: BlobName, to other: BlobName) async throws(BlobError) { try await base.move(name, to: other) }

    func copy(_ name: BlobName, to other: BlobName) async throws(BlobError) { try await base.copy(name, to: other) }

    func remove(_ names: [BlobName]) async throws(BlobError) { try await base.remove(names) }

    func list(under prefix: BlobName?, after: BlobName?, limit: Int) async throws(BlobError) -> [ListedBlob] {
        try await base.list(under: prefix, after: after, limit: limit)
    }

    func directories(under prefix: BlobName) async throws(BlobError) -> [String] {
        try await base.directories(under: prefix)
    }

    func sweep() async throws(BlobError) -> Int { try await base.sweep() }
}
