package import ClipModel

/// Bytes at rest, each under a name, written whole or not at all.
///
/// Two implementations pass the same suite of tests: a directory that every node sees (`BlobDirectory`), and a bucket
/// of an S3 service. Both have room on the machine's own disk, where tools work.
package protocol BlobStore: Sendable {
    /// The disk of this machine.
    var room: LocalRoom { get }

    /// Whether what tools read is copied to this machine and kept for a while. Then whoever goes on with a job has less
    /// to fetch.
    var keepsCopies: Bool { get }

    /// Room for a blob of up to `limitBytes` that arrives piece by piece.
    func writer(for name: BlobName, limitBytes: Int64) async throws(BlobError) -> any BlobWriter
    /// Makes a file of the scratch a blob. The file may be gone afterwards.
    func adopt(fileAt path: String, as name: BlobName) async throws(BlobError) -> BlobFacts
    /// Stores a few bytes. With `.absent` it throws `.exists` when a blob has the name already, also when several
    /// processes try at one moment: one of them succeeds.
    func put(_ bytes: [UInt8], as name: BlobName, if condition: WriteCondition) async throws(BlobError) -> BlobFacts

    /// Nil when there is no such blob.
    func size(of name: BlobName) async throws(BlobError) -> Int64?
    /// The bytes of `range`, block by block, each of `chunkBytes` at most; nil: as suits the store.
    func read(_ name: BlobName, range: Range<Int64>, chunkBytes: Int?) async throws(BlobError) -> BlobReader
    /// A path at which tools of this machine find the blob for as long as the directory `scratch` stands: where the
    /// blob stands, or a copy of it, whose bytes were compared with `sha256` or with what the store knows of them.
    func localFile(of name: BlobName, sha256: String?, in scratch: String) async throws(BlobError) -> String
    /// A URL under which anybody can download the blob for a while, without this node; nil: the store has none.
    func downloadLink(of name: BlobName, _ terms: DownloadTerms) async throws(BlobError) -> String?

    /// Gives a blob another name; what has that name is replaced. One that is gone already was moved before. For a
    /// moment both names may stand, never neither.
    func move(_ name: BlobName, to other: BlobName) async throws(BlobError)
    /// Lets the bytes of a blob stand under another name too; what has that name is replaced. Nothing comes of one that
    /// is gone. The names know nothing of each other: either may be removed.
    func copy(_ name: BlobName, to other: BlobName) async throws(BlobError)
    /// Removes blobs; those that are gone already are fine.
    func remove(_ names: [BlobName]) async throws(BlobError)
    /// Blobs after `after`, with the time of their last change, at most `limit`: of those that begin with `prefix` and
    /// a slash, or of all. In the order of their names, which is that of their bytes; where one name goes on with `-`
    /// or `.` and another of the same beginning with a slash, some services put the one with the slash first.
    func list(under prefix: BlobName?, after: BlobName?, limit: Int) async throws(BlobError) -> [ListedBlob]
    /// Names of the directories directly under `prefix`, those after `after`, at most `limit`; fewer only when there
    /// are no more. In the order of their names; where one name goes on with `-` or `.` where another ends, services
    /// differ in which comes first. Whoever goes on after the last one of a page leaves none out.
    func directories(under prefix: BlobName, after: String?, limit: Int) async throws(BlobError) -> [String]
    /// Drops what writers that were never ended left behind, in the store and on this machine's disk. Returns how many.
    @discardableResult func sweep() async throws(BlobError) -> Int
}

/// Whether a blob may take a name that another has.
package enum WriteCondition: Sendable, Hashable { case always, absent }

/// How a client downloads without this node.
package struct DownloadTerms: Sendable, Hashable {
    package let contentType: String
    /// `Content-Disposition` of the answer.
    package let disposition: String

    package init(contentType: String, disposition: String) {
        self.contentType = contentType
        self.disposition = disposition
    }
}

extension BlobStore {
    package func put(_ bytes: [UInt8], as name: BlobName) async throws(BlobError) -> BlobFacts {
        try await put(bytes, as: name, if: .always)
    }

    package func read(_ name: BlobName, range: Range<Int64>) async throws(BlobError) -> BlobReader {
        try await read(name, range: range, chunkBytes: nil)
    }

    package func list(under prefix: BlobName, limit: Int) async throws(BlobError) -> [ListedBlob] {
        try await list(under: prefix, after: nil, limit: limit)
    }

    /// A whole blob, which must not be larger than `limitBytes`.
    package func bytes(of name: BlobName, limitBytes: Int) async throws(BlobError) -> [UInt8] {
        guard let size = try await size(of: name) else { throw .missing(name) }
        guard size <= limitBytes else {
            throw BlobError(.tooLarge, "\(name) has more than the allowed \(limitBytes) bytes")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        var iterator = try await read(name, range: 0..<size).makeAsyncIterator()
        do {
            while let block = try await iterator.next() { bytes += block }
        } catch let error as BlobError { throw error } catch { throw BlobError(.unavailable, "\(error)") }
        return bytes
    }

    package func withScratch<Answer>(
        named name: String, evenWhenFull: Bool = false, _ body: (String) async throws -> Answer
    ) async throws -> Answer { try await room.withScratch(named: name, evenWhenFull: evenWhenFull, body) }

    package func writeScratch(_ bytes: [UInt8], to path: String) async throws(BlobError) {
        try await room.writeScratch(bytes, to: path)
    }

    package func freeBytes() throws(BlobError) -> Int64 { try room.freeBytes() }
    package func fileSystemFreeBytes() throws(BlobError) -> Int64 { try room.fileSystemFreeBytes() }
    package var pendingDiskCalls: Int { room.pendingDiskCalls }
}

/// Bytes on their way to become a blob. Nothing is seen under the blob's name before `commit` has made all of it
/// durable.
///
/// Used by one task. A writer that is dropped without `commit` leaves nothing under the name; what it leaves elsewhere
/// is found by `BlobStore.sweep`.
package protocol BlobWriter: AnyObject {
    var bytesWritten: Int64 { get }
    /// Appends bytes: an array, a slice or a NIO buffer's view. Returns when there is room for more.
    func write(_ bytes: some Sequence<UInt8>) async throws(BlobError)
    /// Makes the bytes so far durable and gives them their name, and takes more: the blob grows. Returns what there is
    /// of it; nil: the blobs of this store do not grow, and nothing was done.
    func checkpoint() async throws(BlobError) -> BlobFacts?
    /// Makes the bytes durable and gives them their name. An earlier blob of that name is replaced in one step.
    func commit() async throws(BlobError) -> BlobFacts
    /// Forgets the bytes since the last checkpoint. Harmless after `commit`.
    func discard() async
}

extension BlobWriter {
    package func checkpoint() async throws(BlobError) -> BlobFacts? { nil }
}

/// A blob as `list` finds it.
package struct ListedBlob: Sendable, Hashable {
    package let name: BlobName
    package let bytes: Int64
    package let changedAt: Timestamp

    package init(name: BlobName, bytes: Int64, changedAt: Timestamp) {
        self.name = name
        self.bytes = bytes
        self.changedAt = changedAt
    }
}
